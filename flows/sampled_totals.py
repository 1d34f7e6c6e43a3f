"""How many samples a folder holds and what all have cost, whichever goes of a run they came in."""

import contextlib
import sqlite3
from pathlib import Path

import polars as pl

from flows.sample_folder import sample_files
from teacher.closed_shard import read_spent
from teacher.sample import FAILED

_TOKENS = ("prompt_tokens", "completion_tokens", "wasted_tokens")


def sampled_totals(folder: Path) -> dict[str, int]:
    """Tokens, and completions continued at another replica, of a folder whose shards are closed.

    `wasted_tokens` are those of cancelled and failed requests too, as far as they were heard of
    before a kill. The engine's own summary counts one go.
    """
    continued = (pl.col("earlier_replicas") != "").cast(pl.Int64).alias("continued")
    columns = [pl.col(name) for name in _TOKENS]
    rows = pl.scan_parquet(sample_files(folder)).select(*columns, continued).sum().collect()
    totals = {name: int(value) for name, value in rows.row(0, named=True).items()}
    accounts: dict[str, int] = {}
    for file in sorted(folder.glob("spent-*.parquet")):
        accounts |= read_spent(file)  # of a prompt the last one counts
    totals["wasted_tokens"] += sum(accounts.values())
    return totals


def kept_samples(folder: Path) -> int | None:
    """Completions in a folder whose sampling was stopped: 0.1 s for a full journal.

    None where it was killed: to read that journal writes beside it, and when its files were last
    written tells how long the run has lived.
    """
    if any(folder.glob("samples-*.sqlite-wal")):
        return None
    kept, is_kept = 0, pl.col("finish_reason") != FAILED
    count = "SELECT count(DISTINCT sample_id) FROM samples WHERE finish_reason != ?"
    for closed in sample_files(folder):
        kept += pl.scan_parquet(closed).filter(is_kept).select(pl.len()).collect().item()
    try:
        for journal in folder.glob("samples-*.sqlite"):
            with contextlib.closing(sqlite3.connect(_untouched(journal), uri=True)) as connection:
                kept += connection.execute(count, (FAILED,)).fetchone()[0]
    except sqlite3.Error:
        return None
    return int(kept)


def _untouched(journal: Path) -> str:
    """The address under which SQLite reads a file that nobody writes, and makes none beside it."""
    return f"{journal.absolute().as_uri()}?immutable=1"
