"""Chunks in worker processes: in order, and what happens when a worker or its parent dies."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from prompts.errors import RunError
from prompts.workers import in_workers

ROOT = Path(__file__).parent.parent


def doubled(number: int) -> int:
    return 2 * number


def dies(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_results_come_in_the_order_of_the_jobs() -> None:
    expected = [2 * number for number in range(20)]
    assert list(in_workers(doubled, range(20), 2)) == expected
    assert list(in_workers(doubled, range(20), 1)) == expected
    assert list(in_workers(doubled, [], 2)) == []


def test_a_killed_worker_ends_the_curation_with_its_likely_cause() -> None:
    with pytest.raises(RunError, match="want of memory"):
        list(in_workers(dies, range(10), 2))


def test_workers_end_with_their_parent_however_it_dies(tmp_path: Path) -> None:
    code = (
        "import os, sys, time\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from test_prompts_workers import note\n"
        "from prompts.workers import in_workers\n"
        "list(in_workers(note, [sys.argv[1]] * 10, 2))\n"
    )
    told = tmp_path / "workers"
    command = [sys.executable, "-c", code, str(told), str(ROOT / "tests")]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    parent = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (told.exists() and told.read_text()):
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    worker = int(told.read_text().split()[0])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and is_running(worker):
        time.sleep(0.05)
    assert not is_running(worker)


def note(path: str) -> None:
    """A job that does not end by itself: it says which process it is in."""
    with open(path, "a") as file:
        file.write(f"{os.getpid()} ")
    time.sleep(120)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
