"""All trace filters over traces of 20 kB: speed, memory, and what of known faults they find.

    python -m bench.trace_filters [--gb 2]

2,600 different traces are written, a twentieth of them with one known fault each, stored as Parquet
with the columns of a sample, and streamed through `trace_verdicts` until `--gb` of completions have
passed. Filters do not remember rows, so repeating them changes no figure. MB are 10⁶ bytes of
completion; every row holds its text twice, whole and in two parts. Beside it, in the same run on
the same rows: counting the characters of the completions, the least that reading every byte costs;
and reading the Parquet alone.
"""

import argparse
import os
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from bench.written_traces import FAULTS, Written, write_trace
from filters.trace import trace_verdicts
from filters.trace_filters import TraceFilters

_DISTINCT = 2_600
_FAULTY = 0.05
_ROWS_PER_GROUP = 4_096


def traces_table(distinct: int, seed: int = 0) -> tuple[pl.DataFrame, list[str | None]]:
    """Samples with their prompts' columns, and the reason each should be rejected for."""
    draw = random.Random(seed)
    names = [*FAULTS]
    faults = [names[n % len(names)] if draw.random() < _FAULTY else None for n in range(distinct)]
    written = [write_trace(draw, fault) for fault in faults]
    return pl.DataFrame([_row(n, trace) for n, trace in enumerate(written)], _SCHEMA), [
        trace.fault for trace in written
    ]


_SCHEMA = {
    **dict.fromkeys(("sample_id", "completion", "reasoning", "answer"), pl.String),
    **dict.fromkeys(("finish_reason", "error"), pl.String),
    "completion_tokens": pl.Int64,
    **dict.fromkeys(("language", "domain", "reference_kind", "question"), pl.String),
}


def _row(number: int, trace: Written) -> dict[str, object]:
    completion = f"<think>\n{trace.reasoning}\n</think>\n\n{trace.answer}"
    return {
        "sample_id": f"s{number}",
        "completion": completion,
        "reasoning": trace.reasoning.replace("<think>", "").replace("</think>", ""),
        "answer": trace.answer,
        "finish_reason": "stop",
        "error": None,
        "completion_tokens": len(completion) // 4,
        "language": "en",
        "domain": "math",
        "reference_kind": "math_answer",
        "question": trace.question,
    }


def _batches(path: Path, wanted_bytes: int) -> Iterator[pl.DataFrame]:
    """The file's row groups, over and over, until so many bytes of completions have come."""
    passed = 0
    while passed < wanted_bytes:
        file = pq.ParquetFile(path)
        for group in range(file.num_row_groups):
            batch = pl.from_arrow(file.read_row_group(group))
            assert isinstance(batch, pl.DataFrame)
            yield batch
            passed += _completion_bytes(batch)
            if passed >= wanted_bytes:
                return


def _completion_bytes(batch: pl.DataFrame) -> int:
    return int(batch["completion"].str.len_bytes().sum())


@dataclass(frozen=True, slots=True)
class Pace:
    """Speeds of one kind of work over the stream, in 10⁶ bytes of completions a second."""

    alone: float
    with_reading: float
    per_cpu_second: float


def _timed(path: Path, wanted: int, work: Callable[[pl.DataFrame], object]) -> Pace:
    done, working, computing, started = 0, 0.0, 0.0, time.perf_counter()
    for batch in _batches(path, wanted):
        began, computed = time.perf_counter(), time.process_time()
        work(batch)
        working += time.perf_counter() - began
        computing += time.process_time() - computed
        done += _completion_bytes(batch)
    whole = time.perf_counter() - started
    return Pace(*(done / 1e6 / max(s, 1e-9) for s in (working, whole, computing)))


def main() -> None:
    """Stream completions through the filters and print MB/s with and without the Parquet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=2.0, help="completions to stream, in 10⁹ bytes")
    wanted = int(parser.parse_args().gb * 1e9)
    table, expected = traces_table(_DISTINCT)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.parquet"
        # As a shard is closed: texts uncompressed, in groups of rows.
        rows = pl.concat([table] * (2 * _ROWS_PER_GROUP // table.height + 1))
        rows.write_parquet(path, compression="uncompressed", row_group_size=_ROWS_PER_GROUP)
        settings = TraceFilters()
        ours = _timed(path, wanted, lambda batch: trace_verdicts(batch, settings))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        characters = pl.col("completion").str.len_chars().sum()
        counted = _timed(path, wanted, lambda batch: batch.select(characters))
        read = _timed(path, wanted, lambda batch: None)
    print(
        f"{wanted / 1e9:.1f} GB in traces of {_completion_bytes(table) / table.height:,.0f} bytes"
    )
    print(f"{os.cpu_count()} cores, peak memory {memory / 1e9:.2f} GB")
    print(f"{'':20} {'MB/s':>8} {'and reading':>12} {'a CPU second':>14}")
    for name, pace in (("all filters", ours), ("counting characters", counted)):
        figures = f"{pace.alone:8,.0f} {pace.with_reading:12,.0f} {pace.per_cpu_second:14,.0f}"
        print(f"{name:20} {figures}")
    print(f"{'reading the Parquet':20} {'':8} {read.with_reading:12,.0f}")
    _print_found(trace_verdicts(table, TraceFilters())["reason"].to_list(), expected)


def _print_found(given: list[str | None], expected: list[str | None]) -> None:
    wanted = Counter(expected)
    right = Counter(want for want, got in zip(expected, given, strict=True) if want == got)
    print(f"{'fault':22} {'there':>6} {'found':>6}")
    for fault, count in sorted(wanted.items(), key=lambda item: item[0] or ""):
        print(f"{fault or 'none (fit)':22} {count:6} {right[fault]:6}")
    wrong = Counter(
        f"{want or 'fit'} as {got or 'fit'}"
        for want, got in zip(expected, given, strict=True)
        if want != got
    )
    print(f"otherwise: {dict(wrong) or 'none'}")


if __name__ == "__main__":
    main()
