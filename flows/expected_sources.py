"""What a recipe's sources are expected to give, before a row of them is read."""

import gzip
import zlib
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.recipe import Recipe
from prompts.errors import PrerequisiteError
from prompts.mix import MixRecipe, Quota
from prompts.record import DOMAINS
from prompts.sources.choice import SourceChoice, license_of, source_of
from prompts.sources.load import STARTER_FOLDER, files_in, rows_in_file

# A plan takes seconds: of a longer file, test rows further down are not counted.
_MOST_LOOKED_AT = 100_000


def expected_sources(recipe: Recipe) -> list[dict[str, Any]]:
    """The sources with their rows and what is asked of each; a mix divides its quotas by rows.

    Rows of public sources are a hint; what is unfit, equal or contaminated is known only when all
    are curated, so that this is the most there can be.
    """
    rows = [_source_row(choice) for choice in recipe.prompts.sources]
    if recipe.prompts.mix.quotas:
        for row, traces in zip(rows, _dealt(rows, recipe.prompts.mix), strict=True):
            row["train"] = round(traces)
            if row["before_mix"] and not row["train"]:
                row["why_none"] = "no quota of prompts.mix takes from it"
    return rows


def _dealt(rows: Sequence[Mapping[str, Any]], mix: MixRecipe) -> list[float]:
    """What the quotas ask of each source at most: in their order, each of what those before left.

    How hard prompts are and in which language is not known yet: all may fit.
    """
    left = [float(row["train"]) for row in rows]
    dealt = [0.0] * len(rows)
    for quota in mix.quotas:
        own = [number for number, row in enumerate(rows) if _may_fit(row, quota)]
        there = sum(left[number] for number in own)
        wanted = min(quota.traces, there * mix.upsample)
        for number in own if there else ():
            traces = wanted * left[number] / there
            dealt[number] += traces
            left[number] -= traces / mix.upsample
    return dealt


def _may_fit(row: Mapping[str, Any], quota: Quota) -> bool:
    domain, name = row["domain"], row["name"]
    return domain in (*(quota.domain or DOMAINS), "mixed") and name in (quota.source or (name,))


def _source_row(choice: SourceChoice) -> dict[str, Any]:
    source = source_of(choice)
    rows = rows_in(choice.path) if choice.path else source.rows_hint if source else 0
    if choice.rows is not None:
        rows = choice.rows if source and not source.id else min(rows, choice.rows)
    test = _test_rows(choice, rows)
    train = _at_most(max(0, rows - test), choice.limit)
    origin = str(choice.path or "") or (source.id if source else "") or "shipped"
    return {
        "name": choice.label,
        "domain": source.domain if source else (choice.domain or "mixed"),
        "rows": rows,
        "train": train,
        "before_mix": train,
        "held_out": _at_most(test, choice.test_limit),
        "license": license_of(choice),
        "from": origin,
        "why_none": "" if train else _why_none(choice, rows, origin),
    }


def _at_most(rows: int, limit: int | None) -> int:
    return rows if limit is None else min(rows, limit)


def _test_rows(choice: SourceChoice, rows: int) -> int:
    """Rows that are no train prompts: all, or those that a local file marks as test."""
    if choice.split != "as_marked":
        return rows if choice.split == "test" else 0
    source = source_of(choice)
    shipped = STARTER_FOLDER / f"{source.shipped}.jsonl" if source and source.shipped else None
    file = choice.path or shipped
    return _marked(file, choice.columns.get("split", "split"), choice.rows) if file else 0


def _marked(path: Path, column: str, most: int | None) -> int:
    """Rows of a file that are marked as test, among those that are read, or its first ones."""
    try:
        rows = islice(rows_in_file(path), min(most or _MOST_LOOKED_AT, _MOST_LOOKED_AT))
        return sum(row.values.get(column) == "test" for row in rows)
    except (OSError, PrerequisiteError):  # who reads its rows says what is wrong with it
        return 0


def _why_none(choice: SourceChoice, rows: int, origin: str) -> str:
    """Why there is no prompt of a source to ask."""
    if choice.split == "test":
        most = f", {choice.test_limit:,} at most" if choice.test_limit is not None else ""
        return f"held out for evaluation{most}: split is test"
    if not rows:
        return f"no rows found in {origin}"
    if choice.limit == 0:
        return "its limit is 0"
    return "held out for evaluation: all its rows are marked as test"


def rows_in(path: Path) -> int:
    """Rows of a local file or folder, of others than Parquet by lines: near enough for a plan."""
    if path.is_dir():
        return sum(map(rows_in, files_in(path)))
    if not path.is_file():
        return 0
    if path.suffix == ".parquet":
        try:
            return int(pq.read_metadata(path).num_rows)
        except (OSError, pa.ArrowException):
            return 0
    try:
        if path.suffix == ".json":
            return sum(1 for _ in rows_in_file(path))
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as handle:
            return sum(block.count(b"\n") for block in iter(lambda: handle.read(1 << 20), b""))
    except (
        OSError,
        EOFError,
        zlib.error,
        PrerequisiteError,
    ):  # who reads its rows says what is wrong with it
        return 0
