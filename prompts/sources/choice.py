"""SourceChoice: one source of a recipe, and how its rows become prompts."""

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from prompts.errors import PrerequisiteError
from prompts.record import Domain, Prompt, ReferenceKind, Split, prompt_id
from prompts.sources import SOURCES, starter
from prompts.sources.draft import RowError, check
from prompts.sources.jsonl import SHOWN_CHARACTERS, RawRow, RejectedRow
from prompts.sources.load import rows_in_file, rows_of
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

    @property
    def label(self) -> str:
        """What prompts of this choice carry as their source."""
        return self.name or str(cast(Path, self.path).name)

    @property
    def where(self) -> str:
        """Where a rejected row is to be looked for: the file, or the source's name."""
        return str(self.path or self.name)


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


def read_prompts(choice: SourceChoice) -> tuple[list[Prompt], list[RejectedRow]]:
    """Every row of a choice, as a prompt or as a rejected row with its reason, in file order.

    Raises PrerequisiteError when the source cannot be read or no row of it can be used.
    """
    source = source_named(choice.name) if choice.name else None
    prompts: list[Prompt] = []
    rejected: list[RejectedRow] = []
    seen: set[str] = set()
    for row in _rows(choice, source):
        seen.update(row.values)
        try:
            prompts.append(_prompt(choice, source, row))
        except RowError as rejection:
            text = (row.text or str(row.values))[:SHOWN_CHARACTERS]
            rejected.append(RejectedRow(choice.where, row.line, str(rejection), text))
    if not prompts:
        raise PrerequisiteError(_nothing_usable(choice, source, rejected, seen))
    return prompts, rejected


def _rows(choice: SourceChoice, source: Source | None) -> Iterator[RawRow]:
    if choice.path is not None:
        return rows_in_file(choice.path)
    assert source is not None, "a choice without a path has a name"
    return rows_of(choice.label, source)


def _prompt(choice: SourceChoice, source: Source | None, row: RawRow) -> Prompt:
    if row.reason:
        raise RowError(row.reason)
    draft = check(source.to_draft(row.values) if source else starter.to_draft(row.values))
    domain = draft.domain or choice.domain or (source.domain if source else "")
    if not domain:
        raise RowError("no domain: name it in the row or in the recipe's source")
    split = choice.split if choice.split != "as_marked" else draft.split or "train"
    return Prompt(
        prompt_id=prompt_id(domain, draft.question),
        domain=cast(Domain, domain),
        source=choice.label,
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


def _nothing_usable(
    choice: SourceChoice, source: Source | None, rejected: list[RejectedRow], seen: set[str]
) -> str:
    if not rejected:
        return f"{choice.where} has no rows"
    wanted = source.columns if source else starter.COLUMNS
    missing = [column for column in wanted if column not in seen]
    if missing and seen:
        return (
            f"{choice.where} has no column {', '.join(missing)}; it has {', '.join(sorted(seen))}. "
            "Rename the columns, or give the file the `name` of the source it comes from"
        )
    reason, count = Counter(row.reason for row in rejected).most_common(1)[0]
    first = next(row for row in rejected if row.reason == reason)
    return (
        f"no row of {choice.where} can be used; {count} of {len(rejected)}: {reason} "
        f"(first at line {first.line}: {first.text!r})"
    )
