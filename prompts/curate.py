"""Curate: rows of all sources in, train and test prompts out, every row accounted for."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from prompts.decontaminate import Hit, find_hits
from prompts.dedup import deduplicate
from prompts.errors import PrerequisiteError
from prompts.record import Domain, Prompt, ReferenceKind, Split, prompt_id
from prompts.sources import SOURCES, starter
from prompts.sources.draft import Draft, RowRejected, check
from prompts.sources.jsonl import SHOWN_CHARACTERS, RawRow, RejectedRow
from prompts.sources.load import check_columns, rows_in_file, rows_of
from prompts.sources.source import Source


class SourceChoice(BaseModel):
    """One source of a recipe: a known name, a file of one's own, or a known name's local copy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(None, description="a source named in prompts/sources")
    path: Path | None = Field(None, description="a local file; with `name`, in its columns")
    domain: Domain | None = Field(None, description="domain of a file's rows that name none")
    license: str = Field("unknown", description="licence of a file that is no known source")
    split: Literal["as_marked", "train", "test"] = Field(
        "as_marked", description="which split rows go to; as_marked: the row says, else train"
    )
    limit: int | None = Field(None, ge=0, description="at most this many train prompts")
    test_limit: int | None = Field(None, ge=0, description="at most this many test prompts")

    @model_validator(mode="after")
    def _has_an_origin(self) -> "SourceChoice":
        if self.name is None and self.path is None:
            raise ValueError("give a source a name, a path or both")
        return self

    def label(self) -> str:
        """What prompts of this choice carry as their source."""
        return self.name or str(cast(Path, self.path).name)


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
    """What curation gave: prompts of each split, and everything that did not become one."""

    train: list[Prompt]
    test: list[Prompt]
    rejected: list[RejectedRow]
    duplicates: list[Prompt]
    hits: list[Hit]
    counts: dict[str, Counts]
    rejected_by_reason: Counter[str] = field(default_factory=Counter)

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
    prompt that equals one or shares `decontaminate_ngram` words in a row with it is dropped.
    Raises PrerequisiteError for unknown sources, unreadable files and missing columns.
    """
    counts: dict[str, Counts] = {}
    rejected: list[RejectedRow] = []
    found: list[Prompt] = []
    for choice in recipe.sources:
        for prompt in _read(choice, counts.setdefault(choice.label(), Counts()), rejected):
            found.append(prompt)
    test, test_twins = deduplicate(p for p in found if p.split == "test")
    train, train_twins = deduplicate(p for p in found if p.split == "train")
    hits = find_hits(train, test, recipe.decontaminate_ngram)
    leaked = {hit.prompt_id for hit in hits}
    clean = [p for p in train if p.prompt_id not in leaked]
    kept_train, kept_test = _limited(clean, recipe, "train"), _limited(test, recipe, "test")
    _tally(counts, "duplicates", test_twins + train_twins)
    _tally(counts, "contaminated", [p for p in train if p.prompt_id in leaked])
    _tally(counts, "train", kept_train)
    _tally(counts, "test", kept_test)
    for name, one in counts.items():
        passed = Counter(p.source for p in clean + test)[name]
        one.over_limit = passed - one.train - one.test
        one.check()
    reasons = Counter(row.reason for row in rejected)
    twins = test_twins + train_twins
    return Curated(kept_train, kept_test, rejected, twins, hits, counts, reasons)


def source_named(name: str) -> Source:
    """The source with this name; raises PrerequisiteError with the nearest right one."""
    if name in SOURCES:
        return SOURCES[name]
    near = get_close_matches(name, SOURCES, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise PrerequisiteError(
        f"no prompt source {name!r}.{hint} Known: {', '.join(SOURCES)}. "
        "For a file of your own give `path` instead of `name`"
    )


def _read(choice: SourceChoice, counts: Counts, rejected: list[RejectedRow]) -> Iterator[Prompt]:
    """Prompts of one choice; bad rows go to `rejected`, both are counted in `counts`."""
    source = source_named(choice.name) if choice.name else None
    rows = rows_in_file(choice.path) if choice.path else rows_of(choice.label(), _known(source))
    where = str(choice.path or choice.label())
    columns = source.columns if source else starter.COLUMNS
    unchecked = True
    for row in rows:
        counts.rows += 1
        if unchecked and not row.reason:
            check_columns(where, columns, row.values)
            unchecked = False
        try:
            yield _prompt(choice, source, row)
        except RowRejected as rejection:
            counts.rejected += 1
            text = (row.text or str(row.values))[:SHOWN_CHARACTERS]
            rejected.append(RejectedRow(where, row.line, str(rejection), text))


def _known(source: Source | None) -> Source:
    assert source is not None, "SourceChoice has a name or a path"
    return source


def _prompt(choice: SourceChoice, source: Source | None, row: RawRow) -> Prompt:
    if row.reason:
        raise RowRejected(row.reason)
    draft: Draft = check(source.to_draft(row.values) if source else starter.to_draft(row.values))
    domain = draft.domain or choice.domain or (source.domain if source else "")
    if not domain:
        raise RowRejected("no domain: name it in the row or in the recipe's source")
    split = choice.split if choice.split != "as_marked" else draft.split or "train"
    return Prompt(
        prompt_id=prompt_id(domain, draft.question),
        domain=cast(Domain, domain),
        source=choice.label(),
        license=source.license if source else choice.license,
        split=cast(Split, split),
        question=draft.question,
        reference_kind=cast(ReferenceKind, draft.reference_kind),
        reference=draft.reference,
        tests=draft.tests,
        choices=draft.choices,
        aliases=draft.aliases,
        difficulty=draft.difficulty,
        language=draft.language,
    )


def _limited(prompts: list[Prompt], recipe: PromptsRecipe, split: Split) -> list[Prompt]:
    """Prompts within their source's limit, chosen by hash so that a larger limit only adds."""
    kept: set[str] = set()
    for choice in recipe.sources:
        own = [p.prompt_id for p in prompts if p.source == choice.label()]
        limit = choice.limit if split == "train" else choice.test_limit
        if limit is not None and limit < len(own):
            own = sorted(own, key=lambda one: _rank(recipe.seed, one))[:limit]
        kept.update(own)
    return [p for p in prompts if p.prompt_id in kept]


def _rank(seed: int, one: str) -> bytes:
    return hashlib.blake2b(f"{seed}\n{one}".encode(), digest_size=8).digest()


def _tally(counts: dict[str, Counts], bucket: str, prompts: list[Prompt]) -> None:
    for name, number in Counter(p.source for p in prompts).items():
        setattr(counts[name], bucket, getattr(counts[name], bucket) + number)
