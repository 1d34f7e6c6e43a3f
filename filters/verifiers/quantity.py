r"""Quantities: a number with a unit, compared in the reference's unit.

Rules. Of the unit: one that measures something else is `wrong_unit`; hertz and radians per second,
percent and degrees are kinds of their own, though all are plain numbers to pint; 60 rpm is 1 Hz.
A bare number where the reference has a unit is accepted where the question names that unit ("in
m/s"), and else undecided where the value is right. Undecided is also a unit nobody knows, one that
differs from the reference's in letter case only, a bare `C` or `F` for a temperature, and a unit
where the reference has none.

Of the value: TOLERANCE of the reference, by domain, or what rounds to the digits the reference
shows (two at least: `0.33 m` is met by `0.3333 m`), or lies within its `±`. A whole number such as
`250` says nothing of its digits: without unit it must be met exactly; in its own unit a decimal is
taken that rounds to it and is off by a thousandth at most (`1349.7 K` for `1350 K`, in science).
What is off by less than 1 % else is undecided where the reference is a whole number with a unit, or
(in science) the answer a decimal for a whole number, or where the answer came in another unit.

Nothing here hangs or grows: texts are read by regular expressions of bounded length, pint sees
single symbols only (filters/verifiers/unit_scale.py).
"""

import re
import time
from typing import NamedTuple

from filters.extract import final_answer, too_wild
from filters.ruling import Ruling, accept, reject, rule_on_sample, stamp, undecided
from filters.verdict import Reason, Verdict
from filters.verifiers.measure import Measure, read_measure
from filters.verifiers.normal_form import normal_form
from filters.verifiers.unit_scale import Scale, counted_things, scale_of
from filters.verifiers.unit_text import UnitFactor, read_unit
from prompts.record import Prompt
from teacher.sample import Sample

SIGNATURE = ("quantity", "5")

# Measured constants differ in their third digit between textbooks; a sum in a mathematics problem
# has one right value.
TOLERANCE = {"science": 1e-2, "general": 1e-2, "math": 0.0, "puzzle": 0.0}

_EXACT = 1e-9  # what a float loses: 32 °F is 0 °C but for its last bits
_SAME_SHARE = 1e-3
_NEAR = 1e-2
_ROUNDED_WHOLE, _ROUNDED_SHARE = 0.4, 1e-3
_MOST_SPREAD = 0.1  # `5 ± 3` is not an answer of 5, but two: 2 and 8
_CONVERSIONS = (60.0, 3_600.0, 86_400.0, 3.6)  # besides powers of ten: min, h, day, km/h
_CYCLES = frozenset(("Hz", "kHz", "MHz", "GHz", "THz", "mHz", "hertz", "Hertz", "rev", "rps"))
_ANGLES = frozenset(
    ("rad", "radian", "radians", "mrad", "°", "degree", "degrees", "deg", "rpm", "arcmin", "arcsec")
)
_SHARES = frozenset(("percent", "%", "ppm", "ppb"))
_LEVELS = frozenset(("dB", "decibel", "decibels"))
_TEMPERATURES = frozenset(("°C", "°F", "degC", "degF", "celsius", "Celsius", "kelvin", "K"))
# The rest of a formula, or what stands before the next blank line or full stop.
_BEHIND_BOX = re.compile(
    r"\s?\}(?:\\[,;:! ]|~|\$|\\\)|\s){0,4}([^\s$][^$\n]{0,40}?)\s*(?:\$|\\[)\]]|\.?\s*(?:\n|\Z))"
)
_ASKED_IN = re.compile(r"\b(?:in|as)\s+(?:units of\s+)?([^\s,;?()][^,;?()\n]{0,60})")
_UNIT_WORDS = 4


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
    answer = with_unit_behind(found.text, sample.answer) if found.mark == "box" else found.text
    return compare_quantities(prompt.reference, answer, prompt.question, prompt.domain)


def with_unit_behind(boxed: str, text: str) -> str:
    """`\\boxed{12}\\text{ m/s}` as `12 m/s`: a known unit right behind a bare number."""
    number = read_measure(boxed)
    after = text.rpartition(boxed)[2]
    if number is None or number.factors or (behind := _BEHIND_BOX.match(after)) is None:
        return boxed
    factors = read_unit(behind[1])
    known = factors and scale_of(factors) is not None
    return f"{boxed} {behind[1]}" if known else boxed


def compare_quantities(
    reference: str, answer: str, question: str = "", domain: str = "science"
) -> Ruling:
    """Rule on two quantities by value, unit and dimension: `12 m/s` against `43.2 km/h`."""
    detail = f"{answer} against {reference}"
    if normal_form(reference) == normal_form(answer):
        return accept(detail)
    wanted, got = read_measure(reference), read_measure(answer)
    if wanted is None or got is None:
        which = "the reference" if wanted is None else "the answer"
        return undecided(Reason.UNPARSED, f"{detail}: {which} is not a number with a unit")
    case = _Case(wanted, got, detail, TOLERANCE.get(domain, 0.0))
    if wanted.factors and not got.factors:
        return _rule_on_bare_number(case, question)
    if wanted.factors == got.factors:
        return _compare_values(case, float(got.value), same_unit=True)
    if _is_unclear(wanted, got):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: which unit is meant?")
    if _kinds_differ(wanted.names, got.names) or _kinds_differ(got.names, wanted.names):
        return reject(Reason.WRONG_UNIT, f"{detail}: another kind of quantity")
    if "rpm" in got.names ^ wanted.names and (got.names | wanted.names) & _CYCLES:
        case = case._replace(wanted=_as_turns(wanted), got=_as_turns(got))
    return _compare_converted(case)


class _Case(NamedTuple):
    """Two measures, how to speak of them, and the tolerance of their domain."""

    wanted: Measure
    got: Measure
    detail: str
    tolerance: float


def _rule_on_bare_number(case: _Case, question: str) -> Ruling:
    """A number where a quantity is asked: right, wrong, or nobody knows in which unit."""
    wanted, got = case.wanted, case.got
    scale = scale_of(wanted.factors)
    if scale is not None and not scale.dimension:  # 0.5 for 50 %, \pi/4 for 45°
        share = float(got.value) / scale.factor
        if abs(share - float(wanted.value)) <= _SAME_SHARE * abs(share):
            return accept(case.detail)
    ruling = _compare_values(case, float(got.value), same_unit=True)
    if ruling.outcome == "accept":
        if scale is not None and _asks_for(question, scale):
            return ruling
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{case.detail}: the unit is missing")
    numbers = float(wanted.value), float(got.value)
    if ruling.outcome == "reject" and (wanted.names & _LEVELS or _may_be_converted(*numbers)):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{case.detail}: in another unit?")
    return ruling


def _asks_for(question: str, scale: Scale) -> bool:
    """Whether the question says in which unit it wants its answer: "in m/s", "in kilojoules"."""
    for said in _ASKED_IN.findall(question[-2_000:]):
        words = said.rstrip(". ").split()[:_UNIT_WORDS]
        for count in range(len(words), 0, -1):
            factors = read_unit(" ".join(words[:count]))
            if factors and (asked := scale_of(factors)) is not None:
                if asked.dimension == scale.dimension and asked.factor == scale.factor:
                    return True
                break
    return False


def _may_be_converted(wanted: float, got: float) -> bool:
    if not wanted or not got or (wanted < 0) != (got < 0):
        return False
    ratio = max(wanted / got, got / wanted)
    shifted = f"{ratio:.6e}".partition("e")[0]
    powers = shifted in ("1.000000", "9.999999") and ratio > 5
    return powers or any(abs(ratio / known - 1) < _EXACT for known in _CONVERSIONS)


def _is_unclear(wanted: Measure, got: Measure) -> bool:
    """A bare C or F (coulomb, farad) for a temperature, or the same symbols in another case."""
    for one, other in ((wanted, got), (got, wanted)):
        if one.names & _TEMPERATURES and other.names and other.names <= {"C", "F"}:
            return True
    things = counted_things(wanted.factors), counted_things(got.factors)
    if things[0] and things[1] and things[0] != things[1]:
        return True
    scales = scale_of(wanted.factors), scale_of(got.factors)
    if scales[0] == scales[1]:
        return False
    if scales[0] and scales[1] and scales[0][:2] == scales[1][:2]:
        return wanted.value == got.value  # 5 K for 5 °C: a difference of temperatures
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


def _compare_converted(case: _Case) -> Ruling:
    wanted, got, detail, _ = case
    scales = scale_of(wanted.factors), scale_of(got.factors)
    if scales[0] is None or scales[1] is None:
        which = wanted.factors if scales[0] is None else got.factors
        names = " ".join(factor.symbol for factor in which)
        return undecided(Reason.UNPARSED, f"{detail}: unknown unit {names}")
    if not wanted.factors and (scales[1].dimension or got.names & _ANGLES):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: the reference has no unit")
    if scales[0].dimension != scales[1].dimension:
        if (spaced := _spaced(got.factors)) != got.factors:
            return _compare_converted(case._replace(got=got._replace(factors=spaced)))
        kinds = [_kind(scale) for scale in scales if scale is not None]
        return reject(Reason.WRONG_UNIT, f"{detail}: {kinds[1]} where {kinds[0]} is asked")
    base = float(got.value) * scales[1].factor + scales[1].offset
    return _compare_values(case, (base - scales[0].offset) / scales[0].factor)


def _kind(scale: Scale) -> str:
    return " ".join(f"{name}^{power:g}" for name, power in scale.dimension) or "a plain number"


def _spaced(factors: tuple[UnitFactor, ...]) -> tuple[UnitFactor, ...]:
    """`ms^{-1}` read as m·s⁻¹, which is what it mostly means where milliseconds do not fit."""
    read: list[UnitFactor] = []
    for factor in factors:
        if factor.symbol == "ms" and factor.power < 0:
            read += [UnitFactor("m", 1), UnitFactor("s", factor.power)]
        else:
            read.append(factor)
    return tuple(read)


def _compare_values(case: _Case, got: float, same_unit: bool = False) -> Ruling:
    wanted, answer, detail, tolerance = case
    if wanted.upper is not None or answer.upper is not None:
        return _compare_ranges(case, got, same_unit)
    if _is_wide(wanted):
        same = same_unit and (wanted.value, wanted.spread) == (answer.value, answer.spread)
        unsure = undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: the reference may be two answers")
        return accept(detail) if same else unsure
    value = float(wanted.value)
    gap = abs(got - value)
    if gap <= _EXACT * max(abs(value), abs(got)) or (
        value == 0 and not same_unit and gap <= _EXACT and _has_zero_elsewhere(wanted, answer)
    ):
        return _unless_wide(answer, detail)
    allowed = _allowed(case, same_unit) * (1 + _EXACT)
    if gap <= allowed:
        return _unless_wide(answer, detail)
    rounded = wanted.whole and tolerance > 0 and answer.step is not None
    vague = wanted.factors and (wanted.whole or not same_unit)
    if (vague or rounded) and gap <= _NEAR * abs(value):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: near, but how exact is {value:g}?")
    return reject(Reason.ANSWER_MISMATCH, f"{detail}: off by {gap:.4g}, {allowed:.4g} allowed")


def _allowed(case: _Case, same_unit: bool) -> float:
    """How far an answer may be from the reference, in the reference's unit."""
    wanted, answer, _, tolerance = case
    if wanted.whole and (same_unit or not wanted.factors):
        rounds = wanted.factors and tolerance and answer.step is not None
        return min(_ROUNDED_WHOLE, _ROUNDED_SHARE * abs(float(wanted.value))) if rounds else 0.0
    allowed = tolerance * abs(float(wanted.value))
    if wanted.step is not None and wanted.significant > 1:
        allowed = max(allowed, float(wanted.step) / 2)
    if wanted.spread is not None:
        allowed = max(allowed, float(wanted.spread))
    return allowed


def _has_zero_elsewhere(*measures: Measure) -> bool:
    """Whether one of two units has its zero where the other has not: 0 °C is 32 °F."""
    scales = [scale_of(measure.factors) for measure in measures]
    return any(scale is not None and scale.offset for scale in scales)


def _is_wide(measure: Measure) -> bool:
    return measure.spread is not None and measure.spread > _MOST_SPREAD * abs(measure.value)


def _unless_wide(answer: Measure, detail: str) -> Ruling:
    if _is_wide(answer):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: uncertain, or two answers?")
    return accept(detail)


def _compare_ranges(case: _Case, got: float, same_unit: bool) -> Ruling:
    """Both ends must agree; one value where a range is asked, or within it, is for a judge."""
    wanted, answer, detail, _ = case
    if wanted.upper is not None and answer.upper is not None:
        if not same_unit:
            return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: ranges in two units")
        ends = [
            _compare_values(
                case._replace(wanted=_end(wanted, end), got=_end(answer, end)),
                float(_end(answer, end).value),
                same_unit,
            )
            for end in (0, 1)
        ]
        return next((end for end in ends if end.outcome != "accept"), accept(detail))
    span = wanted if wanted.upper is not None else answer
    low, high = sorted((float(span.value), float(span.upper or 0)))
    value = got if span is wanted else float(wanted.value)
    if same_unit and not low <= value <= high:
        return reject(Reason.ANSWER_MISMATCH, f"{detail}: not within the range")
    return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: a range against a value")


def _end(measure: Measure, end: int) -> Measure:
    value = measure.upper if end and measure.upper is not None else measure.value
    return measure._replace(value=value, upper=None)
