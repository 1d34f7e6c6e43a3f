"""A round's teacher is the former round's student: what that answered is not asked for again."""

import json
from pathlib import Path

import pytest
from compared_runs import measured_run

from flows.evaluate import begun
from flows.evaluation_folder import ABOUT
from flows.former_student import take_over_student
from flows.recipe import load_recipe
from flows.rounds import next_round
from flows.run_folder import RunFolder, open_run, write_text
from flows.shared_stages import take_over
from prompts.parquet import write_rows
from prompts.record import Prompt, prompt_id


def held_out(count: int) -> list[Prompt]:
    return [
        Prompt(
            *(prompt_id("math", f"{n} + 1?"), "math", "own", "mit", "test"),
            *(f"{n} + 1?", "math_answer", f"{n + 1}"),
        )
        for n in range(count)
    ]


def two_rounds(tmp_path: Path, *overrides: str) -> tuple[RunFolder, RunFolder]:
    """A finished first round with a sampled student, and the second with its prompts."""
    benches = "evals.benchmarks=[{name: aime-2024, limit: 2, k: 1}]"
    former = measured_run(load_recipe(overrides=[benches, *overrides]), tmp_path, {"1 + 1?": 1})
    write_rows(former.folder("curate") / "test.parquet", held_out(3), Prompt)
    folder = begun(former, "student", None)
    (folder.path / "samples-00000.parquet").touch()
    run = open_run(next_round(former.recipe, former, 2), tmp_path)
    take_over(run, former, ["curate"])
    return former, run


def sampled(run: RunFolder) -> list[str]:
    """The teacher's sample files on held-out prompts that the evaluation finds fit to keep."""
    return [file.name for file in begun(run, "teacher", None).path.glob("samples-*")]


def test_what_the_student_answered_stands_for_the_teacher(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    former, run = two_rounds(tmp_path)
    take_over_student(run, former)
    assert "taken over from" in capsys.readouterr().out
    assert sampled(run) == ["samples-00000.parquet"]
    assert run.manifest()["measured_from"] == {"teacher": former.name}
    assert list(begun(former, "student", None).path.glob("samples-*"))


def test_a_student_that_teaches_is_read_by_its_own_template_not_by_its_teachers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    former, run = two_rounds(tmp_path, "sampling.think_prefilled=true")
    assert not run.recipe.sampling.think_prefilled
    take_over_student(run, former)
    assert "taken over from" in capsys.readouterr().out
    assert sampled(run) == ["samples-00000.parquet"]


@pytest.mark.parametrize("name", ["temperature", "template", "max_tokens"])
def test_answers_asked_for_otherwise_are_left_and_it_is_said_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    former, run = two_rounds(tmp_path)
    (file,) = (former.path / "6-evals" / "student").glob(f"*/{ABOUT}")
    write_text(file, json.dumps({**json.loads(file.read_text()), name: 0.125}))
    take_over_student(run, former)
    said = capsys.readouterr().out
    assert f"measured anew: {former.name} was asked with {name} 0.125, now" in said
    assert sampled(run) == []


def test_answers_to_other_held_out_prompts_are_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    former, run = two_rounds(tmp_path)
    manifest = run.manifest()
    manifest["stages"]["curate"]["ended_at"] = "later"
    write_text(run.path / "manifest.json", json.dumps(manifest))
    take_over_student(run, former)
    assert "the held-out prompts are not those of" in capsys.readouterr().out
    assert sampled(run) == []


def test_a_student_that_was_not_measured_has_nothing_to_give(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    former, run = two_rounds(tmp_path)
    former.begin("evaluate")
    take_over_student(run, former)
    assert "was not measured" in capsys.readouterr().out


def test_a_teacher_that_is_being_asked_already_goes_on(tmp_path: Path) -> None:
    former, run = two_rounds(tmp_path)
    own = begun(run, "teacher", None).path / "samples-00007.parquet"
    own.touch()
    take_over_student(run, former)
    assert sampled(run) == [own.name]


def test_a_round_that_measures_no_teacher_takes_nothing(tmp_path: Path) -> None:
    former, run = two_rounds(tmp_path, "evals.subjects=[base, student]")
    take_over_student(run, former)
    assert not (run.path / "6-evals" / "teacher").exists()


def test_killed_while_it_copies_it_copies_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former, run = two_rounds(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("flows.former_student._name_teacher", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            take_over_student(run, former)
    take_over_student(run, former)
    assert sampled(run) == ["samples-00000.parquet"]
