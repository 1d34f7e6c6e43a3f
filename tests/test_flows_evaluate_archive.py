"""A protected benchmark is graded with its archive at hand: the one its samples were asked from."""

from pathlib import Path

import pytest
from gpqa_archive import archive
from simulated_teacher import SimulatedTeacher, serving
from test_flows_evaluate import request, scores

from flows.evaluate_model import evaluate_model, grade_again
from prompts.errors import PrerequisiteError

HEADER = (
    "Record ID,Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3"
)
ROWS = [f"rec{n},Which of {n} quokkas?,first {n},second,third,fourth" for n in range(24)]


def written(path: Path, rows: list[str]) -> Path:
    return archive(path, "gpqa_diamond.csv", "\n".join([HEADER, *rows, ""]).encode())


def test_letters_are_not_graded_against_options_that_were_not_asked(tmp_path: Path) -> None:
    path = written(tmp_path / "dataset.zip", ROWS)
    answer = "<think>\nhm\n</think>\n\\boxed{B}"
    with serving(SimulatedTeacher(model="sim", answer=lambda prompt, seed: answer)) as teacher:
        evaluate_model(request(tmp_path, teacher.url, f"gpqa-diamond={path}", k=1))
    folder = tmp_path / "out" / "gpqa-diamond"
    before = scores(folder)
    written(path, [*reversed(ROWS), ROWS[0].replace("rec0,Which", "rec24,Who")])
    grade_again(tmp_path / "out")
    assert scores(folder) == before, "the same questions, among others and in another order"
    # Another wording of an option puts it, and the letter of the right one, elsewhere.
    written(path, [row.replace("third", "the third") for row in ROWS])
    with pytest.raises(PrerequisiteError, match="options or references are not those"):
        grade_again(tmp_path / "out")
    assert scores(folder) == before
