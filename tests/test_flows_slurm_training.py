"""A training handed to Slurm, and the student that comes back from it."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import flows.train
from flows.overview import run_facts, summary_text
from flows.preflight import missing
from flows.recipe import load_recipe
from flows.run_folder import RunFolder, open_run
from flows.slurm_training import hand_run_to_slurm, is_taken_up, taken_up
from flows.train import training_job
from prompts.errors import PrerequisiteError

SUMMARY = {"rows": 3, "dropped": {}, "steps": 7}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run whose dataset is published, with a student that wants GPUs."""
    monkeypatch.setattr(flows.train, "base_weights", lambda run: SimpleNamespace(model="base"))
    recipe = load_recipe(model="qwen-7b", overrides=["student.tracker=none"])
    run = open_run(recipe, tmp_path)
    for stage in ("curate", "generate", "verify", "publish"):
        run.folder(stage)
        run.finish(stage, run.begin(stage), [])
    data = run.folder("publish") / "data"
    data.mkdir()
    (data / "train-00000.parquet").touch()
    return run


def trained_elsewhere(run: RunFolder) -> None:
    """What the batch job leaves."""
    model = run.folder("train") / "model"
    model.mkdir()
    (model / "training.json").write_text(json.dumps({"fingerprint": "x", "summary": SUMMARY}))


def take_up(run: RunFolder) -> object:
    return taken_up(run, training_job(run), run.folder("train").absolute())


def test_handing_over_says_what_to_type(run: RunFolder) -> None:
    lines = hand_run_to_slurm(run)
    script = run.folder("train").absolute() / "train.sbatch"
    assert script.read_text().startswith("#!/bin/bash\n")
    assert any(f"sbatch {script}" in line for line in lines)
    assert any(f"stillhouse train {run.path}" in line for line in lines)
    assert not run.is_done("train")


def test_without_a_dataset_there_is_nothing_to_hand_over(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="publish"):
        hand_run_to_slurm(open_run(load_recipe(), tmp_path))


def test_a_student_of_earlier_datasets_published_again_meanwhile_is_not_taken_up(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = {"round-1": "Monday"}
    monkeypatch.setattr(RunFolder, "former_datasets", lambda run: former)
    hand_run_to_slurm(run)
    trained_elsewhere(run)
    assert take_up(run) == SUMMARY
    former["round-1"] = "Tuesday"
    assert take_up(run) is None


def test_a_student_trained_by_a_batch_job_is_taken_up(run: RunFolder) -> None:
    hand_run_to_slurm(run)
    assert take_up(run) is None
    trained_elsewhere(run)
    assert take_up(run) == SUMMARY


def test_taking_a_student_up_needs_no_gpus(run: RunFolder) -> None:
    hand_run_to_slurm(run)
    asked = [line for line in missing(run.recipe, run.path.parent, ["train"]) if "GPUs" in line]
    assert len(asked) == 1
    trained_elsewhere(run)
    assert is_taken_up(run)
    assert not [line for line in missing(run.recipe, run.path.parent, ["train"]) if "GPUs" in line]


def test_a_student_of_another_dataset_is_not_taken_up(run: RunFolder) -> None:
    hand_run_to_slurm(run)
    trained_elsewhere(run)
    manifest = json.loads((run.path / "manifest.json").read_text())
    manifest["stages"]["publish"]["ended_at"] = "later"
    (run.path / "manifest.json").write_text(json.dumps(manifest))
    assert take_up(run) is None


def test_again_leaves_the_student_that_is_there_and_does_not_take_it_up(run: RunFolder) -> None:
    hand_run_to_slurm(run)
    trained_elsewhere(run)
    hand_run_to_slurm(run, again=True)
    assert (run.folder("train") / "model").is_dir()
    assert not is_taken_up(run)
    assert take_up(run) is None
    assert not run.is_done("train"), "what comes back is taken up"
    (run.folder("train") / "model").rmdir()
    trained_elsewhere(run)
    assert take_up(run) == SUMMARY


def test_a_finished_student_is_handed_over_on_request_only(run: RunFolder) -> None:
    run.folder("train")
    run.finish("train", run.begin("train"), [])
    run.finish("evaluate", run.begin("evaluate"), [])
    with pytest.raises(PrerequisiteError, match="is trained; --again"):
        hand_run_to_slurm(run)
    hand_run_to_slurm(run, again=True)
    stages = run.manifest()["stages"]
    assert [stages[name]["status"] for name in ("train", "evaluate")] == ["stopped", "outdated"]


def test_a_training_that_could_work_nowhere_is_not_handed_over(run: RunFolder) -> None:
    student = run.recipe.student.model_copy(update={"base": "meta-llama/Llama-3.1-8B"})
    student = student.model_copy(update={"chat_template": None})
    other = open_run(run.recipe.model_copy(update={"student": student}), run.path.parent)
    other.need("publish")
    with pytest.raises(PrerequisiteError, match="chat template"):
        hand_run_to_slurm(other)


def test_a_run_whose_training_a_batch_job_has_is_not_said_to_wait_for_distill(
    run: RunFolder,
) -> None:
    assert "slurm " not in summary_text(run.path)
    hand_run_to_slurm(run)
    text = summary_text(run.path)
    assert "train.sbatch was written " in text
    assert "it has no log yet; whether it was submitted is not known here" in text
    assert "go on     when the job has ended: stillhouse distill" in text
    assert run_facts(run.path)["handed_over"]["log_written_at"] is None
    run.log("slurm").write_text("epoch 1\n", encoding="utf-8")
    assert "slurm.log was written last at " in summary_text(run.path)
    trained_elsewhere(run)
    text = summary_text(run.path)
    assert "its student is there: what goes on takes it up" in text
    assert "go on     stillhouse distill" in text
    assert run_facts(run.path)["handed_over"]["student_is_there"]
    run.finish("train", run.begin("train"), [])
    assert "slurm " not in summary_text(run.path)
    assert run_facts(run.path)["handed_over"] is None
