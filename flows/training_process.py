"""The process that trains: its steps shown and kept, its words in a log, and never left behind."""

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO

from flows.progress import Progress, say
from prompts.counted import counted
from prompts.errors import PrerequisiteError, RunError
from teacher import supervise
from teacher.serve import log_tail, stop

GRACE_S = 15.0  # between SIGTERM and SIGKILL
END_S = 60.0  # for the process to end after its summary
POLL_S = 0.5
# A line with one of these keys is ours: a step, a try, a warning, the summary, or what ended it.
_OURS = frozenset({"step", "tried", "warning", "done", "error"})


class TrainingStoppedError(RunError):
    """The training ended itself and said why: another try would come to the same end."""


def watch_training(command: Sequence[str], log: Path, losses: Path) -> dict[str, Any]:
    """Run a training, show its steps, return its last line; raises what it died of.

    Whatever ends this function or this process, even a SIGKILL, ends the training too.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    said: dict[str, Any] = {}
    with log.open("ab", buffering=0) as output, losses.open("ab", buffering=0) as history:
        start_bytes = output.tell()
        process = _supervised(command, output)
        try:
            assert process.stdout is not None
            said = _follow(_lines(process.stdout), history, output)
            # The student is saved before the summary is said: a process that then does not end,
            # or not well, has done its work.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_S)
        finally:
            stop(process, GRACE_S)
    if said.get("done"):
        return said
    if "error" in said and said["code"] == 2:
        raise PrerequisiteError(f"training did not start: {said['error']}")
    if "error" in said:
        raise TrainingStoppedError(f"training stopped: {said['error']} (log: {log})")
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
    """Show each step as it comes and keep it; what is not ours goes to the log.

    The last line is the summary, or the error that ended it; empty where neither came.
    """
    with contextlib.ExitStack() as stack:
        bar: Progress | None = None
        for line in lines:
            said = _object(line)
            if said.keys().isdisjoint(_OURS):
                output.write(line)
                continue
            if "error" in said:
                return said
            history.write(line)
            if said.get("done"):
                return said
            if "warning" in said:
                say(f"train     warning: {said['warning']}")
            elif "tried" in said:
                say(try_line(said))
            else:
                if bar is None:  # the first step ends as its time begins
                    begun = Progress("train", said["of"], "steps", begun=said["step"])
                    bar = stack.enter_context(begun)
                rate = said["tokens"] / said["seconds"] if said["seconds"] else 0
                bar.update(said["step"], f"loss {said['loss']:.3f}  {rate:,.0f} tokens/s")
    return {}


def try_line(tried: Mapping[str, Any]) -> str:
    """A try on held-out prompts, for people."""
    unsure = f", {tried['undecided']} undecided" if tried["undecided"] else ""
    return (
        f"train     step {tried['tried']}: {tried['accepted']} of {tried['prompts']} held-out "
        f"prompts right{unsure}; {counted(tried['ended'], 'answer')} ended, "
        f"{tried['mean_tokens']:,.0f} tokens each  {tried['seconds']:.0f} s"
    )


def _object(line: bytes) -> dict[str, Any]:
    """The JSON object of a line; none where a library printed something of its own."""
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
