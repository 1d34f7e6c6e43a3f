"""All optimiser steps of a training, known ahead: which rows, laid how, on which rank.

A step's gradient is that of its rows, however they lie: packing changes how fast it is computed
and never what it is. Every rank gets the same number of bins, because ranks that share weights
must run the same number of passes.
"""

import math
import random
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

# Indexes of rows that are computed in one pass; empty where a rank has no row of a step left.
Bin = tuple[int, ...]
# What a rank with an empty bin computes, none of it in the loss.
NOTHING_TOKENS = 2
# The bins of each rank: Step[rank][pass].
Step = tuple[tuple[Bin, ...], ...]


@dataclass(frozen=True, slots=True)
class StepShape:
    """How rows become steps: `bin_rows` per pass without packing, `bin_tokens` with it."""

    epochs: float
    batch_size: int
    bin_rows: int
    bin_tokens: int | None
    ranks: int
    seed: int


class Steps:
    """The steps in their order, each laid when it is asked for: nothing is kept for each row."""

    def __init__(self, lengths: Sequence[int], shape: StepShape, per_epoch: int) -> None:
        self.lengths, self.shape, self.per_epoch = lengths, shape, per_epoch
        # As it is written: 1.1 epochs of 100 steps are 110, where floats make it a little more.
        self.count = math.ceil(Fraction(str(shape.epochs)) * per_epoch)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Step:
        """Step `index`, 0 being the first."""
        if not 0 <= index < self.count:
            raise IndexError(f"step {index} of {self.count}")
        epoch, part = divmod(index, self.per_epoch)
        rows = len(self.lengths)
        order = _order(rows, f"{self.shape.seed} {epoch}")
        ours = order[part * rows // self.per_epoch : (part + 1) * rows // self.per_epoch]
        return _lay(list(ours), self.lengths, self.shape)

    def __iter__(self) -> Iterator[Step]:
        return (self[index] for index in range(self.count))


@dataclass(frozen=True, slots=True)
class StepPlan:
    """The steps in their order, and how many make an epoch."""

    steps: Steps
    per_epoch: int


def plan_steps(lengths: Sequence[int], shape: StepShape) -> StepPlan:
    """Plan a training on rows of `lengths` tokens; the same arguments give the same plan.

    An epoch has every row once, in an order of its own, spread evenly: its steps differ by one
    row at most, none has more than `batch_size`. A broken epoch stops after its first steps.
    """
    assert shape.bin_tokens is None or max(lengths) <= shape.bin_tokens, "a row fits no bin"
    per_epoch = math.ceil(len(lengths) / shape.batch_size)
    return StepPlan(Steps(lengths, shape, per_epoch), per_epoch)


@lru_cache(maxsize=2)  # this epoch's, and the next one's: a batch is fetched ahead
def _order(rows: int, seed: str) -> "array[int]":
    """All row indexes, shuffled, in four bytes each."""
    order = array("i", range(rows))
    random.Random(seed).shuffle(order)
    return order


def _lay(rows: list[int], lengths: Sequence[int], shape: StepShape) -> Step:
    """One step's rows in bins, dealt so that ranks have as many passes and near equal tokens."""
    longest_first = sorted(rows, key=lambda row: -lengths[row])
    if shape.bin_tokens is None:
        bins = [
            longest_first[start : start + shape.bin_rows]
            for start in range(0, len(rows), shape.bin_rows)
        ]
    else:
        bins = pack(longest_first, lengths, shape.bin_tokens, shape.ranks)
    passes = math.ceil(len(bins) / shape.ranks)
    bins.extend([] for _ in range(passes * shape.ranks - len(bins)))
    bins.sort(key=lambda held: -sum(lengths[row] for row in held))
    dealt: list[list[Bin]] = [[] for _ in range(shape.ranks)]
    for turn in range(passes):
        ranks = dealt if turn % 2 == 0 else dealt[::-1]  # who got the larger gets the smaller
        for rank, place in zip(ranks, range(turn * shape.ranks, len(bins)), strict=False):
            rank.append(tuple(bins[place]))
    return tuple(tuple(held) for held in dealt)


def pack(
    longest_first: Sequence[int], lengths: Sequence[int], capacity: int, ranks: int
) -> list[list[int]]:
    """Rows in the fewest bins that best fit finds, a multiple of `ranks`, and levelled.

    Levelled: each row goes to the bin with the fewest tokens, which keeps ranks from waiting for
    each other and passes from needing more memory than others. Where a level lay does not fit,
    best fit's own bins stay, and some ranks have an empty one.
    """
    tight = _best_fit(longest_first, lengths, capacity)
    level: list[list[int]] = [[] for _ in range(math.ceil(len(tight) / ranks) * ranks)]
    filled = [0] * len(level)
    for row in longest_first:
        emptiest = filled.index(min(filled))
        filled[emptiest] += lengths[row]
        level[emptiest].append(row)
    return level if max(filled) <= capacity else tight


def _best_fit(
    longest_first: Sequence[int], lengths: Sequence[int], capacity: int
) -> list[list[int]]:
    """Each row in the fullest bin that still takes it, else in a new one."""
    bins: list[list[int]] = []
    room: list[int] = []
    for row in longest_first:
        fits = [place for place, left in enumerate(room) if left >= lengths[row]]
        if not fits:
            bins.append([])
            room.append(capacity)
            fits = [len(bins) - 1]
        best = min(fits, key=lambda place: room[place])
        bins[best].append(row)
        room[best] -= lengths[row]
    return bins


def padding_share(plan: StepPlan, lengths: Sequence[int], packed: bool, multiple: int = 1) -> float:
    """Share of the tokens computed that is no row's: 0 where rows are packed.

    Without packing a bin is as wide as its longest row, rounded up to a `multiple`.
    """
    real = fed = 0
    for held in (held for step in plan.steps for ours in step for held in ours):
        sizes = [lengths[row] for row in held]
        real += sum(sizes)
        width = -(-max(sizes, default=NOTHING_TOKENS) // multiple) * multiple
        fed += sum(sizes) if packed and held else width * max(1, len(held))
    return 1 - real / fed
