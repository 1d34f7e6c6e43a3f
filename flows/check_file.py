"""`stillhouse check FILE`: a verdict for each row of a file, in its order, with many processes.

Rows flow through: a chunk is read, checked in a process, written in its turn. What is under way is
bounded, so a file may be larger than memory.
"""

import queue
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from filters.verdict import Outcome, Reason
from flows.checked_file import Chunk, opened_output, read_chunks
from flows.progress import plain
from flows.row_checker import Checked, CheckerLostError, Row, RowChecker
from prompts.counted import counted
from prompts.errors import PrerequisiteError
from prompts.record import DOMAINS

CHUNKS_PER_WORKER = 6  # a slow chunk holds up those read after it, not the processes
SAY_EVERY_S = 5.0
_PROBLEM_CHARS = 1_000


def check_file(path: Path, out: Path | None, domain: str, workers: int) -> None:
    """Write the rows of `path` ("-": standard input) with outcome, reason and detail to `out`
    (None: standard output), and what came out to standard error.

    Raises PrerequisiteError that names the line of a row that cannot be checked; nothing is left
    at `out` then.
    """
    if domain not in DOMAINS:
        raise PrerequisiteError(f"--domain {domain!r}: known are {', '.join(DOMAINS)}")
    tally = Tally()
    with opened_output(path, out) as write, CheckerPool(domain, workers) as pool:
        for chunk, checked in pool.in_order(read_chunks(path)):
            _refuse_problems(path, chunk, checked)
            write(chunk, checked)
            tally.add(checked)
    print(tally.summary(), file=sys.stderr, flush=True)


class CheckerPool:
    """Processes that check chunks side by side; leaving it ends them all."""

    def __init__(self, domain: str, workers: int) -> None:
        self._domain = domain
        self._limit = workers * CHUNKS_PER_WORKER
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="check")
        self._seats: queue.LifoQueue[RowChecker | None] = queue.LifoQueue()
        for _ in range(workers):
            self._seats.put(None)
        self._alive: set[RowChecker] = set()
        self._closed = False

    def in_order(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, list[Checked]]]:
        """Each chunk with its rows' verdicts, in the order they were read."""
        waiting: deque[tuple[Chunk, Future[list[Checked]]]] = deque()
        for chunk in chunks:
            waiting.append((chunk, self._threads.submit(self._check, chunk.rows)))
            if len(waiting) >= self._limit:
                first, future = waiting.popleft()
                yield first, future.result()
        for chunk, future in waiting:
            yield chunk, future.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        for checker in list(self._alive):
            checker.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for checker in self._alive:
            checker.close()

    def _check(self, rows: list[Row]) -> list[Checked]:
        """A chunk; where its process dies, row by row, so that one row takes no other down."""
        try:
            return self._attempt(rows) if rows else []
        except CheckerLostError:
            return [self._check_alone(row) for row in rows]

    def _check_alone(self, row: Row) -> Checked:
        try:
            return self._attempt([row])[0]
        except CheckerLostError as lost:
            detail = f"the process that checked this row was lost: {lost}"
            lost_row = Outcome.UNDECIDED.value, Reason.GRADER_FAILED.value, detail
            return Checked(*lost_row, checked_before=True)  # for all we know

    def _attempt(self, rows: list[Row]) -> list[Checked]:
        checker = self._seats.get()
        try:
            if self._closed:
                raise CheckerLostError("the command was ended")
            if checker is None:
                checker = RowChecker(self._domain)
                self._alive.add(checker)
            return checker.check(rows)
        except CheckerLostError:
            if checker is not None:
                self._alive.discard(checker)
                checker.close()
                checker = None
            raise
        finally:
            self._seats.put(checker)


@dataclass(slots=True)
class Tally:
    """What came out so far, said every few seconds and at the end."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)

    def add(self, checked: list[Checked]) -> None:
        for row in checked:
            self.outcomes[row.outcome] += 1
            self.reasons[row.outcome, row.reason] += 1
        if time.monotonic() - self.said >= SAY_EVERY_S:
            self.said = time.monotonic()
            line = f"check     {counted(self.outcomes.total(), 'row')}   {self._rate()}"
            print(line, file=sys.stderr, flush=True)

    def summary(self) -> str:
        """Counts by outcome, by reason below, and the speed."""
        parts = " + ".join(f"{self.outcomes[outcome]:,} {outcome}" for outcome in Outcome)
        lines = [f"check     {self.outcomes.total():,} in = {parts}   {self._rate()}"]
        for (outcome, reason), count in sorted(self.reasons.items(), key=lambda item: -item[1]):
            lines.append(f"          {count:>9,} {outcome:9} {reason}")
        return "\n".join(lines)

    def _rate(self) -> str:
        rows, seconds = self.outcomes.total(), time.monotonic() - self.started
        return f"{seconds:,.1f} s   {rows / max(seconds, 1e-9):,.0f} rows/s"


def _refuse_problems(path: Path, chunk: Chunk, checked: list[Checked]) -> None:
    for number, row in zip(chunk.numbers, checked, strict=True):
        if row.problem:
            raise PrerequisiteError(f"{path}:{number}: {plain(row.problem, _PROBLEM_CHARS)}")
