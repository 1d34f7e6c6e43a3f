r"""Quantities: a number with a unit, compared by pint in the reference's unit.

Rules: a unit that measures something else is `wrong_unit`, and so is a bare number where the
reference has a unit. Values agree within 1 % of the reference, or when the answer rounds to the
reference's digits (a reference with a decimal point and at least two digits: `0.33 m` is met by
`0.3333 m`); a whole number must be exact in the reference's own unit (`252 m` is not `250 m`) and
without unit. Hertz and radians per second, percent and degrees are kinds of their own, though
pint counts them all as plain numbers; 60 rpm is 1 Hz. An answer whose unit is not known, or
differs from the reference's only in letter case, is undecided, as is a bare `C` or `F` for a
temperature and an answer with a unit where the reference has none.
"""

import re
import time
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from filters.extract import final_answer, too_wild
from filters.ruling import Ruling, accept, reject, rule_on_sample, stamp, undecided
from filters.verdict import Reason, Verdict
from filters.verifiers.normal_form import normal_form
from filters.verifiers.rational import Number, read_number
from filters.verifiers.unit_text import UnitFactor, read_unit
from prompts.record import Prompt
from teacher.sample import Sample

SIGNATURE = ("quantity", "2")
RELATIVE_TOLERANCE = 1e-2

_NUMBER = re.compile(
    r"^\s*(?:[a-zA-Z](?:_\{?\w+\}?)?\s*(?:=|≈|\\approx)\s*)?(?:about|approximately|≈|\\approx|~)?\s*"
    r"(?P<number>[+\-−]?\s*(?:\\frac\{[\d.]+\}\{[\d.]+\}|(?:(?:\d{1,3}(?:(?:,|\{,\})\d{3})+|\d+)(?:\.\d*)?|\.\d+)"
    r"(?:\s*/\s*\d+(?![\d.]))?)"
    r"(?:\s*(?:\\times|\\cdot|[×x*·])\s*10\s*(?:\^|\*\*)?\s*\{?\s*[+\-−]?[\d⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+\s*\}?"
    r"|[eE][+-]?\d+(?!\w))?)"
    r"(?P<unit>.*)$",
    re.DOTALL,
)
# `2.6 $10^{-10} \mathrm{~N}$`, as textbooks' answer tables split number and power from the unit.
_JUXTAPOSED_TEN = re.compile(r"^(\s*[+\-−]?[\d.]+)\s+10\s*\^")
_TEN_IN_ROMAN = re.compile(r"\\mathrm\{(10\^\{?-?\d+\}?)\}")
# Spellings pint does not know, and symbols pint takes for something else (h is fine: hour).
_ALIASES = {
    "°C": "degC",
    "°F": "degF",
    "°": "degree",
    "degrees": "degree",
    "celsius": "degC",
    "Celsius": "degC",
    "fahrenheit": "degF",
    "Fahrenheit": "degF",
    "%": "percent",
    "mins": "minute",
    "hrs": "hour",
    "secs": "second",
    "sec": "second",
    "kph": "kilometer_per_hour",
    "kmh": "kilometer_per_hour",
    "kmph": "kilometer_per_hour",
    "Kg": "kg",
    "KJ": "kJ",
    "μ": "µ",
    "Ω": "ohm",
    "Newton": "newton",
    "Newtons": "newton",
    "Joules": "joule",
    "Joule": "joule",
    "Watts": "watt",
    "Watt": "watt",
    "Volts": "volt",
    "Volt": "volt",
    "Amperes": "ampere",
    "amps": "ampere",
    "Kelvin": "kelvin",
    "Pascals": "pascal",
    "Pascal": "pascal",
    "Hertz": "hertz",
    "Ohms": "ohm",
    "Coulombs": "coulomb",
}
# Symbols pint reads as physical constants; in an answer they are variables or mistakes.
_CONSTANTS = frozenset(("c", "e", "k", "R", "G_0", "pi", "N_A"))


_WHOLE = re.compile(r"[+\-−]?\s*\d[\d,{}]*")
_CYCLES = frozenset(("Hz", "kHz", "MHz", "GHz", "THz", "mHz", "hertz"))
_ANGLES = frozenset(
    ("rad", "radian", "radians", "mrad", "degree", "deg", "rpm", "arcmin", "arcsec")
)
_SHARES = frozenset(("percent", "ppm", "ppb"))
_TEMPERATURES = frozenset(("degC", "degF", "kelvin", "K"))
_ZERO_FLOOR = 1e-9  # 32 °F is 0 °C but for a float's last bits


class Measure(NamedTuple):
    """A number, the factors of its unit (empty for a bare number), and whether it is a plain
    whole number such as `250`, which `2.5 \\times 10^2` is not."""

    number: Number
    factors: tuple[UnitFactor, ...]
    whole: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(_ALIASES.get(factor.symbol, factor.symbol) for factor in self.factors)


def verify_quantity(prompt: Prompt, sample: Sample) -> Verdict:
    """Accept when the final answer is the quantity `prompt.reference`, in any unit of its kind."""
    started = time.perf_counter()
    ruling = rule_on_sample(sample) or rule_on_quantity(prompt, sample)
    return stamp(ruling, sample.sample_id, SIGNATURE, started)


def rule_on_quantity(prompt: Prompt, sample: Sample) -> Ruling:
    found = final_answer(sample.answer)
    if found is None:
        return undecided(Reason.NO_FINAL_ANSWER, "no \\boxed{} and no marked answer")
    if problem := too_wild(found.text):
        return undecided(Reason.UNPARSED, problem)
    return compare_quantities(prompt.reference, found.text)


def compare_quantities(reference: str, answer: str) -> Ruling:
    """Rule on two quantities by value, unit and dimension: `12 m/s` against `43.2 km/h`."""
    detail = f"{answer} against {reference}"
    if normal_form(reference) == normal_form(answer):
        return accept(detail)
    wanted, got = read_measure(reference), read_measure(answer)
    if wanted is None or got is None:
        which = "the reference" if wanted is None else "the answer"
        return undecided(Reason.UNPARSED, f"{detail}: {which} is not a number with a unit")
    if wanted.factors and not got.factors and not _is_share(wanted, got):
        return reject(Reason.WRONG_UNIT, f"{detail}: the unit is missing")
    if wanted.factors == got.factors:
        return _compare_values(wanted, float(got.number.value), detail, same_unit=True)
    unitless = got.names & _ANGLES or not _is_dimensionless(got.factors)
    if got.factors and not wanted.factors and unitless:
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: the reference has no unit")
    if _is_unclear(wanted, got):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: which unit is meant?")
    if _kinds_differ(wanted.names, got.names) or _kinds_differ(got.names, wanted.names):
        return reject(Reason.WRONG_UNIT, f"{detail}: another kind of quantity")
    if "rpm" in got.names ^ wanted.names and (got.names | wanted.names) & _CYCLES:
        wanted, got = _as_turns(wanted), _as_turns(got)
    return _compare_converted(wanted, got, detail)


def _is_unclear(wanted: Measure, got: Measure) -> bool:
    """A bare C or F (coulomb, farad) for a temperature, or the same symbols in another case."""
    if wanted.names & _TEMPERATURES and got.names <= {"C", "F"} and got.names:
        return True
    symbols = [sorted((f.symbol, f.power) for f in m.factors) for m in (wanted, got)]
    folded = [[(symbol.casefold(), power) for symbol, power in each] for each in symbols]
    return folded[0] == folded[1] and wanted.names != got.names


def _kinds_differ(one: frozenset[str], other: frozenset[str]) -> bool:
    """Units that share a dimension for pint, but do not measure the same."""
    if one & _CYCLES and other & _ANGLES and "rpm" not in other:
        return True
    return bool(one & _SHARES and other & _ANGLES)


def _as_turns(measure: Measure) -> Measure:
    """Revolutions counted as cycles: 60 rpm is 60 per minute, not 2π·60 radians per minute."""
    factors = tuple(
        UnitFactor("minute", -f.power) if f.symbol == "rpm" else f for f in measure.factors
    )
    return measure._replace(factors=factors)


def read_measure(text: str) -> Measure | None:
    r"""`"3.0 \times 10^8 m/s"` as (3e8, m·s⁻¹); None when it is not a number and a unit."""
    body = _TEN_IN_ROMAN.sub(r"\1", text.replace(r"\$", " dollar ").replace("$", " "))
    match = _NUMBER.match(_JUXTAPOSED_TEN.sub(r"\1 \\times 10^", body).strip())
    if match is None:
        return None
    number = read_number(match["number"])
    factors = read_unit(match["unit"])
    if number is None or factors is None:
        return None
    return Measure(number, factors, whole=_WHOLE.fullmatch(match["number"].strip()) is not None)


def _compare_converted(wanted: Measure, got: Measure, detail: str) -> Ruling:
    units = _pint_unit(wanted.factors), _pint_unit(got.factors)
    if units[0] is None or units[1] is None:
        which = wanted.factors if units[0] is None else got.factors
        names = " ".join(factor.symbol for factor in which)
        return undecided(Reason.UNPARSED, f"{detail}: unknown unit {names}")
    if units[0].dimensionality != units[1].dimensionality:
        if (spaced := _spaced(got.factors)) != got.factors:
            return _compare_converted(wanted, got._replace(factors=spaced), detail)
        return reject(
            Reason.WRONG_UNIT,
            f"{detail}: {units[1].dimensionality} where {units[0].dimensionality} is asked",
        )
    converted = _registry().Quantity(float(got.number.value), units[1]).to(units[0])
    return _compare_values(wanted, float(converted.magnitude), detail)


def _compare_values(wanted: Measure, got: float, detail: str, same_unit: bool = False) -> Ruling:
    value, decimals = wanted.number.value, wanted.number.decimals
    gap = abs(got - float(value))
    bare_integer = not wanted.factors and decimals is None and value.denominator == 1
    if bare_integer or value == 0 or (wanted.whole and same_unit):
        allowed = _ZERO_FLOOR
    else:
        allowed = RELATIVE_TOLERANCE * abs(float(value)) * (1 + 1e-9)
    if decimals and _digits(value, decimals) >= 2:
        allowed = max(allowed, 0.5 * 10.0**-decimals * (1 + 1e-9))
    if gap <= allowed:
        return accept(detail)
    return reject(Reason.ANSWER_MISMATCH, f"{detail}: off by {gap:.4g}, {allowed:.4g} allowed")


def _digits(value: Fraction, decimals: int) -> int:
    return len(str(abs(int(value * 10**decimals))))


def _is_share(wanted: Measure, got: Measure) -> bool:
    """A bare 0.5 for `50 %`: the one unit that is a plain number."""
    same_value = wanted.number.value == got.number.value
    return _is_dimensionless(wanted.factors) and not same_value


def _spaced(factors: tuple[UnitFactor, ...]) -> tuple[UnitFactor, ...]:
    """`ms^{-1}` read as m·s⁻¹, which is what it mostly means where milliseconds do not fit."""
    read: list[UnitFactor] = []
    for factor in factors:
        if factor.symbol == "ms" and factor.power < 0:
            read += [UnitFactor("m", 1), UnitFactor("s", factor.power)]
        else:
            read.append(factor)
    return tuple(read)


def _is_dimensionless(factors: tuple[UnitFactor, ...]) -> bool:
    unit = _pint_unit(factors)
    return unit is not None and bool(unit.dimensionless)


@lru_cache(maxsize=512)
def _pint_unit(factors: tuple[UnitFactor, ...]) -> Any:
    """The pint unit of some factors, or None where pint does not know one of them."""
    registry = _registry()
    unit = registry.Unit("")
    for symbol, power in factors:
        name = _ALIASES.get(symbol, symbol)
        if name in _CONSTANTS:
            return None
        try:
            unit = unit * registry.Unit(name) ** power
        except Exception:  # noqa: BLE001 (pint raises its own, tokenizer and attribute errors)
            return None
    return unit


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
