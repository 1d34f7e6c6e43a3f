"""Contest problems: the reference of a `program` prompt, from what sets of problems hold.

    {"tests": [{"input": "1 2\n", "output": "3\n"}], "time_limit_s": 2.0}
    {"tests": [{"arguments": [[2, 7], 9], "one_of": [[0, 1]]}], "function": "Solution.twoSum"}

filters/programs/problem.py reads it. A set without checkers can only be judged by comparing
outputs, so its problems with several right answers are refused here.
"""

import json
import re
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from prompts.sources.draft import RowError, json_of

# More tests than this only cost sandbox time: a wrong program fails one of the first.
MOST_TESTS = 60
# Of one problem; sets average 200 kB and reach 100 MB, and each prompt carries its own.
MOST_TEST_CHARACTERS = 1_000_000
# Without a limit of its own, a problem gets the judge's; limits beyond these are misprints.
LEAST_SECONDS, MOST_SECONDS = 0.1, 60.0
LEAST_MEMORY_BYTES, MOST_MEMORY_BYTES = 4 * 2**20, 4 * 2**30

_SAY = r"\b(?:print|output|return|find|give|choose|report|display|provide)\b"
_SEVERAL = (
    r"\b(?:multiple|several|many|more than one)(?:\s+\w+){0,3}\s+(?:answer|solution|output)s?"
)
_ANY = re.compile(
    rf"{_SAY}\s+any\b|{_SAY}(?:\s+\w+){{1,3}}\s+any(?:\s+(?:one\s+)?(?:of|valid|correct|suitable|such|possible)\b"
    rf"|\s*[.,;)]|\Z)|{_SAY}[^.\n]{{0,80}}\bin any order\b|{_SEVERAL}[^.\n]{{0,60}}\bany\b"
    r"|\bany\s+(?:valid|correct)\s+(?:answer|output|solution)",
    re.IGNORECASE,
)
_TOLERANCE = re.compile(
    r"\b(?:absolute|relative)\b[^.]{0,30}\berror\b|\bprecision of\b", re.IGNORECASE
)
# `10^{-6}` as far behind as a formula of the error is long; `1e-6` and `0.001` right behind only.
_POWER = re.compile(r"10\s*(?:\^|\*\*)?\s*\{?\s*[-−–]\s*(?P<power>\d{1,2})")
_ERROR = re.compile(rf"{_POWER.pattern}|\b1[eE]-(?P<e>\d{{1,2}})\b|\b0\.(?P<zeros>0{{1,11}})1\b")
_POWER_WITHIN, _ERROR_WITHIN = 200, 60
_INTERACTIVE = re.compile(
    r"\binteractive (?:problem|task)|\b(?:problem|task) is interactive\b|\binteractor\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,6})?")

Case = Mapping[str, Any]


def reference(
    question: str,
    tests: Iterable[Case],
    *,
    function: str = "",
    seconds: float | None = None,
    memory_bytes: float | None = None,
    checker: str = "",
    all_tests: bool = False,
) -> str:
    """The reference as JSON: tests in their order, each once, up to 60 and a million characters
    unless `all_tests` are wanted, as for a score: the last ones tell slow programs from fast ones.

    `checker` is a program as open-r1/codeforces has them (codeforces_checker.py); without one,
    RowError where the question takes several answers. Also where no test is left, or where it is
    interactive: its tests are no input. Where it allows an error, numbers are compared with that
    tolerance (1e-6 where none is named).
    """
    if _INTERACTIVE.search(question):
        raise RowError("interactive")
    if not checker and several_answers(question):
        raise RowError("several right answers and no checker")
    room = (inf, inf) if all_tests else (MOST_TESTS, MOST_TEST_CHARACTERS)
    problem: dict[str, Any] = {"tests": _fitting(tests, *room)}
    if function:
        problem |= {"function": function, "languages": ["python"]}  # which its tests call
    elif not checker and (allowed := _TOLERANCE.search(question)):
        problem |= {"compare": "floats", "tolerance": _tolerance(question, allowed)}
    if seconds is not None and LEAST_SECONDS <= seconds <= MOST_SECONDS:
        problem["time_limit_s"] = seconds
    if memory_bytes is not None and LEAST_MEMORY_BYTES <= memory_bytes <= MOST_MEMORY_BYTES:
        problem["memory_limit_bytes"] = int(memory_bytes)
    if checker:
        problem["checker"] = {"language": "python", "protocol": "python", "code": checker}
    return json.dumps(problem, ensure_ascii=False)


def _tolerance(question: str, allowed: re.Match[str]) -> float:
    """The error named where one is allowed: 1e-6 of `error does not exceed 10^{-6}`."""
    start, end = allowed.span()
    if near := _ERROR.search(question, start, end + _ERROR_WITHIN):
        return 10.0 ** -int(near["power"] or near["e"] or len(near["zeros"]) + 1)
    far = _POWER.search(question, start, end + _POWER_WITHIN)
    return 10.0 ** -int(far["power"]) if far else 1e-6


def several_answers(question: str) -> bool:
    """Whether a statement says that more than one output is right: `print any of them`."""
    return _ANY.search(question) is not None


def _fitting(tests: Iterable[Case], most: float, left: float) -> list[Case]:
    """The first tests, `most` of them, in so many characters as are `left`."""
    kept: dict[str, Case] = {}
    reason = "no tests"
    for test in tests:
        text = json_of(test, "a test")
        if len(kept) == most:
            break
        if text not in kept and len(text) <= left:
            kept[text] = test
            left -= len(text)
        reason = "tests too long"
    if not kept:
        raise RowError(reason)
    return list(kept.values())


def pairs(inputs: Any, outputs: Any) -> list[Case]:
    """Two lists of texts, or of lists of lines, as tests; RowError where they are no such lists."""
    if not isinstance(inputs, list) or not isinstance(outputs, list):
        raise RowError("no tests")
    if len(inputs) != len(outputs):
        raise RowError("inputs and outputs do not pair")
    return [
        {"input": _text(given), "output": _text(expected)}
        for given, expected in zip(inputs, outputs, strict=True)
    ]


def _text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in value)
    if not isinstance(value, str):
        raise RowError("a test that is no text")
    return value


def number_in(value: Any) -> float | None:
    """The number a limit says: 2.5 of `2.5`, `"2.5 seconds"`; None where it says none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < 1e12 else None
    found = _NUMBER.search(value[:100]) if isinstance(value, str) else None
    return float(found[0]) if found else None
