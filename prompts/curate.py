"""Curate: rows of all sources in, train and test prompts out, every row accounted for."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from pydantic import BaseModel, ConfigDict, Field

from prompts.decontaminate import Hit, find_hits
from prompts.dedup import deduplicate
from prompts.record import Prompt, Split
from prompts.sources.choice import SourceChoice, read_prompts
from prompts.sources.jsonl import RejectedRow


class PromptsRecipe(BaseModel):
    """Which prompts a run asks, and how they are kept apart from the held-out ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[SourceChoice, ...] = Field(min_length=1, description="in order of precedence")
    decontaminate_ngram: int = Field(
        10, ge=3, le=50, description="words in a row that make a train prompt a leak of a test one"
    )
    seed: int = Field(0, description="chooses which prompts a limit keeps")


@dataclass(slots=True)
class Counts:
    """Where rows went. `rows` is the sum of all the others, always."""

    rows: int = 0
    train: int = 0
    test: int = 0
    rejected: int = 0
    duplicates: int = 0
    contaminated: int = 0
    over_limit: int = 0

    def check(self) -> None:
        """Raise AssertionError when a row was lost or counted twice: a bug, never bad input."""
        out = sum(getattr(self, f.name) for f in fields(self) if f.name != "rows")
        if out != self.rows:
            raise AssertionError(f"{self.rows} rows in, {out} accounted for: {self}")


@dataclass(frozen=True, slots=True)
class Curated:
    """What curation gave: prompts of each split, and everything that did not become one.

    `counts` is by source label; `rejected_by_reason` sums the rejected rows of all sources.
    """

    train: list[Prompt]
    test: list[Prompt]
    rejected: list[RejectedRow]
    duplicates: list[Prompt]
    hits: list[Hit]
    counts: dict[str, Counts]
    rejected_by_reason: dict[str, int]

    def total(self) -> Counts:
        """The counts of all sources together."""
        sums = {
            f.name: sum(getattr(counts, f.name) for counts in self.counts.values())
            for f in fields(Counts)
        }
        return Counts(**sums)


def curate(recipe: PromptsRecipe) -> Curated:
    """Read, check, deduplicate, decontaminate and limit the recipe's sources.

    The same recipe and files give the same result in the same order. Test prompts win: a train
    prompt that equals one, or shares `decontaminate_ngram` words in a row with one, is dropped.
    Limits come last and are drawn by hash, so a larger limit only adds prompts. Raises
    PrerequisiteError for unknown sources, unreadable files and missing columns.
    """
    read = [read_prompts(choice) for choice in recipe.sources]
    rejected = [row for _, rows in read for row in rows]
    found = [prompt for prompts, _ in read for prompt in prompts]
    test, test_twins = deduplicate(p for p in found if p.split == "test")
    train, train_twins = deduplicate(p for p in found if p.split == "train")
    hits = find_hits(train, test, recipe.decontaminate_ngram)
    leaked = {hit.prompt_id for hit in hits}
    clean = [p for p in train if p.prompt_id not in leaked]
    # A prompt belongs to the choice that read it, even where two choices share a label.
    owner = {id(p): number for number, (prompts, _) in enumerate(read) for p in prompts}
    kept_test = _limited(test, owner, recipe, "test")
    kept_train = _limited(clean, owner, recipe, "train")
    buckets = {
        "train": kept_train,
        "test": kept_test,
        "duplicates": test_twins + train_twins,
        "contaminated": [p for p in train if p.prompt_id in leaked],
        "over_limit": _without(clean, kept_train) + _without(test, kept_test),
    }
    counts = _counted(recipe.sources, read, buckets)
    reasons = dict(Counter(row.reason for row in rejected).most_common())
    twins = buckets["duplicates"]
    return Curated(kept_train, kept_test, rejected, twins, hits, counts, reasons)


def _limited(
    prompts: Sequence[Prompt], owner: dict[int, int], recipe: PromptsRecipe, split: Split
) -> list[Prompt]:
    """Prompts within the limit of the choice that read them, in their order."""
    kept: set[int] = set()
    for number, choice in enumerate(recipe.sources):
        own = [p for p in prompts if owner[id(p)] == number]
        limit = choice.limit if split == "train" else choice.test_limit
        if limit is not None:
            own = sorted(own, key=lambda p: _rank(recipe.seed, p.prompt_id))[:limit]
        kept.update(id(p) for p in own)
    return [p for p in prompts if id(p) in kept]


def _rank(seed: int, prompt_id: str) -> bytes:
    return hashlib.blake2b(f"{seed}\n{prompt_id}".encode(), digest_size=8).digest()


def _without(prompts: Iterable[Prompt], kept: Iterable[Prompt]) -> list[Prompt]:
    ids = {id(p) for p in kept}
    return [p for p in prompts if id(p) not in ids]


def _counted(
    choices: Sequence[SourceChoice],
    read: Sequence[tuple[list[Prompt], list[RejectedRow]]],
    buckets: dict[str, list[Prompt]],
) -> dict[str, Counts]:
    """The counts of every source label, checked to conserve."""
    counts: dict[str, Counts] = {}
    for choice, (prompts, rows) in zip(choices, read, strict=True):
        one = counts.setdefault(choice.label, Counts())
        one.rows += len(prompts) + len(rows)
        one.rejected += len(rows)
    for bucket, prompts in buckets.items():
        for label, number in Counter(p.source for p in prompts).items():
            setattr(counts[label], bucket, number)
    for one in counts.values():
        one.check()
    return counts
