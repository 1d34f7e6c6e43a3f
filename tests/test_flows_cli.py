"""The command line: exit codes, messages, and nothing spent before everything is there."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows import cli, preflight
from flows.plan import make_plan, plan_text
from flows.progress import Progress, clock
from flows.recipe import load_recipe
from prompts.errors import PrerequisiteError, RunError

ROOT = Path(__file__).parent.parent


def run_cli(*words: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


Typed = Callable[..., Done]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """`stillhouse WORDS` in this process: the start of one is no claim of these tests."""
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)

    def run(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["stillhouse", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PrerequisiteError("a"), 2),
        (RunError("a"), 3),
        (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device", "/x"), 3),
    ],
)
def test_each_kind_of_error_has_its_exit_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise error

    assert cli._guarded(command) == code
    assert "Traceback" not in capsys.readouterr().err


def test_an_interrupted_command_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli._guarded(lambda: 130) == 130
    assert "same command" in capsys.readouterr().err


def test_a_bug_is_not_hidden() -> None:
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cli._guarded(command)


def test_an_unknown_model_exits_2_and_lists_the_known(typed: Typed) -> None:
    done = typed("distill", "--model", "nonesuch")
    assert done.returncode == 2
    assert "qwen-7b" in done.stderr
    assert "Traceback" not in done.stderr


def test_everything_missing_is_listed_at_once_and_nothing_started(tmp_path: Path) -> None:
    done = run_cli(
        *("distill", "--model", "llama-8b", "--runs", str(tmp_path / "runs")),
        HF_ENDPOINT="http://127.0.0.1:9",
        HF_HOME=str(tmp_path),
        HF_TOKEN="",
        PATH="/usr/bin:/bin",
    )
    assert done.returncode == 2
    for what in ("32 GPUs", "8 GPUs", "Hub cannot be reached", "token"):
        assert what in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_dead_endpoint_is_named_before_anything_starts(typed: Typed, tmp_path: Path) -> None:
    url = "http://127.0.0.1:9"
    done = typed("distill", "--teacher-url", url, "--runs", str(tmp_path / "runs"))
    assert done.returncode == 2
    assert url in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_dry_run_prints_the_plan_and_writes_nothing(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = typed("distill", "--model", "qwen-7b", "--dry-run")
    assert done.returncode == 0, done.stderr
    for what in ("TP8 × PP2", "GPU-hours", "openr1-math", "disk", "wall time"):
        assert what in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_plan_is_json_for_machines(typed: Typed) -> None:
    done = typed("plan", "--model", "llama-70b", "--json")
    assert json.loads(done.stdout)["student"]["name"] == "llama-70b"


def test_a_terminal_that_lacks_a_character_gets_another() -> None:
    done = run_cli("plan", "--model", "qwen-7b", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "TP8 ? PP2" in done.stdout


def test_show_without_a_run_says_how_to_make_one(typed: Typed, tmp_path: Path) -> None:
    done = typed("show", "--runs", str(tmp_path))
    assert done.returncode == 2
    assert "make distill" in done.stderr


def test_a_usage_error_exits_2(typed: Typed) -> None:
    assert typed("distil").returncode == 2


def test_an_embedded_plan_has_no_bill() -> None:
    text = plan_text(make_plan(load_recipe()))
    assert "$" not in text
    assert "this machine's cores" in text


def test_an_unknown_teacher_is_named() -> None:
    with pytest.raises(PrerequisiteError, match=r"teacher\.model.*known: deepseek-r1"):
        load_recipe(overrides=["teacher.model=gpt"])


def test_a_teacher_that_does_not_fit_is_refused_with_numbers() -> None:
    with pytest.raises(PrerequisiteError, match="does not fit on 4 GPUs"):
        make_plan(load_recipe(model="qwen-7b", overrides=["teacher.cluster.gpus=4"]))


def test_too_little_disk_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(preflight, "disk_gb", lambda recipe: 1e9)
    assert any("GB free" in problem for problem in preflight.missing(load_recipe(), tmp_path))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (185, "3 min 05 s"),
        (25_920, "7 h 12 min"),
        (1_137_600, "13 d 4 h"),
    ],
)
def test_times_read_as_people_say_them(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_without_a_terminal_progress_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("flows.progress.time.monotonic", lambda: now[0])
    with Progress("verify", 100, "samples") as bar:
        for done in range(1, 13):
            now[0] += 1
            bar.update(done)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "verify    5/100 samples  1.0 samples/s  1 min 35 s left",
        "verify    10/100 samples  1.0 samples/s  1 min 30 s left",
    ]
