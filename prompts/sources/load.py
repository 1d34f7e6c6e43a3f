"""Rows of a source, from the package, a local file or the Hub."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from prompts.errors import PrerequisiteError
from prompts.sources.jsonl import SHOWN_CHARACTERS, RawRow, read_lines
from prompts.sources.source import Source

STARTER_FOLDER = Path(__file__).parent.parent / "starter"
# Columns no source reads and that make most of a download's bytes.
HEAVY_COLUMNS = ("generations", "messages")
FILE_KINDS = (".jsonl", ".jsonl.gz", ".json", ".parquet")


def rows_of(name: str, source: Source) -> Iterator[RawRow]:
    """Rows of a named source: shipped with the package, or from the Hub by id.

    Raises PrerequisiteError when the Hub cannot give them or a column is missing.
    """
    if source.shipped:
        return read_lines(STARTER_FOLDER / f"{source.shipped}.jsonl")
    return _hub_rows(name, source)


def rows_in_file(path: Path) -> Iterator[RawRow]:
    """Rows of a local .jsonl, .jsonl.gz, .json (a list of objects) or .parquet file."""
    if not path.is_file():
        raise PrerequisiteError(f"no prompt file {path}: check sources.path in the recipe")
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        return read_lines(path)
    if path.suffix == ".json":
        return _json_rows(path)
    if path.suffix == ".parquet":
        return _parquet_rows(path)
    kinds = ", ".join(FILE_KINDS)
    raise PrerequisiteError(f"cannot read prompts from {path}: known file types are {kinds}")


def _json_rows(path: Path) -> Iterator[RawRow]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise PrerequisiteError(f"{path} is not JSON: {error}") from error
    if not isinstance(values, list):
        raise PrerequisiteError(f"{path} must hold a JSON list of objects")
    yield from _numbered(values)


def _parquet_rows(path: Path) -> Iterator[RawRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            start = 1
            for batch in file.iter_batches():
                yield from _numbered(batch.to_pylist(), start)
                start += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise PrerequisiteError(f"cannot read prompts from {path}: {error}") from error


def _hub_rows(name: str, source: Source) -> Iterator[RawRow]:
    import datasets

    try:
        rows = datasets.load_dataset(
            source.id, source.config or None, split=source.hub_split, revision=source.revision
        )
    except Exception as error:  # the library raises many kinds; all mean the same to the user
        raise PrerequisiteError(
            f"source {name!r}: cannot load {source.id} from the Hub "
            f"({type(error).__name__}: {str(error)[:SHOWN_CHARACTERS]}). Check the network and "
            "HF_TOKEN, or give a local copy with `path`"
        ) from error
    missing = [column for column in source.columns if column not in rows.column_names]
    if missing:
        raise PrerequisiteError(
            f"{source.id} on the Hub has no column {', '.join(missing)}; it has "
            f"{', '.join(rows.column_names)}. Pin an older revision in prompts/sources/__init__.py"
        )
    unused = [column for column in rows.column_names if column in HEAVY_COLUMNS]
    return _numbered(rows.remove_columns(unused))


def _numbered(values: Iterable[Any], start: int = 1) -> Iterator[RawRow]:
    for number, row in enumerate(values, start=start):
        if isinstance(row, dict):
            yield RawRow(number, row)
        else:
            yield RawRow(number, {}, "not a JSON object", str(row)[:SHOWN_CHARACTERS])
