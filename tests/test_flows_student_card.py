"""The student's card of a run: counts from the manifest, scores from the files, nothing of here."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from student_folder import make_student_folder

import flows.student_card
from data_cards.funnel import FunnelRow
from data_cards.header import read_header
from data_cards.hub import PushResult
from data_cards.validate_model import validate_model_card
from evals.scores import DomainScore, Scores
from evals.stats import Interval, wilson
from flows.recipe import load_recipe
from flows.run_folder import RunFolder, open_run
from flows.score_rows import score_row
from flows.student_card import _rows, finish_student, push_student, write_student_card
from flows.training_history import LOSSES, read_losses, read_tries
from prompts.errors import PrerequisiteError


def make_scores(value: float) -> Scores:
    row = DomainScore(
        domain="overall",
        prompts=60,
        k=4,
        samples=240,
        missing=0,
        pass_at_1=Interval(value=value, low=value - 0.1, high=value + 0.1, n=60),
        standard_error=0.01,
        cons_at_k=None,
        undecided_rate=0.0,
        truncation_rate=0.01,
        mean_completion_tokens=70.0,
    )
    return Scores(k=4, confidence=0.95, rows=(row,), prompts=())


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run whose student is trained and not measured; its model's folder has no card."""
    run = open_run(load_recipe(overrides=["student.tracker=none"]), tmp_path / "runs")
    row = {
        "source": "starter-math",
        "license": "Apache-2.0",
        "language": "en",
        "messages": [
            {"role": "user", "content": "What is 3 + 4?"},
            {"role": "assistant", "content": "<think>\n7\n</think>\n\n\\boxed{7}"},
        ],
    }
    data = run.folder("publish") / "data"
    data.mkdir()
    pl.DataFrame([row]).write_parquet(data / "train-00000-of-00001.parquet")
    (make_student_folder(run.folder("train") / "model") / "README.md").unlink()
    lines = [
        {"step": 1, "loss": 2.0},
        {"tried": 1, "prompts": 8, "accepted": 1, "ended": 5, "mean_tokens": 90.0},
        {"step": 2, "loss": 1.9},
        {"step": 2, "loss": 1.5},
        {"tried": 2, "prompts": 8, "accepted": 4, "ended": 8, "mean_tokens": 60.0},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    (run.folder("train") / LOSSES).write_text(text + '\n{"step": 3, "lo')
    began = run.begin("train")
    outcomes = {"train": 400, "dropped: overlong": 3}
    facts = {"tokens": 80_000, "steps": 2, "final_loss": 1.5, "training_s": 190.0}
    run.finish("train", began, [FunnelRow("train", 403, outcomes, 200.0)], **facts)
    return run


def measured(run: RunFolder) -> RunFolder:
    """The same run, its base and student measured."""
    for who, value in (("base", 0.1), ("student", 0.5)):
        file = run.folder("evaluate") / who / "held-out" / "scores.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(make_scores(value).to_dict()))
    run.finish("evaluate", run.begin("evaluate"), [])
    return run


def test_losses_and_tries_are_read_back_each_step_once(run: RunFolder) -> None:
    file = run.folder("train") / LOSSES
    assert read_losses(file) == [(1, 2.0), (2, 1.5)]
    assert [(one.step, one.accepted) for one in read_tries(file)] == [(1, 1), (2, 4)]
    assert read_losses(file.with_name("none")) == []


def test_a_training_from_the_start_leaves_nothing_of_a_longer_one_before(tmp_path: Path) -> None:
    def step(number: int, loss: float) -> list[dict[str, float]]:
        tried = {"tried": number, "prompts": 8, "accepted": 1, "ended": 8, "mean_tokens": loss}
        return [tried, {"step": number, "loss": loss}]

    file = tmp_path / LOSSES
    lines = [*step(1, 3.0), *step(2, 2.0), *step(3, 1.0), *step(1, 3.5), *step(2, 2.5)]
    file.write_text("\n".join(map(json.dumps, lines)))
    assert read_losses(file) == [(1, 3.5), (2, 2.5)]
    assert [(one.step, one.mean_tokens) for one in read_tries(file)] == [(1, 3.5), (2, 2.5)]


def test_a_trained_student_has_a_card_without_scores(run: RunFolder) -> None:
    card = write_student_card(run)
    text = card.read_text(encoding="utf-8")
    assert "It has not been measured." in text
    assert "| rows | 400; 3 dropped: overlong |" in text
    assert "| 2 | 4 of 8 | 8 of 8 | 60 |" in text
    assert "What is 3 + 4?" in text
    assert validate_model_card(card.parent) == []


def test_an_evaluated_student_has_its_scores_with_n_in_text_and_metadata(run: RunFolder) -> None:
    finish_student(measured(run))
    card = run.folder("train") / "model" / "README.md"
    assert "| held-out | overall | 60 | 4 | 10.0 [0.0, 20.0] |" in card.read_text("utf-8")
    header = read_header(card)
    (result,) = header["model-index"][0]["results"]
    assert result["metrics"][0]["value"] == 50.0
    assert header["base_model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert header["license"] == "apache-2.0"
    assert "datasets" not in header, "the dataset stayed here"


def test_one_sample_a_prompt_has_wilsons_interval_as_in_the_score_table() -> None:
    row = make_scores(0.5).row().model_copy(update={"k": 1, "wilson": wilson(30, 60)})
    found = _rows("student", Scores(k=1, confidence=0.95, rows=(row,), prompts=()))
    shown = score_row("held-out", "student", row)
    assert [(one.low, one.high) for one in found] == [(shown.low, shown.high)]
    assert found[0].low == wilson(30, 60).low


def test_scores_of_an_earlier_student_are_not_shown(run: RunFolder) -> None:
    row, facts = run.funnel()[0], run.manifest()["stages"]["train"]
    kept = {name: facts[name] for name in ("tokens", "steps", "final_loss", "training_s")}
    run.finish("train", measured(run).begin("train"), [row], **kept)
    assert "It has not been measured." in write_student_card(run).read_text("utf-8")


def test_nothing_of_this_machine_stands_in_the_card(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_abcdefghijklmnopqrst")
    base = tmp_path / "my-base"
    base.mkdir()
    (base / "README.md").write_text("---\nlicense: mit\n---\n")
    student = run.recipe.student.model_copy(update={"base": str(base)})
    local = RunFolder(run.path, run.recipe.model_copy(update={"student": student}))
    text = write_student_card(local).read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert "hf_abc" not in text
    assert "license: mit" in text
    assert "`my-base`" in text


def test_a_student_is_pushed_where_its_recipe_says_so(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pushed: list[Any] = []

    def push(*arguments: Any, **named: Any) -> PushResult:
        pushed.append((arguments, named["kind"].repo_type))
        return PushResult("https://hub/ada/student", "0123456789abcdef", changed=True)

    monkeypatch.setattr(flows.student_card, "push", push)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    push_student.fn(run, "ada/student")
    folder = run.folder("train") / "model"
    assert pushed == [((folder, "ada/student", "hf_secret", True), "model")]
    said = capsys.readouterr().out
    assert "student   pushed: https://hub/ada/student at 0123456789ab" in said
    assert "hf_secret" not in said


def test_a_push_without_a_token_says_what_is_left_to_do(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(PrerequisiteError, match="only the push is left to do"):
        push_student.fn(run, "ada/student")
