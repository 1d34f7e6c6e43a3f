r"""What stands around an answer's formula, taken off: words before it, units and clauses behind it.

`\text{The area is } 12\text{ cm}^2` is the formula 12 with a unit; `\pi k \text{ for any integer }
k` is a formula with a parameter; `5^{\text{th}}` is 5.
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from filters.formula import units
from filters.formula.scan import WORDS
from filters.formula.units import Unit
from filters.verifiers.normal_form import tidy

MAX_CHARS = 1_500
_TEXT = r"\\(?:text|mathrm|textrm|mbox|rm|textbf|operatorname|mathit)\s*\{"
_QUAD = re.compile(r"\\q?quad(?![a-zA-Z])")
_BEFORE = re.compile(
    r"^\s*(?:(?:so|thus|hence|therefore),?\s+)?(?:the\s+)?(?:final\s+)?"
    r"(?:answer|value|result|solution|area|number)s?\s*(?:is|are|:|=)\s*:?\s*(?=\S)",
    re.IGNORECASE,
)
_TEXT_BEFORE = re.compile(
    rf"^\s*(?:{_TEXT}[^{{}}]*(?:\bis|\bare|=|:|\bequals)\s*\}}\s*:?|{_TEXT}[^{{}}]*\}}\s*(?==|:)|"
    r"(?:=|\\approx|≈|\\therefore|\\Rightarrow|\\implies)\s*(?=[^=]))"
)
_LABEL_BEFORE = re.compile(
    r"^\s*\\(?:lim|max|min|sup|inf|angle|measuredangle|triangle|Pr|mathbb\s*\{?[PE]|sum|int|prod|overline"
    r"|operatorname|widehat)(?![a-zA-Z])[^=<>]*=(?=[^=]*$)"
)
_LEADING_TEXT = re.compile(
    rf"^\s*{_TEXT}\s*([A-Za-z][A-Za-z ]*?)\s*:?\s*\}}\s*(?=[\d\\(\[a-zA-Z+-])"
)
_LABEL_WORDS = """
    answer area average cost distance final height is length loss max maximum mean median min
    minimum mode number of perimeter price probability product profit radius ratio result so speed
    sum surface the therefore thus time total value volume width"""
_LABELS = frozenset(_LABEL_WORDS.split())
_NEGATION = re.compile(r"\b(?:no|not|never|n't|isn|wrong|false)\b", re.IGNORECASE)
_TEXT_LABEL = re.compile(rf"^\s*{_TEXT}[^{{}}]*\}}\s*(?==)")
_WHOLLY_TEXT = re.compile(rf"^\s*{_TEXT}([^{{}}]*\d[^{{}}]*)\}}\s*$")
_ONLY_BEFORE = re.compile(rf"^\s*{_TEXT}\s*only\s*\}}\s*", re.IGNORECASE)
_ONLY = re.compile(rf"\s*(?:{_TEXT}\s*)?\(?\s*only\s*\)?\s*\}}?\s*$")
_MODULUS = re.compile(r"(?<=\d)\s*\(?\s*\\p?mod\s*\{?\s*(\d+)\s*\}?\s*\)?$")
_RELATION = re.compile(r"[<>=]|\\(?:le|ge|ne|in|lt|gt)(?![a-zA-Z])")
_LEAST_LETTERS = 3
_PIECE = re.compile(
    rf"\s*(\d+(?:\.\d+)?)\s*(?:{_TEXT}\s*([a-zA-Z]+)(?:\s*,?\s*and)?\s*\}}|([a-zA-Z]+)|(''|'|\"))\s*(?:,|and|{_TEXT}\s*and\s*\}})?"
)
_MARKS = {"'": "ft", "''": "in", '"': "in"}
_MINUTES = re.compile(
    r"^(-?\d+)\s*\^\s*\{?\s*\\circ\s*\}?\s*(\d{1,2})\s*(?:'|\^\s*\{?\s*\\prime\s*\}?)"
    r"(?:\s*(\d{1,2})\s*(?:''|\"))?$"
)
_TO = re.compile(rf"(?<=\d)\s*(?:{_TEXT}\s*to\s*\}}|\bto\b)\s*(?=\d+\s*$)")
_CLAUSE_START = (
    r"(?:where|for\s+(?:some|any|all|every|each|arbitrary|integers?|real|positive|which)"
    r"|with\s+(?:arbitrary|any)|\\forall)\b"
)
_CLAUSE = re.compile(
    rf"[\s,;]*(?:{_TEXT}\s*[(,]?\s*|\(\s*)?(?:{_CLAUSE_START}|\\forall(?![a-zA-Z]))(?P<clause>.*)$",
    re.DOTALL | re.IGNORECASE,
)
_ENCLOSED = re.compile(
    r"\\?\s*\(\s*(?:\\text\{\s*(?:where|for)\s*\})?\s*([a-zA-Z](?:\s*,\s*[a-zA-Z])*\s*\\in\s*\\math(?:bb|bf)\s*"
    r"\{?[ZNR]\}?[^()]*)\)\s*$"
)
_LETTER = re.compile(r"(?<![A-Za-z\\])(?!a\b)([a-zA-Z](?:_\{?\w\}?)?)(?![A-Za-z{])")
_NATURAL = re.compile(r"natural|positive|non-?negative|\\math(?:bb|bf)\s*\{?N", re.IGNORECASE)
_WHOLE = re.compile(r"integer|whole|\\math(?:bb|bf)\s*\{?Z", re.IGNORECASE)
_REAL = re.compile(r"\breals?\b|\\math(?:bb|bf)\s*\{?R", re.IGNORECASE)
# A clause that says which numbers is part of the answer.
_RESTRICTING = re.compile(
    r"\b(?:even|odd|primes?|multiples?|divisible|squares?|coprime|distinct|not|except|nonzero)\b",
    re.IGNORECASE,
)
_CURRENCY = re.compile(
    r"^\s*([+-]?)\s*(?:US|USD)?\s*(\\\$|\$|€|£|¥|₹|\\pounds|\\euro|\\yen)\s*(?=[\d.])"
)
_CURRENCIES = {"€": "euro", "\\euro": "euro", "£": "GBP", "\\pounds": "GBP", "¥": "yuan",
               "\\yen": "yuan", "₹": "rupee", "¢": "cent"}  # fmt: skip
_CURRENCY_BEHIND = re.compile(r"(?<=[\d}])\s*(\\\$|€|£|¢)\s*$")
_ORDINAL = re.compile(rf"(?<=\d)\s*\^?\s*\{{?\s*(?:{_TEXT})?\s*(?:st|nd|rd|th)\s*\}}?\s*\}}?\s*$")
_UNIT_PIECE = (
    rf"(?:{_TEXT}(?:[^{{}}]|\{{[^{{}}]*\}}){{0,80}}\}}|%|\\circ ?[CF]?\b)"
    r"(?: ?\^ ?\{? ?-?\d ?\}?)?"
)
_TEXT_UNIT = re.compile(
    rf"(?P<unit>{_UNIT_PIECE}(?: ?(?:(?:/|\\cdot|\*) ?)?{_UNIT_PIECE}){{0,3}}) ?$"
)
_PLAIN_UNIT = re.compile(
    r"(?<=[\d})%!\s])(?P<unit>[A-Za-zµ][A-Za-zµ.]+(?:[ /][A-Za-zµ.]+){0,4}(?:\s?\^\s?\{?[23]\}?)?"
    r"(?:\s*/\s*[A-Za-zµ]+(?:\s?\^\s?\{?[23]\}?)?)?)\s*$"
)
_BODY_END = re.compile(r"[\d})!|'a-zA-Z.]\s*$")
_NUMERIC_END = re.compile(r"(?:[\d})!]|\\pi)\s*$")
_LETTERS = r"[a-zA-Z]{1,3}(?: ?\^ ?\{?-?[1-4]\}?)?"
_LETTER_UNIT = re.compile(
    r"^(?P<body>[+-]?[\d.,]+(?:\s*\\times\s*10\s*\^\s*\{?-?\d+\}?)?|[+-]?\\frac\{\d+\}\{\d+\})"
    rf" ?(?P<unit>{_LETTERS}(?:(?: ?(?:/|\\cdot) ?| ){_LETTERS}){{0,3}})$"
)
# One number alone: degrees among others stay with theirs.
_DEGREES = re.compile(
    r"^([+-]?(?:[\d., ()/]|\\d?frac\{[\d.]+\}\{[\d.]+\}|\\pi)+)\^ ?\{? ?\\circ ?\}?$"
)


class Dressed(NamedTuple):
    """The formula alone, its unit, and the parameters a clause names, with what they run over
    (`whole`, or empty where the clause does not say)."""

    body: str
    unit: Unit
    parameters: tuple[tuple[str, str], ...] = ()
    letters: "Lettered | None" = None
    label: str = ""


class Lettered(NamedTuple):
    """What `5 m` or `64 m^2` also may be: a number, and a unit of letters that are no variables."""

    body: str
    unit: Unit
    text: str


@lru_cache(maxsize=4_096)
def undressed(text: str) -> Dressed | None:
    """What an answer states, without what is around it; None where a unit may be no unit."""
    if len(text) > MAX_CHARS:
        return None
    text, currency = _currency(_unboxed(text.strip()))
    text = _QUAD.sub(", ", text)
    text = tidy(_ENCLOSED.sub(r", \1", text)).strip()
    label = _label(text)
    text = _TO.sub(":", _without_start(text))
    text, parameters = _without_clause(text)
    text = _ONLY_BEFORE.sub("", _ONLY.sub("", text))
    modulus = _MODULUS.search(text)
    if modulus and "=" not in text and "\\equiv" not in text:
        text = text[: modulus.start()]
    residue = units.modulus(modulus[1]) if modulus else None
    if minutes := _MINUTES.match(text):
        parts = (f"{minutes[1]}+\\frac{{{minutes[2]}}}{{60}}", f"+\\frac{{{minutes[3]}}}{{3600}}")
        return Dressed(parts[0] + (parts[1] if minutes[3] else ""), units.DEGREE, parameters)
    if _ORDINAL.search(text):
        return Dressed(_ORDINAL.sub("", text), units.NONE, parameters)
    if degrees := _DEGREES.match(text):
        return Dressed(degrees[1].strip(" {"), units.DEGREE, parameters, None, label)
    if (sum_ := _in_pieces(text)) is not None:
        return sum_
    body, unit = _without_unit(text)
    if unit is None:
        return None
    if currency is not None:
        both = units.combined(currency, unit)
        return None if both is None else Dressed(body, both, parameters)
    return Dressed(body, residue or unit, parameters, _lettered(body), label)


def _lettered(text: str) -> Lettered | None:
    match = _LETTER_UNIT.match(text)
    if match is None:
        return None
    unit = units.read(match["unit"])
    if unit is None or not unit.known or not unit.dimensions:
        return None
    return Lettered(match["body"].strip(), unit, match["unit"])


def _unboxed(text: str) -> str:
    for start in (r"\boxed{", r"\fbox{"):
        if text.startswith(start) and text.endswith("}"):
            return text[len(start) : -1].strip()
    return text


def _in_pieces(text: str) -> Dressed | None:
    """`4 hours 30 minutes`, `5'10''` as one sum in the first unit."""
    pieces, at = list(_PIECE.finditer(text)), 0
    for piece in pieces:
        if piece.start() != at:
            return None
        at = piece.end()
    if not 1 <= len(pieces) <= 4 or at != len(text) or (len(pieces) == 1 and not pieces[0][4]):
        return None
    read = [units.read(p[2] or p[3] or _MARKS[p[4]]) for p in pieces]
    first = read[0]
    if first is None or not first.dimensions or not first.known:
        return None
    terms: list[str] = []
    last = Fraction(1)
    for piece, unit in zip(pieces, read, strict=True):
        if unit is None or unit.dimensions != first.dimensions:
            return None
        scale = unit.factor / first.factor
        if terms and scale >= last:
            return None  # 5 cm, 7 cm: two measures
        last = scale
        terms.append(rf"{piece[1]}\cdot\frac{{{scale.numerator}}}{{{scale.denominator}}}")
    return Dressed("+".join(terms), first)


def _without_start(text: str) -> str:
    """Without a label, a name in words and what else stands before a value."""
    if whole := _WHOLLY_TEXT.match(text):
        text = whole[1]
    for _ in range(3):
        before = text
        for pattern in (_BEFORE, _TEXT_BEFORE):
            start = pattern.match(text)
            if start and not _NEGATION.search(start.group()):
                text = text[start.end() :].strip()
        label = _LABEL_BEFORE.match(text)
        if label and label.group().count("{") == label.group().count("}"):
            text = text[label.end() :].strip()
        leading = _LEADING_TEXT.match(text)
        if leading and set(leading[1].casefold().split()) <= _LABELS:
            text = text[leading.end() :].strip()
        if text == before:
            break
    return text


def _label(text: str) -> str:
    """What the answer calls its value in words or signs: `\\angle A`, `\\text{max}`."""
    match = _LABEL_BEFORE.match(text) or _TEXT_LABEL.match(text)
    return "".join(units.words_of(match.group()).split()).strip("=:") if match else ""


def _currency(text: str) -> tuple[str, Unit | None]:
    """`\\$5` is 5 dollars; `$5$` is a formula."""
    match = _CURRENCY.match(text)
    if match and not (match[2] == "$" and text.count("$") > 1):
        name = _CURRENCIES.get(match[2], "dollar")
        return match[1] + text[match.end() :], units.read(name)
    if behind := _CURRENCY_BEHIND.search(text):
        return text[: behind.start()], units.read(_CURRENCIES.get(behind[1], "dollar"))
    return text, None


def _without_clause(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    match = _CLAUSE.search(text)
    if match is None or not text[: match.start()].strip():
        return text, ()
    clause = match["clause"]
    said = match.group()
    space = "N" if _NATURAL.search(said) else "whole" if _WHOLE.search(said) else ""
    space = space or ("R" if _REAL.search(said) else "")
    if _RESTRICTING.search(said):
        return text, ()  # prose, which nobody parses
    return text[: match.start()].strip(), tuple((name, space) for name in _LETTER.findall(clause))


def _without_unit(text: str) -> tuple[str, Unit | None]:
    """The body and its unit; None for the unit when the text behind may change the meaning."""
    match = _TEXT_UNIT.search(text)
    if match and (body := text[: match.start()].strip(" ,")) and _BODY_END.search(body):
        if match["unit"].strip() in ("%", "\\%") or re.search(r"\\in\s*$", body):
            return text, units.NONE
        unit, words = units.read(match["unit"]), units.words_of(match["unit"])
        if words in ("percent", "per cent", "pct"):
            return body + "%", units.NONE
        if unit is not None and not unit.known:
            if len(re.sub("[^A-Za-z]", "", words)) < _LEAST_LETTERS:
                return text, units.NONE  # \\text{O}, a symbol; \\mathrm{i}
            if _RELATION.search(body):
                return body, None  # n \\ge 3 \\text{ (odd)}
        return body.rstrip("\\").strip(), unit
    match = _PLAIN_UNIT.search(text)
    if match and (body := text[: match.start()].strip()) and _NUMERIC_END.search(body):
        named = match["unit"].casefold() not in WORDS and not re.search(r"\\[a-zA-Z]*$", body)
        unit = units.read(match["unit"]) if named else units.NONE
        if named and (unit is None or unit.known or _is_words(text, match)):
            return body, unit
    return text, units.NONE


def _is_words(text: str, match: re.Match[str]) -> bool:
    """`12 apples`, not `3xy` or `2 xyz`: words after a blank, with vowels."""
    words = re.findall(r"[A-Za-z]+", match["unit"])
    is_apart = text[: match.start()].endswith(" ")
    return is_apart and all(len(w) > 2 and re.search("[aeiouAEIOU]", w) for w in words)
