"""What commands share has a public name, and one place."""

from pathlib import Path

import flows
from flows.progress import OUTPUT, report_to
from flows.runs import RUNS

FILES = sorted(Path(flows.__file__).parent.glob("*.py"))


def test_where_runs_lie_stands_in_one_place() -> None:
    says = [file.name for file in FILES if f'Path("{RUNS}")' in file.read_text(encoding="utf-8")]
    assert says == ["runs.py"]


def test_a_command_reports_as_it_was_told_to(monkeypatch) -> None:
    monkeypatch.setattr(OUTPUT, "as_json", False)
    report_to(as_json=True, metrics_port=None)
    assert (OUTPUT.as_json, OUTPUT.metrics) == (True, None)
