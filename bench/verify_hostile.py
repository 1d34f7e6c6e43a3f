"""1,000 hostile answers, references and completions, the same ones every time, put to a Grader.

What is measured: the wall time of each verdict, the peak resident memory of every worker process
and of our own, and whether a worker answers as fast afterwards as before.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.hostile_texts import FAMILIES, Family
from filters import checking
from filters.grader import Grader
from filters.verdict import Verdict

CASES = 1_000
LONGEST_VERDICT_S = 2.0
LARGEST_WORKER_BYTES = 512 << 20
# Small ones reach every layer; those of about 1,000 pass the limits on length; the rest do not.
_SIZES = (2, 3, 5, 8, 20, 40, 41, 90, 200, 600, 1_900, 10_000, 100_000)
_LARGEST_CHARS = 1_000_000
_PLAIN = ("7", "\\frac{1}{2}", "x^2+1", "\\{1,2,3\\}", "(1,\\infty)", "12.5", "3:4", "\\text{yes}")


class Hostile(NamedTuple):
    """One case: the family it comes from, and what `check` is given."""

    family: str
    reference: str
    completion: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One verdict with its wall time and the thread's CPU time, in seconds."""

    case: Hostile
    verdict: Verdict
    wall_s: float
    in_process_s: float


def cases(count: int = CASES, every: int = 1, seed: int = 0) -> Iterator[Hostile]:
    """`count` cases, or every n-th of them, the same ones for the same seed."""
    return (case(index, seed) for index in range(0, count, every))


def case(index: int, seed: int = 0) -> Hostile:
    """One case; the families take turns, and one case in twelve is a hostile completion."""
    rng = random.Random(f"{seed} {index}")
    if index % 12 == 11:
        return _hostile_completion(rng)
    names = list(FAMILIES)
    name = names[index % len(names)]
    return _pair(rng, name, FAMILIES[name])


def _pair(rng: random.Random, name: str, family: Family) -> Hostile:
    """Hostile against plain, plain against hostile, or two of a family against each other."""
    size = rng.choice(_SIZES)
    texts = [family(rng, size)[:_LARGEST_CHARS] for _ in range(2)]
    plain = rng.choice(_PLAIN)
    kind = rng.random()
    reference = plain if kind < 0.4 else texts[0]
    answer = plain if 0.4 <= kind < 0.6 else texts[1]
    completion = f"<think>so it is</think>The answer is \\boxed{{{answer}}}."
    return Hostile(f"{name} of {size}", reference, completion)


def _hostile_completion(rng: random.Random) -> Hostile:
    n = rng.choice((10, 1_000, 100_000))
    shapes = {
        "a box of a million": "\\boxed{" + "7" * 1_000_000 + "}",
        "a box of a million that never closes": "\\boxed{" + "7" * 1_000_000,
        "boxes in boxes": "\\boxed{" * n + "7" + "}" * n,
        "many boxes": "\\boxed{7} " * n,
        "boxes never closed": "\\boxed{" * n,
        "boxes without braces": "\\boxed " * n + "7",
        "think tags": "<think></think>" * n + "\\boxed{7}",
        "think tags that only open": "<think>" * n + "\\boxed{7}",
        "think tags that only close": "</think>" * n + "\\boxed{7}",
        "a think tag in the box": "\\boxed{7</think>" + "8" * n + "}",
        "answer tags": "<answer>" * n + "7" + "</answer>" * n,
        "answer tags that only open": "<answer>" * n,
        "answers marked": "The answer is: " * n + "7",
        "bold answers": "**Answer:** " * n + "7",
        "stars": "**" * n + "7",
        "spaces before an answer": "The final answer is" + " " * n + "7",
        "lines": "Answer:\n" * n,
        "dollars": "$" * n + "7" + "$" * n,
        "a long trace": "<think>" + "Wait, so 7 it is. " * n + "</think>\\boxed{7}",
        "a long answer": "so it is 7. " * n,
        "braces before the box": "{" * n + "\\boxed{7}",
        "surrogates": "\ud800" * n + "\\boxed{7}",
        "null bytes": "\x00" * n + "\\boxed{7\x00}",
        "nothing": "",
    }
    name = rng.choice(list(shapes))
    return Hostile(f"completion: {name} ({n:,})", "7", shapes[name])


def measure(grader: Grader, case: Hostile) -> Measured:
    """The verdict on one case, timed as a caller sees it."""
    started, cpu = time.perf_counter(), time.thread_time()
    prompt = checking.prompt_of(case.reference, "math")
    verdict = checking.grade(grader, prompt, case.completion)
    ended, cpu_ended = time.perf_counter(), time.thread_time()
    return Measured(case, verdict, ended - started, cpu_ended - cpu)


def worker_pace(grader: Grader, trips: int = 40) -> float:
    """Seconds a plain pair takes when a worker is asked for it, the worker already running."""
    prompt = checking.prompt_of("\\frac{1}{3}", "math")
    sample = checking.sample_of("\\boxed{\\int_0^1 x^2\\,dx}")
    grader._rule_in_worker(prompt, sample)
    started = time.perf_counter()
    for _ in range(trips):
        grader._rule_in_worker(prompt, sample)
    return (time.perf_counter() - started) / trips


class MemoryWatch:
    """The peak resident memory of every child process that lives while it watches, in bytes.

    Reads VmHWM, the kernel's own high-water mark, every 10 ms: only what a worker grows in the
    last 10 ms before it is killed can be missed. A child that has not begun its own program yet
    is left out: its memory is still ours.
    """

    def __init__(self) -> None:
        self.peaks: dict[int, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def largest_bytes(self) -> int:
        return max(self.peaks.values(), default=0)

    def _watch(self) -> None:
        while not self._stop.wait(0.01):
            for pid in _children():
                if (command := _command(pid)) and command != _command(os.getpid()):
                    self.peaks[pid] = max(self.peaks.get(pid, 0), peak_bytes(pid))


def peak_bytes(pid: int | None = None) -> int:
    """VmHWM of a process, of our own by default; 0 where it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid or os.getpid()}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return 0


def _command(pid: int) -> bytes:
    """The command line of a process, its parent's until it begins a program of its own; none of
    one that has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _children() -> list[int]:
    """Every thread's children: a worker is listed under the thread that started it."""
    pids: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            pids += map(int, (task / "children").read_text().split())
    return pids


def print_table(console: Console, count: int = CASES) -> None:
    """Grade them all and print the outcomes, the memory and the slowest."""
    with Grader() as grader, MemoryWatch() as watch:
        before = worker_pace(grader)
        measured = [measure(grader, case) for case in cases(count)]
        after = worker_pace(grader)
    outcomes = Counter(str(m.verdict.outcome) for m in measured)
    late = sum(m.wall_s > LONGEST_VERDICT_S for m in measured)
    tally = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
    console.print(f"{count:,} hostile cases: {tally}")
    console.print(f"verdicts later than {LONGEST_VERDICT_S:g} s: {late}")
    console.print(
        f"largest worker: {watch.largest_bytes >> 20} MB, to stay below "
        f"{LARGEST_WORKER_BYTES >> 20}; workers started: {len(watch.peaks)}; "
        f"our own peak: {peak_bytes() >> 20} MB"
    )
    console.print(
        f"a plain pair in a worker: {before * 1e3:.1f} ms before, {after * 1e3:.1f} ms after"
    )
    table = Table("wall, s", "in process, s", "reason", "family of size", "reference", "end",
                  title="The slowest")  # fmt: skip
    for m in sorted(measured, key=lambda m: -m.wall_s)[:20]:
        table.add_row(f"{m.wall_s:.2f}", f"{m.in_process_s:.2f}", m.verdict.reason, m.case.family,
                      Text(ascii(m.case.reference[:24])),
                      Text(ascii(m.case.completion[-24:])))  # fmt: skip
    console.print(table)
