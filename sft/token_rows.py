"""The token rows of a training in an Arrow file, made once and mapped into memory by every rank.

The first rank reads the published conversations a few at a time, tokenizes them, in several
processes where that pays, and writes the file beside the checkpoints, with which it goes; the
others wait for it. It bears the name of what it was made from: a training that continues takes it
as it is. In memory are only the lengths: a rank reads the rows that it computes.
"""

import hashlib
import json
import os
import pickle
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from prompts.errors import PrerequisiteError, RunError
from prompts.workers import in_workers
from sft.job import TrainJob
from sft.messages import (
    COLUMNS,
    IGNORED,
    Encoded,
    NotRoundTripError,
    TokenRow,
    TrainingRow,
    encode_chunk,
    read_training_rows,
    refuse_lost_reasoning,
)

ROWS, FACTS = "rows.arrow", "rows.json"
SCHEMA = pa.schema(
    {"sample_id": pa.string(), "prompt_tokens": pa.int32(), "input_ids": pa.list_(pa.int32())}
)
FORMAT = 2  # another one makes the file anew
CHUNK_CHARS = 2**20  # text that is tokenized at a time
# Of text in a Parquet file, for each process: half a minute's work, where starting takes seconds.
BYTES_PER_WORKER = 2**23
POLL_S = 0.5
# A chunk takes the first rank about a second, and other nodes see files a minute late.
SILENT_S = 600.0


class TokenRows(Sequence[TokenRow]):
    """Rows read one at a time from a mapped file; `lengths` and `scored` (n,) int64 are in memory.

    `scored` are the tokens of a row in the loss: its completion's. `dropped` counts rows that are
    not here, by reason; `largest_token` is the highest id of all.
    """

    def __init__(self, folder: Path) -> None:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        self.dropped: dict[str, int] = facts["dropped"]
        self.largest_token: int = facts["largest_token"]
        with pa.memory_map(str(folder / ROWS)) as source, pa.ipc.open_stream(source) as reader:
            self._batches: list[Any] = list(reader)
        sizes = [len(batch) for batch in self._batches]
        self._starts = np.cumsum([0, *sizes])
        ids = [batch.column("input_ids").value_lengths().to_numpy() for batch in self._batches]
        prompts = [batch.column("prompt_tokens").to_numpy() for batch in self._batches]
        # 64 bits: an epoch's tokens may be more than 2**31.
        self.lengths: Any = np.concatenate(ids).astype(np.int64)
        # The first token of a row has none before it that could foretell it.
        self.scored: Any = self.lengths - np.maximum(np.concatenate(prompts), 1)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: Any) -> Any:
        """The row at an index of 0 … n - 1, copied from the file."""
        place = int(np.searchsorted(self._starts, index, side="right")) - 1
        values = self._batches[place].slice(int(index - self._starts[place]), 1).to_pylist()[0]
        prompt, ids = values["prompt_tokens"], values["input_ids"]
        return TokenRow(ids, [IGNORED] * prompt + ids[prompt:], values["sample_id"])

    @property
    def tokens(self) -> int:
        """Tokens of one pass, prompts included."""
        return int(self.lengths.sum())


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Work for a process: conversations, and where it finds the tokenizer."""

    rows: list[TrainingRow]
    tokenizer: Path
    max_length: int


@dataclass(frozen=True, slots=True)
class _Tokens:
    """What comes back: rows of SCHEMA, and what was dropped why."""

    batch: Any
    dropped: dict[str, int]
    lost: NotRoundTripError | None


def rows_key(job: TrainJob, tokenizer: Any) -> str:
    """Names the token rows of a job by all they are made from: files, tokenizer and limit."""
    fast = tokenizer.backend_tokenizer.to_str() if tokenizer.is_fast else repr(tokenizer)
    ends = [tokenizer.bos_token_id, tokenizer.eos_token_id]
    made_by = [FORMAT, job.student.max_length, tokenizer.chat_template, ends, fast]
    digest = hashlib.blake2b(json.dumps(made_by).encode(), digest_size=16)
    for path in job.data:
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "blake2b").digest())
        except OSError as error:
            raise PrerequisiteError(f"no dataset file {path} that can be read: {error}") from None
    return digest.hexdigest()


def token_rows(job: TrainJob, tokenizer: Any, key: str) -> TokenRows:
    """The rows of a job, made by the first rank where they are not there yet.

    PrerequisiteError as of `encode_rows`, or when no row is left; RunError when the disk is full,
    a process was killed or the first rank's folder is not seen here.
    """
    folder = job.checkpoints
    if os.environ.get("RANK", "0") != "0":
        _await(folder, key)
    elif _key_of(folder) != key:
        _make(job, tokenizer, key, folder)
    return TokenRows(folder)


def _await(folder: Path, key: str) -> None:
    """Wait for the first rank's rows as long as something is written to the folder."""
    seen, since = _signs(folder), time.monotonic()
    while _key_of(folder) != key:
        if (now := _signs(folder)) != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > SILENT_S:
            raise RunError(
                f"no token rows in {folder}, and nothing was written there for {SILENT_S:.0f} s: "
                "the first rank makes them. All nodes must share this folder, where checkpoints "
                "lie too; if they do, the first node's log says what ended it"
            )
        time.sleep(POLL_S)


def _signs(folder: Path) -> list[tuple[str, int, int]]:
    """What changes in a folder while rows are made: names, bytes and times of files."""
    found = []
    for path in folder.glob("*"):
        with suppress(OSError):  # gone meanwhile
            facts = path.stat()
            found.append((path.name, facts.st_size, facts.st_mtime_ns))
    return sorted(found)


def _key_of(folder: Path) -> str | None:
    """What the rows in a folder were made from; None where there are none, or not all."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return str(facts["key"]) if (folder / ROWS).stat().st_size == facts["bytes"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _make(job: TrainJob, tokenizer: Any, key: str, folder: Path) -> None:
    """Write the rows, then the facts about them; nothing stays of what did not come to its end."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FACTS).unlink(missing_ok=True)
    (folder / ROWS).unlink(missing_ok=True)
    temporary, tools = folder / f".{ROWS}.tmp", folder / ".tokenizer.pickle"
    try:
        tools.write_bytes(pickle.dumps(tokenizer))
        chunks = _chunks(job, tools)
        facts = _write(temporary, in_workers(_tokenize, chunks, _workers(job.data)))
        os.replace(temporary, folder / ROWS)
        facts |= {"key": key, "bytes": (folder / ROWS).stat().st_size}
        temporary.write_text(json.dumps(facts), encoding="utf-8")
        os.replace(temporary, folder / FACTS)
    except OSError as error:
        raise RunError(
            f"cannot write the token rows to {folder}, 4 bytes a token: {error}"
        ) from error
    finally:
        for path in (temporary, tools):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # of no use to anybody if empty
            folder.rmdir()


def _write(path: Path, parts: Iterator[_Tokens]) -> dict[str, Any]:
    """Write rows as they come; returns what was dropped, unless that is too much, and the like."""
    dropped: Counter[str] = Counter()
    lost: NotRoundTripError | None = None
    kept, largest = 0, 0
    with path.open("wb") as file:
        with pa.ipc.new_stream(file, SCHEMA) as writer:
            for part in parts:
                lost = lost or part.lost
                dropped.update(part.dropped)
                kept += len(part.batch)
                tokens = part.batch.column("input_ids").flatten()
                largest = max(largest, pc.max(tokens).as_py() or 0)
                writer.write_batch(part.batch)
        file.flush()
        os.fsync(file.fileno())
    refuse_lost_reasoning(lost, dropped, kept)
    if not kept:
        raise PrerequisiteError(f"no row to train on; dropped: {dict(dropped)}")
    return {"dropped": dict(dropped), "largest_token": largest}


def _chunks(job: TrainJob, tokenizer: Path) -> Iterator[_Chunk]:
    """The conversations in their order, so many at a time as have CHUNK_CHARS."""
    rows: list[TrainingRow] = []
    chars = 0
    for row in read_training_rows(job.data):
        rows.append(row)
        chars += sum(len(message["content"]) for message in row.messages)
        if chars >= CHUNK_CHARS:
            yield _Chunk(rows, tokenizer, job.student.max_length)
            rows, chars = [], 0
    if rows:
        yield _Chunk(rows, tokenizer, job.student.max_length)


def _tokenize(chunk: _Chunk) -> _Tokens:
    """A chunk's rows; in whatever process."""
    encoded = encode_chunk(chunk.rows, _tokenizer(chunk.tokenizer), chunk.max_length)
    return _Tokens(_batch(encoded), dict(encoded.dropped), encoded.lost)


@lru_cache(maxsize=1)
def _tokenizer(path: Path) -> Any:
    """The tokenizer that the first rank proved, as it is in its memory."""
    return pickle.loads(path.read_bytes())


def _batch(encoded: Encoded) -> Any:
    """Rows as SCHEMA has them: what of them is prompt is a number, not a list of labels."""
    columns = {
        "sample_id": [row.sample_id for row in encoded.rows],
        "prompt_tokens": [row.labels.count(IGNORED) for row in encoded.rows],
        "input_ids": [row.input_ids for row in encoded.rows],
    }
    return pa.RecordBatch.from_pydict(columns, schema=SCHEMA)


def _workers(paths: Sequence[Path]) -> int:
    """Processes that the text of these files is worth, and this machine's cores can run."""
    text = 0
    for path in paths:
        with suppress(OSError, pa.ArrowInvalid):  # read_training_rows says what is wrong with it
            columns = pq.ParquetFile(path).metadata
            text += sum(_text_bytes(columns.row_group(at)) for at in range(columns.num_row_groups))
    return max(1, min(len(os.sched_getaffinity(0)), text // BYTES_PER_WORKER))


def _text_bytes(group: Any) -> int:
    """Bytes of a row group's columns that are read."""
    columns = [group.column(at) for at in range(group.num_columns)]
    ours = [one for one in columns if one.path_in_schema.split(".")[0] in COLUMNS]
    return sum(one.total_uncompressed_size for one in ours)
