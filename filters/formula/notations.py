r"""Answers that are no formulas: times of day, numbers in bases, lettered choices, set phrases.

Each reader returns None for a text that is not of its kind.
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from filters.verifiers.normal_form import tidy, unwrap

_TIME = re.compile(
    r"^(?P<hour>\d{1,2})(?:\s*[:.]\s*(?P<minute>\d{2})(?:\s*:\s*(?P<second>\d{2}))?)?"
    r"\s*(?P<half>a\.?\s?m\.?|p\.?\s?m\.?|o['’]?\s?clock|hours|hrs|h)?\.?$",
    re.IGNORECASE,
)
_NAMED_TIMES = {"noon": 720, "12 noon": 720, "midday": 720, "midnight": 0, "12 midnight": 0}
_BASE = re.compile(
    r"^\(?\s*([0-9A-Za-z]+)\s*\)?\s*_\s*\{?\s*(?:\(|base\s*)?(\d{1,2}|[a-z]{3,7})\s*\)?\s*\}?$"
)
_BASE_NAMES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
               "nine": 9, "ten": 10, "twelve": 12, "sixteen": 16}  # fmt: skip
_MAX_BASE_DIGITS = 200
_CHOICE = re.compile(
    r"^\s*(?:(?:option|choice|answer)\s+)?(?:\(\s*([A-Ja-j])\s*\)\s*[:.]?|([A-J])\s*(?:[):]|\.(?!\d)))"
    r"\s*(.*)$",
    re.DOTALL | re.IGNORECASE,
)
_LONE_LETTER = re.compile(r"^\s*(?:(?i:option|choice|answer)\s+)?([A-J])\s*\.?\s*$")
_SEVERAL_LETTERS = re.compile(r"^\(?[A-J]\)?(?: ?(?:, ?and|,|;|&|and) ?\(?[A-J]\)?){1,9}$")
_EMPTY = re.compile(
    r"^(?:there\s+(?:are|is|exists?)\s+)?no\s+(?:such\s+)?(?:real\s+|integer\s+|positive\s+|valid\s+)*"
    r"(?:solutions?|values?|numbers?|roots?|integers?|functions?|pairs?|triples?|triangles?|answers?)"
    r"(?:\s+(?:exists?|possible|to the equation|satisf\w+))?$"
    r"|^(?:the\s+)?empty\s*set$|^(?:\\emptyset|\\varnothing|\\\{\s*\\\}|\\phi)$"
    r"|^(?:none|does not exist|do(?:es)?n['’]?t exist|dne|d\.n\.e\.|undefined|not defined"
    r"|impossible"
    r"|not possible|nonexistent|no solutions? exists?)$",
    re.IGNORECASE,
)
_INFINITE = re.compile(
    r"^(?:(?:there (?:are|is) )?infinitely many(?: solutions?| real solutions?)?"
    r"|infinite(?: solutions?)?|\\infty|\+\s*\\infty|infinity"
    r"|an infinite number(?: of solutions?)?|\\text infinity)$",
    re.IGNORECASE,
)
_SETS = {
    "all real numbers": r"\mathbb{R}", "all reals": r"\mathbb{R}", "real numbers": r"\mathbb{R}",
    "any real number": r"\mathbb{R}", "the set of all real numbers": r"\mathbb{R}",
    "the set of real numbers": r"\mathbb{R}", "all real x": r"\mathbb{R}",
    "all integers": r"\mathbb{Z}", "the set of all integers": r"\mathbb{Z}",
    "any integer": r"\mathbb{Z}", "the set of integers": r"\mathbb{Z}",
    "all positive integers": r"\mathbb{Z}^+", "all natural numbers": r"\mathbb{N}",
    "all positive real numbers": r"(0,\infty)", "all positive reals": r"(0,\infty)",
    "all nonnegative real numbers": r"[0,\infty)", "all non-negative real numbers": r"[0,\infty)",
    "all positive numbers": r"(0,\infty)", "all negative real numbers": r"(-\infty,0)",
}  # fmt: skip
_EXCEPT = re.compile(
    r"^(?:all|any|every)(?: the)? real(?: number|s| x| value)*s?(?: of \w)?(?: except| other than"
    r"| but not| besides)(?: for)?(?: [a-z] ?=)? ?([^a-zA-Z]*)$",
    re.IGNORECASE,
)
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: value for value, word in enumerate(_UNITS.split())}
_SMALL |= {word: 10 * value for value, word in enumerate(_TENS.split(), 2)}
_ORDINALS = {"first": "one", "second": "two", "third": "three", "fifth": "five",
             "eighth": "eight", "ninth": "nine", "twelfth": "twelve"}  # fmt: skip
_SHARES = {"half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6,
           "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10}  # fmt: skip
_SCALES = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_MAX_NUMBER_WORDS = 12
_WORDS_ONLY = re.compile(r"[A-Za-z]+(?:[\s,-]+[A-Za-z]+)*")


@lru_cache(maxsize=4_096)
def plain(text: str) -> str:
    """The text without LaTeX around its words: `\\text{No solution}.` is `No solution`."""
    return re.sub(r"\s+", " ", unwrap(tidy(text))).strip(" .$")


class Time(NamedTuple):
    """Minutes (and seconds as a fraction) after midnight; `half` is a, p or empty (24 hours)."""

    minutes: Fraction
    half: str


def time_of(text: str) -> Time | None:
    """A time of day: `10:30`, `22:30`, `10:30 a.m.`, `7 pm`, `noon`."""
    words = plain(text)
    if (named := _NAMED_TIMES.get(words.casefold())) is not None:
        return Time(Fraction(named), "p" if named else "a")
    match = _TIME.match(words)
    if match is None:
        return None
    half = (match["half"] or "")[:1].casefold()
    half = half if half in ("a", "p") else ""
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if (match["minute"] is None and not half) or hour > 24 or minute > 59:
        return None
    if not half and "." in words[: match.end("minute")]:
        return None  # 2.50
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return Time(60 * hour + minute + Fraction(int(match["second"] or 0), 60), half)


def same_time(wanted: Time, got: Time) -> bool | None:
    """Whether two times are one; None where only a missing a.m. or p.m. keeps them apart."""
    if wanted.minutes == got.minutes:
        is_open = {wanted.half, got.half} == {"", "p"} and wanted.minutes < 780
        return None if is_open else True
    twelve_apart = abs(wanted.minutes - got.minutes) == 720
    return None if twelve_apart and "" in (wanted.half, got.half) else False


class InBase(NamedTuple):
    """A whole number, its digits as written and the base they were said to be in."""

    value: int
    digits: str
    base: int


def in_base(text: str) -> InBase | None:
    """`1011_2`, `2E_{16}`, `(12)_{\\text{five}}`."""
    match = _BASE.match(plain(text))
    if match is None or len(match[1]) > _MAX_BASE_DIGITS:
        return None
    base = int(match[2]) if match[2].isdigit() else _BASE_NAMES.get(match[2].casefold(), 0)
    if not 2 <= base <= 36 or not match[1][0].isalnum():
        return None
    if not any(c.isdigit() for c in match[1]):
        return None  # a_{11} is a symbol
    try:
        return InBase(int(match[1], base), match[1].upper().lstrip("0"), base)
    except ValueError:
        return None


class Choice(NamedTuple):
    """A letter, and the text behind it; `marked`: brackets or a full stop make it a choice."""

    letter: str
    rest: str
    marked: bool


def choice_of(text: str) -> Choice | None:
    """`B`, `(B)`, `\\textbf{(B)}\\ 12`, `B. 12`, `Option B`."""
    words = plain(text)
    if lone := _LONE_LETTER.match(words):
        return Choice(lone[1].upper(), "", len(words) > 1)
    match = _CHOICE.match(words)
    if match is None:
        return None
    letter, rest = match[1] or match[2], match[3].strip(" .")
    if (letter.islower() and rest) or ("(" in rest[:2] and re.search(r"\([A-Jb-h]\)", rest)):
        return None
    return Choice(letter.upper(), rest, True)


def letters_of(text: str) -> frozenset[str] | None:
    """`A, C` and `A and C`: several choices. Without anything between them, `AC` may be a line."""
    words = plain(text)
    return frozenset(re.findall("[A-J]", words)) if _SEVERAL_LETTERS.match(words) else None


def phrase_of(text: str) -> str | None:
    """A set phrase's meaning: `empty`, `infinite`, or the LaTeX of a set of numbers."""
    words = plain(text)
    if len(words) > 80:
        return None
    if _EMPTY.match(words):
        kind = re.search(r"positive|integer|negative", words, re.IGNORECASE)
        return f"empty {kind[0].casefold()}" if kind else "empty"
    if _INFINITE.match(words):
        return "infinite"
    if excepted := _EXCEPT.match(words):
        points = excepted[1].replace(" and ", ", ").replace(" or ", ", ")
        return rf"\mathbb{{R}} \setminus \{{{points}\}}"
    return _SETS.get(words.casefold())


def is_ordinal(text: str) -> bool:
    """`5th`, `5^{\\text{th}}`, `seventh`; a third may also be a fraction."""
    words = re.sub(r"[\s^{}]", "", plain(text)).casefold()
    return re.search(r"\d(?:st|nd|rd|th)$", words) is not None or (
        words.endswith(("first", "second", "third", "th"))
        and (number := spelt_number(text)) is not None
        and number.denominator == 1
    )


def spelt_number(text: str) -> Fraction | None:
    """`twenty-one`, `three hundred and five`, `seventh`: the number that words spell."""
    words = re.findall(r"[a-z]+", plain(text).casefold())
    if not words or len(words) > _MAX_NUMBER_WORDS or not _WORDS_ONLY.fullmatch(plain(text)):
        return None
    if (
        len(words) == 2
        and words[0] in _SMALL
        and (parts := _SHARES.get(words[1].removesuffix("s")))
    ):
        return Fraction(_SMALL[words[0]], parts)
    words[-1] = _cardinal(words[-1])
    total, current = 0, 0
    for position, word in enumerate(words):
        if word in _SMALL:
            current += _SMALL[word]
        elif word == "hundred" and current:
            current *= 100
        elif word in _SCALES and current:
            total, current = total + current * _SCALES[word], 0
        elif word != "and" or not position:
            return None
    return Fraction(total + current)


def _cardinal(word: str) -> str:
    if word in _ORDINALS:
        return _ORDINALS[word]
    if word.endswith("ieth"):
        return word[:-4] + "y"
    return word[:-2] if word.endswith("th") and word[:-2] in _SMALL else word
