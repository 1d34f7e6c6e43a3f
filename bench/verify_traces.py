"""Our outcomes on real completions beside the correctness somebody else gave them.

70 prompts with 50 completions each of a small model, whose `correct` column comes from another
grader. Every disagreement goes to a file, to be read by eye.
"""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.verify_rows import multi_sample
from filters import checking
from filters.grader import Grader
from filters.verdict import Outcome, Verdict

_TAIL_CHARS = 600


def print_table(console: Console) -> None:
    """Outcome and reason against the column; says so where the data is not here."""
    prompts = multi_sample()
    if not prompts:
        console.print("real completions: not here, skipped")
        return
    counts: Counter[tuple[str, str, bool]] = Counter()
    disagreements = []
    with Grader(workers=1) as grader:
        for row in prompts:
            prompt = checking.prompt_of(row["gold"], "math", row["question"])
            for completion in row["completions"]:
                verdict = checking.grade(grader, prompt, completion["text"])
                counts[verdict.outcome, verdict.reason, completion["correct"]] += 1
                if disagree(verdict, completion["correct"]):
                    disagreements.append(_described(row, completion, verdict))
    table = Table("outcome", "reason", "correct there", "not correct there",
                  title=f"{counts.total():,} real completions")  # fmt: skip
    for outcome, reason in sorted({key[:2] for key in counts}):
        sides = (counts[outcome, reason, side] for side in (True, False))
        table.add_row(outcome, reason, *(f"{n:,}" for n in sides))
    console.print(table)
    path = _write(disagreements)
    console.print(f"{len(disagreements)} disagreements, to be read by eye: {path}")


def disagree(verdict: Verdict, correct: bool) -> bool:
    """Accepted and not correct there, or correct there and not accepted."""
    return (verdict.outcome == Outcome.ACCEPT) != correct


def _described(row: dict[str, Any], completion: dict[str, Any], verdict: Verdict) -> str:
    return (
        f"{row['prompt_id']}  reference {row['gold']}  there: {completion['answer']!r} "
        f"{'correct' if completion['correct'] else 'not correct'}  ours: {verdict.outcome} "
        f"{verdict.reason}  {verdict.detail}\n… {completion['text'][-_TAIL_CHARS:]}\n"
    )


def _write(disagreements: list[str]) -> Path:
    path = Path(tempfile.mkdtemp(prefix="bench-verify-")) / "disagreements.txt"
    path.write_text(("\n" + "-" * 80 + "\n").join(disagreements), "utf-8", "backslashreplace")
    return path
