"""Every source's reference answer passes its own verifier, on real data where it is at hand."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filters_records import boxed, needs_bwrap, prompt, sample

from filters.grader import Grader
from filters.verdict import Outcome

DATA = Path(__file__).parent.parent.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(workers=1) as grader:
        yield grader


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


def misses(grader: Grader, kind: Any, references: list[str], **fields: Any) -> list[str]:
    return [
        reference
        for reference in references
        if grader.grade(prompt(kind, reference, **fields), boxed(reference)).outcome
        != Outcome.ACCEPT
    ]


@pytest.mark.parametrize("name", ["gsm8k_test", "gsm8k_train_2000"])
def test_gsm8k(grader: Grader, name: str) -> None:
    references = [row["answer"].rpartition("####")[2].strip() for row in rows(f"math/{name}.jsonl")]
    assert misses(grader, "math_answer", references) == []


@pytest.mark.parametrize(
    "name", ["math_train_2000", "math500", "OlymMATH-EN-EASY", "OlymMATH-EN-HARD"]
)
def test_contest_mathematics(grader: Grader, name: str) -> None:
    references = [row["answer"] for row in rows(f"math/{name}.jsonl") if row["answer"]]
    assert misses(grader, "math_answer", references) == []


def test_neighbouring_references_are_told_apart(grader: Grader) -> None:
    """An answer meant for the next problem is accepted only where the two are the same number."""
    answers = [row["answer"].rpartition("####")[2].strip() for row in rows("math/gsm8k_test.jsonl")]
    for reference, other in itertools.pairwise(answers):
        verdict = grader.grade(prompt("math_answer", reference), boxed(other))
        same = reference.replace(",", "") == other.replace(",", "")
        assert (verdict.outcome == Outcome.ACCEPT) == same, (reference, other)


def test_scibench(grader: Grader) -> None:
    found = [row for file in (DATA / "science/scibench").glob("*.json") for row in _read(file)]
    references = [f"{row['answer_number'].strip()} {row['unit'].strip()}".strip() for row in found]
    assert len(references) > 500
    assert misses(grader, "quantity", references) == []


def test_arc(grader: Grader) -> None:
    for row in rows("science/arc_challenge.jsonl"):
        choices, letter = row["choices"], "ABCDEFGH"[row["gold"]]
        given = prompt("choice", letter, choices=choices)
        right, other = choices[row["gold"]], (row["gold"] + 1) % len(choices)
        assert grader.grade(given, boxed(f"({letter}) {right}")).outcome == Outcome.ACCEPT
        assert grader.grade(given, boxed("ABCDEFGH"[other])).outcome != Outcome.ACCEPT


@needs_bwrap
def test_mbpp(grader: Grader) -> None:
    for row in rows("code/mbpp.jsonl")[::33]:
        tests = [f"{row['test_setup_code']}\n{test}" for test in row["test_list"]]
        given = prompt("unit_tests", row["code"], tests=tests)
        verdict = grader.grade(given, sample(f"```python\n{row['code']}\n```"))
        assert verdict.outcome == Outcome.ACCEPT, (row["task_id"], verdict.detail)


def _read(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text())
    return found
