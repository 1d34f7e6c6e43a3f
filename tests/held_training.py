"""`python held_training.py STEP JOB.json`: a training that says a step and waits to be killed.

Killed from outside while it went on, it would be further by the time the signal comes: a step of
these takes a hundredth of a second.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]


def held_at(step: int, job: Path) -> list[str]:
    """The end of a command line, behind Python or a launcher."""
    return [__file__, str(step), str(job)]


def environment() -> dict[str, str]:
    """One thread a process; the project is found from a script in its tests."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}


def start(command: list[str]) -> "subprocess.Popen[str]":
    """A training whose lines are read."""
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=PROJECT,
        env=environment(),
    )


def await_step(training: "subprocess.Popen[str]", step: int) -> None:
    """Read its lines up to the step it waits at."""
    assert training.stdout is not None
    for line in training.stdout:
        if f'"step": {step},' in line:
            return
    raise AssertionError(f"it ended with code {training.wait()} before step {step}")


def main(step: int, job: str) -> int:
    os.environ["HF_HUB_OFFLINE"] = "1"
    from sft.progress import JsonLines
    from sft.train import main as train

    said = JsonLines.say

    def say_and_wait(report: JsonLines, **values: Any) -> None:
        said(report, **values)
        while values.get("step") == step:
            signal.pause()

    JsonLines.say = say_and_wait  # type: ignore[method-assign]
    return train([job])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
