"""The shape of the project: imports go left, packages are listed, names collide with none."""

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINE = ["prompts", "teacher", "filters", "data_cards", "sft", "evals", "flows"]
HEAVY = [
    "torch",
    "trl",
    "transformers",
    "prefect",
    "matplotlib",
    "ray",
    "datasets",
    "sympy",
    "pint",
]


def imported_stages(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    names += [
        n.module
        for n in ast.walk(tree)
        if isinstance(n, ast.ImportFrom) and n.module and not n.level
    ]
    return {name.split(".")[0] for name in names} & set(LINE)


def private_names(file: Path) -> list[str]:
    """Names with an underscore in front that a file takes from another one of the project's."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    imports = [n for n in nodes if isinstance(n, ast.ImportFrom) and n.module]
    ours = [a for n in imports if n.module.split(".")[0] in LINE for a in n.names]
    modules = {alias.asname or alias.name for alias in ours}
    found = [alias.name for alias in ours if alias.name.startswith("_")]
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            is_private = node.attr.startswith("_") and not node.attr.startswith("__")
            found += [node.attr] if is_private and node.value.id in modules else []
    return found


@pytest.mark.parametrize("stage", LINE)
def test_no_file_takes_a_private_name_of_another(stage: str) -> None:
    files = (ROOT / stage).rglob("*.py")
    assert {file.name: names for file in files if (names := private_names(file))} == {}


@pytest.mark.parametrize("stage", LINE)
def test_imports_only_go_left(stage: str) -> None:
    allowed = set(LINE[: LINE.index(stage) + 1])
    files = list((ROOT / stage).rglob("*.py"))
    assert files
    wrong = {str(f.relative_to(ROOT)): imported_stages(f) - allowed for f in files}
    assert not {name: stages for name, stages in wrong.items() if stages}


def test_the_packages_list_is_the_folders_with_code() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = config["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    tracked = subprocess.run(
        ["git", "ls-files", "*/__init__.py"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    assert sorted({name.split("/")[0] for name in tracked}) == sorted(listed) == sorted(LINE)


def test_no_other_distribution_owns_a_stage_name() -> None:
    owners = packages_distributions()
    assert {stage: set(owners.get(stage, ())) - {"stillhouse"} for stage in LINE} == {
        stage: set() for stage in LINE
    }


def test_no_module_is_named_like_a_stage_or_the_standard_library() -> None:
    names = {f.stem for stage in LINE for f in (ROOT / stage).rglob("*.py")} - {"__init__"}
    # A module called `queue` shadows nothing inside a package, but it misleads the reader; a trace
    # is this project's word for an accepted sample.
    assert not names & (set(LINE) | set(sys.stdlib_module_names) - {"trace"})


def test_only_flows_know_prefect() -> None:
    files = [f for stage in LINE[:-1] for f in (ROOT / stage).rglob("*.py")]
    assert not [f for f in files if "prefect" in f.read_text(encoding="utf-8").lower()]


@pytest.mark.parametrize("module", ["filters", "filters.registry", "flows.cli"])
def test_light_modules_import_nothing_heavy(module: str) -> None:
    probe = f"import {module}, sys; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []
