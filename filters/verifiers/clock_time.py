"""Times of day out of short answers: `12:30 pm`, `5 p.m.`, `17:00`, `noon`."""

import re
from typing import NamedTuple

_TIME = re.compile(
    r"(?:at\s+)?(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?\s*(?P<half>[ap]\.?m\.?|o'clock)?",
    re.IGNORECASE,
)
_HALF_DAY = 12 * 60
_NAMED = {"noon": _HALF_DAY, "midday": _HALF_DAY, "midnight": 0}


class Time(NamedTuple):
    """Minutes since midnight, and whether the half of the day was said."""

    minutes: int
    certain: bool


def read_time(text: str) -> Time | None:
    """The time a text states, or None; a bare number is no time."""
    body = text.strip(" .$").casefold().replace("\\text{", "").replace("}", "")
    if body in _NAMED:
        return Time(_NAMED[body], certain=True)
    match = _TIME.fullmatch(body)
    if match is None or not (match["half"] or ":" in body):
        return None
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    half = (match["half"] or "").replace(".", "")
    if hour > 23 or minute > 59 or (half in ("am", "pm") and not 1 <= hour <= 12):
        return None
    if half in ("am", "pm"):
        return Time(hour % 12 * 60 + minute + (_HALF_DAY if half == "pm" else 0), certain=True)
    return Time(hour * 60 + minute, certain=hour > 12 or hour == 0)


def same_time(wanted: Time, got: Time) -> bool | None:
    """Whether two times are one; None where only the half of the day may set them apart."""
    if wanted.minutes % _HALF_DAY != got.minutes % _HALF_DAY:
        return False
    if wanted.certain and got.certain:
        return wanted.minutes == got.minutes
    return True if wanted == got else None
