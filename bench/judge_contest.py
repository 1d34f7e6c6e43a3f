"""The contest rehearsal: public problems with full tests, our own solutions of known verdict.

Statements and tests are read from the Google coding competitions archive's rows where these are;
the repository holds our solutions and checkers only (tests/contest/, verdicts.json).
"""

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from filters.programs.judging import Judgement, judge
from filters.programs.problem import read_problem
from filters.sandbox.backend import Backend, Program
from filters.sandbox.bubblewrap import Bubblewrap

ROOT = Path(__file__).parent.parent
SOLUTIONS = ROOT / "tests" / "contest"
DATA = ROOT.parent / "shared" / "data" / "code" / "gcca_problems.jsonl"
LANGUAGES = {".py": "python", ".cpp": "cpp", ".java": "java", ".js": "javascript"}
ACCEPTED = "tests_passed"


@dataclass(frozen=True, slots=True)
class Judged:
    """One submission: the verdict it must get, and the one it got."""

    problem_id: str
    name: str
    expected: str
    judgement: Judgement

    @property
    def reason(self) -> str:
        return str(self.judgement.ruling.reason)

    @property
    def is_decided_right(self) -> bool:
        """Accept or reject as it must be, whatever the reason of a reject."""
        wanted = "accept" if self.expected == ACCEPTED else "reject"
        return str(self.judgement.ruling.outcome) == wanted


def verdicts() -> dict[str, dict[str, Any]]:
    """What is known of each problem: limits, checker, and each solution's verdict."""
    found = json.loads((SOLUTIONS / "verdicts.json").read_text("utf-8"))
    return {str(name): dict(known) for name, known in found.items()}


def problem_rows() -> dict[str, dict[str, Any]]:
    """Rows of a PROBLEM.jsonl by problem id: sample tests first, then the secret ones."""
    with DATA.open(encoding="utf-8") as lines:
        files = {row["id"].split("/")[-1]: row["files"] for row in map(json.loads, lines)}
    return {name: _problem_row(name, known, files[name]) for name, known in verdicts().items()}


def _problem_row(name: str, known: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    row = {
        "problem_id": name,
        "tests": [
            {"input": files[path], "output": files[path.removesuffix("in") + "ans"]}
            for path in sorted(files)
            if path.endswith(".in")
        ],
        # Our right solutions take at most a quarter of it; the slow ones need it in vain.
        "time_limit_s": known.get("time_limit_s", 1),
        "memory_limit_bytes": 512 << 20,
    }
    if "checker" not in known:
        return row
    asked = known["checker"]
    if "data" in asked:
        code, language = files[asked["data"]], "python"
    else:
        path = SOLUTIONS / name / asked["file"]
        code, language = path.read_text("utf-8"), LANGUAGES[path.suffix]
    return {
        **row,
        "checker": {"language": language, "code": code, "protocol": asked["protocol"]},
    }


def submissions(problem_id: str) -> Iterator[tuple[str, Program, str]]:
    """Each solution's name, the program and the verdict it must get."""
    for name, expected in verdicts()[problem_id]["solutions"].items():
        path = SOLUTIONS / problem_id / name
        yield name, Program(LANGUAGES[path.suffix], path.read_text("utf-8")), expected


def judge_problem(row: Mapping[str, Any], backend: Backend, threads: int = 2) -> list[Judged]:
    """Every submission to one problem whose language runs here, in the file's order."""
    problem = read_problem(row)
    cases = [
        case
        for case in submissions(problem.problem_id)
        if backend.problem(case[1].language) is None
    ]
    with ThreadPoolExecutor(threads) as pool:
        judgements = list(pool.map(lambda case: judge(problem, case[1], backend), cases))
    return [
        Judged(problem.problem_id, name, expected, judgement)
        for (name, _, expected), judgement in zip(cases, judgements, strict=True)
    ]


def print_table(console: Console) -> bool:
    """One row a problem; whether every submission was decided right."""
    if not DATA.is_file():
        console.print(f"contest: skipped, no {DATA.name} beside the project")
        return True
    table = Table(title="Contest problems: submissions of known verdict")
    for column in ("problem", "right", "undecided", "same reason", "s"):
        table.add_column(column, justify="left" if column == "problem" else "right")
    everything: list[Judged] = []
    begin = time.perf_counter()
    with Bubblewrap(workers=2) as backend:
        for name, row in problem_rows().items():
            started = time.perf_counter()
            judged = judge_problem(row, backend)
            everything += judged
            table.add_row(*_counts(name, judged, time.perf_counter() - started))
    table.add_row(*_counts("all", everything, time.perf_counter() - begin))
    console.print(table)
    for one in everything:
        if not one.is_decided_right or one.reason != one.expected:
            detail = one.judgement.ruling.detail[:200]
            console.print(
                f"{one.problem_id}/{one.name}: {one.expected} got {one.reason}: {detail}",
                markup=False,
            )
    return all(one.is_decided_right for one in everything)


def _counts(name: str, judged: list[Judged], seconds: float) -> tuple[str, ...]:
    right = sum(one.is_decided_right for one in judged)
    undecided = sum(str(one.judgement.ruling.outcome) == "undecided" for one in judged)
    same = sum(one.reason == one.expected for one in judged)
    return name, f"{right} of {len(judged)}", str(undecided), str(same), f"{seconds:.1f}"
