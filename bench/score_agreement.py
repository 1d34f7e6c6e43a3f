"""Our statistics beside lighteval's own functions and plain brute force, on random score matrices.

    python -m bench.score_agreement [MATRICES]

The largest difference of each is printed; 1e-12 is what division in another order may leave.
lighteval is taken where it can be imported (`pip install lighteval`); else brute force alone.
"""

import itertools
import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np

from evals.stats import bootstrap_mean, clustered_error, cons_at_k, pass_at_1, pass_at_k, wilson

MATRICES = 1_000
ANSWERS = ("x", "y", "z", "w")


class Case(NamedTuple):
    """A random evaluation: `answers` of shape (prompts, samples), of which `right` is right."""

    answers: list[list[str]]
    right: str
    k: int

    @property
    def correct(self) -> list[list[bool]]:
        return [[answer == self.right for answer in row] for row in self.answers]


Reference = Callable[[Case], dict[str, float]]


def random_cases(count: int, seed: int = 0) -> Iterator[Case]:
    """Matrices of 2 to 6 prompts and 1 to 9 samples, of every share of right answers."""
    draw = random.Random(seed)
    for _ in range(count):
        prompts, samples = draw.randint(2, 6), draw.randint(1, 9)
        weights = [draw.random() for _ in ANSWERS]
        answers = [draw.choices(ANSWERS, weights, k=samples) for _ in range(prompts)]
        yield Case(answers, draw.choice(ANSWERS), draw.randint(1, samples))


def ours(case: Case) -> dict[str, float]:
    """What evals/stats.py makes of a case: means over its prompts."""
    correct = np.array(case.correct, dtype=float)
    passes = pass_at_1(correct)
    found = wilson(int(correct[:, 0].sum()), len(correct))
    return {
        "pass@1": float(passes.mean()),
        "pass@k": float(pass_at_k(correct, case.k).mean()),
        "cons@k": float(cons_at_k(case.answers, correct).mean()),
        "standard error": clustered_error(passes),
        "wilson low": found.low,
        "wilson high": found.high,
    }


def brute_force(case: Case) -> dict[str, float]:
    """The same by definition: every subset of k samples, every vote counted, the quadratic equation
    |p - share| = z √(p(1-p)/n) solved for p."""
    passes = [sum(row) / len(row) for row in case.correct]
    subsets = [list(itertools.combinations(row, case.k)) for row in case.correct]
    votes = [Counter(row).most_common(1)[0][0] for row in case.answers]
    mean = sum(passes) / len(passes)
    variance = sum((one - mean) ** 2 for one in passes) / (len(passes) - 1)
    n, z = len(passes), 1.959963984540054
    share = sum(row[0] for row in case.correct) / n
    ends = np.sort(np.roots([1 + z * z / n, -(2 * share + z * z / n), share * share]).real)
    return {
        "pass@1": mean,
        "pass@k": sum(sum(map(any, each)) / len(each) for each in subsets) / n,
        "cons@k": sum(vote == case.right for vote in votes) / n,
        "standard error": math.sqrt(variance / n),
        "wilson low": float(ends[0]),
        "wilson high": float(ends[1]),
    }


def lighteval(case: Case) -> dict[str, float]:
    """The same by lighteval's AvgAtN, PassAtK, MajAtN and mean_stderr; ImportError without it."""
    from lighteval.metrics.metrics_sample import AvgAtN, MajAtN, PassAtK
    from lighteval.metrics.utils.stderr import mean_stderr
    from lighteval.models.model_output import ModelResponse
    from lighteval.tasks.requests import Doc

    n = len(case.answers[0])
    doc = Doc(query="", choices=[case.right], gold_index=0)
    metrics: dict[str, Any] = {
        "pass@1": AvgAtN(n=n), "pass@k": PassAtK(k=case.k, n=n), "cons@k": MajAtN(n=n),
    }  # fmt: skip
    scores = {
        name: [float(metric.compute(doc, ModelResponse(text=row))) for row in case.answers]
        for name, metric in metrics.items()
    }
    means = {name: float(np.mean(found)) for name, found in scores.items()}
    return {**means, "standard error": float(mean_stderr(scores["pass@1"]))}


def exact_bootstrap(values: list[float], confidence: float) -> tuple[float, float]:
    """The percentile interval over all n^n draws, by enumeration."""
    draws = itertools.product(values, repeat=len(values))
    means = sorted(sum(draw) / len(values) for draw in draws)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def largest_differences(reference: Reference, count: int, seed: int = 0) -> dict[str, float]:
    """By statistic, the largest difference between a reference and ours over random cases."""
    worst: dict[str, float] = {}
    for case in random_cases(count, seed):
        found = ours(case)
        for name, value in reference(case).items():
            worst[name] = max(worst.get(name, 0.0), abs(value - found[name]))
    return worst


def bootstrap_difference(count: int, seed: int = 0) -> float:
    """The largest difference of an interval's end from the exact one, over random small samples."""
    draw = random.Random(seed)
    worst = 0.0
    for _ in range(count):
        values = [draw.randint(0, 8) / 8 for _ in range(5)]
        if len(set(values)) == 1:
            continue
        found = bootstrap_mean(values, (0.0, 1.0), resamples=40_000)
        exact = exact_bootstrap(values, 0.95)
        worst = max(worst, abs(found.low - exact[0]), abs(found.high - exact[1]))
    return worst


def main() -> None:
    """Print the largest differences from each reference."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MATRICES
    references: dict[str, Reference] = {"brute force": brute_force}
    try:
        lighteval(next(random_cases(1)))
        references[f"lighteval {version('lighteval')}"] = lighteval
    except ImportError as error:
        print(f"lighteval cannot be imported ({error}): brute force alone")
    for name, reference in references.items():
        worst = largest_differences(reference, count)
        shown = "  ".join(f"{what} {value:.1e}" for what, value in worst.items())
        print(f"{count:,} random matrices, largest difference from {name}:  {shown}")
    off = bootstrap_difference(count // 10)
    print(f"{count // 10:,} bootstraps of 5 prompts, largest difference from all 3,125: {off:.3f}")


if __name__ == "__main__":
    main()
