"""What sampling has done so far: counts that conserve, rates, and an estimate of the rest."""

from collections import Counter, deque
from dataclasses import dataclass, field

from teacher.pass_rate import PromptOutcome
from teacher.sample import FAILED

# Rates are taken over this long, so that they follow the teacher's speed but not every burst.
RATE_WINDOW_S = 60.0
# So long without a token is a pause, which a rate of tokens must not count.
PAUSE_S = RATE_WINDOW_S / 2
# What is left is told from a rate over so long at least, and over so many tokens a request in
# flight: while prompts are read, only the first token of each comes, a hundred times more slowly.
STEADY_S, STEADY_TOKENS = 10.0, 16


@dataclass(frozen=True, slots=True)
class ReplicaProgress:
    """One replica as it is now. `state` is `up`, `lost`, `waiting` (it asked us to come later) or
    `leaving`. `queued` (requests in the server's own queue) and `kv_usage` (0 to 1) come from its
    /metrics, None where it has none."""

    url: str
    state: str
    in_flight: int
    window: int
    queued: int | None
    kv_usage: float | None
    completion_tokens: int
    tokens_per_s: float


@dataclass(frozen=True, slots=True)
class SamplingProgress:
    """How far sampling is. Tokens and `elapsed_s` are of this process, `samples` and its parts
    also count what was there before. `trouble` says what is wrong with the replicas, empty if
    nothing. What is left is None until tokens flow, see Flow; the low and high ends of the time
    left hold the end with 80 % probability."""

    elapsed_s: float
    prompts_done: int
    prompts_total: int
    samples: int
    accepted: int
    rejected: int
    undecided: int
    errors: int
    truncated: int
    in_flight: int
    ungraded: int
    completion_tokens: int
    wasted_tokens: int
    tokens_per_s: float
    tokens_per_accepted: float | None
    tokens_left: float | None
    seconds_left: float | None
    seconds_left_low: float | None
    seconds_left_high: float | None
    faults: dict[str, int]
    replicas: tuple[ReplicaProgress, ...]
    trouble: str = ""


@dataclass(slots=True)
class SamplingSummary:
    """What became of all prompts: samples = accepted + rejected + undecided + errors.

    Prompts = kept + exhausted + given up + refused + over budget, see Stop. `refused` errors are
    those that asking again would not mend. `resumed` samples were there
    before; tokens and `duration_s` are of this process. `cancelled` requests were given up because
    their prompt had enough; what they had cost is in `wasted_tokens`, with what faults cost.
    `continued` completions were begun by one replica and ended by another. `faults` counts failed
    attempts by kind, retried or not. `outcomes` has a row a prompt, in the order asked.
    """

    prompts: int = 0
    prompts_kept: int = 0
    prompts_exhausted: int = 0
    prompts_given_up: int = 0
    prompts_refused: int = 0
    prompts_over_budget: int = 0
    samples: int = 0
    accepted: int = 0
    rejected: int = 0
    undecided: int = 0
    errors: int = 0
    refused: int = 0
    truncated: int = 0
    resumed: int = 0
    cancelled: int = 0
    continued: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    wasted_tokens: int = 0
    duration_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    outcomes: list[PromptOutcome] = field(default_factory=list)

    def count(self, finish_reason: str, accepted: bool | None, refused: bool = False) -> None:
        """Add one sample that was graded, or that failed for good."""
        self.samples += 1
        self.truncated += finish_reason == "length"
        if finish_reason == FAILED:
            self.errors += 1
            self.refused += refused
        elif accepted is None:
            self.undecided += 1
        elif accepted:
            self.accepted += 1
        else:
            self.rejected += 1

    def conserves(self) -> bool:
        """Whether every sample is in exactly one of its four counts, and so every prompt."""
        graded = self.accepted + self.rejected + self.undecided
        tried = self.prompts_kept + self.prompts_exhausted + self.prompts_given_up
        prompts = tried + self.prompts_refused + self.prompts_over_budget
        return self.samples == graded + self.errors and self.prompts == prompts


class Meter:
    """A rate over the last `RATE_WINDOW_S`, fed with (time in s, total so far)."""

    def __init__(self, started_s: float, total: float = 0.0) -> None:
        self._readings: deque[tuple[float, float]] = deque([(started_s, total)])

    def per_s(self, now_s: float, total: float) -> float:
        """Note the total and return its rate of growth, 0 before anything can be said."""
        while len(self._readings) > 1 and self._readings[1][0] <= now_s - RATE_WINDOW_S:
            self._readings.popleft()
        if now_s > self._readings[-1][0]:
            self._readings.append((now_s, total))
        (then_s, then), (last_s, last) = self._readings[0], self._readings[-1]
        return (last - then) / (last_s - then_s) if last_s > then_s else 0.0


class Flow:
    """The rate of tokens while they flow: it begins with the first one, and anew after a pause.

    `silent_s` is how long nothing has come, as of the last look, though something was asked for.
    """

    def __init__(self, started_s: float) -> None:
        self.silent_s = 0.0
        self._heard_s = self._looked_s = started_s
        self._total = 0
        self._begin(started_s)

    def per_s(self, now_s: float, total: int, in_flight: int) -> float:
        """Note all tokens so far; their rate, 0 where none is known that would tell of the rest."""
        if total > self._total:
            if self._total == 0 or now_s - self._heard_s >= PAUSE_S:
                self._begin(self._looked_s)
            self._heard_s = now_s
        elif not in_flight:
            self._heard_s = now_s  # nothing is waited for
        self._looked_s, self._total = now_s, total
        self.silent_s = now_s - self._heard_s
        rate = self._meter.per_s(now_s, total)
        is_long = now_s - self._began_s >= STEADY_S and self.silent_s < PAUSE_S
        return rate if is_long and total - self._before >= STEADY_TOKENS * in_flight else 0.0

    def _begin(self, now_s: float) -> None:
        self._began_s, self._before = now_s, self._total
        self._meter = Meter(now_s, self._total)
