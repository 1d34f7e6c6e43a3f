"""All samples of a run, their grades and their cost: closed Parquet shards and one open journal.

A folder holds `samples-00000.parquet` … and, while it is written, the journal of the next one,
`samples-00008.sqlite`. What is promised: `append`, `grade` and `spend` queue and return; a writer
thread commits what is queued, together, `COMMIT_DELAY_S` after it came: from then on it survives
SIGKILL, and at most `SYNC_DELAY_S` later, or when `flush` returns, loss of power. A full journal is
closed into Parquet by another thread while the next one is written already, and is removed only
when its Parquet files are on disk under their names. Failed requests go on to the next journal
until `finish`. At any moment, and after a kill at any moment, each sample is read once, completed
wins over failed.
"""

import queue
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from sys import intern
from typing import Self

from prompts.errors import RunError
from teacher.closed_shard import (
    drop_fallen,
    read_grades,
    read_light,
    read_samples,
    read_spent,
    write_grades,
    write_samples,
    write_spent,
)
from teacher.lock import Lock
from teacher.open_shard import Grade, OpenShard, Spent, sample_from, write_failure
from teacher.sample import FAILED, Sample

# Text of a shard: its Parquet file is about as large as people like to move them.
SHARD_BYTES = 256 * 2**20
# Long enough to put a burst of completions into one fsync, far below the time of one completion.
COMMIT_DELAY_S = 0.005
# What a loss of power may cost; each fsync takes milliseconds and a core's time.
SYNC_DELAY_S = 0.5
# When the disk falls this far behind, `append` blocks: memory stays bounded.
QUEUED = 1_024

_NUMBER = re.compile(r"(?:samples|graded|spent)-(\d+)\.(?:parquet|sqlite)")

_Item = Sample | Grade | Spent | Future[None] | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What the engine must know of a sample that is there already, without its text.

    `error` says why it failed. `graded` says whether there is a verdict; `accepted` is None where
    it could not tell.
    """

    sample_id: str
    prompt_id: str
    sample_index: int
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    wasted_tokens: int
    error: str | None
    graded: bool
    accepted: bool | None


class Shards:
    """The samples of `folder`; one writer at a time, from the making of this to `close`.

    Raises PrerequisiteError when another process writes there or a journal is not ours, RunError
    when the disk fails: from any method, also for what an earlier one had queued.
    """

    def __init__(self, folder: Path, shard_bytes: int = SHARD_BYTES) -> None:
        self.folder, self._shard_bytes = folder, shard_bytes
        self._failure: Exception | None = None
        self._queue: queue.Queue[_Item] = queue.Queue(QUEUED)
        # Held while names change, and while a reader opens what it will read.
        self._names = threading.Lock()
        self._closer = ThreadPoolExecutor(1, "close-shard")
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writing = False
        self._lock = Lock(folder / "samples.lock", folder)
        self._journal: OpenShard | None = None
        try:
            self._take_up()
        except BaseException:
            self._closer.shutdown()
            self._lock.release()
            raise
        self._writing = True
        self._writer.start()

    def restore(self) -> list[Stored]:
        """Every sample once, completed wins over failed; the text is not read."""
        stored: dict[str, tuple[str, int, str, int, int, int, str | None]] = {}
        grades: dict[str, bool | None] = {}
        with self._sources() as (closed, graded, _, journals):
            for rows in (*map(read_light, closed), *(journal.light() for journal in journals)):
                for name, prompt_id, index, finish_reason, *rest in rows:
                    known = stored.get(name)
                    if known is None or known[2] == FAILED:
                        stored[name] = (intern(prompt_id), index, intern(finish_reason), *rest)
            for found in (*map(read_grades, graded), *(journal.grades() for journal in journals)):
                grades.update(found)
        return [
            Stored(name, *values, graded=name in grades, accepted=grades.get(name))
            for name, values in stored.items()
        ]

    def read(self, sample_ids: Collection[str]) -> Iterator[Sample]:
        """Whole samples, each that is stored of those named, once; a few at a time in memory."""
        wanted = set(sample_ids)
        failed: dict[str, Sample] = {}
        with self._sources() as (closed, _, _, journals):
            for samples in (
                *(read_samples(path, wanted) for path in closed),
                *(_read_journal(journal, wanted) for journal in journals),
            ):
                for sample in samples:
                    if sample.finish_reason == FAILED:
                        failed[sample.sample_id] = sample
                    elif sample.sample_id in wanted:
                        wanted.remove(sample.sample_id)
                        yield sample
        yield from (sample for name, sample in failed.items() if name in wanted)

    def spent(self) -> dict[str, int]:
        """The last account of every prompt that has one, see `spend`."""
        accounts: dict[str, int] = {}
        with self._sources() as (_, _, spent, journals):
            for found in (*map(read_spent, spent), *(journal.spent() for journal in journals)):
                accounts.update(found)
        return accounts

    def append(self, sample: Sample) -> None:
        """Queue one sample for the next commit. One that is completed already stays as it is."""
        self._put(sample)

    def grade(self, sample_id: str, accepted: bool | None) -> None:
        """Queue a sample's grade for the next commit; the last one counts."""
        self._put((sample_id, accepted))

    def spend(self, prompt_id: str, tokens: int) -> None:
        """Queue, for the next commit, what a prompt has cost in all beside its stored samples, in
        requests that were cancelled or failed and were asked again; the last account counts."""
        self._put(Spent(prompt_id, tokens))

    def flush(self) -> None:
        """Return when all that was queued is committed. Raises RunError if it cannot be."""
        committed: Future[None] = Future()
        self._put(committed)
        committed.result()

    def finish(self) -> None:
        """Close the last journal, failed requests and all, and leave every sample in one row.

        The folder then holds Parquet files only (one without rows if there was no sample), and
        takes no more until it is opened again. Raises RunError when the disk fails: nothing is
        lost, and what was not done is done the next time.
        """
        self.flush()
        self._stop()
        if self._journal and not self._failure:
            self._close(self._journal, failed_too=True)
            self._journal = None
        if not self._failure:
            self._tidy()
        if self._failure:
            raise self._failure

    def close(self) -> None:
        """Commit what is queued and let the next writer in; the journal stays for it. Waits for a
        shard that is being closed. Safe to call twice."""
        if not self._lock.held:
            return
        self._stop()
        if self._journal:
            self._journal.close()
        self._lock.release()
        if self._failure:
            raise self._failure

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _put(self, item: _Item) -> None:
        if self._failure:
            raise self._failure
        if not self._writing:
            raise ValueError(f"the samples in {self.folder} are closed")
        self._queue.put(item)

    def _stop(self) -> None:
        """End both threads, their work done."""
        if self._writing:
            self._writing = False
            self._queue.put(None)
            self._writer.join()
            self._closer.shutdown()

    def _write(self) -> None:
        """The writer thread: commit batch after batch until told to stop."""
        running, due_s = True, inf
        while running:
            batch = self._next_batch(due_s)
            running = None not in batch
            samples = [item for item in batch if isinstance(item, Sample)]
            grades = [item for item in batch if isinstance(item, tuple)]
            spent = [item for item in batch if isinstance(item, Spent)]
            waiting = [item for item in batch if isinstance(item, Future)]
            if (samples or grades or spent) and not self._failure:
                self._guarded(lambda: self._commit(samples, grades, spent))  # noqa: B023 - at once
                due_s = min(due_s, time.monotonic() + SYNC_DELAY_S)
            if due_s < inf and (waiting or not running or time.monotonic() >= due_s):
                self._guarded(self._sync)
                due_s = inf
            for committed in waiting:
                if self._failure:
                    committed.set_exception(self._failure)
                else:
                    committed.set_result(None)

    def _next_batch(self, due_s: float) -> list[_Item]:
        """Wait for one item, give others the commit delay to join it, take what is there; empty
        when nothing has come until `due_s`."""
        wait_s = None if due_s == inf else max(0.0, due_s - time.monotonic())
        batch: list[_Item] = []
        try:
            batch.append(self._queue.get(timeout=wait_s))
            if isinstance(batch[0], Sample | tuple | Spent):
                time.sleep(COMMIT_DELAY_S)
            while True:
                batch.append(self._queue.get_nowait())
        except queue.Empty:
            return batch

    def _sync(self) -> None:
        if self._journal:
            self._journal.sync()

    def _commit(self, samples: list[Sample], grades: list[Grade], spent: list[Spent]) -> None:
        journal = self._open()
        journal.write(samples, grades, spent)
        if journal.text_bytes >= self._shard_bytes:
            self._journal = None
            self._retire(journal)

    def _retire(self, journal: OpenShard) -> None:
        """Carry failed requests over to the open journal, then have this one closed."""
        journal.sync()
        failed = [sample_from(row) for row in journal.rows(journal.standing(failed=True))]
        if failed:
            self._open().write(failed)
        self._closer.submit(self._close, journal)

    def _close(self, journal: OpenShard, failed_too: bool = False) -> None:
        """Write a journal's samples and grades as Parquet, then remove it."""
        if not self._failure:
            self._guarded(lambda: self._to_parquet(journal, failed_too))

    def _to_parquet(self, journal: OpenShard, failed_too: bool) -> None:
        rows = journal.standing(failed=False)
        if failed_too:
            rows = sorted(rows + journal.standing(failed=True))
        if rows:
            write_samples(journal.path.with_suffix(".parquet"), journal.rows(rows))
        number = journal.path.stem.removeprefix("samples-")
        if grades := journal.grades():
            write_grades(self.folder / f"graded-{number}.parquet", grades)
        if spent := journal.spent():
            write_spent(self.folder / f"spent-{number}.parquet", spent)
        with self._names:
            journal.remove()

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do it, or remember why not: an error in a thread would be seen by nobody."""
        try:
            work()
        except RunError as error:
            self._failure = self._failure or error
        except Exception as error:  # noqa: BLE001 - a dead writer would hang every flush
            self._failure = self._failure or write_failure(self.folder, error)

    def _tidy(self) -> None:
        """Each sample in one row of the closed shards, and at least one file for readers."""

        def tidy() -> None:
            drop_fallen(self._files("samples-*.parquet"))
            if not self._files("samples-*.parquet"):
                write_samples(self.folder / "samples-00000.parquet", [])

        self._guarded(tidy)

    def _open(self) -> OpenShard:
        """The open journal; made, under the next number, when there is none."""
        if self._journal is None:
            taken = (_NUMBER.fullmatch(path.name) for path in self.folder.iterdir())
            number = 1 + max((int(match[1]) for match in taken if match), default=-1)
            with self._names:
                self._journal = OpenShard(self.folder / f"samples-{number:05d}.sqlite")
        return self._journal

    def _take_up(self) -> None:
        """Go on where an earlier writer stopped, however it did: the last journal is the open one,
        those before it are closed."""
        for kind in ("samples", "graded", "spent"):
            for rest in self._files(f".{kind}-*.tmp"):
                rest.unlink()
        for log in self._files("samples-*.sqlite-*"):
            if not log.with_name(log.name.rpartition("-")[0]).exists():
                log.unlink()
        journals = [OpenShard(path) for path in self._files("samples-*.sqlite")]
        if journals:
            self._journal = journals.pop()
        for journal in journals:
            self._retire(journal)

    def _files(self, pattern: str) -> list[Path]:
        return sorted(self.folder.glob(pattern))

    @contextmanager
    def _sources(self) -> Iterator[tuple[list[Path], list[Path], list[Path], list[OpenShard]]]:
        """Closed shards, grades, accounts, and the journals, opened: these can be read to their end
        even if they are closed and removed meanwhile."""
        if self._writing:
            self.flush()
        with self._names, ExitStack() as stack:
            journals = []
            for path in self._files("samples-*.sqlite"):
                journals.append(OpenShard(path, must_exist=True))
                stack.callback(journals[-1].close)
            closed = self._files("samples-*.parquet")
            graded, spent = self._files("graded-*.parquet"), self._files("spent-*.parquet")
            opened = stack.pop_all()
        with opened:
            yield closed, graded, spent, journals


def _read_journal(journal: OpenShard, wanted: Collection[str]) -> Iterator[Sample]:
    positions = [i for i, row in enumerate(journal.light()) if row[0] in wanted]
    return map(sample_from, journal.rows(positions))
