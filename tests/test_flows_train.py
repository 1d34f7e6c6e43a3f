"""The train flow: a training process is followed, logged, and never left behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny_families import make_family
from tiny_student import make_row, write_job_file

import flows.train
import flows.training_process
from flows.recipe import load_recipe
from flows.run_folder import RunFolder
from flows.train import curves_line, train_anew, unless_stopped
from flows.training_process import TrainingStoppedError, watch_training
from prompts.errors import PrerequisiteError, RunError
from sft.job import read_job
from sft.launch_command import launch_command

PROJECT = Path(__file__).resolve().parent.parent

# Stands in for `python -m sft.train`; each line of `plan` is one thing to do.
FAKE = """
import json, os, signal, subprocess, sys, time
def step(n, of=3): say(step=n, of=of, loss=1.5, tokens=10 * n, seconds=n)
def done(): say(done=True, rows=3, dropped={}, tokens=30, steps=3)
def say(**values): print(json.dumps(values), flush=True)
def log(text): print(text, file=sys.stderr, flush=True)
def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # A data loader's worker that hears of nothing.
    code = "import os, signal as s, time as t; os.setsid(); s.signal(15, s.SIG_IGN); t.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", code])
    with open("pids.part", "w") as file:
        file.write(f"{os.getpid()} {child.pid}")
    os.rename("pids.part", "pids")
"""


class Training:
    """A fake training in a folder: its command, its files, and whether its processes live."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log, self.losses = (
            folder,
            folder / "logs" / "train.log",
            folder / "losses",
        )

    def command(self, plan: str) -> list[str]:
        (self.folder / "fake.py").write_text(f"{FAKE}\nos.chdir({str(self.folder)!r})\n{plan}\n")
        return [sys.executable, "-I", "-S", str(self.folder / "fake.py")]

    def watch(self, plan: str) -> dict[str, Any]:
        return watch_training(self.command(plan), self.log, self.losses)

    def pids(self) -> list[int]:
        with contextlib.suppress(FileNotFoundError):
            return [int(word) for word in (self.folder / "pids").read_text().split()]
        return []


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Training:
    monkeypatch.setattr(flows.training_process, "GRACE_S", 0.2)
    return Training(tmp_path)


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens to progress bars."""
    events: list[str] = []

    class Bar:
        def __init__(self, name: str, total: int, unit: str, begun: int) -> None:
            events.append(f"{name} of {total} {unit}")

        def __enter__(self) -> "Bar":
            events.append("enter")
            return self

        def __exit__(self, *_: object) -> None:
            events.append("exit")

        def update(self, done: int, note: str = "") -> None:
            events.append(f"{done}: {note}")

    monkeypatch.setattr(flows.training_process, "Progress", Bar)
    return events


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], bool], timeout_s: float = 60) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def gone(pids: list[int]) -> bool:
    assert len(pids) == 2
    return until(lambda: not any(alive(pid) for pid in pids))


def test_steps_are_shown_and_kept_and_the_summary_is_returned(training, bars) -> None:
    summary = training.watch("step(1); step(2); done()")
    assert (summary["steps"], summary["rows"]) == (3, 3)
    rate = "loss 1.500  10 tokens/s"
    assert bars == ["train of 3 steps", "enter", f"1: {rate}", f"2: {rate}", "exit"]
    kept = [json.loads(line) for line in training.losses.read_text().splitlines()]
    assert [line.get("step") for line in kept] == [1, 2, None]


def test_tries_and_warnings_are_said_and_kept(training, bars, capsys) -> None:
    plan = """
step(1)
say(tried=1, of=3, prompts=8, accepted=3, undecided=1, ended=7, mean_tokens=61.25, seconds=4.4)
say(warning="the loss spiked", at=1)
done()
"""
    training.watch(plan)
    said = capsys.readouterr().out
    assert (
        "train     step 1: 3 of 8 held-out prompts right, 1 undecided; 7 answers ended, "
        "61 tokens each  4 s\n" in said
    )
    assert "train     warning: the loss spiked\n" in said
    kept = [json.loads(line) for line in training.losses.read_text().splitlines()]
    assert [next(iter(line)) for line in kept] == ["step", "tried", "warning", "done"]
    assert bars[-1] == "exit"


def test_what_libraries_print_between_the_steps_goes_to_the_log(training, bars) -> None:
    plan = """
print("NCCL version 2.27.3+cuda12.9\\n\\n[1, 2]\\n7\\nnull")
print("{\\"other\\": 1}\\n{\\"step\\":", flush=True)
os.write(1, b"\\xff\\xfe of C\\n")
step(1)
done()
"""
    assert training.watch(plan)["steps"] == 3
    log = training.log.read_bytes()
    for word in (b"NCCL version", b"[1, 2]", b'{"other": 1}', b'{"step":', b"\xff\xfe of C"):
        assert word in log
    assert len(training.losses.read_text().splitlines()) == 2


def test_a_bar_is_closed_when_training_fails(training, bars) -> None:
    with pytest.raises(RunError, match="code 3"):
        training.watch("step(1); sys.exit(3)")
    assert bars[-1] == "exit"


def test_a_retry_keeps_the_log_of_the_first_attempt_and_shows_its_own_end_only(training) -> None:
    with pytest.raises(RunError, match=r"code 3(.|\n)*words of the first"):
        training.watch("log('words of the first'); sys.exit(3)")
    with pytest.raises(RunError, match="words of the second") as raised:
        training.watch("log('words of the second'); sys.exit(3)")
    assert "words of the first" not in str(raised.value)
    assert training.log.read_text().split("\n")[:2] == ["words of the first", "words of the second"]


def test_the_users_mistake_is_a_prerequisite_error(training) -> None:
    with pytest.raises(PrerequisiteError, match=r"student\.eos_token"):
        training.watch("log('error: student.eos_token …'); sys.exit(2)")


def test_an_error_that_is_said_counts_whatever_the_launchers_code(training) -> None:
    mistake = "say(error='student.eos_token is no token', code=2); log('torchrun'); sys.exit(1)"
    with pytest.raises(PrerequisiteError, match=r"did not start: student\.eos_token is no token$"):
        training.watch(mistake)
    with pytest.raises(TrainingStoppedError, match="stopped: the loss spiked") as raised:
        training.watch("step(1); say(error='the loss spiked', code=3); sys.exit(1)")
    assert str(training.log) in str(raised.value)
    kept = [json.loads(line) for line in training.losses.read_text().splitlines()]
    assert [next(iter(line)) for line in kept] == ["step"]


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (TrainingStoppedError("the loss spiked"), False),
        (PrerequisiteError("no row"), False),
        (RunError("ended with code 137"), True),
    ],
)
def test_only_what_may_end_otherwise_is_tried_again(error, again) -> None:
    state = SimpleNamespace(result=lambda raise_on_failure: error)
    assert unless_stopped(None, None, state) == again


@pytest.mark.slow
def test_a_refusal_of_several_processes_is_the_users_mistake(tmp_path, monkeypatch) -> None:
    pytest.importorskip("trl")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    base = make_family(tmp_path / "base", "qwen2")
    settings = {"launch": "ddp", "processes": 2, "batch_size": 4, "micro_batch_size": 2}
    job = write_job_file(tmp_path, [make_row(0, "on")], base, **settings, max_length=16)
    command = launch_command(read_job(job).student, job)
    with pytest.raises(PrerequisiteError, match="did not start: no row to train on"):
        watch_training(command, tmp_path / "log", tmp_path / "losses")


def test_a_killed_training_asks_about_memory(training) -> None:
    with pytest.raises(RunError, match=r"code 137 \(killed: out of memory\?\)"):
        training.watch("step(1); os.kill(os.getpid(), 9)")


def test_an_end_without_a_summary_is_a_fault_although_the_code_is_0(training) -> None:
    with pytest.raises(RunError, match="code 0"):
        training.watch("step(1)")


def test_a_command_that_does_not_start_says_so(training) -> None:
    with pytest.raises(RunError, match=r"code 127(.|\n)*cannot start /nowhere/python"):
        watch_training(["/nowhere/python"], training.log, training.losses)


@pytest.mark.parametrize("after", ["time.sleep(600)", "os.kill(os.getpid(), 11)"])
def test_what_happens_after_the_summary_costs_nothing(training, monkeypatch, after) -> None:
    monkeypatch.setattr(flows.training_process, "END_S", 0.2)
    assert training.watch(f"stubborn(); step(1); done(); {after}")["steps"] == 3
    assert gone(training.pids())


def test_an_error_of_ours_ends_a_training_that_ignores_sigterm(training, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(flows.training_process.Progress, "update", broken)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        training.watch("stubborn(); step(1); time.sleep(600)")
    assert time.monotonic() - began < 60
    assert gone(training.pids())


PARENT = """
import json, sys
from pathlib import Path
import flows.training_process as process
process.GRACE_S = 0.2
process.watch_training(json.loads(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
"""


@contextlib.contextmanager
def parent(training: Training) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that watches a training in mid-run."""
    command = json.dumps(training.command("stubborn(); step(1); time.sleep(600)"))
    arguments = [command, str(training.log), str(training.losses)]
    process = subprocess.Popen([sys.executable, "-c", PARENT, *arguments], cwd=PROJECT)
    try:
        assert until(lambda: training.losses.exists() and training.losses.stat().st_size > 0)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_training_outlives_us(training, number) -> None:
    with parent(training) as process:
        assert all(alive(pid) for pid in training.pids())
        process.send_signal(number)
        assert process.wait(60) != 0
        assert gone(training.pids())


def test_a_ctrl_c_of_the_terminal_reaches_us_and_not_the_training(training) -> None:
    with parent(training) as process:
        leader, worker = training.pids()
        ours = os.getpgid(process.pid)
        assert ours not in {os.getpgid(leader), os.getpgid(worker)}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run whose student is trained, with a checkpoint left behind."""
    run = RunFolder(tmp_path / "run", load_recipe())
    left = ("checkpoints/checkpoint-4/whole", "tracker/trackio/a.db")
    left += ("model/weights", "model/training.json")
    for name in (*left, "losses.jsonl", "job.json"):
        file = run.folder("train") / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return run


def test_a_student_stays_until_another_is_whole_and_is_nobodys_work(run, capsys) -> None:
    train_anew(run)
    assert sorted(path.name for path in run.folder("train").iterdir()) == ["job.json", "model"]
    assert [path.name for path in (run.folder("train") / "model").iterdir()] == ["weights"]
    assert "the former student stays in" in capsys.readouterr().out
    train_anew(run)


def test_checkpoints_that_are_half_removed_are_not_continued(run, monkeypatch) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(flows.train.shutil, "rmtree", lambda path, **_: path.exists() and killed())
        with pytest.raises(KeyboardInterrupt):
            train_anew(run)
    assert not (run.folder("train") / "checkpoints").exists()
    train_anew(run)
    assert sorted(path.name for path in run.folder("train").iterdir()) == ["job.json", "model"]


@pytest.mark.parametrize(("tracker", "said"), [("trackio", True), ("none", False)])
def test_the_command_that_shows_the_curves_finds_them(run, tracker, said) -> None:
    student = run.recipe.student.model_copy(update={"tracker": tracker})
    run = RunFolder(run.path, run.recipe.model_copy(update={"student": student}))
    folder = run.folder("train") / "tracker" / "trackio"
    line = f"curves    TRACKIO_DIR={folder} trackio show --project stillhouse"
    assert curves_line(run) == (line if said else None)
    train_anew(run)
    assert curves_line(run) is None


@pytest.mark.parametrize("again", [False, True])
def test_again_trains_anew_and_a_restart_finds_what_there_is(run, monkeypatch, again) -> None:
    found: list[bool] = []
    stage = SimpleNamespace(wanted=True, seconds=lambda: 1.0, finish=lambda *_, **__: None)

    def trained(run: RunFolder) -> dict[str, Any]:
        assert (run.folder("train") / "model" / "weights").exists()
        found.append((run.folder("train") / "model" / "training.json").exists())
        return {"rows": 3, "dropped": {}}

    monkeypatch.setattr(flows.train, "open_run", lambda *_: run)
    monkeypatch.setattr(flows.train, "staged", lambda *_: contextlib.nullcontext(stage))
    monkeypatch.setattr(flows.train, "show", lambda *_: None)
    monkeypatch.setattr(flows.train, "train_student", trained)
    monkeypatch.setattr(flows.train, "write_student_card", lambda _: found.append(True))
    assert flows.train.train.fn(run.recipe, run.path.parent, again) == str(run.path)
    assert found == [not again, True], "the card is written when the student is there"
