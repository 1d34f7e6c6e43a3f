"""Write code.jsonl: one-function Python tasks, most of them in families with a parameter.

`python -m prompts.starter.make_code`. Each task states its function's name and has asserts made
by running the reference solution on fixed inputs. The words after the name are fewer than ten
in every family, so that no ten words in a row are shared between train and held-out questions.
"""

import re
from collections.abc import Sequence
from typing import Any

from prompts.starter.code_tasks import HARD, INPUTS, SINGLE
from prompts.starter.draw import Candidate, Family, write

NUMBERS = (0, 1, 5, 12, 30, -4)
WORDS = ("", "a", "cat", "banana", "Hello")
LISTS: tuple[list[int], ...] = ([], [1], [3, 1, 2], [10, -5, 7, 7], [0, 4, 8, 12, 20, 31])
LONG = (list(range(20)), list(range(40, 0, -2)), list("abcdefghijklmnopqrst"), [7] * 20)
# (train, test) prompts of a family where they are not (6, 2).
SHARES = {
    "plus": (8, 3),
    "minus": (8, 3),
    "times": (8, 3),
    "multiple": (5, 2),
    "starts": (4, 1),
    "count_item": (4, 1),
    "keep_over": (5, 2),
}
# Families the model solved less than half or almost none of the time; the others are easy.
LEVELS = {
    "at_least": "medium",
    "count_letter": "medium",
    "starts": "medium",
    "keep_over": "medium",
    "contains": "hard",
    "count_item": "hard",
}
TEXTS = ("apple pie", "banana", "xyz", "", "tree and sea")


def task(name: str, args: str, text: str, body: str, inputs: Sequence[Any]) -> Candidate:
    """One task; `inputs` are argument tuples, or single arguments when `args` is one name."""
    lines = [f"def {name}({args}):", *(f"    {line}" for line in body.split("\n"))]
    solution = "\n".join(lines)
    namespace: dict[str, Any] = {}
    exec(solution, namespace)  # our own text above, no model's output
    calls = [given if "," in args else (given,) for given in inputs]
    tests = [
        f"assert {name}({', '.join(map(repr, call))}) == {namespace[name](*call)!r}"
        for call in calls
    ]
    question = f"Write a Python function {name}({args}) that returns {text}."
    return Candidate(question, solution, _operation(args, body), tests=tuple(tests))


def _operation(args: str, body: str) -> str:
    """The body with its arguments numbered: the length of a list is the length of a string."""
    for i, name in enumerate(args.split(", ")):
        body = re.sub(rf"\b{name}\b", f"_{i}", body)
    return body


def arithmetic() -> dict[str, list[Candidate]]:
    """Families on one number x and a constant."""
    ks = [k for k in range(2, 41) if k not in (30,)]
    small = range(2, 16)
    return {
        "plus": [task(f"add_{k}", "x", f"x plus {k}", f"return x + {k}", NUMBERS) for k in ks],
        "minus": [task(f"minus_{k}", "x", f"x minus {k}", f"return x - {k}", NUMBERS) for k in ks],
        "times": [task(f"times_{k}", "x", f"x times {k}", f"return x * {k}", NUMBERS) for k in ks],
        "remainder": [
            task(f"mod_{k}", "x", f"the remainder of x divided by {k}", f"return x % {k}", NUMBERS)
            for k in small
        ],
        "over": [
            task(f"over_{k}", "x", f"True if x is greater than {k}", f"return x > {k}",
                 (0, k, k + 1, 100, -3))
            for k in ks
        ],
        "multiple": [
            task(f"multiple_of_{k}", "x", f"True if {k} divides x", f"return x % {k} == 0",
                 (0, k, k + 1, 4 * k, 7 * k - 1))
            for k in small
        ],
        "at_least": [
            task(f"at_least_{k}", "x", f"the larger of x and {k}", f"return max(x, {k})",
                 (0, k, k + 1, 100, -3))
            for k in ks
        ],
    }  # fmt: skip


def strings() -> dict[str, list[Candidate]]:
    """Families on one string s and a constant."""
    endings = ("ing", "ed", "er", "ly", "ness", "able", "ful", "less", "ish", "ment", "ist", "dom")
    letters = "abcdefghijlmnoprstuwx"
    return {
        "suffix": [
            task(f"add_{e}", "s", f'the string s followed by "{e}"', f'return s + "{e}"', WORDS)
            for e in endings
        ],
        "repeat": [
            task(f"repeat_{k}", "s", f"the string s repeated {k} times", f"return s * {k}", WORDS)
            for k in range(2, 20)
        ],
        "count_letter": [
            task(f"count_{c}", "s", f'how many times "{c}" occurs in s', f'return s.count("{c}")',
                 TEXTS)
            for c in letters
        ],
        "starts": [
            task(f"starts_{c}", "s", f'True if s starts with "{c}"', f'return s.startswith("{c}")',
                 (*TEXTS, f"{c}o"))
            for c in letters
        ],
        "shorter": [
            task(f"longer_{k}", "s", f"True if len(s) is over {k}",
                 f"return len(s) > {k}", (*WORDS, "x" * k, "x" * (k + 1)))
            for k in range(2, 20)
        ],
    }  # fmt: skip


def lists() -> dict[str, list[Candidate]]:
    """Families on one list and a constant."""
    ks = range(2, 32)
    return {
        "item": [
            task(f"item_{k}", "items", f"the item at index {k}", f"return items[{k}]", LONG)
            for k in range(2, 20)
        ],
        "contains": [
            task(
                f"has_{k}",
                "items",
                f"True if {k} is in items",
                f"return {k} in items",
                (*LISTS, [k]),
            )
            for k in ks
        ],
        "count_item": [
            task(
                f"count_{k}",
                "items",
                f"the count of {k} in items",
                f"return items.count({k})",
                (*LISTS, [k, 2, k]),
            )
            for k in ks
        ],
        "add_each": [
            task(
                f"add_{k}_each",
                "numbers",
                f"a list with {k} added to each number",
                f"return [n + {k} for n in numbers]",
                LISTS,
            )
            for k in ks
        ],
        "keep_over": [
            task(
                f"keep_over_{k}",
                "numbers",
                f"the numbers greater than {k}",
                f"return [n for n in numbers if n > {k}]",
                (*LISTS, [k, k + 1]),
            )
            for k in ks
        ],
    }


def singles(tasks: Sequence[tuple[str, str, str, str, str]]) -> list[Candidate]:
    """Tasks that stand alone, from code_tasks.py."""
    return [task(name, args, text, body, INPUTS[kind]) for name, args, text, body, kind in tasks]


def families() -> list[Family]:
    """All code families with their share of each split."""
    kind = "unit_tests"
    parametric = arithmetic() | strings() | lists()
    found = [
        Family(name, kind, LEVELS.get(name, "easy"), *SHARES.get(name, (6, 2)), candidates)
        for name, candidates in parametric.items()
    ]
    found.append(Family("single", kind, "medium", 30, 9, singles(SINGLE)))
    found.append(Family("hard", kind, "hard", 10, 4, singles(HARD)))
    return found


if __name__ == "__main__":
    print(write("code", families()))
