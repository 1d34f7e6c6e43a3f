"""The Grader: any prompt and sample in, a verdict out, whatever the sample holds.

Cheap layers run in the calling thread; SymPy runs in worker processes that are killed when they
take too long, and replaced; code runs in its sandbox. A grader that could not decide says
`undecided`; it never turns its own trouble into a reject.
"""

import asyncio
import dataclasses
import json
import math
import os
import pickle
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from filters.registry import IN_PROCESS, IN_SANDBOX, IN_WORKER, signature_of, verifier_of
from filters.ruling import Ruling, rule_on_sample, stamp, undecided
from filters.sandbox.settings import BUBBLEWRAP, SandboxSettings, open_backend
from filters.verdict import Outcome, Reason, Verdict
from filters.worker import LENGTH
from prompts.record import Prompt
from teacher.sample import Sample

T = TypeVar("T")

_START_LIMIT_S = 120.0  # importing SymPy and Math-Verify on a busy machine
_JOBS_PER_WORKER = 2_000  # SymPy's caches only grow
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_BYTES = 700 << 20  # some 450 MB resident
_PATIENCE = 6  # the wall time that a busy machine may take for a second of CPU time
_COMMAND = "from filters.worker import main; main()"


class Grader:
    """A pool of killable workers behind one thread-safe `grade`.

    `workers` bounds the processes of each kind (symbolic workers, sandboxes) at work at one time;
    one more symbolic worker stands by, so that nobody waits for the start of a killed one's
    successor. `time_limit_s` is the CPU time of one symbolic comparison (so a busy machine changes
    no verdict); `memory_limit_bytes` the address space of one worker. Programs run in `sandbox`.
    Use it as a context manager: leaving it ends every process.
    """

    def __init__(
        self,
        workers: int = 2,
        time_limit_s: float = TIME_LIMIT_S,
        memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
        sandbox: SandboxSettings = BUBBLEWRAP,
    ) -> None:
        self._limits = (time_limit_s, memory_limit_bytes)
        self._places = threading.BoundedSemaphore(workers)
        self._seats: deque[Worker | None] = deque([None] * (workers + 1))  # the next is the last
        self._sandbox = open_backend(sandbox, workers)  # starts nothing before it is asked
        self._threads = ThreadPoolExecutor(workers * 2, thread_name_prefix="grader")
        self._alive: set[Worker] = set()
        self._lock = threading.Lock()
        self._closed = False

    def grade(self, prompt: Prompt, sample: Sample) -> Verdict:
        """The verdict on one sample, blocking; any number of threads may call it.

        Raises PrerequisiteError for a reference kind nobody can verify, and nothing else.
        """
        started = time.perf_counter()
        verifier_of(prompt.reference_kind)
        try:
            ruling = rule_on_sample(sample) or self._rule(prompt, sample)
        except Exception as error:  # noqa: BLE001 (one sample never ends a run)
            ruling = undecided(Reason.GRADER_FAILED, f"{type(error).__name__}: {error}")
        return stamp(ruling, sample.sample_id, signature_of(prompt.reference_kind), started)

    async def grade_async(self, prompt: Prompt, sample: Sample) -> Verdict:
        """The same without blocking the event loop; waits its turn in the Grader's own threads."""
        return await self.off_the_loop(self.grade, prompt, sample)

    async def off_the_loop(
        self, work: Callable[[Prompt, Sample], T], prompt: Prompt, sample: Sample
    ) -> T:
        """Any work on a prompt and sample, done in the Grader's own threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, work, prompt, sample)

    def close(self) -> None:
        """End every worker, also those at work; a grade under way becomes undecided."""
        with self._lock:
            self._closed = True
            alive, self._alive = self._alive, set()
        for worker in alive:
            worker.kill()
        self._sandbox.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _rule(self, prompt: Prompt, sample: Sample) -> Ruling:
        kind = prompt.reference_kind
        if kind in IN_PROCESS and (quick := IN_PROCESS[kind](prompt, sample)) is not None:
            return quick
        if kind in IN_WORKER:
            return self._rule_in_worker(prompt, sample)
        return IN_SANDBOX[kind](prompt, sample, self._sandbox)

    def _rule_in_worker(self, prompt: Prompt, sample: Sample) -> Ruling:
        slim = dataclasses.replace(sample, completion="", reasoning="")
        job = pickle.dumps((prompt, slim))
        with self._places:
            worker = None
            try:
                worker = self._take_seat()
                return worker.rule(job)
            except WorkerLostError as lost:
                return undecided(lost.reason, str(lost))
            finally:
                self._give_seat_back(worker)

    def _take_seat(self) -> "Worker":
        """A worker, a warm one if there is one; the first to come starts the one that stands by."""
        with self._lock:
            worker = self._seats.pop()
            is_first = not self._alive and not self._closed
        if worker is None:
            worker = self._start_worker()
        if is_first:
            with suppress(WorkerLostError, OSError):
                standby = self._start_worker()
                with self._lock:
                    self._seats.popleft()
                    self._seats.appendleft(standby)
        return worker

    def _give_seat_back(self, worker: "Worker | None") -> None:
        """A worker that is well is the next to be used; a new one starts while others work."""
        if worker is not None and not worker.lost and worker.jobs < _JOBS_PER_WORKER:
            with self._lock:
                self._seats.append(worker)
            return
        successor = None
        if worker is not None:
            self._end(worker)
            with suppress(WorkerLostError, OSError):
                successor = self._start_worker()
        with self._lock:
            self._seats.appendleft(successor)

    def _start_worker(self) -> "Worker":
        worker = Worker(*self._limits)
        with self._lock:
            closed = self._closed
            if not closed:
                self._alive.add(worker)
        if closed:
            worker.kill()
            raise WorkerLostError(Reason.GRADER_FAILED, "the grader is closed")
        return worker

    def _end(self, worker: "Worker") -> None:
        worker.kill()
        with self._lock:
            self._alive.discard(worker)


class WorkerLostError(Exception):
    """A worker hung (`grader_timeout`) or died (`grader_failed`) and has been given up."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Worker:
    """One worker process and our end of its pipes. One thread at a time."""

    def __init__(self, time_limit_s: float, memory_limit_bytes: int) -> None:
        self.jobs = 0
        self.lost = False
        self._time_limit_s = time_limit_s
        self._ready = False
        self._has_puzzles = False
        self._buffer = b""
        self._wall_limit_s = _PATIENCE * time_limit_s
        alarm_s = math.ceil(self._wall_limit_s) + 5
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-c",
                _COMMAND,
                str(memory_limit_bytes),
                str(alarm_s),
                f"{time_limit_s:g}",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=worker_environment(),
            bufsize=0,
        )

    def rule(self, job: bytes) -> Ruling:
        """The ruling on one pickled job; WorkerLostError when none came in time."""
        self.jobs += 1
        try:
            if not self._ready:
                self._receive(_START_LIMIT_S)
                self._ready = True
            stdin = self._process.stdin
            assert stdin is not None
            _write_all(stdin.fileno(), LENGTH.pack(len(job)) + job)
            # The first puzzle of reasoning-gym's imports it: seconds of no answer's time.
            imports_s = 0 if self._has_puzzles or b"reasoning_gym" not in job else _START_LIMIT_S
            outcome, reason, detail = self._receive(self._wall_limit_s + imports_s)
            self._has_puzzles |= imports_s > 0
        except (OSError, ValueError) as error:  # a pipe that close() has shut, or no JSON
            self.lost = True
            raise WorkerLostError(Reason.GRADER_FAILED, f"the worker was lost: {error}") from None
        return Ruling(Outcome(outcome), Reason(reason), detail)

    def kill(self) -> None:
        self.lost = True
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _receive(self, limit_s: float) -> Any:
        deadline = time.perf_counter() + limit_s
        stdout = self._process.stdout
        assert stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                left = deadline - time.perf_counter()
                if left <= 0 or not selector.select(left):
                    self.lost = True
                    raise WorkerLostError(Reason.GRADER_TIMEOUT, f"no ruling within {limit_s:g} s")
                chunk = os.read(stdout.fileno(), 65_536)
                if not chunk:
                    self.lost = True
                    raise self._lost()
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    def _lost(self) -> WorkerLostError:
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return WorkerLostError(Reason.GRADER_FAILED, "the worker closed its pipe")
        if code == -signal.SIGPROF:
            limit = f"no ruling within {self._time_limit_s:g} s of CPU time"
            return WorkerLostError(Reason.GRADER_TIMEOUT, limit)
        return WorkerLostError(Reason.GRADER_FAILED, f"the worker ended with code {code}")


def worker_environment() -> dict[str, str]:
    """Ours, with the packages' folder first on the path: the worker may start anywhere."""
    folder = str(Path(__file__).resolve().parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    path = folder if not inherited else folder + os.pathsep + inherited
    return {**os.environ, "PYTHONPATH": path}


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
