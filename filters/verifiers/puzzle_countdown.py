r"""Countdown: an expression of the given numbers that makes the target, exact and never evaluated.

    {"kind": "countdown", "numbers": [3, 7, 25], "target": 46}

Each number is used once, all of them, or any where the puzzle says `"use_all": false`. Read are
+ - * / and parentheses, `×`, `\times`, `\cdot`, `÷`, `\div`, `\frac{…}{…}`, and a chain of
equations (`3 * 7 + 25 = 46`), of which every member must make the target and one must use the
numbers. What does not read as that is undecided.

Where a given number is negative, signs count: -3 and 5 make 8 as `5-(-3)`; `5+3`, which has another
number, and `5-3`, which may mean either, are undecided.
"""

import re
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from filters.ruling import Ruling, accept, reject, undecided
from filters.verdict import Reason

_SPELLINGS = (
    (
        re.compile(r"\\(?:text|mathrm|displaystyle|mathbf|left|right)(?![a-zA-Z])|\\[,;:! ()\[\]]"),
        " ",
    ),
    (re.compile(r"\\[dtc]?frac(?![a-zA-Z])"), "F"),
    (re.compile(r"\\(?:times|cdot|ast)(?![a-zA-Z])|[×·⋅∙∗✕xX]"), "*"),
    (re.compile(r"\\div(?![a-zA-Z])|[÷∕⁄:]"), "/"),
    (re.compile(r"[−–‒—]"), "-"),
    (re.compile(r"\A[\s*`]*\*\*|\*\*[\s*`]*\Z|[$`~]"), " "),
)
_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|[-+*/()\[\]{}F])")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_MAX_DIGITS = 30


class UnreadableError(Exception):
    """The text is no expression; the message says where it stops being one."""


def check_countdown(puzzle: Mapping[str, Any], answer: str) -> Ruling:
    """Accept an expression that makes the target from the numbers; exact rationals throughout."""
    numbers, target = puzzle.get("numbers"), puzzle.get("target")
    if not isinstance(numbers, list) or not all(map(_is_number, [*numbers, target])):
        return undecided(Reason.UNPARSED, "the reference needs `numbers` and `target`, in numbers")
    given = Counter(Fraction(str(number)) for number in numbers)
    wanted = Fraction(str(target))
    try:
        members = [_Expression(member) for member in _spelled(answer).split("=")]
    except UnreadableError as error:
        return undecided(Reason.UNPARSED, f"{answer} is no expression: {error}")
    except ZeroDivisionError:
        return reject(Reason.ANSWER_MISMATCH, f"{answer} divides by zero")
    for member in members:
        if member.value != wanted:
            return reject(Reason.ANSWER_MISMATCH, f"{answer} makes {member.value}, not {wanted}")
    use_all, listed = bool(puzzle.get("use_all", True)), ", ".join(map(str, numbers))
    if not any(_uses(_unsigned(m.numbers), _unsigned(given), use_all) for m in members):
        return reject(Reason.ANSWER_MISMATCH, f"{answer} does not use {listed} once each")
    has_signs = any(number < 0 for number in given)
    if has_signs and not any(_uses(member.numbers, given, use_all) for member in members):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{answer} uses {listed} with other signs")
    return accept(f"{answer} makes {wanted}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0


def _uses(used: Counter[Fraction], given: Counter[Fraction], use_all: bool) -> bool:
    return used == given if use_all else bool(used) and used <= given


def _unsigned(numbers: Counter[Fraction]) -> Counter[Fraction]:
    return Counter(abs(number) for number in numbers.elements())


def _spelled(answer: str) -> str:
    for pattern, replacement in _SPELLINGS:
        answer = pattern.sub(replacement, answer)
    return answer


class _Expression:
    """One expression, read by recursive descent: its value, and the numbers it is made of, each
    with the sign that stands right before it and is no subtraction."""

    def __init__(self, text: str) -> None:
        self.numbers: Counter[Fraction] = Counter()
        self._tokens = _tokens_of(text)
        self._at = 0
        self._negated = -1  # where a number stands that has a sign
        self.value = self._sum()
        if self._at < len(self._tokens):
            raise UnreadableError(f"{self._tokens[self._at]} is left over")

    def _sum(self) -> Fraction:
        sign = -1 if self._take("+", "-") == "-" else 1
        self._negated = self._at if sign < 0 else -1
        value = sign * self._product()
        while operator := self._take("+", "-"):
            value += self._product() if operator == "+" else -self._product()
        return value

    def _product(self) -> Fraction:
        """Factors; two that stand side by side are multiplied where a parenthesis parts them."""
        value = self._factor()
        while True:
            if operator := self._take("*", "/"):
                factor = self._factor()
                value = value * factor if operator == "*" else value / factor
            elif self._peek() == "(" or (self._before() == ")" and self._peek()[:1].isdigit()):
                value *= self._factor()
            else:
                return value

    def _factor(self) -> Fraction:
        token = self._peek()
        self._at += 1
        if token == "F":
            over = self._group()
            return over / self._group()
        if token in _CLOSING:
            self._at -= 1
            return self._group()
        if not token[:1].isdigit():
            raise UnreadableError(f"{token or 'its end'} where a number should be")
        number = Fraction(token)
        self.numbers[-number if self._negated == self._at - 1 else number] += 1
        return number

    def _group(self) -> Fraction:
        opening = self._take(*_CLOSING)
        if not opening:
            raise UnreadableError(f"{self._peek() or 'its end'} where a parenthesis should be")
        value = self._sum()
        if not self._take(_CLOSING[opening]):
            raise UnreadableError(f"{opening} is not closed")
        return value

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _before(self) -> str:
        return self._tokens[self._at - 1]

    def _take(self, *wanted: str) -> str:
        token = self._peek()
        if token not in wanted:
            return ""
        self._at += 1
        return token


def _tokens_of(text: str) -> list[str]:
    tokens, at, text = [], 0, text.strip().rstrip(".")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(match[1]) > _MAX_DIGITS:
            raise UnreadableError(f"at {text[at : at + 20]!r}")
        tokens.append(match[1])
        at = match.end()
    return tokens
