"""Verdicts a second and core on the mix of a real run, ours and Math-Verify's on the same rows.

One process and one thread at work at any time: where ours asks its worker process, it waits for
it. Rounds are interleaved and each has rows of its own, so that no cache is warm from the last.
"""

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench import math_verify_peer
from bench.verify_hostile import worker_pace
from bench.verify_rows import Row, mixed_rows, trace
from filters import checking
from filters.grader import Grader
from filters.verdict import Outcome

ROUNDS = 3
ROWS = 600
LEAST_RATIO = 10.0
_Verdicts = Sequence[bool | None]  # None: undecided


@dataclass(frozen=True, slots=True)
class Round:
    """One round: the rows, both graders' verdicts on each, and the seconds each took."""

    rows: Sequence[Row]
    ours: _Verdicts
    theirs: _Verdicts
    our_s: Sequence[float]
    their_s: Sequence[float]

    @property
    def ratio(self) -> float:
        return sum(self.their_s) / sum(self.our_s)


def run_rounds(rounds: int = ROUNDS, rows: int = ROWS) -> list[Round]:
    with Grader(workers=1) as grader:
        worker_pace(grader, trips=1)  # a worker starts in seconds, once for 2,000 jobs
        math_verify_peer.accepts("1", "\\boxed{2}")
        return [_run_round(grader, mixed_rows(rows, seed), seed) for seed in range(rounds)]


def _run_round(grader: Grader, rows: list[Row], seed: int) -> Round:
    """Ours first in even rounds, theirs first in odd ones."""
    completions = [trace(row, random.Random(f"{seed} {i}")) for i, row in enumerate(rows)]

    def grade(reference: str, completion: str) -> bool | None:
        return _grade(grader, reference, completion)

    graders = [grade, math_verify_peer.accepts]
    order = (0, 1) if seed % 2 == 0 else (1, 0)
    results = {which: _timed(graders[which], rows, completions) for which in order}
    return Round(rows, results[0][0], results[1][0], results[0][1], results[1][1])


def _grade(grader: Grader, reference: str, completion: str) -> bool | None:
    """What `filters.check` does, with a Grader of one worker."""
    outcome = checking.grade(grader, checking.prompt_of(reference, "math"), completion).outcome
    return None if outcome == Outcome.UNDECIDED else outcome == Outcome.ACCEPT


def _timed(
    grade: Callable[[str, str], bool | None], rows: list[Row], completions: list[str]
) -> tuple[list[bool | None], list[float]]:
    verdicts, seconds = [], []
    for row, completion in zip(rows, completions, strict=True):
        started = time.perf_counter()
        verdicts.append(grade(row.reference, completion))
        seconds.append(time.perf_counter() - started)
    return verdicts, seconds


def _ms_a_verdict(rows: Sequence[Row], seconds: Sequence[float], part: str) -> float:
    return 1e3 * statistics.mean(
        s for row, s in zip(rows, seconds, strict=True) if row.part == part
    )


def print_table(console: Console, rounds: Sequence[Round]) -> None:
    """Milliseconds a verdict by part of the mix, the whole's pace, and who was right."""
    table = Table("part of the mix", "rows", "ours, ms a verdict", "theirs, ms", "ratio",
                  title=f"The mix of a real run, {len(rounds)} rounds, per core; "
                        f"theirs: {math_verify_peer.name()}")  # fmt: skip
    for part in ("plainly equal", "plainly different", "hard"):
        ours = [_ms_a_verdict(r.rows, r.our_s, part) for r in rounds]
        theirs = [_ms_a_verdict(r.rows, r.their_s, part) for r in rounds]
        ratios = [t / o for o, t in zip(ours, theirs, strict=True)]
        rows = sum(row.part == part for row in rounds[0].rows)
        table.add_row(part, str(rows), _spread(ours), _spread(theirs), _spread(ratios))
    table.add_section()
    paces = [[len(r.rows) / sum(r.our_s) for r in rounds],
             [len(r.rows) / sum(r.their_s) for r in rounds]]  # fmt: skip
    ratios = [r.ratio for r in rounds]
    table.add_row("all: verdicts a second", str(len(rounds[0].rows)), *map(_spread, paces),
                  f"{_spread(ratios)}, to reach {LEAST_RATIO:g}")  # fmt: skip
    console.print(table)
    slowest = sorted(((s, row) for r in rounds for s, row in zip(r.our_s, r.rows, strict=True)),
                     reverse=True)[:3]  # fmt: skip
    for s, row in slowest:
        console.print(f"  slowest of ours, {s:.2f} s: {row}", markup=False)
    print_rightness(console, rounds)


def print_rightness(console: Console, rounds: Sequence[Round]) -> None:
    """Against the truth known by construction; undecided is right where a reject would be."""
    counts: Counter[tuple[str, str]] = Counter()
    for r in rounds:
        for row, ours, theirs in zip(r.rows, r.ours, r.theirs, strict=True):
            their_side = "right" if bool(theirs) == row.equal else "wrong"
            our_side = "wrong" if ours is not None and ours != row.equal else "right"
            if ours is None:
                our_side = "undecided, equal" if row.equal else "undecided, unequal"
            counts[their_side, our_side] += 1
    table = Table("Math-Verify is", "ours is right", "ours is undecided: equal", "unequal",
                  "ours is wrong", title="Who is right, by construction")  # fmt: skip
    columns = ("right", "undecided, equal", "undecided, unequal", "wrong")
    for side in ("right", "wrong"):
        table.add_row(side, *(f"{counts[side, column]:,}" for column in columns))
    console.print(table)
    for r in rounds:
        for row, ours, theirs in zip(r.rows, r.ours, r.theirs, strict=True):
            if bool(theirs) == row.equal and ours is not row.equal and (row.equal or ours):
                console.print(f"  worse than it: {row}", markup=False)


def _spread(values: Sequence[float]) -> str:
    """`0.41 (0.39–0.44)`: median, lowest, highest."""
    form = "{:.2f}" if max(values) < 100 else "{:,.0f}"
    low, middle, high = (form.format(f(values)) for f in (min, statistics.median, max))
    return middle if low == high else f"{middle} ({low}–{high})"
