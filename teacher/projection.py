"""How much is left of a run, and how sure that is."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# 80 % of a normal distribution lies within this many standard deviations.
_SPREAD = 1.2816
# A request longer than the mean is taken to have this share of the mean still to come.
_LEAST_LEFT = 0.25


@dataclass(frozen=True, slots=True)
class Projection:
    """Completion tokens and seconds that are left; the true end lies between low and high with
    80 % probability, as far as prompts to come are like those done. None: nothing is known yet."""

    tokens: float | None = None
    seconds: float | None = None
    seconds_low: float | None = None
    seconds_high: float | None = None


class Projector:
    """Projects the rest of a run from how often prompts needed a further sample.

    Easy prompts are decided first, so the samples a decided prompt took say too little: counted
    is, for each number of samples tried, which share of the prompts that got so far went on.
    """

    def __init__(self) -> None:
        self._reached: Counter[int] = Counter()  # prompts that have had so many samples
        self._went_on: Counter[int] = Counter()  # of these, not decided by them
        self._count = 0
        self._tokens = 0.0
        self._squares = 0.0

    def note(self, tried: int, decided: bool) -> None:
        """A prompt has had `tried` samples and is decided by them, or not."""
        self._reached[tried] += 1
        self._went_on[tried] += not decided

    def length(self, tokens: int) -> None:
        """A completion of so many tokens has come."""
        self._count += 1
        self._tokens += tokens
        self._squares += tokens * tokens

    def project(
        self,
        open_by_tried: dict[int, int],
        under_way: Sequence[int],
        tokens_per_s: float,
        n_max: int,
    ) -> Projection:
        """What is left; nothing is known before a completion has come back. `open_by_tried` counts
        the open prompts by samples tried, `under_way` are the tokens heard of each request in
        flight: a long one has still some to come.
        """
        if not self._count or tokens_per_s <= 0:
            return Projection()
        samples = self._samples_left(open_by_tried, n_max)
        mean = self._tokens / self._count
        variance = max(0.0, self._squares / self._count - mean * mean)
        heard = sum(min(tokens, mean * (1 - _LEAST_LEFT)) for tokens in under_way)
        tokens = max(samples * mean - heard, len(under_way) * mean * _LEAST_LEFT)
        varies = 1 + variance / max(mean, 1.0) ** 2
        relative = math.sqrt((1 / self._count + 1 / max(samples, 1)) * varies)
        seconds, spread = tokens / tokens_per_s, min(0.9, _SPREAD * relative)
        return Projection(tokens, seconds, seconds * (1 - spread), seconds * (1 + spread))

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
