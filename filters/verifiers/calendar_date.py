"""Dates out of short answers: `July 4, 1776`, `the 4th of July 1776`, `1776-07-04`, `44 BC`.

A date of digits only, such as 07/04/1776, is read where one of the first two can be no month.
"""

import re
from typing import NamedTuple

_MONTHS = "january february march april may june july august september october november december"
_BY_NAME = {name[:3]: number for number, name in enumerate(_MONTHS.split(), 1)}
_MONTH = rf"(?P<month>{'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in _MONTHS.split())}|sept)\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_ERA = r"(?:\s*(?P<era>bce|bc|b\.c\.|b\.c\.e\.|ad|a\.d\.|ce|c\.e\.))?"
_YEAR = rf"(?:ad\s+)?(?P<year>\d{{1,4}}){_ERA}"
_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+)?"
_FORMS = tuple(
    re.compile(rf"(?:on\s+|in\s+)?(?:the\s+)?{_WEEKDAY}{form}\.?")
    for form in (
        rf"{_MONTH}\s+{_DAY}(?:,?\s+{_YEAR})?",
        rf"{_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?",
        rf"{_MONTH},?\s+(?:of\s+)?(?P<year>\d{{3,4}}){_ERA}",
        r"(?P<year>\d{4})[-/.](?P<number>\d{1,2})[-/.](?P<day>\d{1,2})",
        rf"(?:the year\s+)?{_YEAR}",
    )
)
_DIGITS = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_MAX_CHARS = 60


class Date(NamedTuple):
    """A year (negative: before our era), month and day; None for what is not said."""

    year: int | None
    month: int | None
    day: int | None


def read_date(text: str) -> Date | None:
    """The date a text states, or None. A bare number of up to four digits is no date here."""
    body = text.strip(" .$").casefold().replace("\\text{", "").replace("}", "")
    if len(body) > _MAX_CHARS or not any(c.isdigit() for c in body) or body.isdecimal():
        return None
    if digits := _DIGITS.fullmatch(body):
        return _from_digits(*(int(part) for part in digits.groups()))
    for form in _FORMS:
        if match := form.fullmatch(body):
            return _date(match.groupdict())
    return None


def _from_digits(first: int, second: int, year: int) -> Date | None:
    if first == second or second > 12:
        return _checked(year, first, second)
    return _checked(year, second, first) if first > 12 else None


def _date(said: dict[str, str | None]) -> Date | None:
    name, number = said.get("month"), said.get("number")
    month = _BY_NAME[name[:3]] if name else _number(number)
    year = _number(said.get("year"))
    if year is not None and (said.get("era") or "").startswith("b"):
        year = -year
    return _checked(year, month, _number(said.get("day")))


def _number(digits: str | None) -> int | None:
    return int(digits) if digits else None


def _checked(year: int | None, month: int | None, day: int | None) -> Date | None:
    possible = (month is None or 1 <= month <= 12) and (day is None or 1 <= day <= 31)
    return Date(year, month, day) if possible else None


def same_date(wanted: Date, got: Date) -> bool | None:
    """Whether two dates are one; None where one says less than the other and nothing else."""
    pairs = list(zip(wanted, got, strict=True))
    if any(a is not None and b is not None and a != b for a, b in pairs):
        return False
    return True if wanted == got else None
