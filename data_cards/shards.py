"""Traces to Parquet shards, and the facts about them that the card states."""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from data_cards.assemble import Assembled, DatasetRecipe, split_of
from data_cards.trace import Trace
from prompts.errors import PrerequisiteError, RunError
from prompts.parquet import read_rows, write_rows

# Config name -> folder of its files. `default` is what load_dataset(path) opens.
CONFIG_FOLDERS: dict[str, str] = {"default": "data", "rejected": "rejected"}
SPLITS = ("train", "test")
CARD_NAME = "README.md"


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """One split as its files' footers tell it; `num_bytes` is the size before compression."""

    config: str
    split: str
    files: tuple[str, ...]
    num_examples: int
    num_bytes: int
    download_bytes: int

    @property
    def glob(self) -> str:
        """The pattern that matches this split's files and no others."""
        return f"{CONFIG_FOLDERS[self.config]}/{self.split}-*-of-*.parquet"


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """All splits of all configs; a split without rows has no file and is not listed."""

    splits: tuple[SplitFacts, ...]

    @property
    def configs(self) -> tuple[str, ...]:
        """The configs that have rows, the default first."""
        return tuple(dict.fromkeys(split.config for split in self.splits))

    def splits_of(self, config: str) -> tuple[SplitFacts, ...]:
        """The splits of one config, train first."""
        return tuple(split for split in self.splits if split.config == config)

    def num_examples(self, config: str = "default") -> int:
        """Rows of one config."""
        return sum(split.num_examples for split in self.splits_of(config))


def write_dataset(folder: Path, assembled: Assembled, recipe: DatasetRecipe) -> DatasetFacts:
    """Write the shards, replacing what an earlier attempt left; returns what the footers say.

    The old card goes first and the new one is written last, by write_card: a folder with a
    README.md is whole. Raises PrerequisiteError when there is no accepted trace for `train`, with
    the reasons; RunError when old shards cannot be removed: they would be counted and published
    with the new ones.
    """
    rows = {"default": assembled.accepted, "rejected": assembled.rejected}
    if not recipe.publish_rejected:
        rows["rejected"] = ()
    if not any(split_of(trace.prompt_id, recipe) == "train" for trace in assembled.accepted):
        raise PrerequisiteError(
            "no accepted trace for the train split, so there is no dataset to publish"
            f"{_reasons_text(assembled)}. Ask for more prompts or samples, or another teacher; "
            "with rounds, train the student that teaches for longer"
        )
    (folder / CARD_NAME).unlink(missing_ok=True)
    for config, subfolder in CONFIG_FOLDERS.items():
        remove_shards(folder / subfolder)
        for split in SPLITS:
            traces = [t for t in rows[config] if split_of(t.prompt_id, recipe) == split]
            _write_split(folder / subfolder, split, traces, recipe.max_shard_bytes)
    return read_facts(folder)


def _reasons_text(assembled: Assembled) -> str:
    """`: 128 empty_reasoning, 40 truncated`, why most samples were not accepted."""
    refused = {why: n for (outcome, why), n in assembled.reasons.items() if outcome != "accept"}
    found = Counter(refused).most_common(4)
    return ": " + ", ".join(f"{count:,} {reason}" for reason, count in found) if found else ""


def read_facts(folder: Path) -> DatasetFacts:
    """The facts of a dataset folder, from the Parquet footers alone."""
    found = (_split_facts(folder, config, split) for config in CONFIG_FOLDERS for split in SPLITS)
    return DatasetFacts(tuple(facts for facts in found if facts is not None))


def text_bytes(trace: Trace) -> int:
    """Roughly what a trace weighs before compression: its long texts, in UTF-8."""
    texts = (trace.question, trace.reasoning, trace.answer, trace.reference, trace.detail)
    turns = [message["content"] for message in trace.messages]
    details = [verdict["detail"] for verdict in trace.verdicts]
    return sum(len(text.encode()) for text in (*texts, *turns, *details, *trace.tests))


def remove_shards(folder: Path) -> None:
    """Remove a folder of shards with all that is in it; RunError where that cannot be done."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"cannot remove the old shards in {folder}: {error.strerror}") from error


def _write_split(folder: Path, split: str, traces: Sequence[Trace], max_bytes: int) -> None:
    shards = list(_shards(traces, max_bytes))
    for number, shard in enumerate(shards):
        name = f"{split}-{number:05d}-of-{len(shards):05d}.parquet"
        write_rows(folder / name, shard, Trace)


def _shards(traces: Sequence[Trace], max_bytes: int) -> Iterator[list[Trace]]:
    """Cut in order into runs of at most `max_bytes`; one larger trace is a shard of its own."""
    shard: list[Trace] = []
    size = 0
    for trace in traces:
        weight = text_bytes(trace)
        if shard and size + weight > max_bytes:
            yield shard
            shard, size = [], 0
        shard.append(trace)
        size += weight
    if shard:
        yield shard


def _split_facts(folder: Path, config: str, split: str) -> SplitFacts | None:
    files = sorted((folder / CONFIG_FOLDERS[config]).glob(f"{split}-*-of-*.parquet"))
    if not files:
        return None
    footers = [pq.read_metadata(file) for file in files]
    return SplitFacts(
        config=config,
        split=split,
        files=tuple(file.relative_to(folder).as_posix() for file in files),
        num_examples=sum(footer.num_rows for footer in footers),
        num_bytes=sum(
            footer.row_group(group).total_byte_size
            for footer in footers
            for group in range(footer.num_row_groups)
        ),
        download_bytes=sum(file.stat().st_size for file in files),
    )


def read_traces(folder: Path) -> list[Trace]:
    """All traces of a written dataset, accepted ones first, then the rejected."""
    files = [
        f for name in CONFIG_FOLDERS.values() for f in sorted((folder / name).glob("*.parquet"))
    ]
    return read_rows(files, Trace)
