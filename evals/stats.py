"""The statistics behind every score, on plain matrices; numpy only.

A score matrix has a row per prompt and a column per sample: `correct[i, j]` says whether sample j
of prompt i was accepted. Rows may have missing samples (NaN). Prompts, not samples, are what is
drawn from a population, so every interval resamples or clusters by prompt.
"""

import math
from collections.abc import Hashable, Sequence
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


def majority(answers: Sequence[Hashable | None]) -> list[int]:
    """The indices of the largest group of equal answers; empty when nothing was answered.

    None is no answer and votes for nothing. Of groups equally large, the one that appears first
    wins, so the result does not depend on luck.
    """
    groups: dict[Hashable, list[int]] = {}
    for index, answer in enumerate(answers):
        if answer is not None:
            groups.setdefault(answer, []).append(index)
    return max(groups.values(), key=len, default=[])  # max keeps the earliest of equals


def cons_at_k(answers: Sequence[Sequence[Hashable | None]], correct: ArrayLike) -> Floats:
    """1 where the majority's answer is accepted, shape (prompts,); also called maj@k.

    `answers[i][j]` is the final answer of sample j. The answer is accepted if any sample that
    gave it is: another may have been rejected for something else. A prompt whose samples gave no
    answer at all scores 0; one without samples is NaN.
    """
    matrix = _matrix(correct)
    scores = np.zeros(len(matrix))
    for row, given in enumerate(answers):
        scores[row] = math.nan if np.isnan(matrix[row]).all() else 0.0
        if winners := majority(given):
            scores[row] = np.any(matrix[row, winners] == 1)
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
    When all values are 0 or all are 1 resampling sees no spread; Wilson's interval is given. One
    prompt with a share in between says nothing of the others: its interval is all of 0 to 1.
    """
    known = _known(values)
    if len(known) == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    if np.all(known == known[0]) and known[0] in (0.0, 1.0):
        return wilson(int(known.sum()), len(known), confidence)
    return _percentiles(known, confidence, seed, resamples, (0.0, 1.0))


def paired_difference(
    before: ArrayLike,
    after: ArrayLike,
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Mean of `after - before` over the same prompts, with a paired bootstrap interval.

    Both have shape (prompts,), the same prompt at the same place; prompts that lack either score
    are left out. One pair says nothing of the others: its interval is all of -1 to 1, what scores
    can differ by. ValueError when the shapes differ.
    """
    first, second = np.asarray(before, float), np.asarray(after, float)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"paired scores differ in shape: {first.shape} and {second.shape}")
    known = _known(second - first)
    return _percentiles(known, confidence, seed, resamples, (-1.0, 1.0))


def _percentiles(
    known: Floats, confidence: float, seed: int, resamples: int, bounds: tuple[float, float]
) -> Interval:
    """The mean and its percentile interval; the bounds with one value, NaN with none."""
    if len(known) == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    if len(known) < 2:
        return Interval(float(known[0]), *bounds, 1)
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
