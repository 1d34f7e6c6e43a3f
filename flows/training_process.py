"""The process that trains: its steps shown and kept, its words in a log, and never left behind."""

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO

from flows.progress import Progress
from prompts.errors import PrerequisiteError, RunError
from teacher import supervise
from teacher.serve import log_tail, stop

GRACE_S = 15.0  # between SIGTERM and SIGKILL
END_S = 60.0  # for the process to end after its summary
POLL_S = 0.5


def watch_training(command: Sequence[str], log: Path, losses: Path) -> dict[str, Any]:
    """Run a training, show its steps, return its last line; raises what it died of.

    Whatever ends this function or this process, even a SIGKILL, ends the training too.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    summary: dict[str, Any] = {}
    with log.open("ab", buffering=0) as output, losses.open("ab", buffering=0) as history:
        start_bytes = output.tell()
        process = _supervised(command, output)
        try:
            assert process.stdout is not None
            summary = _follow(_lines(process.stdout), history, output)
            # The student is saved before the summary is said: a process that then does not end,
            # or not well, has done its work.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_S)
        finally:
            stop(process, GRACE_S)
    if summary:
        return summary
    end = log_tail(log, start_bytes)
    if process.returncode == 2:
        raise PrerequisiteError(f"training did not start: {end}")
    # 128 + 9: nobody but a machine short of memory sends that signal.
    why = " (killed: out of memory?)" if process.returncode == 137 else ""
    raise RunError(f"training ended with code {process.returncode}{why}; end of {log}:\n{end}")


def _supervised(command: Sequence[str], output: BinaryIO) -> "subprocess.Popen[bytes]":
    """The command's standard output for us to read, all else of it in the log."""
    watcher = [sys.executable, "-I", "-S", supervise.__file__, str(GRACE_S), str(os.getpid())]
    return subprocess.Popen(
        [*watcher, "--stdout", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=output,
        # A Ctrl-C in the terminal is ours to handle: the training is stopped in order.
        start_new_session=True,
    )


def _lines(pipe: IO[bytes]) -> Iterator[bytes]:
    """Lines as they come.

    A Ctrl-C that the system hands to another thread (Prefect, Polars and rich have some) does not
    interrupt a read: so this never waits in one for longer than POLL_S.
    """
    rest = b""
    while True:
        if not select.select([pipe], [], [], POLL_S)[0]:
            continue
        piece = os.read(pipe.fileno(), 65536)
        if not piece:
            break
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest + b"\n"


def _follow(lines: Iterable[bytes], history: BinaryIO, output: BinaryIO) -> dict[str, Any]:
    """Show each step as it comes and keep it; the summary is the last line. Else to the log."""
    with contextlib.ExitStack() as stack:
        bar: Progress | None = None
        for line in lines:
            said = _object(line)
            if "done" not in said and "step" not in said:
                output.write(line)
                continue
            history.write(line)
            if said.get("done"):
                return said
            bar = bar or stack.enter_context(Progress("train", said["of"], "steps"))
            rate = said["tokens"] / said["seconds"] if said["seconds"] else 0
            bar.update(said["step"], f"loss {said['loss']:.3f}  {rate:,.0f} tokens/s")
    return {}


def _object(line: bytes) -> dict[str, Any]:
    """The JSON object of a line; none where a library printed something of its own."""
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
