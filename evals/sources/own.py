"""Rows of one's own as items: the project's columns, or others that are told."""

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import islice

from evals.sources.reading import Reading
from filters.programs.problem import parse_problem
from filters.verifiers.puzzle import KINDS, read_puzzle
from prompts.counted import counted
from prompts.record import Domain
from prompts.sources.choice import LOOKED_AT, SourceChoice, draft_of
from prompts.sources.draft import Draft, RowError, text_if_any
from prompts.sources.jsonl import RawRow
from prompts.sources.load import rows_in_file

# The domain of a row that names none; a word, a phrase or a rubric can be of any.
DOMAIN_OF: dict[str, Domain] = {
    "math_answer": "math",
    "unit_tests": "code",
    "program": "code",
    "choice": "science",
    "quantity": "science",
    "puzzle": "puzzle",
}
# A row with one of these is sent as it stands, and needs no question.
_SENT = ("prompt", "messages")
# Rows that cannot be asked are told one by one up to so many.
_SHOWN = 5


@dataclass(slots=True)
class BadRows:
    """Rows that cannot be asked or graded, as they are met: the first few, and how many in all."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, what: str) -> None:
        """One more; `what` names the row and what is wrong with it."""
        self.count += 1
        if self.count <= _SHOWN:
            self.first.append(what)

    def told(self, where: str) -> str:
        """What to tell the user; `where` is what the rows are of."""
        lines = [f"{counted(self.count, 'row')} of {where} cannot be asked:", *self.first]
        lines += [f"and {self.count - _SHOWN:,} more"] * (self.count > _SHOWN)
        return "\n  ".join(lines)


def read_own(own: SourceChoice, row: RawRow) -> Reading:
    """A row as its question, grouped by domain; RowError says why it cannot be one, or not graded
    by a rule."""
    if own.domain is None:
        own = own.model_copy(update={"domain": DOMAIN_OF.get(_kind_of(own, row))})
    draft = draft_of(own, row)
    _check_gradable(draft)
    return Reading(draft, "", draft.domain)


def _check_gradable(draft: Draft) -> None:
    """RowError where every answer would come out undecided."""
    if draft.reference_kind == "rubric":
        raise RowError("an open question has no answer to grade, and no judge is asked here")
    if draft.reference_kind == "puzzle" and read_puzzle(draft.reference) is None:
        raise RowError(f"reference is no puzzle of {', '.join(KINDS)}")
    if draft.reference_kind == "program":
        try:
            parse_problem(draft.reference)
        except ValueError as error:
            raise RowError(f"reference: {error}") from None


def missing_columns(own: SourceChoice) -> str:
    """What of a local file's columns is not there, and how to say what it is called; else "".

    Those that every item needs are looked for in the first rows, those that were told in all.
    """
    assert own.path is not None, "rows of one's own lie in a file"
    rows = rows_in_file(own.path)
    first = list(islice(rows, LOOKED_AT))
    there = {name for row in first for name in row.values}
    needed = ["question"] if own.reference_kind else ["question", "reference_kind"]
    if any(_kind_of(own, row) not in ("", "rubric") for row in first):  # whose may be left out
        needed.append("reference")
    if not own.columns and not there.isdisjoint(_SENT):
        return _nothing_to_grade_by(own, there)
    if not there:
        return ""
    told = set(own.columns.values()) - there
    while told and (row := next(rows, None)) is not None:
        told -= row.values.keys()
    names = [own.columns.get(name, name) for name in needed]
    missing = sorted(told) + [name for name in names if name not in there | told]
    if not missing:
        return ""
    of_one_kind = "reference_kind" in missing
    what, columns = "What they are called there", "question: …"
    if of_one_kind and len(missing) == 1:
        what = "A kind that all rows have"
        columns = ", ".join(f"{ours}: {theirs}" for ours, theirs in own.columns.items())
    fix = [f"where: {own.path}"]
    fix += [f"columns: {{{columns}}}"] * bool(columns)
    fix += ["reference_kind: math_answer"] * of_one_kind
    return (
        f"{own.path} has no column {', '.join(missing)}; it has {', '.join(sorted(there))}. "
        f"{what} is told as {{{', '.join(fix)}}}"
    )


def _nothing_to_grade_by(own: SourceChoice, there: Collection[str]) -> str:
    """What to tell the user where rows that are sent as they stand have no reference; else ""."""
    if not {"reference", "tests"}.isdisjoint(there):
        return ""
    fix = "give the column that has it this name"
    if "prompt" in there:  # put into a template then, as any question is
        columns = "columns: {question: prompt, reference: …}, reference_kind: math_answer"
        fix += f", or tell it as {{where: {own.path}, {columns}}}"
    return (
        f"{own.path} has no column reference (or tests) to grade an answer by; it has "
        f"{', '.join(sorted(there))}. Where it goes by another name, {fix}"
    )


def _kind_of(own: SourceChoice, row: RawRow) -> str:
    """The kind of reference a row names, or that is given for those that name none."""
    column = own.columns.get("reference_kind", "reference_kind")
    return text_if_any(row.values, column) or own.reference_kind or ""
