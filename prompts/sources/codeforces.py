"""open-r1/codeforces: problems of CodeForces with limits, official tests and checkers.

The config `verifiable` is read: problems that can be run and have tests enough. Those with several
right answers have a checker that a model wrote and the set's authors validated. Long official tests
are cut off at the site and left out of the set, and its generated tests (110 GB) are files of their
own, not read here: a problem without all its official tests needs five of them. The test split
holds the contests of late 2024 on, which the authors ask nobody to train on.
"""

from collections.abc import Mapping
from typing import Any

from prompts.difficulty import by_rating
from prompts.sources import contest
from prompts.sources.codeforces_checker import wrapped
from prompts.sources.draft import Draft, RowError, text_if_any, text_of
from prompts.sources.source import Source

LEAST_TESTS = 5
_MIB = 2**20
# As the site lays a statement out.
_SECTIONS = (("Input", "input_format"), ("Output", "output_format"), ("Note", "note"))


def to_draft(row: Mapping[str, Any], all_tests: bool = False) -> Draft:
    """`{"description": "…", "official_tests": [{"input": "1\n", "output": "2\n"}], …}`."""
    if row.get("interaction_format"):
        raise RowError("interactive")
    if row.get("input_mode") == "file":
        raise RowError("reads or writes a file")
    question, tests = _statement(row), _tests(row)
    if len(tests) < LEAST_TESTS and not row.get("official_tests_complete"):
        raise RowError("too few tests")
    memory = contest.number_in(row.get("memory_limit"))
    checker = row.get("generated_checker")
    reference = contest.reference(
        question,
        tests,
        seconds=contest.number_in(row.get("time_limit")),
        memory_bytes=memory * _MIB if memory else None,
        checker=wrapped(checker) if isinstance(checker, str) and checker.strip() else "",
        all_tests=all_tests,
    )
    return Draft(
        question,
        "program",
        reference,
        difficulty=by_rating(row.get("rating")),
        solution=text_if_any(row, "editorial"),
    )


def _statement(row: Mapping[str, Any]) -> str:
    parts = [text_of(row, "description")]
    for title, column in _SECTIONS[:2]:
        if row.get(column):
            parts.append(f"{title}\n\n{text_of(row, column)}")
    for example in _tests(row, "examples"):
        parts += ["Example input", example["input"], "Example output", example["output"]]
    title, column = _SECTIONS[2]
    if row.get(column):
        parts.append(f"{title}\n\n{text_of(row, column)}")
    return "\n\n".join(part.strip() for part in parts)


def _tests(row: Mapping[str, Any], column: str = "official_tests") -> list[contest.Case]:
    tests = row.get(column) or []
    if not isinstance(tests, list) or not all(isinstance(test, Mapping) for test in tests):
        raise RowError(f"{column} is not a list of tests")
    return contest.pairs([t.get("input") for t in tests], [t.get("output") for t in tests])


SOURCE = Source(
    id="open-r1/codeforces",
    revision="fbe3f6e903ee854eec2e69e9d96d0306cde59baf",
    config="verifiable",
    license="CC-BY-4.0",
    domain="code",
    columns=("description", "official_tests"),
    also=(
        "input_format",
        "output_format",
        "interaction_format",
        "note",
        "examples",
        "editorial",
        "rating",
        "time_limit",
        "memory_limit",
        "official_tests_complete",
        "input_mode",
        "generated_checker",
    ),
    rows_hint=8_338,
    to_draft=to_draft,
    checked_by="official tests, by a checker where answers differ",
)
