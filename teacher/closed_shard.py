"""A closed shard: samples in a Parquet file, and beside it the grades that came while it was open.

`samples-00007.parquet` holds Sample rows; `graded-00007.parquet` holds sample_id and accepted
(null: undecided), of samples of this shard or of an earlier one; `spent-00007.parquet` holds what
prompts had cost by then beside their samples.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from prompts.parquet import read_rows, schema_of, write_rows, write_tables
from teacher.open_shard import COLUMNS, LIGHT, Row, Spent
from teacher.sample import Sample
from teacher.standing import fallen

_SCHEMA = schema_of(Sample)
_TEXTS = ("completion", "reasoning", "answer")
# Compressing the texts would be most of what closing costs (CPU seconds per 1,000 samples of 23 kB:
# zstd 0.10 for one text column, lz4 0.08, none 0.02), for a third of the disk: what is published is
# compressed then. The texts are never equal and never searched by value: no dictionary, no
# statistics.
_OPTIONS: dict[str, Any] = {
    "compression": {name: "none" if name in _TEXTS else "zstd" for name in _SCHEMA.names},
    "use_dictionary": [name for name in _SCHEMA.names if name not in _TEXTS],
    "write_statistics": [name for name in _SCHEMA.names if name not in _TEXTS],
}
# Characters of completions in a row group: what is in memory at a time is a few times this.
GROUP_CHARACTERS = 16 * 2**20
_GROUP_ROWS = 1_000
_COMPLETION = COLUMNS.index("completion")


@dataclass(frozen=True, slots=True)
class Graded:
    """What a grader found of a sample; None where it could not tell."""

    sample_id: str
    accepted: bool | None


def write_samples(path: Path, rows: Iterable[Row]) -> int:
    """Write rows as `OpenShard.rows` gives them, all or nothing; returns how many."""
    tables = (_table(group) for group in _groups(rows))
    return write_tables(path, _SCHEMA, tables, **_OPTIONS)


def write_grades(path: Path, grades: dict[str, bool | None]) -> None:
    """Write the grades, all or nothing."""
    write_rows(path, (Graded(name, accepted) for name, accepted in grades.items()), Graded)


def read_grades(path: Path) -> dict[str, bool | None]:
    """The grades of a file."""
    return {graded.sample_id: graded.accepted for graded in read_rows(path, Graded)}


def write_spent(path: Path, spent: dict[str, int]) -> None:
    """Write the accounts, all or nothing."""
    write_rows(path, (Spent(name, tokens) for name, tokens in spent.items()), Spent)


def read_spent(path: Path) -> dict[str, int]:
    """The accounts of a file."""
    return {spent.prompt_id: spent.tokens for spent in read_rows(path, Spent)}


def read_light(path: Path) -> Iterator[Row]:
    """The LIGHT columns of a shard's samples, in order."""
    table = pq.read_table(path, columns=list(LIGHT), partitioning=None)
    return zip(*(table.column(name).to_pylist() for name in LIGHT), strict=True)


def read_samples(path: Path, wanted: Collection[str]) -> Iterator[Sample]:
    """The samples with these ids, a row group at a time."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            names = file.read_row_group(group, columns=["sample_id"]).column(0).to_pylist()
            rows = [i for i, name in enumerate(names) if name in wanted]
            if rows:
                for values in file.read_row_group(group).take(rows).to_pylist():
                    yield Sample(**values)


def drop_fallen(paths: Sequence[Path]) -> None:
    """Leave each sample once in these shards, rewriting those in which a row must go.

    A shard that would be empty goes. The row that stands is on disk before another one goes.
    """
    keys = [pq.read_table(path, columns=["sample_id", "finish_reason"]) for path in paths]
    if not keys or _all_differ([table.column("sample_id") for table in keys]):
        return
    pairs = (
        pair
        for table in keys
        for pair in zip(*(column.to_pylist() for column in table.columns), strict=True)
    )
    lost = fallen(pairs)
    start = 0
    for path, table in zip(paths, keys, strict=True):
        here = {i - start for i in lost if start <= i < start + table.num_rows}
        start += table.num_rows
        if here:
            _rewrite_without(path, here, table.num_rows)


def _all_differ(columns: Sequence[pa.ChunkedArray]) -> bool:
    ids = pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string())
    return bool(pc.count_distinct(ids).as_py() == len(ids))


def _rewrite_without(path: Path, positions: set[int], rows: int) -> None:
    if len(positions) == rows:
        path.unlink()
        return
    with pq.ParquetFile(path) as file:
        write_tables(path, _SCHEMA, _remaining(file, positions), **_OPTIONS)


def _remaining(file: pq.ParquetFile, positions: set[int]) -> Iterator[pa.Table]:
    start = 0
    for group in range(file.num_row_groups):
        table = file.read_row_group(group)
        yield table.take([i for i in range(table.num_rows) if start + i not in positions])
        start += table.num_rows


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    group: list[Row] = []
    characters = 0
    for row in rows:
        group.append(row)
        characters += len(row[_COMPLETION])
        if characters >= GROUP_CHARACTERS or len(group) == _GROUP_ROWS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _table(rows: Sequence[Row]) -> pa.Table:
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    arrays = [pa.array(columns[field.name], field.type) for field in _SCHEMA]
    return pa.Table.from_arrays(arrays, schema=_SCHEMA)
