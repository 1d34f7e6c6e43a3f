"""What commands share has a public name, and one place."""

from pathlib import Path

import pytest

import flows
from flows import stage_command
from flows.progress import OUTPUT, report_to
from flows.recipe import load_recipe
from flows.run_folder import open_run
from flows.runs import RUNS
from prompts.errors import PrerequisiteError

FILES = sorted(Path(flows.__file__).parent.glob("*.py"))


def test_where_runs_lie_stands_in_one_place() -> None:
    says = [file.name for file in FILES if f'Path("{RUNS}")' in file.read_text(encoding="utf-8")]
    assert says == ["runs.py"]


def test_a_command_reports_as_it_was_told_to(monkeypatch) -> None:
    monkeypatch.setattr(OUTPUT, "as_json", False)
    report_to(as_json=True, metrics_port=None)
    assert (OUTPUT.as_json, OUTPUT.metrics) == (True, None)


def test_what_stops_a_stage_is_said_before_anything_starts(tmp_path, monkeypatch) -> None:
    run = open_run(load_recipe(), tmp_path)
    monkeypatch.setattr(stage_command, "do_stage", lambda *_: pytest.fail("it was started"))
    with pytest.raises(PrerequisiteError, match="'curate' is not finished"):
        stage_command.stage_of_run("verify", run.path, tmp_path, again=False)
    with run.locked(), pytest.raises(PrerequisiteError, match="in use by another process"):
        stage_command.stage_of_run("curate", run.path, tmp_path, again=False)
