"""Golden cases, grouped by rule, through the Grader: reference, answer, outcome."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filters_records import boxed, prompt

from filters.grader import Grader
from filters.verdict import Outcome

GOLDEN = Path(__file__).parent / "golden"
KINDS = ("math_answer", "quantity", "choice", "short_answer")


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(workers=1, time_limit_s=20) as grader:
        yield grader


def _groups() -> list[Any]:
    groups = []
    for kind in KINDS:
        cases = json.loads((GOLDEN / f"filters_{kind}.json").read_text())
        groups += [
            pytest.param(kind, group["cases"], id=f"{kind}: {group['rule']}")
            for group in cases["groups"]
        ]
    return groups


@pytest.mark.parametrize(("kind", "cases"), _groups())
def test_the_rule_holds(grader: Grader, kind: Any, cases: list[dict[str, Any]]) -> None:
    wrong = []
    for case in cases:
        fields = {name: case[name] for name in ("question", "choices", "aliases") if name in case}
        verdict = grader.grade(prompt(kind, case["reference"], **fields), boxed(case["answer"]))
        if verdict.outcome != case["outcome"]:
            wrong.append((case["reference"], case["answer"], verdict.reason, verdict.detail))
    assert wrong == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_golden_reference_meets_itself(grader: Grader, kind: Any) -> None:
    cases = json.loads((GOLDEN / f"filters_{kind}.json").read_text())["groups"]
    for case in (case for group in cases for case in group["cases"]):
        fields = {name: case[name] for name in ("question", "choices", "aliases") if name in case}
        verdict = grader.grade(prompt(kind, case["reference"], **fields), boxed(case["reference"]))
        assert verdict.outcome == Outcome.ACCEPT, (case["reference"], verdict.detail)


def test_there_are_enough_cases() -> None:
    files = [json.loads((GOLDEN / f"filters_{kind}.json").read_text()) for kind in KINDS]
    assert all(file["source"] for file in files)
    assert sum(len(group["cases"]) for file in files for group in file["groups"]) >= 120
