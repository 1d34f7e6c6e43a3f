r"""Reasoning that ends in another answer than the one given: `\boxed{4}` … `</think>` `\boxed{5}`.

Said only where it is plain: both are numbers written in digits, or both are letters of choices.
"""

import re
from fractions import Fraction

from filters.extract import final_answer

# A box further up is followed by more reasoning, and need not be what that came to.
END_CHARS = 600
# The boxes there can be something to say of, as Polars looks for them.
PLAIN_BOX = r"\\(?:boxed|fbox)\s*\{(?:[^{}]|\{[^{}]*\})*\}"

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_DOUBT = re.compile(
    r"(?i)\b(?:wait|but|no|not|hmm|however|actually|mistake|wrong|incorrect|alternatively|or|if"
    r"|check|unless)\b|等等|不对|但是|错"
)
_WRAPPED = re.compile(r"\\(?:text|textbf|mathrm|mathbf|rm)\s*\{([^{}]*)\}")
# What parts thousands goes, `1{,}200`; what parts two numbers stays, `3, 4`.
_THOUSANDS = re.compile(r"(?<=\d)(?:\\[!,]|\{,\}|,(?:\\!)?)(?=\d{3}(?!\d))")
_BLANKS = re.compile(r"(?:\\[!,;: ]|[\s$])+")
_PLAIN_CHARS = 100  # a number or a letter with all that is written around it
_NUMBER = re.compile(r"[-+]?\d{1,30}(?:\.\d{1,30})?")
_CHOICE = re.compile(r"\(?([A-J])\)?\.?")
_NEAR = Fraction(1, 100)  # decimals this close differ by rounding
_UNIT_FACTORS = (10, 60, 100, 1_000)  # one number in two units, or a percentage


def disagrees(reasoning: str, answer: str) -> bool:
    """Whether the last box near the reasoning's end and the final answer plainly differ.

    No where the reasoning goes on to doubt its box or to name the final answer, or where the answer
    part has that box too.
    """
    end = reasoning[-END_CHARS:]
    boxes = list(_BOX.finditer(end))
    final = final_answer(answer) if boxes else None
    if final is None:
        return False
    thought, given, after = boxes[-1][1], final.text, end[boxes[-1].end() :]
    if _DOUBT.search(after) or given in after:
        return False
    also_given = {box[1] for box in _BOX.finditer(answer)} or {given}
    return all(_differ(thought, one) for one in also_given)


def _differ(one: str, other: str) -> bool:
    """Whether two answers are of one plain kind and not equal."""
    choices = _choice(one), _choice(other)
    if None not in choices:
        return choices[0] != choices[1]
    a, b = _number(one), _number(other)
    if a is None or b is None or a == b:
        return False
    small, large = sorted((abs(a), abs(b)))
    if a.denominator == b.denominator == 1 and "." not in one + other:
        return small == 0 or large / small not in _UNIT_FACTORS
    return small == 0 or (large / small > 1 + _NEAR and large / small not in _UNIT_FACTORS)


def _choice(text: str) -> str | None:
    found = _CHOICE.fullmatch(_tidy(text)) if len(text) <= _PLAIN_CHARS else None
    return found[1] if found else None


def _number(text: str) -> Fraction | None:
    found = _NUMBER.fullmatch(_tidy(text)) if len(text) <= _PLAIN_CHARS else None
    return Fraction(found[0]) if found else None


def _tidy(text: str) -> str:
    whole = _THOUSANDS.sub("", _WRAPPED.sub(r"\1", text))
    return _BLANKS.sub(_drop_outside_numbers, whole)


def _drop_outside_numbers(blanks: re.Match[str]) -> str:
    before, after = blanks.string[: blanks.start()], blanks.string[blanks.end() :]
    return " " if re.match(r"[\d.]", before[-1:]) and re.match(r"[\d.]", after) else ""
