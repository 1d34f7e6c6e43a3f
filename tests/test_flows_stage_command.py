"""What commands share has a public name, and one place."""

import ast
from pathlib import Path

import flows
from flows.progress import OUTPUT, report_to
from flows.runs import RUNS

FILES = sorted(Path(flows.__file__).parent.glob("*.py"))


def private_names(file: Path) -> list[str]:
    """Names with an underscore in front that a file takes from another one of the project's."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    taken = [a for n in nodes if isinstance(n, ast.ImportFrom) for a in n.names]
    modules = {alias.asname or alias.name for alias in taken}
    found = [alias.name for alias in taken if alias.name.startswith("_")]
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            is_private = node.attr.startswith("_") and not node.attr.startswith("__")
            found += [node.attr] if is_private and node.value.id in modules else []
    return found


def test_no_file_of_flows_takes_a_private_name_of_another() -> None:
    assert {file.name: names for file in FILES if (names := private_names(file))} == {}


def test_where_runs_lie_stands_in_one_place() -> None:
    says = [file.name for file in FILES if f'Path("{RUNS}")' in file.read_text(encoding="utf-8")]
    assert says == ["runs.py"]


def test_a_command_reports_as_it_was_told_to(monkeypatch) -> None:
    monkeypatch.setattr(OUTPUT, "as_json", False)
    report_to(as_json=True, metrics_port=None)
    assert (OUTPUT.as_json, OUTPUT.metrics) == (True, None)
