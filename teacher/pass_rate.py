"""A prompt's pass rate, estimated without the bias that stopping early brings."""

from collections.abc import Sequence
from dataclasses import dataclass

from teacher.schedule import StopRule


@dataclass(frozen=True, slots=True)
class PromptOutcome:
    """What became of one prompt; one row of `2-samples/pass_rates.parquet`.

    tried = decided + undecided and failed ones. `pass_rate` is the unbiased estimate, not
    accepted / decided; None if nothing can be said. `stopped` is a Stop. `completion_tokens` are
    all that were paid for it in this and earlier runs, those of cancelled and broken samples too
    (what was in flight when a run was killed aside).
    """

    prompt_id: str
    tried: int
    decided: int
    accepted: int
    pass_rate: float | None
    stopped: str
    completion_tokens: int


def pass_rate(outcomes: Sequence[bool | None], rule: StopRule) -> float | None:
    """The unbiased estimate of the probability that a sample is accepted; None if none is decided.

    `outcomes` are those of samples 0, 1, 2 … (None: undecided, or failed for good) up to the first
    that is missing; those after the one at which the rule stops are not looked at.

    Accepted / decided is biased upwards where the rule stops at success: keep=1 with a true rate
    of 0.1 gives 0.26 on average. The first decided sample alone is unbiased; averaged over all
    orders in which the same counts could have come without stopping earlier, it is still
    unbiased and varies least: sequences that begin with an accepted one / all sequences, both
    counted on the lattice of accepted × rejected that the rule leaves open (Girshick, Mosteller
    & Savage 1946, Annals of Mathematical Statistics 17). Known cases: without early stops
    accepted / decided; for keep=k with no n_max, (k - 1) / (n - 1) (Haldane 1945); for keep=1,
    n_min=1 the outcome of the first decided sample, 0 or 1: rough for a prompt, right for a group.

    Undecided samples stay at their places in all orders, so that whether one could be decided
    may depend on when it was asked, but must not depend on whether it would be accepted.

    The outcomes may end before the rule stops: a budget was used up, or at the tail a sibling was
    cancelled because a later index was accepted first. The same count over what is there is
    unbiased if the cut does not depend on the outcomes; None instead would not be, for cuts
    follow rejected samples. With keep=1, n_min=1 nothing is sent beside the first sample, it is
    never cut, and the estimate is exact however fast which samples come back. With keep=2 a prompt
    at the tail has a bias of at most 0.006 where accepted and rejected ones take equally long,
    0.05 where rejected ones take twice as long, and up to three in ten have no estimate.
    """
    # By number of accepted ones: orders that leave the prompt open, and those of them that begin
    # with an accepted sample. Both are exact integers.
    orders, begun = [1], [0]
    decided = accepted = 0
    for tried, outcome in enumerate(outcomes, 1):
        if outcome is not None:
            begun = _step(begun) if decided else [0, 1]
            orders = _step(orders)
            decided, accepted = decided + 1, accepted + outcome
        if rule.stop(tried, accepted):
            break
        for number in (0, *range(rule.keep, len(orders))):  # where it could have stopped
            if rule.stop(tried, number):
                orders[number] = begun[number] = 0
    return begun[accepted] / orders[accepted] if decided else None


def _step(ways: list[int]) -> list[int]:
    """One more decided sample: rejected ones stay, accepted ones go up by one."""
    return [stay + up for stay, up in zip([*ways, 0], [0, *ways], strict=True)]
