"""A worker of the Grader: reads jobs on its standard input, rules on them, answers in JSON lines.

It is made to be killed. It ends by itself when its parent's end of the pipe closes, and, stuck
inside a computation, when its CPU time for the job is up or the alarm set before every job rings:
SIGPROF and SIGALRM are left at their default, which ends the process even in the middle of a C
call, so no worker outlives a killed parent.
"""

import json
import os
import pickle
import signal
import struct
import sys
from importlib import import_module
from typing import BinaryIO

from filters.ruling import Ruling, undecided
from filters.verdict import Reason

LENGTH = struct.Struct("<I")


def main() -> None:
    """`python -c "from filters.worker import main; main()" MEMORY_BYTES ALARM_S CPU_S`."""
    memory_bytes, alarm_s, cpu_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    _limit_memory(memory_bytes)
    answers = _private_stdout()
    _import_heavy_things()
    _answer_line(answers, {"ready": True})
    while (job := _read_job(sys.stdin.buffer)) is not None:
        signal.alarm(alarm_s)
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        ruling = rule(job)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        _answer_line(answers, list(ruling))


def rule(job: bytes) -> Ruling:
    """Rule on a pickled (Prompt, Sample); what goes wrong in here is undecided."""
    from filters.registry import IN_WORKER

    try:
        prompt, sample = pickle.loads(job)
        return IN_WORKER[prompt.reference_kind](prompt, sample)
    except MemoryError:
        return undecided(Reason.GRADER_FAILED, "out of memory in the worker")
    except Exception as error:  # noqa: BLE001 (the parent hears of it)
        return undecided(Reason.GRADER_FAILED, f"{type(error).__name__}: {error}")


def _read_job(stream: BinaryIO) -> bytes | None:
    header = stream.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(header)
    return stream.read(length)


def _private_stdout() -> int:
    """The pipe to the parent, out of reach of anything that prints."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


def _answer_line(descriptor: int, message: object) -> None:
    line = json.dumps(message).encode("ascii") + b"\n"
    while line:
        line = line[os.write(descriptor, line) :]


def _import_heavy_things() -> None:
    """Paid before the first job, so that no job's time limit pays for it: the rules, what a job is
    made of, and SymPy."""
    for name in ("filters.registry", "prompts.record", "teacher.sample"):
        import_module(name)
    from filters.verifiers.symbolic import compare_symbolically

    # An integral: SymPy imports what it integrates with at the first one.
    compare_symbolically("\\frac{1}{3}", "\\int_0^1 x^2\\,dx")


def _limit_memory(memory_bytes: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
