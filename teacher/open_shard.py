"""The open shard: a SQLite file that samples and grades are added to, safe once committed.

A log of three tables: rows are added and never changed, so that a commit writes little more than
what came (an index over random ids would rewrite itself with every commit); which row of a sample
stands is told by teacher/standing.py. A committed row survives SIGKILL of the process, and loss of
power once `sync` has returned (WAL, synchronous=NORMAL: a commit is no fsync). The log is never
copied into the file proper while samples come: the shard is read from it when it is closed, and
then goes.
"""

import json
import os
import sqlite3
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

from prompts.errors import PrerequisiteError, RunError
from teacher.sample import FAILED, Sample
from teacher.standing import fallen

# Rows are tens of kilobytes: large pages need fewer links between them.
_PAGE_BYTES = 16_384

# What the engine needs of every sample when it starts; these columns come before the text in a
# row, so that it, many pages long, need not be read for them.
_FIRST = (
    "sample_id",
    "prompt_id",
    "sample_index",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "wasted_tokens",
)
LIGHT = (*_FIRST, "error")
_TEXTS = ("reasoning", "answer", "completion")
_HINTS = typing.get_type_hints(Sample)
_FIELDS = [field.name for field in fields(Sample)]
COLUMNS = (*_FIRST, *(name for name in _FIELDS if name not in _FIRST + _TEXTS), *_TEXTS)
_COMPLETION, _REASONING, _ANSWER = (
    COLUMNS.index(name) for name in ("completion", "reasoning", "answer")
)
_ID, _FINISH = COLUMNS.index("sample_id"), COLUMNS.index("finish_reason")
_STRINGS = [i for i, name in enumerate(COLUMNS) if _HINTS[name] in (str, str | None)]
_TIMES = [i for i, name in enumerate(COLUMNS) if _HINTS[name] is datetime]
_values = attrgetter(*COLUMNS)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_CREATE = (
    f"CREATE TABLE IF NOT EXISTS samples ({', '.join(COLUMNS)})",
    "CREATE TABLE IF NOT EXISTS grades (sample_id, accepted)",
    "CREATE TABLE IF NOT EXISTS spent (prompt_id, tokens)",
)
_INSERT = f"INSERT INTO samples VALUES ({', '.join('?' * len(COLUMNS))})"
_SELECT_SOME = (
    f"SELECT {', '.join(COLUMNS)} FROM samples "
    "WHERE rowid IN (SELECT value FROM json_each(?)) ORDER BY rowid"
)

Row = tuple[Any, ...]
Grade = tuple[str, bool | None]


@dataclass(frozen=True, slots=True)
class Spent:
    """Completion tokens a prompt has cost in all, beside those its stored samples tell of."""

    prompt_id: str
    tokens: int


class OpenShard:
    """One connection to `path`, made if it is not there; for one thread at a time.

    `text_bytes` is about what it holds. Raises PrerequisiteError if the file is not ours, RunError
    when the disk fails.
    """

    def __init__(self, path: Path, must_exist: bool = False) -> None:
        self.path = path
        self._connection = _connect(path, must_exist)
        log = path.with_name(path.name + "-wal")
        self.text_bytes = sum(file.stat().st_size for file in (path, log) if file.exists())

    def write(
        self,
        samples: Sequence[Sample],
        grades: Sequence[Grade] = (),
        spent: Sequence[Spent] = (),
    ) -> None:
        """Commit samples, grades and costs, all or none. Raises RunError when the disk fails."""
        try:
            with self._connection:
                self._connection.executemany(_INSERT, map(_to_row, samples))
                self._connection.executemany("INSERT INTO grades VALUES (?, ?)", grades)
                rows = ((one.prompt_id, one.tokens) for one in spent)
                self._connection.executemany("INSERT INTO spent VALUES (?, ?)", rows)
        except Exception as error:
            raise write_failure(self.path, error) from error
        self.text_bytes += sum(len(sample.completion) for sample in samples)

    def sync(self) -> None:
        """Return when all that is committed is on the disk. Raises RunError when the disk fails."""
        try:
            with self.path.with_name(self.path.name + "-wal").open("rb") as log:
                os.fsync(log.fileno())
        except OSError as error:
            raise write_failure(self.path, error) from error

    def light(self) -> Iterator[Row]:
        """The LIGHT columns of all rows, in the order they came."""
        return self._connection.execute(f"SELECT {', '.join(LIGHT)} FROM samples ORDER BY rowid")

    def rows(self, positions: Sequence[int]) -> Iterator[Row]:
        """Whole rows, in COLUMNS' order, by their positions in `light`, ascending."""
        rowids = json.dumps([position + 1 for position in positions])
        return map(_with_parts, self._connection.execute(_SELECT_SOME, (rowids,)))

    def standing(self, failed: bool) -> list[int]:
        """The positions of the rows that stand: of completed samples, or of failed requests."""
        rows = [(row[_ID], row[_FINISH]) for row in self.light()]
        lost = fallen(rows)
        return [i for i, row in enumerate(rows) if i not in lost and (row[1] == FAILED) is failed]

    def grades(self) -> dict[str, bool | None]:
        """The last grade of every sample that has one here, of this shard or of an earlier one."""
        rows = self._connection.execute("SELECT sample_id, accepted FROM grades ORDER BY rowid")
        return {name: None if accepted is None else bool(accepted) for name, accepted in rows}

    def spent(self) -> dict[str, int]:
        """The last account of every prompt that has one here."""
        return dict(self._connection.execute("SELECT prompt_id, tokens FROM spent ORDER BY rowid"))

    def close(self) -> None:
        """Leave the file for a later run."""
        self._connection.close()

    def remove(self) -> None:
        """Remove the file and its log. The file goes first: SQLite then sees no reason to copy the
        log into it, and a log without its file is nothing."""
        self.path.unlink(missing_ok=True)
        self._connection.close()
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


def _connect(path: Path, must_exist: bool) -> sqlite3.Connection:
    try:
        mode = "rw" if must_exist else "rwc"
        name = f"file:{path.absolute().as_posix().replace('?', '%3f').replace('#', '%23')}"
        connection = sqlite3.connect(f"{name}?mode={mode}", uri=True, check_same_thread=False)
        connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        with connection:
            for statement in _CREATE:
                connection.execute(statement)
        found = tuple(row[1] for row in connection.execute("PRAGMA table_info(samples)"))
    except sqlite3.OperationalError as error:
        raise write_failure(path, error) from error
    except sqlite3.DatabaseError as error:
        raise PrerequisiteError(f"{path} is no journal of ours ({error}); move it away") from error
    if found != COLUMNS:
        raise PrerequisiteError(
            f"{path} was written by another version of this program (columns {', '.join(found)}); "
            "finish the run with that version, or move the file away"
        )
    return connection


def write_failure(path: Path, error: Exception) -> RunError:
    """What to tell when a shard cannot be written."""
    return RunError(
        f"cannot write {path}: {error}; what was committed before is safe; "
        "free some space or mend the disk and run the same command again"
    )


def sample_from(row: Row) -> Sample:
    """The Sample of a row of `OpenShard.rows`."""
    values = dict(zip(COLUMNS, row, strict=True))
    for i in _TIMES:
        values[COLUMNS[i]] = _EPOCH + row[i] * _MICROSECOND
    return Sample(**values)


def storable(text: str) -> str:
    """The same text unless it holds half a surrogate pair, which no UTF-8 file can.

    Halves that meet are joined; one that stays alone becomes U+FFFD. Python's JSON parser makes
    such strings from escapes like `\\ud83d`.
    """
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _to_row(sample: Sample) -> Row:
    row = list(_values(sample))
    for i in _STRINGS:
        if row[i] is not None:
            row[i] = storable(row[i])
    for i in _TIMES:
        row[i] = (row[i] - _EPOCH) // _MICROSECOND
    completion = row[_COMPLETION]
    row[_REASONING] = _placed(row[_REASONING], completion, completion.find(row[_REASONING][:64]))
    row[_ANSWER] = _placed(row[_ANSWER], completion, completion.rfind(row[_ANSWER]))
    return tuple(row)


def _placed(part: str, completion: str, start: int) -> int | str:
    """A part of the completion as its place, start * 2**32 + length: half the bytes to write. A
    part that is no one piece of it (tags were taken out of its middle) stays text."""
    if start >= 0 and completion.startswith(part, start):
        return start << 32 | len(part)
    return part


def _with_parts(row: Row) -> Row:
    values = list(row)
    for i in (_REASONING, _ANSWER):
        if isinstance(values[i], int):
            start, length = values[i] >> 32, values[i] & 0xFFFFFFFF
            values[i] = values[_COMPLETION][start : start + length]
    return tuple(values)
