"""A run is a folder: its manifest is whole, its stages know what is done and what is outdated."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from filters_records import sample

from data_cards.funnel import FunnelRow
from flows.overview import run_facts, runs_overview, summary_text
from flows.recipe import load_recipe
from flows.run_folder import (
    STAGES,
    RunFolder,
    all_runs,
    existing_run,
    open_run,
    read_manifest,
    run_path,
    write_text,
)
from flows.stage_command import newest_run
from prompts.errors import PrerequisiteError, RunError
from teacher.shards import Shards

ROW = FunnelRow("curate", 3, {"keep": 2, "rejected": 1}, 0.5)


def new_run(tmp_path: Path, *overrides: str) -> RunFolder:
    return open_run(load_recipe(overrides=overrides), tmp_path / "runs")


def do(run: RunFolder, stage: str) -> None:
    run.folder(stage)
    run.finish(stage, run.begin(stage), [ROW])


def test_the_same_recipe_opens_the_same_run(tmp_path: Path) -> None:
    first = new_run(tmp_path)
    do(first, "curate")
    assert new_run(tmp_path).is_done("curate")
    assert all_runs(tmp_path / "runs") == [first.path]


def test_a_stage_begun_and_not_finished_is_not_done(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    run.begin("curate")
    assert not run.is_done("curate")


def test_doing_a_stage_again_outdates_the_later_ones(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    do(run, "curate")
    do(run, "generate")
    do(run, "curate")
    assert run.is_done("curate")
    assert not run.is_done("generate")


def test_another_student_leaves_the_dataset_done(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    for stage in ("curate", "generate", "verify", "publish", "train"):
        do(run, stage)
    other = new_run(tmp_path, "student.epochs=1")
    assert other.path == run.path
    assert other.is_done("publish")
    assert not other.is_done("train")


def test_a_stage_needs_the_stages_before_it(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="'curate' is not finished"):
        new_run(tmp_path).need("curate")


def test_a_removed_stage_folder_is_not_done(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    do(run, "curate")
    run.folder("curate").rmdir()
    assert not run.is_done("curate")


def test_one_process_at_a_time_works_on_a_run(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    with (
        run.locked(),
        pytest.raises(PrerequisiteError, match="in use by another process"),
        existing_run(run.path).locked(),
    ):
        pass
    with run.locked():
        assert (run.path / ".lock").exists()


def test_a_folder_that_is_no_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="is no run"):
        existing_run(tmp_path)
    with pytest.raises(PrerequisiteError, match="is no run"):
        read_manifest(tmp_path)


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    (run.path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(PrerequisiteError, match="damaged"):
        run.manifest()


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "manifest.json"
    write_text(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError, match="No space left"):
        write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_overview_shows_funnel_and_scores(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    do(run, "curate")
    run.begin("evaluate")
    interval = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 40}
    row = {"domain": "overall", "prompts": 40, "k": 4, "samples": 158, "missing": 2}
    row |= {"pass_at_1": interval, "pass_at_k": {"2": interval, "4": interval}, "cons_at_k": None}
    row |= {"standard_error": 0.05, "undecided_rate": 0.0, "truncation_rate": 0.125}
    row |= {"mean_completion_tokens": 1234.5}
    change = {"domain": "overall", "change": interval}
    facts = {"scores": {"student": [row]}, "differences": {"student - base": [change]}}
    run.finish("evaluate", 0.0, [], **facts)
    text = summary_text(run.path)
    assert ROW.line() in text
    line = next(line for line in text.splitlines() if "student" in line and "overall" in line)
    cells = [*("held-out", "overall", "student", "50.0", "40.0 to 60.0", "–"), "50.0 @4"]
    assert line.split() == " ".join([*cells, "40 × 4 − 2", "12.5", "0.0", "1,234"]).split()
    assert "student - base: +50.0 points overall, paired 95 % interval +40.0 to +60.0" in text
    assert json.loads(json.dumps(run_facts(run.path)))["stages"]["curate"]["status"] == "done"


def test_the_overview_says_in_a_line_what_was_lost(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    do(run, "curate")
    lost = {"faults": {"reset": 2, "stalled": 1_012}, "continued": 4, "wasted_tokens": 1_234}
    run.begin("generate")
    run.finish("generate", 0.0, [ROW], **lost, cancelled=0)
    said = "1,012 stalled, 2 reset; 4 completions continued; 1,234 tokens wasted"
    assert f"requests  faults: {said}" in summary_text(run.path).splitlines()
    run.finish("generate", 0.0, [ROW], faults={}, continued=0, wasted_tokens=0, cancelled=0)
    assert "requests" not in summary_text(run.path)


def test_outdated_stages_are_in_no_funnel(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    do(run, "curate")
    do(run, "generate")
    assert len(run.funnel()) == 2
    run.begin("curate")
    assert run.funnel() == []
    assert ROW.line() not in summary_text(run.path)


def test_a_renamed_run_is_refused(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    moved = run.path.rename(run.path.with_name("mine"))
    with pytest.raises(PrerequisiteError, match="does not bear its recipe's name"):
        existing_run(moved)


def test_a_run_is_found_from_inside_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(tmp_path)
    monkeypatch.chdir(run.path)
    assert existing_run(Path(".")).path == run.path


def test_one_damaged_manifest_does_not_hide_the_other_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, other = new_run(tmp_path), new_run(tmp_path, "edition=b")
    (run.path / "manifest.json").write_text("{", encoding="utf-8")
    runs_overview(tmp_path / "runs", as_json=False)
    text = capsys.readouterr().out
    assert "damaged" in text
    assert str(other.path) in text


def test_a_stage_left_by_an_error_is_stopped_and_its_run_is_not_the_newest(tmp_path: Path) -> None:
    good, bad = new_run(tmp_path), new_run(tmp_path, "edition=b")
    do(good, "curate")
    bad.begin("curate")
    bad.stop("curate")
    assert bad.manifest()["stages"]["curate"]["status"] == "stopped"
    assert newest_run(None, tmp_path / "runs") == good.path


def test_a_stopped_sampling_says_how_many_samples_are_kept(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    run.begin("generate")
    run.stop("generate")
    assert "generate  stopped" in summary_text(run.path).splitlines()
    with Shards(run.folder("generate")) as shards:
        shards.append(sample("a"))
    assert "generate  stopped: 1 sample kept" in summary_text(run.path).splitlines()


WORKING = """
import os, signal, sys
from pathlib import Path
from flows.recipe import recipe_of_run
from flows.run_folder import RunFolder
run = RunFolder(Path(sys.argv[1]), recipe_of_run(Path(sys.argv[1])))
with run.locked():
    run.begin("curate")
    print("working", flush=True)
    sys.stdin.read()
"""


def test_a_run_whose_process_was_killed_is_interrupted_and_says_what_goes_on(
    tmp_path: Path,
) -> None:
    run = new_run(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", WORKING, str(run.path)],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"working\n"
    shown = summary_text(run.path)
    assert "curate    running since" in shown
    assert "at work" in shown
    assert "next: curate (running)" in shown
    process.kill()
    process.communicate()
    shown = summary_text(run.path)
    assert "curate    interrupted" in shown
    assert "next: curate (interrupted)" in shown
    facts = run_facts(run.path)
    assert (facts["worked_on"], facts["stages"]["curate"]["status"]) == (False, "interrupted")
    command = f"stillhouse distill --recipe {run.path / 'recipe.yaml'} --runs {run.path.parent}"
    assert f"go on     {command}" in shown.splitlines()
    again = load_recipe(str(run.path / "recipe.yaml"))
    assert run_path(again, run.path.parent) == run.path


def test_a_finished_run_needs_no_command(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    for stage in STAGES:
        do(run, stage)
    assert "go on" not in summary_text(run.path)
    assert run_facts(run.path)["go_on"] is None


def at(run: RunFolder, stage: str, seconds_ago: float, spent_s: float = 0.0) -> dict[str, Any]:
    """A stage begun so long ago and not finished."""
    run.begin(stage)
    manifest = run.manifest()
    began = datetime.fromtimestamp(time.time() - seconds_ago, UTC).isoformat()
    manifest["stages"][stage] |= {"started_at": began, "spent_s": spent_s}
    run._write(manifest)
    return dict(manifest["stages"][stage])


def took_s(run: RunFolder, stage: str, again: bool = False) -> float:
    """What the manifest says a stage took that is begun and finished at once."""
    return float(run.finish(stage, run.begin(stage, again), [])["duration_s"])


def test_a_stage_that_was_stopped_counts_the_time_of_all_its_goes(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    at(run, "train", seconds_ago=100, spent_s=30)
    run.stop("train")
    assert took_s(run, "train") == pytest.approx(130, abs=5)
    entry = run.manifest()["stages"]["train"]
    assert entry["goes"] == 2
    assert "spent_s" not in entry


def test_a_stage_that_was_killed_counts_until_its_last_file(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    at(run, "train", seconds_ago=100)
    file = run.folder("train") / "losses.jsonl"
    file.touch()
    an_hour_ago, a_minute_ago = time.time() - 3600, time.time() - 60
    os.utime(run.folder("train"), (an_hour_ago, an_hour_ago))
    os.utime(file, (a_minute_ago, a_minute_ago))
    assert took_s(run, "train") == pytest.approx(40, abs=5)


@pytest.mark.parametrize(("stage", "least"), [("train", 0), ("generate", 100)])
def test_done_again_a_training_counts_anew_and_a_sampling_goes_on(
    tmp_path: Path, stage: str, least: float
) -> None:
    run = new_run(tmp_path)
    at(run, stage, seconds_ago=100)
    run.stop(stage)
    run.folder(stage)
    assert took_s(run, stage, again=True) == pytest.approx(least, abs=5)
    assert took_s(run, stage, again=True) == pytest.approx(least, abs=5)
    run.folder(stage).rmdir()  # what was done is gone, and so is its time
    assert took_s(run, stage) == pytest.approx(0, abs=5)


def test_the_time_of_another_students_training_is_not_counted(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    at(run, "train", seconds_ago=100)
    run.stop("train")
    other = RunFolder(run.path, load_recipe(overrides=["student.epochs=9"]))
    assert took_s(other, "train") == pytest.approx(0, abs=5)
