"""Gather: every row of every source as a prompt in a chunk file, or as a rejected row.

Workers turn chunks of rows into prompts (the source's mapping, checks, normal text, marks,
language) with all that later steps need, and write them to a work folder; this process keeps one
short line a prompt, the ledger.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from prompts.chunks import CHUNK_ROWS, in_chunks
from prompts.duplicates.dedup import Signatures, signatures
from prompts.errors import PrerequisiteError
from prompts.parquet import schema_of, table_of
from prompts.record import Prompt
from prompts.settings import PromptsRecipe
from prompts.sources.choice import (
    SourceChoice,
    draft_of,
    license_of,
    nothing_usable,
    rows_of_choice,
    source_of,
)
from prompts.sources.draft import Draft, RowError, check_message, prompt_of
from prompts.sources.jsonl import SHOWN_CHARACTERS, RawRow, RejectedRow
from prompts.sources.options import with_options
from prompts.template import shows_options
from prompts.text.language import languages
from prompts.text.marks import marks_of
from prompts.text.normalise import normalise
from prompts.workers import in_workers

# Rows that a program makes take it some milliseconds each.
MADE_ROWS = 250

PROMPTS = schema_of(Prompt)
CHUNK = PROMPTS.append(pa.field("solution", pa.string()))
REJECTED = schema_of(RejectedRow)

# Kinds of references that can be as long as a worked solution.
_WRITTEN_OUT = ("unit_tests", "rubric", "short_answer")

# What of a prompt the decisions about it need; all else stays in the chunk files.
LEDGER = (
    *("prompt_id", "domain", "source", "license", "split", "reference_kind"),
    *("difficulty", "language", "marks"),
)


_EMPTY = pa.schema(
    [*(PROMPTS.field(name) for name in LEDGER), ("choice", pa.int32())]
).empty_table()


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk in the work folder: `prompts` rows from `first_row` of the ledger on."""

    number: int
    folder: Path
    first_row: int
    prompts: int

    def table(self) -> pa.Table:
        """Its prompts with their solutions, in file order."""
        return _read(self.folder / f"{self.number:06d}.arrow")

    def rejected(self) -> pa.Table:
        """Its rejected rows."""
        return _read(self.folder / f"{self.number:06d}-rejected.arrow")

    def signatures(self) -> Signatures:
        """What its prompts' duplicates are found by."""
        return Signatures.load(self.folder / f"{self.number:06d}-signatures")


@dataclass(frozen=True, slots=True)
class Gathered:
    """All rows of all sources, `rows_read` of them.

    `ledger` has a row a prompt: the columns of LEDGER and `choice`, the number of the recipe's
    source that read it. `rejected` counts rows by (choice, reason).
    """

    rows_read: int
    chunks: list[Chunk]
    ledger: pa.Table
    rejected: Counter[tuple[int, str]]


# Why no answer to a prompt of this reference_kind and reference could be graded; "" where it could.
# Called in workers: a function of a module.
Ungradable = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class _Job:
    number: int
    position: int
    choice: SourceChoice
    rows: list[RawRow]
    semantic: bool
    ungradable: Ungradable
    folder: Path


@dataclass(frozen=True, slots=True)
class _Made:
    """What came of a chunk of rows."""

    job: int
    position: int
    rows: int
    ledger: pa.Table
    reasons: Counter[str]
    first_rejected: RejectedRow | None


def gather(
    recipe: PromptsRecipe,
    folder: Path,
    workers: int,
    ungradable: Ungradable,
    on_rows: Callable[[int], None],
) -> Gathered:
    """Read the sources into chunk files in the folder; `on_rows` is told of rows as they are done.

    A row of which `ungradable` gives a reason is rejected for it. Raises PrerequisiteError for
    unknown sources, unreadable files, missing columns, and a source none of whose rows can be used.
    """
    sources = recipe.sources
    for choice in sources:  # what is gated or renamed in the last is told before the first is read
        rows_of_choice(choice, recipe.seed)
    chunks: list[Chunk] = []
    ledgers: list[pa.Table] = []
    rejected: Counter[tuple[int, str]] = Counter()
    firsts: dict[int, RejectedRow | None] = {}
    prompts = rows = 0
    for made in in_workers(_make_chunk, _jobs(recipe, folder, ungradable), workers):
        chunks.append(Chunk(made.job, folder, prompts, made.ledger.num_rows))
        ledgers.append(made.ledger)
        prompts += made.ledger.num_rows
        rows += made.rows
        rejected.update({(made.position, why): many for why, many in made.reasons.items()})
        firsts.setdefault(made.position, made.first_rejected)
        on_rows(made.rows)
    ledger = pa.concat_tables(ledgers) if ledgers else _EMPTY
    used = set(ledger["choice"].to_pylist())
    for position, choice in enumerate(sources):
        if position not in used:
            reasons = Counter({why: n for (at, why), n in rejected.items() if at == position})
            raise PrerequisiteError(nothing_usable(choice, reasons, firsts.get(position)))
    return Gathered(rows, chunks, ledger, rejected)


def _jobs(recipe: PromptsRecipe, folder: Path, ungradable: Ungradable) -> Iterator[_Job]:
    number, semantic = 0, recipe.dedup.semantic is not None
    for position, choice in enumerate(recipe.sources):
        source = source_of(choice)
        most = MADE_ROWS if source and source.make else CHUNK_ROWS
        for rows in in_chunks(rows_of_choice(choice, recipe.seed), most):
            yield _Job(number, position, choice, rows, semantic, ungradable, folder)
            number += 1


def _make_chunk(job: _Job) -> _Made:
    """In a worker: rows to prompts, with what is needed to find their duplicates."""
    drafts: list[Draft] = []
    rejected: list[RejectedRow] = []
    for row in job.rows:
        try:
            draft = _normal(draft_of(job.choice, row))
            if reason := job.ungradable(draft.reference_kind, draft.reference):
                raise RowError(reason)
            drafts.append(draft)
        except RowError as error:
            text = (row.text or str(row.values))[:SHOWN_CHARACTERS]
            rejected.append(RejectedRow(job.choice.where, row.line, str(error), text))
    table = _prompts(job.choice, drafts)
    name = f"{job.number:06d}"
    _write(job.folder / f"{name}.arrow", table)
    _write(job.folder / f"{name}-rejected.arrow", table_of(rejected, RejectedRow))
    domains = table["domain"].to_pylist()
    answers = [draft.reference for draft in drafts]
    signed = signatures([d.question for d in drafts], domains, job.semantic, answers)
    signed.save(job.folder / f"{name}-signatures")
    position = pa.array([job.position] * table.num_rows, pa.int32())
    ledger = table.select(list(LEDGER)).append_column("choice", position)
    reasons = Counter(row.reason for row in rejected)
    first = rejected[0] if rejected else None
    return _Made(job.number, job.position, len(job.rows), ledger, reasons, first)


def _normal(draft: Draft) -> Draft:
    """The draft with the question as it will be asked, options included: with others it would be
    another question.

    RowError where nothing is left of it, or where it would end the message it is asked in.
    """
    question = normalise(draft.question)
    if not question:
        raise RowError("no question")
    check_message(replace(draft, question=question))
    if draft.reference_kind == "choice" and not shows_options(question, draft.choices):
        question = with_options(question, draft.choices)
    return replace(draft, question=question)


def _prompts(choice: SourceChoice, drafts: list[Draft]) -> pa.Table:
    found = languages([draft.question for draft in drafts])
    named = choice.label, license_of(choice)
    prompts = [
        prompt_of(draft, *named, language, marks_of(draft))
        for draft, language in zip(drafts, found, strict=True)
    ]
    table = table_of(prompts, Prompt)
    return table.append_column("solution", pa.array([_solution(d) for d in drafts], pa.string()))


def _solution(draft: Draft) -> str:
    """The text in which an answer could give a benchmark away."""
    if draft.reference_kind not in _WRITTEN_OUT or draft.reference in draft.solution:
        return draft.solution
    return f"{draft.solution}\n{draft.reference}".strip()


def _write(path: Path, table: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _read(path: Path) -> pa.Table:
    with pa.OSFile(str(path), "rb") as source:
        return pa.ipc.open_file(source).read_all()
