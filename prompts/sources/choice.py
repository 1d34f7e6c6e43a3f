"""SourceChoice: one source of a recipe, and how its rows are read and become drafts."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from prompts.errors import PrerequisiteError
from prompts.record import Domain, ReferenceKind
from prompts.sources import SOURCES, starter
from prompts.sources.draft import Draft, RowError, check
from prompts.sources.jsonl import RawRow, RejectedRow
from prompts.sources.load import rows_in_file, rows_of
from prompts.sources.source import Source, Wanted

# Rows looked at before a column is called missing.
LOOKED_AT = 100
# Of a solution, what is looked through for contamination: the longest of contests have 65,536.
MOST_SOLUTION_CHARACTERS = 100_000


class SourceChoice(BaseModel):
    """One source of a recipe: a known name, a file of one's own, or a known name's local copy.

    A file with other columns than the project's own:
    `{path: my.csv, columns: {question: problem, reference: answer}, reference_kind: math_answer,
    domain: math, license: mit}`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(None, description="a source named in prompts/sources")
    path: Path | None = Field(None, description="local file or folder; with `name`, its copy")
    revision: str = Field("", description="Hub commit or branch to read in place of the source's")
    columns: Mapping[str, str] = Field(
        {}, description="what a wanted column is called in the rows: wanted name to name there"
    )
    reference_kind: ReferenceKind | None = Field(
        None, description="kind of reference of a file's rows that name none"
    )
    domain: Domain | None = Field(None, description="domain of a file's rows that name none")
    license: str = Field("unknown", description="licence of a file that is no known source")
    split: Literal["as_marked", "train", "test"] = Field(
        "as_marked", description="which split rows go to; as_marked: the row says, else train"
    )
    rows: int | None = Field(
        None, ge=1, description="rows read at most, from the first; of a maker, rows made"
    )
    assistant: str = Field("", description="name the model gives itself, for self-cognition")
    limit: int | None = Field(None, ge=0, description="at most this many train prompts")
    test_limit: int | None = Field(None, ge=0, description="at most this many test prompts")

    @model_validator(mode="after")
    def _makes_sense(self) -> "SourceChoice":
        if self.name is None and self.path is None:
            raise ValueError("give a source a name, a path or both")
        if self.name is not None and self.reference_kind is not None:
            raise ValueError("reference_kind: a named source knows its own; it is for `path` alone")
        if self.path is not None and self.revision:
            raise ValueError("revision: a local file has none; it is for a source from the Hub")
        self._refuse_unknown_columns()
        return self

    def _refuse_unknown_columns(self) -> None:
        source = SOURCES.get(self.name or "")
        wanted = source.columns + source.also if source else starter.COLUMNS + starter.ALSO
        unknown = [column for column in self.columns if column not in wanted]
        if unknown and (source or not self.name):
            near = get_close_matches(unknown[0], wanted, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"columns: nothing reads a column {unknown[0]!r}.{hint} Wanted are "
                f"{', '.join(wanted)}; each is followed by its name in the rows"
            )

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


def source_of(choice: SourceChoice) -> Source | None:
    """The named source a choice reads, or None where it is a file in the project's own columns."""
    return source_named(choice.name) if choice.name else None


def license_of(choice: SourceChoice) -> str:
    """The licence the prompts of a choice carry."""
    source = source_of(choice)
    return source.license if source else choice.license


def rows_of_choice(choice: SourceChoice, seed: int = 0) -> Iterator[RawRow]:
    """The rows of a choice as read, in order, no more than `choice.rows`; reads as it goes.

    `seed` is for sources that make their rows. Raises PrerequisiteError when the source cannot be
    read, or none of the first 100 rows has a column it needs.
    """
    source = source_of(choice)
    columns = _there(choice, source.columns) if source else ()
    also = _there(choice, source.also) if source else ()
    if choice.path is not None:
        rows = rows_in_file(choice.path, columns, also)
    else:
        assert source is not None, "a choice without a path has a name"
        wanted = Wanted(choice.rows or source.rows_hint, seed, choice.assistant)
        rows = rows_of(replace(source, columns=columns, also=also), wanted, choice.revision)
    first = list(islice(rows, LOOKED_AT))
    if missing := _missing_columns(choice, {name for row in first for name in row.values}):
        raise PrerequisiteError(missing)
    return islice(chain(first, rows), choice.rows)


def draft_of(choice: SourceChoice, row: RawRow) -> Draft:
    """A row of a choice as a checked draft, its domain and split settled.

    Raises RowError with the reason when no prompt can be made of the row.
    """
    if row.reason:
        raise RowError(row.reason)
    source = source_of(choice)
    values = _renamed(choice, row.values)
    if source is None and choice.reference_kind and not values.get("reference_kind"):
        values = {**values, "reference_kind": choice.reference_kind}
    draft = check(source.to_draft(values) if source else starter.to_draft(values))
    domain = draft.domain or choice.domain or (source.domain if source else "")
    if not domain:
        raise RowError(
            "no domain: add a column domain to the rows (math, code, science, puzzle or general), "
            "or give `domain` beside the file's path"
        )
    split = choice.split if choice.split != "as_marked" else draft.split or "train"
    solution = draft.solution[:MOST_SOLUTION_CHARACTERS]
    return replace(draft, domain=domain, split=split, solution=solution)


def nothing_usable(choice: SourceChoice, reasons: Counter[str], first: RejectedRow | None) -> str:
    """What to tell the user when no row of a choice became a prompt.

    `reasons` counts the rejected rows by reason, `first` is the first of them.
    """
    if first is None:
        return f"{choice.where} has no rows"
    reason, count = reasons.most_common(1)[0]
    return (
        f"no row of {choice.where} can be used; {count:,} of {reasons.total():,}: {reason} "
        f"(the first is line {first.line}, {first.reason}: {first.text!r})"
    )


def _there(choice: SourceChoice, columns: Sequence[str]) -> tuple[str, ...]:
    """What columns are called in the rows of a choice."""
    return tuple(choice.columns.get(column, column) for column in columns)


def _renamed(choice: SourceChoice, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row under the names its source wants; a column that stands in is not read twice."""
    if not choice.columns:
        return values
    taken = set(choice.columns.values())
    kept = {name: value for name, value in values.items() if name not in taken}
    found = {name: values[there] for name, there in choice.columns.items() if there in values}
    return {**kept, **found}


def _missing_columns(choice: SourceChoice, columns: Collection[str]) -> str:
    """What to tell the user where a column no draft can do without is not there; else ""."""
    source = source_of(choice)
    if source is None:
        # A rubric may be empty, so a row of our own format can do without a reference.
        needed: tuple[str, ...] = ("question", "reference_kind")[
            : 1 if choice.reference_kind else 2
        ]
    else:
        needed = source.columns
    missing = [column for column in _there(choice, needed) if column not in columns]
    if not columns or not missing:
        return ""
    fix = f"`columns: {{{needed[0]}: …}}` in the recipe says what they are called there"
    if choice.path is None:
        fix += ", `revision` names a commit that has them"
    elif source is None:
        fix += ", `name` the source the file comes from"
    return (
        f"{choice.where} has no column {', '.join(missing)}; it has {', '.join(sorted(columns))}. "
        f"Where they go by other names, {fix}"
    )
