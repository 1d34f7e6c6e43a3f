"""What sampling has cost and is going to cost, in dollars: arithmetic only."""

from dataclasses import dataclass

from flows.recipe import TeacherRecipe
from teacher.progress import SamplingProgress
from teacher.topology import DOLLARS_PER_GPU_HOUR


@dataclass(frozen=True, slots=True)
class Price:
    """What a teacher costs: dollars per million completion tokens, or dollars per hour."""

    per_million_tokens: float | None = None
    per_hour: float | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars since this process started, and what they come to at the end (None: not known)."""

    so_far: float
    projected: float | None


def price_of(teacher: TeacherRecipe) -> Price | None:
    """The recipe's price of tokens, else its GPUs at the plan's middle rent; None with neither."""
    if teacher.dollars_per_million_tokens is not None:
        return Price(per_million_tokens=teacher.dollars_per_million_tokens)
    if teacher.cluster is not None:
        return Price(per_hour=teacher.cluster.gpus * DOLLARS_PER_GPU_HOUR.expected)
    return None


def cost_of(progress: SamplingProgress, price: Price | None) -> Cost | None:
    """The cost of sampling at this price; tokens that were paid for and lost count too."""
    if price is None:
        return None
    if price.per_million_tokens is not None:
        spent = progress.completion_tokens + progress.wasted_tokens
        return _cost(spent, progress.tokens_left, price.per_million_tokens / 1e6)
    if price.per_hour is not None:
        return _cost(progress.elapsed_s, progress.seconds_left, price.per_hour / 3600)
    return None


def _cost(spent: float, left: float | None, dollars_each: float) -> Cost:
    projected = None if left is None else (spent + left) * dollars_each
    return Cost(spent * dollars_each, projected)
