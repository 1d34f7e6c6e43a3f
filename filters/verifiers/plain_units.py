"""What may stand behind a bare number without changing it: a known unit, or the question's words.

`12 apples` is 12 where the question speaks of apples; `7 squared`, `2x` and `5M` are never 2, 7
or 5, and whatever else stands there leaves the comparison undecided.
"""

import re

# Words that scale a number or turn it round: "5 million" is not five of a unit called million.
SCALE_WORDS = frozenset(
    re.findall(
        r"\w+",
        """hundred thousand million billion trillion dozen half third quarter percent hundreds
    thousands millions billions trillions dozens halves thirds quarters fourth fourths fifth
    fifths sixth sixths eighth eighths tenth tenths hundredth hundredths squared cubed factorial
    double triple times square root not wrong less""",
    )
)
_LONG_UNITS = frozenset(
    re.findall(
        r"\S+",
        """mm cm dm km kg mg ml mL cl kW kJ kN kPa kHz MHz GHz GB MB kB Hz ms ns min mins hr hrs sec
    secs in ft yd mi lb lbs oz mph kph kmh km/h m/s rpm cc sq
    millimeter centimeter decimeter meter kilometer millimetre centimetre decimetre metre kilometre
    inch inches foot feet yard mile gram kilogram milligram pound ounce ton tonne liter litre
    milliliter millilitre gallon second minute hour day week month year
    newton joule watt volt ampere kelvin pascal hertz ohm coulomb degree radian
    dollar euro unit""",
    )
)
# One letter is as often a variable: it is a unit where the question has it, or spells it out.
_LETTER_UNITS = {
    "m": ("meter", "metre"),
    "s": ("second",),
    "g": ("gram",),
    "h": ("hour",),
    "L": ("liter", "litre"),
    "l": ("liter", "litre"),
    "J": ("joule",),
    "N": ("newton",),
    "W": ("watt",),
    "V": ("volt",),
}
_DEGREES = re.compile(r"\^\\circ\s?[CF]?")
_POWER = re.compile(r"\^\{?\d\}?$")
_WORD_CHARS = 3


def is_harmless(unit: str, question: str) -> bool:
    """Whether a number means the same with `unit` behind it as without, given the question."""
    if not unit or _DEGREES.fullmatch(unit):
        return True
    bare = _POWER.sub("", unit).replace(".", "")
    if bare in _LONG_UNITS:
        return True
    words = re.split(r"[\s/]+", bare)
    return all(_is_harmless_word(word, question) for word in words if word != "per")


def _is_harmless_word(word: str, question: str) -> bool:
    if word.casefold() in SCALE_WORDS:
        return False
    if word in _LONG_UNITS or singular(word) in _LONG_UNITS:
        return True
    asked = {singular(w) for w in re.findall(r"[A-Za-z]+", question)}
    if len(word) == 1:
        spelt = _LETTER_UNITS.get(word)
        return spelt is not None and (word in asked or bool(asked & set(spelt)))
    return len(word) >= _WORD_CHARS and singular(word) in asked


def is_word(unit: str) -> bool:
    """Whether a tail is made of plain words, and not of symbols that could be a factor."""
    return all(len(word) >= _WORD_CHARS for word in re.findall(r"[A-Za-z]+", unit))


def same_unit(one: str, other: str) -> bool | None:
    """Whether two tails are the same; None where only letter case sets two symbols apart."""
    if one == other or (is_word(one) and singular(one) == singular(other)):
        return True
    return None if singular(one) == singular(other) else False


def singular(word: str) -> str:
    """Letter case, dots, blanks and a plural's `s` dropped: `Meters` and `meter` are one."""
    return word.casefold().replace(".", "").replace(" ", "").removesuffix("s") or word
