"""The open shard: samples in one SQLite file, safe from the moment they are committed.

What is promised: `append` queues a sample and returns; a writer thread commits what is queued,
together, at most `COMMIT_DELAY_S` after it came plus the time of one fsync. A committed sample
survives SIGKILL of the process and loss of power (WAL, synchronous=FULL). `flush` returns when
everything appended before it is committed. A transaction is whole or absent, so nothing
half-written is ever read.
"""

import fcntl
import os
import queue
import sqlite3
import threading
import time
import typing
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from prompts.errors import PrerequisiteError, RunError
from prompts.parquet import read_rows, write_rows
from teacher.sample import Sample

# Long enough to put a burst of completions into one fsync, far below the time of one completion.
COMMIT_DELAY_S = 0.01
# When the disk falls this far behind, `append` blocks: memory stays bounded.
QUEUED_SAMPLES = 4_096
# Rows are tens of kilobytes: large pages need fewer overflow links, a larger log fewer copies.
_PAGE_BYTES = 16_384
_LOG_PAGES = 4_096

_HINTS = typing.get_type_hints(Sample)
_COLUMNS = [field.name for field in fields(Sample)]
_TIMES = [i for i, name in enumerate(_COLUMNS) if _HINTS[name] is datetime]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_CREATE = f"CREATE TABLE IF NOT EXISTS samples ({', '.join(_COLUMNS)}, PRIMARY KEY (sample_id))"
# A completed sample is never replaced; a failed one is, when it was asked for again.
_INSERT = (
    f"INSERT INTO samples VALUES ({', '.join('?' * len(_COLUMNS))}) "
    f"ON CONFLICT (sample_id) DO UPDATE SET {', '.join(f'{c}=excluded.{c}' for c in _COLUMNS)} "
    "WHERE samples.finish_reason = 'error'"
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM samples ORDER BY rowid"

_Row = tuple[Any, ...]


class Journal:
    """Samples as they arrive; one writer a file, in one process, at a time.

    `closed` names Parquet files of the same run whose samples `read` returns as well. Raises
    PrerequisiteError when another process has the journal open or the file is not ours, RunError
    when the disk fails.
    """

    def __init__(self, path: Path, closed: Sequence[Path] = ()) -> None:
        self.path = path
        self._closed_files = tuple(closed)
        self._failure: RunError | None = None
        self._open = True
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(path)
        try:
            self._connection = _connect(path)
        except BaseException:
            os.close(self._lock)
            raise
        self._queue: queue.Queue[_Row | Future[None] | None] = queue.Queue(QUEUED_SAMPLES)
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writer.start()

    def append(self, sample: Sample) -> None:
        """Queue one sample for the next commit. Raises RunError if an earlier commit failed.

        A sample id that is already there is ignored, unless what is there is a failed request.
        """
        self._check()
        self._queue.put(_to_row(sample))

    def flush(self) -> None:
        """Return when all that was appended is committed. Raises RunError if it cannot be."""
        self._check()
        committed: Future[None] = Future()
        self._queue.put(committed)
        committed.result()

    def read(self) -> list[Sample]:
        """All samples, those of the closed Parquet files first, each id once, completed wins."""
        self.flush()
        samples: dict[str, Sample] = {}
        for sample in read_rows([file for file in self._closed_files if file.exists()], Sample):
            _keep_completed(samples, sample)
        for row in self._connection.execute(_SELECT):
            _keep_completed(samples, _from_row(row))
        return list(samples.values())

    def close(self) -> None:
        """Commit what is queued, stop the writer and let the next one in. Safe to call twice."""
        if self._open:
            self._stop()
            os.close(self._lock)
            if self._failure:
                raise self._failure

    def close_to_parquet(self, path: Path) -> int:
        """Write the journal's samples as one Parquet file, then remove the journal; rows written.

        Samples that `path` already holds (a stop between writing and removing, or an earlier
        round) are kept: each id once. Raises RunError when the disk is full: the journal stays.
        """
        self.flush()
        samples: dict[str, Sample] = {}
        for sample in read_rows(path, Sample) if path.exists() else ():
            _keep_completed(samples, sample)
        for row in self._connection.execute(_SELECT):
            _keep_completed(samples, _from_row(row))
        try:
            count = write_rows(path, samples.values(), Sample)
        except OSError as error:
            raise RunError(f"cannot write {path}: {error}; the samples are safe in {self.path}; "
                           "free some space and run the same command again") from error  # fmt: skip
        self._stop()
        for suffix in ("", "-wal", "-shm", ".lock"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        os.close(self._lock)
        return count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _check(self) -> None:
        if self._failure:
            raise self._failure
        if not self._open:
            raise ValueError(f"the journal {self.path} is closed")

    def _stop(self) -> None:
        self._open = False
        self._queue.put(None)
        self._writer.join()
        self._connection.close()

    def _write(self) -> None:
        """The writer thread: commit batch after batch until told to stop."""
        running = True
        while running:
            batch = self._next_batch()
            running = None not in batch
            rows = [item for item in batch if isinstance(item, tuple)]
            waiting = [item for item in batch if isinstance(item, Future)]
            try:
                if rows and not self._failure:
                    with self._connection:
                        self._connection.executemany(_INSERT, rows)
            except Exception as error:  # noqa: BLE001 - a dead writer would hang every flush
                self._failure = _write_failure(self.path, error)
            for committed in waiting:
                if self._failure:
                    committed.set_exception(self._failure)
                else:
                    committed.set_result(None)

    def _next_batch(self) -> list[_Row | Future[None] | None]:
        """Wait for one item, give others the commit delay to join it, take what is there."""
        batch = [self._queue.get()]
        if isinstance(batch[0], tuple):
            time.sleep(COMMIT_DELAY_S)
        while True:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                return batch


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file and its one table. Raises PrerequisiteError if it holds something else."""
    try:
        connection = sqlite3.connect(path, check_same_thread=False)
        connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
        with connection:
            connection.execute(_CREATE)
        found = [row[1] for row in connection.execute("PRAGMA table_info(samples)")]
    except sqlite3.OperationalError as error:
        raise _write_failure(path, error) from error
    except sqlite3.DatabaseError as error:
        raise PrerequisiteError(f"{path} is no journal of ours ({error}); move it away") from error
    if found != _COLUMNS:
        raise PrerequisiteError(
            f"{path} was written by another version of this program (columns {', '.join(found)}); "
            "finish the run with that version, or move the file away"
        )
    return connection


def _lock(path: Path) -> int:
    """Hold `<path>.lock` for this process's life; the kernel lets go of it even after SIGKILL."""
    lock = path.with_name(path.name + ".lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise PrerequisiteError(
            f"{path} is being written by another process (pid {owner}); "
            "wait until it ends or stop it, then run the same command again"
        ) from None
    if not lock.exists() or os.stat(lock).st_ino != os.fstat(handle).st_ino:
        os.close(handle)  # its last holder has just removed it with the journal: take the new one
        return _lock(path)
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle


def _write_failure(path: Path, error: Exception) -> RunError:
    return RunError(
        f"cannot write {path}: {error}; what was committed before is safe; "
        "free some space or mend the disk and run the same command again"
    )


def _keep_completed(samples: dict[str, Sample], sample: Sample) -> None:
    known = samples.get(sample.sample_id)
    if known is None or known.finish_reason == "error":
        samples[sample.sample_id] = sample


def storable(text: str) -> str:
    """The same text unless it holds half a surrogate pair, which no UTF-8 file can.

    Halves that meet are joined; one that stays alone becomes U+FFFD. Python's JSON parser makes
    such strings from escapes like `\\ud83d`.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _to_row(sample: Sample) -> _Row:
    values = (getattr(sample, name) for name in _COLUMNS)
    row: list[Any] = [storable(value) if isinstance(value, str) else value for value in values]
    for i in _TIMES:
        row[i] = (row[i] - _EPOCH) // _MICROSECOND
    return tuple(row)


def _from_row(row: _Row) -> Sample:
    values = list(row)
    for i in _TIMES:
        values[i] = _EPOCH + values[i] * _MICROSECOND
    return Sample(*values)
