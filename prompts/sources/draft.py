"""A Draft: what a source's row says, before it becomes a Prompt; checked in one place."""

import ast
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from prompts.errors import nearest
from prompts.record import REFERENCE_KINDS, Domain, Prompt, ReferenceKind, Split, prompt_id
from prompts.template import ends_message

LETTERS = "ABCDEFGHIJ"
# 100,000 characters is longer than any contest statement; beyond it a row is a broken line.
MAX_QUESTION_CHARACTERS = 100_000
# No answer of this length can be compared; problems, puzzles, solutions and rubrics may be longer.
MAX_ANSWER_CHARACTERS = 2_000
MAX_TESTS_CHARACTERS = 1_000_000

_ANSWERS = ("math_answer", "quantity", "short_answer")
_NUMBER_FIRST = re.compile(r"[-+]?[\d.]")


class RowError(Exception):
    """This row cannot become a prompt; the message is the reason, a short closed phrase."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A question with its reference, as one row of a source gave it.

    `split` is `train`, `test` or "" where the source does not say; `domain` is "" where the
    source's own domain holds. `solution` is the source's worked solution, looked through for
    contamination and then left behind; `marks` are what the source itself says against the row.
    """

    question: str
    reference_kind: str
    reference: str
    tests: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    difficulty: str = ""
    language: str = ""
    split: str = ""
    domain: str = ""
    solution: str = ""
    starter_code: str = ""
    marks: tuple[str, ...] = ()


def text_of(row: Mapping[str, Any], column: str) -> str:
    """The text in a column, stripped; raises RowError when it is missing, empty or no text.

    A number is its digits; one that is not finite is missing, since tables say so by NaN.
    """
    value = row.get(column)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        raise RowError(f"no {column}")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowError(f"{column} is not text")
    text = str(value).strip()
    if not text:
        raise RowError(f"no {column}")
    return text


def text_if_any(row: Mapping[str, Any], column: str) -> str:
    """The text in a column as `text_of` reads it; "" where there is none."""
    try:
        return text_of(row, column)
    except RowError:
        return ""


def texts_of(row: Mapping[str, Any], column: str) -> tuple[str, ...]:
    """The list of texts in a column, () when absent; raises RowError for anything else.

    In a CSV file a list is written as JSON: `["red", "green"]`.
    """
    value = row.get(column)
    if value is None or value == "":
        return ()
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _json_in(value)
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise RowError(f"{column} is not a list of texts")
    return tuple(value)


def json_of(value: Any, what: str) -> str:
    """A value as JSON text; RowError, which names what it is, where it holds other things.

    Parquet has bytes and dates, and a value may be nested deeper than can be written.
    """
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise RowError(f"{what} is not JSON") from error


def _json_in(text: str) -> Any:
    """The value JSON text holds; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def check(draft: Draft) -> Draft:
    """The draft itself when a verifier can work with it; raises RowError otherwise."""
    if draft.reference_kind not in REFERENCE_KINDS:
        known = nearest(draft.reference_kind, REFERENCE_KINDS)
        raise RowError(f"unknown reference_kind {draft.reference_kind!r}; {known}")
    if not draft.question.strip():
        raise RowError("no question")
    if len(draft.question) > MAX_QUESTION_CHARACTERS:
        raise RowError("question too long")
    if not draft.reference.strip() and draft.reference_kind != "rubric":
        raise RowError("no reference")
    if draft.split not in ("", "train", "test"):
        raise RowError("unknown split; known: train, test")
    _check_characters(draft)
    _check_reference(draft)
    return draft


def check_message(draft: Draft) -> None:
    """RowError where a draft would end the message it is asked in."""
    if any(map(ends_message, (draft.question, draft.starter_code, *draft.choices))):
        raise RowError("holds a token that ends a message")


def prompt_of(
    draft: Draft, source: str, terms: str, language: str, marks: tuple[str, ...] = ()
) -> Prompt:
    """A checked draft whose domain and split are settled as a prompt; `terms` are its licence,
    `language` that of a question whose row names none."""
    domain = cast(Domain, draft.domain)
    return Prompt(
        prompt_id=prompt_id(domain, draft.question),
        domain=domain,
        source=source,
        license=terms,
        split=cast(Split, draft.split),
        question=draft.question,
        reference_kind=cast(ReferenceKind, draft.reference_kind),
        reference=draft.reference,
        tests=draft.tests,
        choices=draft.choices,
        aliases=draft.aliases,
        difficulty=draft.difficulty,
        language=draft.language or language,
        starter_code=draft.starter_code,
        marks=marks,
    )


def _check_characters(draft: Draft) -> None:
    """RowError where half a character stands, as JSON within a column can bring it: no file can."""
    texts = (draft.question, draft.reference, draft.solution, draft.starter_code, draft.difficulty)
    try:
        "".join((*texts, *draft.tests, *draft.choices, *draft.aliases)).encode()
    except UnicodeEncodeError as error:
        raise RowError("lone surrogate") from error


def _check_reference(draft: Draft) -> None:
    if draft.reference_kind in _ANSWERS and len(draft.reference) > MAX_ANSWER_CHARACTERS:
        raise RowError("reference too long")
    if draft.reference_kind == "unit_tests":
        if not draft.tests:
            raise RowError("no tests")
        if sum(map(len, draft.tests)) > MAX_TESTS_CHARACTERS:
            raise RowError("tests too long")
        _check_python("reference", draft.reference)
        _check_python("tests", "\n".join(draft.tests))
    elif draft.reference_kind == "choice":
        if len(draft.choices) < 2:
            raise RowError("fewer than two choices")
        if draft.reference not in tuple(LETTERS[: len(draft.choices)]):
            raise RowError("reference is not the letter of a choice")
    elif draft.reference_kind == "quantity" and not _NUMBER_FIRST.match(draft.reference):
        raise RowError("quantity does not begin with a number")
    elif draft.reference_kind == "puzzle" and not isinstance(_member(draft, "kind"), str):
        raise RowError("puzzle is not a JSON object with a kind")
    elif draft.reference_kind == "program" and not _member(draft, "tests"):
        raise RowError("program is not a JSON object with tests")


def _member(draft: Draft, name: str) -> Any:
    """What the reference holds under a name; None where it is no JSON object that has it."""
    value = _json_in(draft.reference)
    return value.get(name) if isinstance(value, dict) else None


def _check_python(column: str, source: str) -> None:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RowError(f"{column} is not Python") from error
