"""What the tables of an evaluation say of its scores, and what stands beside them."""

from pathlib import Path

import pytest
from simulated_teacher import SimulatedTeacher, serving
from test_flows_evaluate import request, right_for_even, sums

from flows.evaluate_model import evaluate_model, grade_again


def test_no_interval_stands_under_the_confidence_of_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(SimulatedTeacher(model="sim", answer=right_for_even)) as teacher:
        for name, confidence in (("a", 0.95), ("b", 0.8)):
            bench = f"{{where: {sums(tmp_path / f'{name}.jsonl')}, columns: {{question: problem, "
            bench += "reference: answer}, reference_kind: math_answer}"
            sets = ("evals.max_tokens=64", f"evals.confidence={confidence}")
            evaluate_model(request(tmp_path, teacher.url, bench, overrides=sets))
    capsys.readouterr()
    grade_again(tmp_path / "out")
    said = capsys.readouterr().out
    first, _, second = said.partition("80 % interval")
    assert "95 % interval" in first
    assert "  a.jsonl" not in second
    assert "b.jsonl" in second
