"""What a unit is worth in base units, asked of pint once a symbol and then remembered.

pint is shown single symbols only, made of letters: it never sees an expression to evaluate. What
it takes for something else (`c` is the speed of light to it), and the units it lacks (money, ppb,
things that are counted), are said here.
"""

import math
import re
from functools import lru_cache
from typing import Any, NamedTuple

from filters.verifiers.unit_text import UnitFactor

# Spellings pint does not know.
_ALIASES = {
    "°C": "degC",
    "°F": "degF",
    "°K": "kelvin",
    "°": "degree",
    "degrees": "degree",
    "Degrees": "degree",
    "celsius": "degC",
    "fahrenheit": "degF",
    "centigrade": "degC",
    "%": "percent",
    "mins": "minute",
    "hrs": "hour",
    "secs": "second",
    "sec": "second",
    "yrs": "year",
    "kph": "kilometer_per_hour",
    "kmh": "kilometer_per_hour",
    "kmph": "kilometer_per_hour",
    "Kg": "kg",
    "Km": "km",
    "KJ": "kJ",
    "kPA": "kPa",
    "Torr": "torr",
    "amp": "ampere",
    "amps": "ampere",
    "Amp": "ampere",
    "Amps": "ampere",
    "gm": "gram",
    "gms": "gram",
    "AU": "astronomical_unit",
    "Cal": "kilocalorie",
    "rev": "turn",
    "revs": "turn",
    "sq": "square",
    "microns": "micron",
    "μ": "µ",
}
# Symbols pint reads as physical constants or as nonsense; in an answer they are something else.
_NOT_UNITS = frozenset(("c", "e", "k", "R", "G", "G_0", "pi", "N_A", "pH", "x", "lambda"))
_PARTICLES = ("photon", "electron", "proton", "neutron", "atom", "molecule", "ion", "particle")
_COUNTED = frozenset((*_PARTICLES, "decay", "count", "piece", "item", "people", "person", "unit"))
_LEVELS = {"dB": "dB", "decibel": "dB", "dBm": "dBm", "dBA": "dBA", "Np": "Np"}
_MONEY = {
    "dollar": ("dollar", 1.0),
    "USD": ("dollar", 1.0),
    "cent": ("dollar", 0.01),
    "¢": ("dollar", 0.01),
    "euro": ("euro", 1.0),
    "EUR": ("euro", 1.0),
    "€": ("euro", 1.0),
    "£": ("sterling", 1.0),
    "GBP": ("sterling", 1.0),
    "¥": ("yen", 1.0),
    "yen": ("yen", 1.0),
    "yuan": ("yuan", 1.0),
    "CNY": ("yuan", 1.0),
    "RMB": ("yuan", 1.0),
    "rupee": ("rupee", 1.0),
}
_MAX_SYMBOL = 24
_SYMBOL = re.compile(r"[^\W\d_]+(?:_[a-z]+)*|°[CFK]?|[%€£¥¢]")
_WHOLE_POWER = 1e-9
_MOST_DIGITS = 140  # a value of 150 digits in such a unit is still a float

Dimension = tuple[tuple[str, float], ...]


class Scale(NamedTuple):
    """One unit in base units: value x factor + offset, and what it measures."""

    factor: float
    dimension: Dimension
    offset: float = 0.0


# pint counts a becquerel in counts, which are no plain numbers to it, and has no ppb.
_OWN = {
    "ppb": Scale(1e-9, ()),
    "ppt": Scale(1e-12, ()),
    "Bq": Scale(1.0, (("[time]", -1.0),)),
    "kBq": Scale(1e3, (("[time]", -1.0),)),
    "MBq": Scale(1e6, (("[time]", -1.0),)),
    "Ci": Scale(3.7e10, (("[time]", -1.0),)),
    "bps": Scale(1.0, (("[bit]", 1.0), ("[time]", -1.0))),
}


def scale_of(factors: tuple[UnitFactor, ...]) -> Scale | None:
    """The scale of a product of units; None where one of them is not known.

    A temperature has its zero (0 °C is 273.15 K) only where it stands alone: in `J/°C` it is a
    difference.
    """
    if len(factors) == 1 and factors[0].power == 1:
        return _scale_of_symbol(factors[0].symbol)
    total, powers = 1.0, dict[str, float]()
    for symbol, power in factors:
        scale = _scale_of_symbol(symbol)
        if scale is None:
            return None
        if abs(math.log10(scale.factor or 1) * power) > _MOST_DIGITS:
            return None
        total *= scale.factor**power
        if not 10.0**-_MOST_DIGITS < total < 10.0**_MOST_DIGITS:
            return None
        for name, exponent in scale.dimension:
            powers[name] = powers.get(name, 0.0) + exponent * power
    kept = {name: exponent for name, exponent in powers.items() if abs(exponent) > _WHOLE_POWER}
    return Scale(total, tuple(sorted(kept.items())))


def counted_things(factors: tuple[UnitFactor, ...]) -> frozenset[str]:
    """What is counted, in the singular: photons and electrons are not the same number."""
    names = {symbol.casefold().removesuffix("s") for symbol, _ in factors}
    return frozenset(names & _COUNTED)


@lru_cache(maxsize=2_048)
def _scale_of_symbol(symbol: str) -> Scale | None:
    if len(symbol) > _MAX_SYMBOL or not _SYMBOL.fullmatch(symbol):
        return None
    singular = symbol.removesuffix("s")
    for name in (symbol, singular):
        if name in _MONEY:
            currency, factor = _MONEY[name]
            return Scale(factor, ((f"[{currency}]", 1.0),))
        if name.casefold() in _COUNTED:
            return Scale(1.0, ())
        if name in _LEVELS:
            return Scale(1.0, ((f"[{_LEVELS[name]}]", 1.0),))
    if symbol in _OWN:
        return _OWN[symbol]
    if symbol in _NOT_UNITS:
        return None
    return _ask_pint(_ALIASES.get(symbol, symbol)) or _ask_pint(symbol.lower(), words_only=True)


def _ask_pint(name: str, words_only: bool = False) -> Scale | None:
    """pint's own scale; `words_only` reads `Newtons`, but never `MW` as milliwatts."""
    if words_only and len(name) < 4:
        return None
    registry = _registry()
    try:
        if not registry.parse_unit_name(name):
            return None
        unit = registry.Unit(name)
        zero, one = (registry.Quantity(v, unit).to_base_units().magnitude for v in (0.0, 1.0))
    except Exception:  # noqa: BLE001 (pint raises its own, tokenizer and attribute errors)
        return None
    dimension = tuple(sorted((str(k), float(v)) for k, v in unit.dimensionality.items()))
    return Scale(float(one - zero), dimension, float(zero))


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
