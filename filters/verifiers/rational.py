r"""Exact numbers out of math answers, as fractions: no float ever decides between two answers.

Read: `12`, `-3.50`, `1,234.5`, `\frac{3}{4}`, `3/4`, `1 \frac{3}{4}`, `1 3/4`,
`1.5 \times 10^{3}`, `1.5e3`, `2^{10}`, `50%`, `x = 7`, `7 \text{ cm}`, `$7`. What stands behind the
number is kept as its `unit`; filters/verifiers/plain_units.py says whether it may be ignored.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from filters.verifiers.normal_form import tidy, unwrap
from filters.verifiers.plain_units import SCALE_WORDS

_MAX_CHARS = 400
_MAX_EXPONENT = 400

_DECIMAL = r"(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+|\d+)(?:\.\d*)?|\.\d+"
_PREFIX = re.compile(r"^(?:[a-zA-Z](?:_\{?\w\}?|\([a-z]\))?\s*(?:=|\\approx)\s*)+")
_LONE_MEMBER = re.compile(r"^\\\{([^,{}]*)\\\}$")  # the set of one number, {5}
_TAIL = re.compile(
    r"(?:\^\\circ\s?[CF]?|[a-zA-Z][a-zA-Z.]*(?:[\s/][a-zA-Z][a-zA-Z.]*)*)(?:\^\{?\d\}?)?$"
)
_NUMBER = re.compile(rf"^([+-]?)\s*({_DECIMAL})$")
_POWER_OF_TEN = re.compile(
    rf"^([+-]?)\s*({_DECIMAL})\s*(?:(?:\\times|\\cdot|\*|x)\s*10\s*(?:\^|\*\*)\s*\{{?\s*([+-]?\d+)\s*\}}?"
    r"|[eE]([+-]?\d+))$"
)
_BARE_POWER = re.compile(r"^([+-]?)\s*(\d{1,9})\s*\^\s*\{?\s*(-?\d{1,3})\s*\}?$")
_RATIO = re.compile(
    rf"^([+-]?)\s*(?:(\d+)\s*)?\\frac\{{\s*([+-]?)\s*({_DECIMAL})\s*\}}\{{\s*({_DECIMAL})\s*\}}$"
)
_SLASH = re.compile(rf"^([+-]?)\s*(?:(\d+)\s+)?({_DECIMAL})\s*/\s*({_DECIMAL})$")
_NO_UNITS = SCALE_WORDS | {"pi", "e", "i"}


@dataclass(frozen=True, slots=True)
class Number:
    """An exact value, how many decimals its text shows (None: no point), its sign and tail."""

    value: Fraction
    decimals: int | None
    percent: bool
    unit: str


def read_number(text: str) -> Number | None:
    """The exact number an answer states, or None where it states none or something else."""
    if len(text) > _MAX_CHARS:
        return None
    body = _LONE_MEMBER.sub(r"\1", _PREFIX.sub("", unwrap(tidy(text))))
    percent = body.endswith("%")
    body = body.rstrip("%").strip()
    body, unit = _split_unit(body)
    read = _read_value(body)
    if read is None or _words(unit.casefold()) & _NO_UNITS:
        return None
    value, decimals = read
    return Number(value, decimals, percent, unit)


def _split_unit(body: str) -> tuple[str, str]:
    tail = _TAIL.search(body)
    if tail is None or tail.start() == 0 or re.match(r"[eE]\d", body[tail.start() :]):
        return body, ""
    head = body[: tail.start()].strip()
    if head.endswith(("\\", "^", "_", "=", "(", "{", "*", "/")):
        return body, ""
    return head, tail.group().strip(" .")


def _words(unit: str) -> frozenset[str]:
    """The words of a unit text; `p.m.` is the word `pm`."""
    return frozenset(re.findall(r"[a-z]+", unit.replace(".", "")))


def _read_value(body: str) -> tuple[Fraction, int | None] | None:
    if match := _NUMBER.match(body):
        value = _decimal(match[2])
        return (-value if match[1] == "-" else value), _decimals(match[2])
    if match := _POWER_OF_TEN.match(body):
        exponent = _exponent(match[3] or match[4])
        if exponent is None:
            return None
        value = _decimal(match[2]) * Fraction(10) ** exponent
        shown = max(0, (_decimals(match[2]) or 0) - exponent)
        return (-value if match[1] == "-" else value), shown or None
    if match := _BARE_POWER.match(body):
        base, exponent = int(match[2]), int(match[3])
        if (base == 0 and exponent <= 0) or abs(exponent) > _MAX_EXPONENT:
            return None
        value = Fraction(base) ** exponent
        return (-value if match[1] == "-" else value), None
    return _read_ratio(body)


def _read_ratio(body: str) -> tuple[Fraction, None] | None:
    if match := _RATIO.match(body):
        sign, whole, inner_sign, top, bottom = match.groups()
    elif match := _SLASH.match(body):
        (sign, whole, top, bottom), inner_sign = match.groups(), ""
    else:
        return None
    if _decimal(bottom) == 0 or (whole and inner_sign):
        return None
    value = int(whole or 0) + _decimal(top) / _decimal(bottom)
    return (-value if (sign == "-") != (inner_sign == "-") else value), None


def _decimal(digits: str) -> Fraction:
    return Fraction("0" + digits.replace(",", "").replace(" ", "").rstrip("."))


def _decimals(digits: str) -> int | None:
    return len(digits.partition(".")[2]) if "." in digits.rstrip(".") else None


def _exponent(digits: str) -> int | None:
    return int(digits) if len(digits) <= 5 and abs(int(digits)) <= _MAX_EXPONENT else None
