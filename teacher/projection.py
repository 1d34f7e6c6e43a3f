"""How much is left of a run, and how sure that is."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from teacher.schedule import StopRule

# 80 % of a normal distribution lies within this many standard deviations.
_SPREAD = 1.2816
# How R1's lengths vary, and how many completions' worth of evidence that is at most: the few that
# came first are all short, and say little of how the others vary.
_USUAL_SIGMA, _USUAL_WEIGHT = 0.9, 30
# Enough for an estimate that is shown once a second.
_STEPS, _MOST_FITTED, _LEAST_SIGMA = 150, 50, 0.02


@dataclass(frozen=True, slots=True)
class Projection:
    """Completion tokens and seconds that are left; the true end lies between low and high with
    80 % probability, as far as prompts to come are like those done. None: nothing is known yet."""

    tokens: float | None = None
    seconds: float | None = None
    seconds_low: float | None = None
    seconds_high: float | None = None


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of completions as a lognormal: mean and standard deviation of their logarithms."""

    mu: float
    sigma: float

    def mean(self) -> float:
        """Tokens of a completion."""
        return math.exp(self.mu + self.sigma**2 / 2)

    def rest(self, tokens: int) -> float:
        """Tokens still to come of a completion that has so many."""
        if tokens < 1:
            return self.mean()
        z = (math.log(tokens) - self.mu) / self.sigma
        longer = _tail(z)
        # Far out in the tail both vanish; what is left grows about as the length does.
        whole = self.mean() * _tail(z - self.sigma) / longer if longer > 1e-12 else 1.5 * tokens
        return max(0.0, whole - tokens)

    def hazard(self, logarithm: float) -> float:
        """The normal density over its tail, at this logarithm of a length."""
        z = (logarithm - self.mu) / self.sigma
        longer = _tail(z)
        return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / longer if longer > 1e-12 else z


def _tail(z: float) -> float:
    """The share of a standard normal distribution above z."""
    return math.erfc(z / math.sqrt(2)) / 2


def _sigma(variance: float) -> float:
    return math.sqrt(max(variance, _LEAST_SIGMA**2))


class Projector:
    """Projects the rest of a run from how often prompts needed a further sample.

    Easy prompts are decided first, so the samples a decided prompt took say too little: counted
    is, for each number of samples tried, which share of the prompts that got so far went on.
    """

    def __init__(self) -> None:
        self._reached: Counter[int] = Counter()  # prompts that have had so many samples
        self._went_on: Counter[int] = Counter()  # of these, not decided by them
        self._count = 0
        self._logs = 0.0
        self._log_squares = 0.0

    def note(self, tried: int, decided: bool) -> None:
        """A prompt has had `tried` samples and is decided by them, or not."""
        self._reached[tried] += 1
        self._went_on[tried] += not decided

    def length(self, tokens: int) -> None:
        """A completion of so many tokens has come."""
        logarithm = math.log(max(1, tokens))
        self._count += 1
        self._logs += logarithm
        self._log_squares += logarithm * logarithm

    def project(
        self,
        open_by_tried: dict[int, int],
        under_way: Sequence[int],
        tokens_per_s: float,
        rule: StopRule,
    ) -> Projection:
        """What is left; nothing is known before a completion has come back. `open_by_tried` counts
        the open prompts by samples tried, `under_way` are the tokens heard of each request in
        flight.

        Two bounds: all tokens at the rate of now, and the rounds that the slowest prompts still
        need one after the other, each as long as a completion. The longer one is the estimate.
        """
        if not self._count or tokens_per_s <= 0:
            return Projection()
        lengths = self._lengths(under_way)
        mean, varies = lengths.mean(), math.expm1(lengths.sigma**2)
        samples = self._samples_left(open_by_tried, rule.n_max)
        started = sum(min(lengths.rest(tokens), rule.max_tokens) for tokens in under_way)
        tokens = max(0.0, samples - len(under_way)) * mean + started
        round_s = mean * max(1, len(under_way)) / tokens_per_s
        rounds = self._rounds_left(open_by_tried, rule.n_max) / max(rule.keep, rule.n_min)
        bounds = tokens / tokens_per_s, rounds * round_s
        relative = math.sqrt((1 / self._count + 1 / max(samples, 1)) * (1 + varies))
        spread = min(0.9, _SPREAD * relative)
        high_s = max(bounds) * (1 + spread) + (min(round_s, max(bounds)) if under_way else 0.0)
        return Projection(tokens, max(bounds), min(bounds) * (1 - spread), high_s)

    def _lengths(self, under_way: Sequence[int]) -> "Lengths":
        """The lognormal that fits best what has come back and what is under way.

        Short completions come back first, so those under way count as at least as long as they
        are: expectation maximisation for right-censored data (Dempster, Laird & Rubin 1977).
        """
        mu = self._logs / self._count
        sigma = _sigma(self._log_squares / self._count - mu * mu)
        fit = Lengths(mu, sigma)
        logs = [math.log(tokens) for tokens in under_way[:: 1 + len(under_way) // _MOST_FITTED]
                if tokens > 0]  # fmt: skip
        scale = len(under_way) / max(1, len(logs))
        count = self._count + scale * len(logs)
        weight = min(_USUAL_WEIGHT, len(under_way))
        for _ in range(_STEPS if logs else 0):
            first = second = 0.0
            for logarithm in logs:
                gain = fit.sigma * fit.hazard(logarithm)
                first += fit.mu + gain
                second += fit.mu**2 + fit.sigma**2 + gain * (logarithm + fit.mu)
            mu = (self._logs + scale * first) / count
            square = self._log_squares + scale * second - count * mu * mu
            fit = Lengths(mu, _sigma((square + weight * _USUAL_SIGMA**2) / (count + weight)))
        return fit

    def _rounds_left(self, open_by_tried: Mapping[int, float], n_max: int) -> int:
        """After how many further samples, one after the other, fewer than half a prompt is open."""
        goes_on, rounds = self._shares(n_max), 0
        still = {tried: float(count) for tried, count in open_by_tried.items()}
        while rounds < n_max and sum(still.values()) >= 0.5:
            rounds += 1
            still = {
                tried + 1: count * goes_on[tried]
                for tried, count in still.items()
                if tried + 1 < n_max
            }
        return rounds

    def _samples_left(self, open_by_tried: dict[int, int], n_max: int) -> float:
        """Expected samples still to come for the open prompts."""
        goes_on = self._shares(n_max)
        further = left = 0.0  # further: of an open prompt with so many tried
        for tried in range(n_max - 1, -1, -1):
            further = 1 + goes_on[tried] * further
            left += open_by_tried.get(tried, 0) * further
        return left

    def _shares(self, n_max: int) -> list[float]:
        """Shares of prompts that go on after 1, 2, … samples; where none got so far, the last."""
        shares, last = [], 0.5
        for tried in range(1, n_max + 1):
            if self._reached[tried]:
                last = self._went_on[tried] / self._reached[tried]
            shares.append(last)
        return shares
