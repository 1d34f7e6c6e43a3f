"""The open labelled set, rule by rule: what is not accepted and should be, and the reverse."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from bench import math_verify_peer
from bench.verify_rows import open_rows
from filters import checking
from filters.grader import Grader
from filters.verdict import Outcome


def print_table(console: Console) -> None:
    """Both graders on the same rows in the same run."""
    rows = open_rows()
    pairs: Counter[tuple[str, bool]] = Counter()
    ours: Counter[tuple[str, bool]] = Counter()
    theirs: Counter[tuple[str, bool]] = Counter()
    with Grader(workers=1) as grader:
        for row in rows:
            key = (row.part, row.equal)
            prompt = checking.prompt_of(row.reference, "math")
            verdict = checking.grade(grader, prompt, row.short_completion)
            pairs[key] += 1
            ours[key] += (verdict.outcome == Outcome.ACCEPT) != row.equal
            theirs[key] += (
                math_verify_peer.accepts(row.reference, row.short_completion) != row.equal
            )
    table = Table("rule", "equal", "unequal", "ours: missed / accepted wrongly",
                  f"{math_verify_peer.name()}: the same", title="Open set")  # fmt: skip
    for rule in dict.fromkeys(row.part for row in rows):
        counts = [(c[rule, True], c[rule, False]) for c in (pairs, ours, theirs)]
        table.add_row(rule[:60], str(counts[0][0]), str(counts[0][1]),
                      *(f"{missed} / {wrong}" for missed, wrong in counts[1:]))  # fmt: skip
    sums = [[sum(n for (_, equal), n in c.items() if equal == side) for side in (True, False)]
            for c in (pairs, ours, theirs)]  # fmt: skip
    table.add_section()
    table.add_row("all", *map(str, sums[0]), *(f"{missed} / {wrong}" for missed, wrong in sums[1:]))
    console.print(table)
