r"""Prompts of a file as they are asked: JSONL, JSON, CSV or Parquet, one a row.

    {"prompt": "What is 3 + 4? Answer within \\boxed{}.", "reference": "7", "domain": "math"}
    {"messages": [{"role": "user", "content": "Hello"}], "prompt_id": "hello"}

Either `prompt` (the text, sent as it stands) or `messages`; all else may be left out: `prompt_id`,
`domain`, `reference`, `reference_kind`, `tests`, `choices`, `aliases`, `difficulty`, `language`,
`license`. A prompt without a reference has an empty one.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from filters.programs.problem import parse_problem
from filters.reference_kind import kind_of
from flows.progress import plain
from prompts.errors import PrerequisiteError, nearest
from prompts.record import (
    DOMAINS,
    REFERENCE_KINDS,
    Domain,
    Prompt,
    ReferenceKind,
    prompt_id,
)
from prompts.sources.draft import Draft, RowError, check, text_of, texts_of
from prompts.sources.jsonl import SHOWN_CHARACTERS
from prompts.sources.load import rows_in_file
from teacher.ask import Ask

ROLES = ("system", "developer", "user", "assistant")
# What a reference is taken for in each domain, where the row does not say and no rule below does.
REFERENCE_KIND: dict[str, ReferenceKind] = {
    "math": "math_answer",
    "code": "unit_tests",
    "science": "short_answer",
    "puzzle": "short_answer",
    "general": "short_answer",
}
SHOWN_PROBLEMS = 10
LONGEST_ID = 200

_NUMBER = re.compile(r"[-+]?\d[\d,]*(\.\d+)?(/\d+)?%?")
_STARTS_WITH_NUMBER = re.compile(r"[-+]?\.?\d")


def asks_in_file(path: Path) -> list[Ask]:
    """All prompts of a file, in order, each with its messages.

    Raises PrerequisiteError that names file and line of what is wrong, the first ten of them: a row
    that cannot be asked, a prompt_id that comes twice, a file without rows.
    """
    if not path.is_file():
        raise PrerequisiteError(f"--prompts {path}: there is no such file")
    asks: list[Ask] = []
    problems: list[str] = []
    line_of: dict[str, int] = {}
    for line, ask in _rows(path, problems):
        first = line_of.setdefault(ask.prompt.prompt_id, line)
        if first != line:
            problems.append(f"{path}:{line}: {_twice(ask.prompt.prompt_id, first)}")
        else:
            asks.append(ask)
    if problems:
        more = len(problems) - SHOWN_PROBLEMS
        shown = problems[:SHOWN_PROBLEMS] + ([f"and {more:,} more"] if more > 0 else [])
        raise PrerequisiteError(
            f"{len(problems):,} of the rows cannot be asked; nothing was sent:\n  "
            + "\n  ".join(shown)
        )
    if not asks:
        raise PrerequisiteError(f"--prompts {path}: the file holds no prompts")
    return asks


def has_reference(prompt: Prompt) -> bool:
    """Whether there are rules to grade an answer by: a reference (no rubric), or tests."""
    return prompt.reference_kind != "rubric" and bool(prompt.reference or prompt.tests)


def ask_of(row: Mapping[str, Any], source: str) -> Ask:
    """One row as it is asked; raises RowError with what is wrong with it."""
    messages = _messages(row)
    question = next(m["content"] for m in reversed(messages) if m["role"] == "user")
    domain = _text(row, "domain") or ("code" if row.get("tests") else "general")
    if domain not in DOMAINS:
        raise RowError(f"unknown domain {domain!r}; {nearest(domain, DOMAINS)}")
    draft = Draft(
        question=question,
        reference_kind="",
        reference=_text(row, "reference"),
        tests=texts_of(row, "tests"),
        choices=texts_of(row, "choices"),
        aliases=texts_of(row, "aliases"),
        difficulty=_text(row, "difficulty"),
        language=_text(row, "language") or "en",
        domain=domain,
    )
    kind = _text(row, "reference_kind") or _kind(draft)
    if kind not in REFERENCE_KINDS:
        raise RowError(f"unknown reference_kind {kind!r}; {nearest(kind, REFERENCE_KINDS)}")
    prompt = Prompt(
        prompt_id=_id(row, messages, domain),
        domain=cast(Domain, domain),
        source=source,
        license=_text(row, "license") or "unknown",
        split="train",
        question=question,
        reference_kind=cast(ReferenceKind, kind),
        reference=draft.reference,
        tests=draft.tests,
        choices=draft.choices,
        aliases=draft.aliases,
        difficulty=draft.difficulty,
        language=draft.language,
    )
    if has_reference(prompt):
        _check_reference(prompt)
    return Ask(prompt, messages)


def _rows(path: Path, problems: list[str]) -> Iterator[tuple[int, Ask]]:
    """Good rows with their line; what is wrong with the others is added to `problems`."""
    for row in rows_in_file(path):
        try:
            if row.reason:
                raise RowError(row.reason)
            yield row.line, ask_of(row.values, path.name)
        except RowError as error:
            problems.append(f"{path}:{row.line}: {error}")


def _twice(name: str, line: int) -> str:
    return (
        f"prompt_id {name!r} came on line {line} already: take one of the two out, or give each a "
        "prompt_id of its own (where none is given it follows from domain and text)"
    )


def _messages(row: Mapping[str, Any]) -> list[dict[str, str]]:
    prompt, messages = row.get("prompt"), row.get("messages")
    if prompt is not None and messages is not None:
        raise RowError("prompt and messages: give one of them")
    if messages is not None:
        return _checked_messages(messages)
    if prompt is None:
        columns = plain(", ".join(map(str, row)), SHOWN_CHARACTERS) or "none"
        raise RowError(f"no prompt and no messages; columns: {columns}")
    if not isinstance(prompt, str):
        raise RowError("prompt is not text (a list of messages goes into the column `messages`)")
    if not prompt.strip():
        raise RowError("prompt is empty")
    return [{"role": "user", "content": prompt}]


def _checked_messages(messages: Any) -> list[dict[str, str]]:
    if not isinstance(messages, list) or not messages:
        raise RowError("messages is not a list of {role, content}")
    checked = []
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise RowError(f"messages[{number}] has no role of {', '.join(ROLES)}")
        if not isinstance(message.get("content"), str) or not message["content"].strip():
            raise RowError(f"messages[{number}].content is not text")
        checked.append({"role": message["role"], "content": message["content"]})
    if checked[-1]["role"] != "user":
        raise RowError("the last of the messages is not the user's")
    return checked


def _id(row: Mapping[str, Any], messages: list[dict[str, str]], domain: str) -> str:
    """The row's own id, else one that follows from domain and text."""
    given = _text(row, "prompt_id")
    if given:
        if len(given) > LONGEST_ID or not given.isprintable():
            raise RowError(f"prompt_id must be printable and at most {LONGEST_ID} characters")
        return given
    one = len(messages) == 1
    return prompt_id(domain, messages[0]["content"] if one else json.dumps(messages))


def _kind(draft: Draft) -> str:
    """What the reference is taken for: choices and tests say it, then numbers, then the domain."""
    if draft.choices:
        return "choice"
    if draft.tests:
        return "unit_tests"
    if draft.domain == "science" and _STARTS_WITH_NUMBER.match(draft.reference):
        return kind_of(draft.reference, "science")
    if draft.domain == "puzzle" and kind_of(draft.reference, "puzzle") == "puzzle":
        return "puzzle"
    if draft.domain == "code" and draft.reference.startswith("{"):
        return "program"
    if draft.domain in ("puzzle", "general") and _NUMBER.fullmatch(draft.reference):
        return "math_answer"
    return REFERENCE_KIND[draft.domain]


def _check_reference(prompt: Prompt) -> None:
    """RowError unless a verifier can work with it. Tests need no reference solution."""
    if prompt.reference_kind == "program":
        _check_problem(prompt.reference)
    if prompt.reference_kind == "unit_tests" and not prompt.tests:
        raise RowError("a reference in code needs `tests`, a list of Python asserts")
    stand_in = "pass" if prompt.tests else ""
    check(
        Draft(
            prompt.question,
            prompt.reference_kind,
            prompt.reference or stand_in,
            prompt.tests,
            prompt.choices,
        )
    )


def _check_problem(reference: str) -> None:
    try:
        parse_problem(reference)
    except ValueError as error:
        raise RowError(f"reference: {error}") from None


def _text(row: Mapping[str, Any], column: str) -> str:
    """The text of a column, "" where there is none."""
    value = row.get(column)
    return "" if value is None or value == "" else text_of(row, column)
