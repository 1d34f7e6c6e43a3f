r"""Units behind an answer's number: `12\text{ cm}^2`, `5 dollars per hour`, `3 million`.

A unit has dimensions and an exact factor, so 120 cm and 1.2 m compare as numbers; a word that is
none we know (`apples`) is a dimension of its own.
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from filters.verifiers.unit_text import read_unit

_DEFINED: dict[str, dict[str, int | str]] = {
    "metre": {
        "m metre meter": 1, "km kilometre kilometer": 1000, "cm centimetre centimeter": "1/100",
        "mm millimetre millimeter": "1/1000", "dm decimetre decimeter": "1/10",
        "in inch inche": "127/5000", "ft foot feet": "381/1250", "yd yard": "1143/1250",
        "mi mile": "201168/125", "µm micrometre micrometer": "1/1000000",
        "nm nanometre nanometer": "1/1000000000",
    },
    "gram": {
        "g gram": 1, "kg kilogram kilo": 1000, "mg milligram": "1/1000",
        "t ton tonne": 1000000, "lb pound": "45359237/100000", "oz ounce": "45359237/1600000",
    },
    "second": {
        "s sec second": 1, "min minute": 60, "h hr hour": 3600, "d day": 86400, "week": 604800,
        "ms millisecond": "1/1000",
    },
    "month": {"month": 1, "y yr year": 12},
    "litre": {
        "L l litre liter": 1, "mL ml millilitre milliliter cc": "1/1000",
        "cL cl centilitre centiliter": "1/100", "gal gallon": "473176473/125000000",
    },
    "dollar": {"dollar USD buck": 1, "cent ¢": "1/100"},
    "euro": {"euro EUR": 1},
    "pound sterling": {"GBP": 1},
    "yuan": {"yuan CNY RMB": 1},
    "rupee": {"rupee Rs INR": 1},
    "radian": {"rad radian": 1},
    "degree": {"degree deg °": 1},
    "newton": {"N newton": 1, "kN": 1000},
    "joule": {"J joule": 1, "kJ kilojoule": 1000},
    "watt": {"W watt": 1, "kW kilowatt": 1000},
    "volt": {"V volt": 1},
    "ampere": {"A ampere amp": 1},
    "ohm": {"ohm Ω": 1},
    "hertz": {"Hz hertz": 1, "kHz": 1000, "MHz": 1000000},
    "pascal": {"Pa pascal": 1, "kPa": 1000},
    "kelvin": {"K kelvin": 1},
    "": {
        "unit": 1, "percent": "1/100", "%": "1/100", "dozen": 12, "hundred": 100,
        "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    },
}  # fmt: skip
_KNOWN = {
    name: (dimension, Fraction(factor))
    for dimension, group in _DEFINED.items()
    for names, factor in group.items()
    for name in names.split()
}
_COMPOUND = {"mph": "mile/hour", "kph": "km/hour", "kmh": "km/hour", "kmph": "km/hour",
             "kwh": "kW hour", "kWh": "kW hour"}  # fmt: skip
# What turns a number round or makes something else of it is no unit, and neither is prose.
_HARMFUL_WORDS = """
    half third quarter halves thirds quarters fourth fourths fifth fifths sixth sixths eighth
    tenth tenths hundredth hundredths squared cubed factorial double triple times square root not
    wrong less more least most than at about approximately or and no none never if when only but
    between from to am pm modulo mod base above below over under negative minus plus is are
    odd even prime extraneous lakh crore thousandths ninths twelfths bn score gross tens hundreds
    thousands choose power infinity infinite undefined pi x y z"""
NO_UNITS = frozenset(_HARMFUL_WORDS.split())
_WRAPPER = re.compile(
    r"\\(?:text|mathrm|textrm|mathit|mbox|rm|operatorname|textbf)\s*\{((?:[^{}]|\{[^{}]*\})*)\}"
)
_POWERS = re.compile(r"\b(square|sq\.?|cubic|cu\.?)\s+")
_MAX_WORDS = 5


class Unit(NamedTuple):
    """Powers by dimension (sorted), the factor to them, whether we know all of its words, and the
    scale that words without a dimension give: a million of `million dollars`."""

    dimensions: tuple[tuple[str, int], ...]
    factor: Fraction
    known: bool
    scale: Fraction = Fraction(1)


NONE = Unit((), Fraction(1), True)


@lru_cache(maxsize=2_048)
def read(text: str) -> Unit | None:
    """The unit that a text states, None where it may be something else than a unit."""
    plain = _WRAPPER.sub(r" \1 ", text).replace("~", " ").replace("\\", " \\").strip(" .,;()")
    plain = _COMPOUND.get(plain, plain)
    if not plain:
        return NONE
    words = re.findall(r"[A-Za-z]+", plain)
    if len(words) > _MAX_WORDS or {word.casefold() for word in words} & _harmful(plain):
        return None
    factors = read_unit(plain)
    if not factors:
        return None
    powers: dict[str, int] = {}
    size, scale, known = Fraction(1), Fraction(1), True
    for symbol, power in factors:
        dimension, factor = _lookup(symbol)
        known = known and factor is not None
        if dimension:
            size *= (factor or Fraction(1)) ** power
            powers[dimension] = powers.get(dimension, 0) + power
        else:
            scale *= (factor or Fraction(1)) ** power
    return Unit(tuple(sorted((n, p) for n, p in powers.items() if p)), size, known, scale)


def words_of(text: str) -> str:
    """The words of a unit's text without LaTeX."""
    return " ".join(_WRAPPER.sub(r" \1 ", text).replace("~", " ").split()).casefold()


def modulus(number: str) -> Unit:
    """`\\pmod 7` as what must not differ."""
    return Unit(((f"modulo {int(number)}", 1),), Fraction(1), True)


def combined(currency: Unit, unit: Unit) -> Unit | None:
    """`\\$3.5` and `million`: both; None for `\\$5` and `cents`."""
    if {name for name, _ in currency.dimensions} & {name for name, _ in unit.dimensions}:
        return currency if currency == unit else None
    dimensions = tuple(sorted((*currency.dimensions, *unit.dimensions)))
    return Unit(dimensions, currency.factor * unit.factor, unit.known, unit.scale)


def _harmful(plain: str) -> frozenset[str]:
    """Words that are no units; `square` and `cubic` before one are."""
    return NO_UNITS - {"square"} if _POWERS.search(plain) else NO_UNITS


def _lookup(symbol: str) -> tuple[str, Fraction | None]:
    for name in (symbol, symbol.casefold(), symbol.casefold().removesuffix("s")):
        if name in _KNOWN:
            return _KNOWN[name]
    return symbol.casefold().removesuffix("s") or symbol, None


DEGREE = Unit((("degree", 1),), Fraction(1), True)
RADIAN = Unit((("radian", 1),), Fraction(1), True)


def scale_between(wanted: Unit, got: Unit) -> Fraction | None:
    """By what the answer's number is to be multiplied to be in the reference's unit.

    A unit on one side only may be left out, but not the factor of a million. None where the
    units differ.
    """
    scale = got.scale / wanted.scale
    if wanted.dimensions == got.dimensions:
        return scale * got.factor / wanted.factor
    return scale if not wanted.dimensions or not got.dimensions else None
