"""The statistics behind every score, on plain matrices; numpy only.

A score matrix has a row per prompt and a column per sample: `correct[i, j]` says whether sample j
of prompt i was accepted. Rows may have missing samples (NaN). Prompts, not samples, are what is
drawn from a population, so every interval resamples or clusters by prompt.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

RESAMPLES = 10_000
# Resampled means are computed in slices of this many numbers, 80 MB, whatever the matrix's size.
SLICE_VALUES = 10_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval; `n` prompts stand behind it."""

    value: float
    low: float
    high: float
    n: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


def pass_at_1(correct: ArrayLike) -> Floats:
    """Each prompt's share of accepted samples, shape (prompts,); NaN where none was drawn."""
    matrix = _matrix(correct)
    drawn = np.sum(~np.isnan(matrix), axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(matrix, axis=1) / np.where(drawn > 0, drawn, np.nan))


def pass_at_k(correct: ArrayLike, k: int) -> Floats:
    """Each prompt's chance that k samples hold an accepted one, shape (prompts,).

    The unbiased estimator 1 - C(n-c, k) / C(n, k) of Chen et al. 2021 (arXiv 2107.03374), with n
    samples drawn and c accepted. NaN where fewer than k were drawn. ValueError for k < 1.
    """
    if k < 1:
        raise ValueError(f"pass@k needs k >= 1, got {k}")
    matrix = _matrix(correct)
    drawn = np.sum(~np.isnan(matrix), axis=1).astype(int)
    accepted = np.nansum(matrix, axis=1).astype(int)
    return np.array([_chen(n, c, k) for n, c in zip(drawn, accepted, strict=True)], dtype=float)


def _chen(n: int, c: int, k: int) -> float:
    """1 - C(n-c, k) / C(n, k); exact in integers before the one division."""
    if n < k:
        return math.nan
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def majority(
    answers: Sequence[Hashable | None], same: Callable[[Hashable, Hashable], bool] | None = None
) -> int | None:
    """The index of the first answer of the largest group; None when nothing was answered.

    `same` says which answers are equal (default: ==); an answer joins the first group whose first
    member it equals. None is no answer and votes for nothing. Of groups equally large, the one
    that appears first wins, so the result does not depend on luck.
    """
    groups: list[list[int]] = []
    for index, answer in enumerate(answers):
        if answer is None:
            continue
        for group in groups:
            first = answers[group[0]]
            assert first is not None
            if first == answer or (same is not None and same(first, answer)):
                group.append(index)
                break
        else:
            groups.append([index])
    return max(groups, key=len)[0] if groups else None  # max keeps the earliest of equals


def cons_at_k(
    answers: Sequence[Sequence[Hashable | None]],
    correct: ArrayLike,
    same: Callable[[Hashable, Hashable], bool] | None = None,
) -> Floats:
    """1 where the majority's answer is accepted, shape (prompts,); also called maj@k.

    `answers[i][j]` is the final answer of sample j. A prompt whose samples gave no answer at all
    scores 0; one without samples is NaN.
    """
    matrix = _matrix(correct)
    scores = np.zeros(len(matrix))
    for row, given in enumerate(answers):
        winner = majority(given, same)
        if np.isnan(matrix[row]).all():
            scores[row] = math.nan
        elif winner is not None:
            scores[row] = np.nan_to_num(matrix[row, winner])
    return scores


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927): never outside 0 to 1."""
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"wilson needs 0 <= successes <= n and n >= 1, got {successes} of {n}")
    z, share = _z(confidence), successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half), n)


def clustered_error(values: ArrayLike) -> float:
    """Standard error of the mean of per-prompt values: samples of a prompt are one cluster."""
    known = _known(values)
    return float(np.std(known, ddof=1) / math.sqrt(len(known))) if len(known) > 1 else math.nan


def bootstrap(
    values: ArrayLike, confidence: float = 0.95, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """The mean of per-prompt values with its percentile interval over resampled prompts.

    Deterministic for a seed. NaN values (prompts without a score) are left out of mean and n.
    When all values are 0 or all are 1 resampling sees no spread; Wilson's interval is given.
    """
    known = _known(values)
    if len(known) == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    if np.all(known == known[0]) and known[0] in (0.0, 1.0):
        return wilson(int(known.sum()), len(known), confidence)
    means = _resampled_means(known, seed, resamples)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(known.mean()), float(low), float(high), len(known))


def paired_difference(
    before: ArrayLike,
    after: ArrayLike,
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Mean of `after - before` over the same prompts, with a paired bootstrap interval.

    Both have shape (prompts,), the same prompt at the same place; prompts that lack either score
    are left out. ValueError when the shapes differ.
    """
    first, second = np.asarray(before, float), np.asarray(after, float)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"paired scores differ in shape: {first.shape} and {second.shape}")
    known = _known(second - first)
    if len(known) == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    means = _resampled_means(known, seed, resamples)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(known.mean()), float(low), float(high), len(known))


def _resampled_means(values: Floats, seed: int, resamples: int) -> Floats:
    """Means of `resamples` draws of len(values) prompts with replacement."""
    draw = np.random.default_rng(seed)
    slice_rows = max(1, SLICE_VALUES // len(values))
    means = np.empty(resamples)
    for start in range(0, resamples, slice_rows):
        rows = min(slice_rows, resamples - start)
        chosen = draw.integers(0, len(values), size=(rows, len(values)))
        means[start : start + rows] = values[chosen].mean(axis=1)
    return means


def _z(confidence: float) -> float:
    """The normal quantile of a two-sided confidence: 1.96 for 0.95."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def _matrix(correct: ArrayLike) -> Floats:
    """The scores as floats, checked to be a matrix."""
    matrix = np.asarray(correct, dtype=float)
    if matrix.ndim != 2:
        raise ValueError(f"a score matrix is prompts × samples, got {matrix.ndim} dimension(s)")
    return matrix


def _known(values: ArrayLike) -> Floats:
    """The per-prompt values that are numbers."""
    flat: Floats = np.asarray(values, dtype=float)
    known: Floats = flat[~np.isnan(flat)]
    return known
