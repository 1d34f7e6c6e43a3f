"""What all samples of a folder have cost, whichever goes of a run they came in."""

from pathlib import Path

import polars as pl

from flows.sample_folder import sample_files
from teacher.closed_shard import read_spent

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
