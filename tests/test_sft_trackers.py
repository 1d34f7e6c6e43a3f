"""Curves of training: kept here by trackio, once for each step, and never worth a training."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("trl")

from held_training import await_step, environment, held_at
from tiny_student import make_base, make_row, student_values
from tiny_student import write_job_file as write_job

from sft.checkpoints import OWNER
from sft.job import PROJECT, TrainJob
from sft.progress import JsonLines
from sft.student import StudentRecipe
from sft.trackers import Tracked

ROOT = Path(__file__).parents[1]
FINGERPRINT = "0123456789abcdef" * 2
BEGUN = SimpleNamespace(global_step=0, max_steps=9, is_world_process_zero=True)


def tracked(folder: Path, tracker: str) -> Tracked:
    """The callback of a training whose checkpoints have their owner's name."""
    student = StudentRecipe.model_validate(student_values(tracker=tracker))
    job = TrainJob(data=(folder,), student=student, model_dir="x", output_dir=folder / "student")
    job.checkpoints.mkdir(parents=True, exist_ok=True)
    (job.checkpoints / OWNER).write_text(FINGERPRINT)
    return Tracked(job, JsonLines())


def at(step: int) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(BEGUN), "global_step": step})


def test_a_tracker_that_cannot_be_opened_costs_the_curves_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trackio", None)
    callback = tracked(tmp_path, "trackio")
    callback.on_train_begin(None, BEGUN, None)
    callback.on_log(None, at(1), None, logs={"loss": 1.0})
    callback.on_train_end(None, at(1), None)
    (line,) = capsys.readouterr().out.splitlines()
    assert "cannot open trackio, training goes on" in json.loads(line)["warning"]


def test_a_tracker_that_breaks_is_left_alone_after_one_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def log(self, values: dict[str, float], step: int) -> None:
            raise OSError("disk full")

    callback = tracked(tmp_path, "trackio")
    callback.run = Broken()
    for step in (1, 2):
        callback.on_log(None, at(step), None, logs={"loss": 1.0})
    (line,) = capsys.readouterr().out.splitlines()
    assert "disk full" in json.loads(line)["warning"]


def test_a_tracker_is_told_nothing_of_this_machines_folders(tmp_path: Path) -> None:
    callback = tracked(tmp_path, "wandb")
    folders = {"base": "/workspace/ada/base", "chat_template": "/workspace/ada/own.jinja"}
    student = callback.job.student.model_copy(update=folders)
    callback.job = callback.job.model_copy(update={"student": student})
    settings = callback._settings()
    assert (settings["base"], settings["chat_template"]) == ("base", "own.jinja")
    assert "/workspace" not in json.dumps(settings)


READ = """
import json, sys
from trackio.sqlite_storage import SQLiteStorage
runs = SQLiteStorage.get_runs(sys.argv[1])
print(json.dumps({run: SQLiteStorage.get_logs(sys.argv[1], run) for run in runs}))
"""


def curves_in(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """What trackio holds in a folder, by run; it reads its folder's name when imported."""
    done = subprocess.run(
        [sys.executable, "-c", READ, PROJECT],
        env={**os.environ, "TRACKIO_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_a_training_killed_midway_goes_on_in_the_same_run_each_step_once(tmp_path: Path) -> None:
    pytest.importorskip("trackio")
    base = make_base(tmp_path / "base")
    settings = {"epochs": 6, "checkpoint_every_steps": 4, "tracker": "trackio"}
    job = write_job(tmp_path, [make_row(i) for i in range(6)], base, **settings)
    # Elsewhere is where these would send it; nobody listens there.
    elsewhere = {"TRACKIO_SERVER_URL": "http://127.0.0.1:9", "HF_TOKEN": "hf_nobody"}
    start: dict[str, Any] = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
        "text": True,
        "cwd": ROOT,
        "env": {**environment(), **elsewhere},
    }
    with subprocess.Popen([sys.executable, *held_at(7, job)], **start) as child:
        await_step(child, 7)
        child.kill()
    command = [sys.executable, "-m", "sft.train", str(job)]
    lines = [json.loads(line) for line in subprocess.run(command, **start).stdout.splitlines()]
    assert lines[-1]["resumed_from"] == "checkpoint-4"
    assert not [line for line in lines if "warning" in line]
    (curves,) = curves_in(tmp_path / "tracker" / "trackio").values()
    steps = [point["step"] for point in curves]
    assert steps == sorted(set(steps))
    # What was under way when it was killed may be lost: trackio writes twice a second.
    assert set(range(8, lines[-1]["steps"] + 1)) <= set(steps)
    losses = {line["step"]: line["loss"] for line in lines if "step" in line}
    for point in curves:
        if point["step"] in losses:
            assert point["train/loss"] == pytest.approx(losses[point["step"]], abs=2e-2)


def test_weights_and_biases_gets_the_curves_and_no_folder_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    callback = tracked(tmp_path, "wandb")
    callback.on_train_begin(None, BEGUN, None)
    assert callback.run is not None
    assert callback.run.id.endswith(FINGERPRINT[:12])
    assert callback.run.config["learning_rate"] == callback.job.student.learning_rate
    callback.on_log(None, at(1), None, logs={"loss": 1.5})
    callback.log({"tries/accepted": 3}, 1)
    callback.on_train_end(None, at(1), None)
    wandb.teardown()  # its own process writes the file, and has when it is gone
    (file,) = callback.job.tracker_folder.glob("wandb/offline-run-*/*.wandb")
    kept = file.read_bytes()
    assert b"train/loss" in kept
    assert b"tries/accepted" in kept
    assert str(ROOT).encode() not in kept
