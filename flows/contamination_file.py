"""`stillhouse contamination FILE --against BENCH`: which rows of a file overlap a benchmark.

    DIR/hits.parquet     every hit: row, benchmark, item, kind, the text they share
    DIR/keeps.jsonl      the rows without one, as they were read
    DIR/rejected.parquet rows that could not be read, with the reason

Rows flow through in chunks that worker processes look through; a file may be larger than memory.
"""

import functools
import json
import pickle
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from flows.progress import Progress, say
from flows.whole_file import whole_file
from prompts.chunks import CHUNK_ROWS, in_chunks
from prompts.contamination.benchmarks import QUESTION_COLUMNS, SOLUTION_COLUMNS, benchmark_items
from prompts.contamination.decontaminate import (
    KINDS,
    QUESTION,
    DecontaminationRecipe,
    Hit,
    Index,
    build_index,
    find_hits,
)
from prompts.counted import counted
from prompts.errors import PrerequisiteError
from prompts.parquet import schema_of, table_of, write_tables
from prompts.sources.jsonl import RawRow, RejectedRow
from prompts.sources.load import rows_at
from prompts.workers import in_workers

HITS, KEEPS, REJECTED = "hits.parquet", "keeps.jsonl", "rejected.parquet"


@dataclass(slots=True)
class Counts:
    """Where the rows went; `hits` counts rows by benchmark and kind."""

    rows: int = 0
    kept: int = 0
    contaminated: int = 0
    rejected: int = 0
    hits: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Job:
    """A chunk of rows for a worker: their numbers and the texts of their columns."""

    ids: list[str]
    texts: dict[str, list[str]]
    index: Path


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk as it was read, until its hits are known."""

    rows: list[RawRow]
    rejected: list[RawRow]


def find_contamination(
    where: str,
    columns: Sequence[str],
    recipe: DecontaminationRecipe,
    out: Path | None,
    workers: int,
) -> Counts:
    """Look through a file or Hub set; write its hits and the rows that have none to `out`, if any.

    `columns` hold the texts, the question first; where none is named, the first that is usual and
    a worked solution beside it. Says the counts, which conserve. Raises PrerequisiteError where the
    file or a benchmark cannot be read, a column is missing, or `out` is not empty.
    """
    _check_free(out)
    started = time.monotonic()
    items = list(benchmark_items(recipe.benchmarks))
    labels = dict.fromkeys(item.benchmark for item in items)
    say(f"contamination  against {counted(len(items), 'item')} of {', '.join(labels)}")
    counts = Counts()
    with (
        tempfile.TemporaryDirectory(prefix="stillhouse-contamination-") as work,
        Progress("contamination", None, "rows") as bar,
    ):
        index = Path(work) / "index.pickle"
        index.write_bytes(pickle.dumps(build_index(items, recipe), protocol=5))
        scan = _Scan(where, tuple(columns), index, counts)
        if out is None:
            for _ in scan.tables(None, workers, bar):
                pass
        else:
            out.mkdir(parents=True, exist_ok=True)
            with whole_file(out / KEEPS) as part, part.open("wb") as keeps:
                write_tables(out / HITS, schema_of(Hit), scan.tables(keeps, workers, bar))
                write_tables(out / REJECTED, schema_of(RejectedRow), scan.rejected)
    _show(counts, time.monotonic() - started, out)
    return counts


class _Scan:
    """One pass over the rows: chunks go to the workers, hits and rows come back in order."""

    def __init__(self, where: str, columns: tuple[str, ...], index: Path, counts: Counts) -> None:
        self._where, self._columns, self._index = where, columns, index
        self._counts = counts
        self._waiting: deque[_Chunk] = deque()
        self.rejected: list[pa.Table] = []

    def tables(self, keeps: BinaryIO | None, workers: int, bar: Progress) -> Iterator[pa.Table]:
        """The hits as tables; rows without one are written to `keeps`, if any, on the way."""
        for hits in in_workers(_hits_of, self._jobs(), workers):
            self._settle(self._waiting.popleft(), hits, keeps)
            bar.update(self._counts.rows)
            yield table_of(hits, Hit)

    def _jobs(self) -> Iterator[_Job]:
        columns: tuple[str, ...] = ()
        for rows in in_chunks(rows_at(self._where), CHUNK_ROWS):
            good = [row for row in rows if not row.reason]
            if good and not columns:
                columns = _there(self._columns, good, self._where) or _usual(good)
            self._waiting.append(_Chunk(good, [row for row in rows if row.reason]))
            yield _Job([str(row.line) for row in good], _texts(good, columns), self._index)

    def _settle(self, chunk: _Chunk, hits: Sequence[Hit], keeps: BinaryIO | None) -> None:
        counts = self._counts
        hit_rows = {hit.prompt_id for hit in hits}
        for row in chunk.rows:
            if keeps is not None and str(row.line) not in hit_rows:
                line = json.dumps(row.values, ensure_ascii=False, default=str)
                keeps.write(line.encode() + b"\n")
        if chunk.rejected:
            label = self._where
            rows = [RejectedRow(label, row.line, row.reason, row.text) for row in chunk.rejected]
            self.rejected.append(table_of(rows, RejectedRow))
        counts.rows += len(chunk.rows) + len(chunk.rejected)
        counts.rejected += len(chunk.rejected)
        counts.contaminated += len(hit_rows)
        counts.kept += len(chunk.rows) - len(hit_rows)
        counts.hits.update((hit.benchmark, hit.kind) for hit in hits)


def _hits_of(job: _Job) -> list[Hit]:
    """In a worker: the hits of one chunk."""
    return find_hits(job.ids, job.texts, _loaded(job.index))


@functools.lru_cache(maxsize=1)
def _loaded(path: Path) -> Index:
    # Written by this very command into its own work folder.
    index: Index = pickle.loads(path.read_bytes())
    return index


def _usual(rows: Sequence[RawRow]) -> tuple[str, ...]:
    """The first usual column with a question, and one with a worked solution where there is one."""
    names = dict.fromkeys(name for row in rows for name in row.values)
    question = [name for name in QUESTION_COLUMNS if name in names][:1]
    solution = [name for name in SOLUTION_COLUMNS if name in names][:1]
    if not question:
        raise PrerequisiteError(
            f"no column {', '.join(QUESTION_COLUMNS)}; there are {', '.join(names)}. Name the one "
            "with the question: --column NAME"
        )
    return tuple(dict.fromkeys(question + solution))


def _there(columns: tuple[str, ...], rows: Sequence[RawRow], where: str) -> tuple[str, ...]:
    """Columns that somebody named, once they are known to be there."""
    there = dict.fromkeys(name for row in rows for name in row.values)
    if missing := [name for name in columns if name not in there]:
        raise PrerequisiteError(
            f"{where} has no column {', '.join(missing)}; it has {', '.join(there)}"
        )
    return columns


def _texts(rows: Sequence[RawRow], columns: Sequence[str]) -> dict[str, list[str]]:
    """The texts of each column, the first as the question."""
    fields = (QUESTION, *columns[1:])
    return {
        field: ["\n".join(_strings(row.values.get(name))) for row in rows]
        for field, name in zip(fields, columns, strict=False)
    }


def _strings(value: Any) -> Iterator[str]:
    """All texts in a value: of a list of solutions each, of messages their contents."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | Mapping):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _strings(one)


def _check_free(out: Path | None) -> None:
    """PrerequisiteError unless it is a new or empty folder, or none."""
    if out is None:
        return
    if out.exists() and not out.is_dir():
        raise PrerequisiteError(f"--out {out} is a file: give a folder")
    with suppress(FileNotFoundError):
        if any(not found.name.startswith(".") for found in out.iterdir()):
            raise PrerequisiteError(f"--out {out} is not empty: give another folder")


def _show(counts: Counts, seconds: float, out: Path | None) -> None:
    parts = {
        "kept": counts.kept,
        "contaminated": counts.contaminated,
        "unreadable": counts.rejected,
    }
    total = " + ".join(f"{number:,} {name}" for name, number in parts.items())
    say(f"contamination  {counted(counts.rows, 'row')} = {total}   {seconds:,.1f} s")
    for benchmark in dict.fromkeys(name for name, _ in counts.hits):
        kinds = [f"{counts.hits[benchmark, kind]:,} {kind}" for kind in KINDS]
        say(f"  {benchmark:20} {'  '.join(kinds)}")
    if out is None:
        say("  nothing was written: --out DIR gets the hits and the rows without one")
    else:
        say(f"  {out}/{HITS}, {KEEPS}, {REJECTED}")
