r"""Numbers with units out of texts: value, digits shown, uncertainty, range and the unit's factors.

Read: `12 m/s`, `3.0 \times 10^8 \mathrm{~m} / \mathrm{s}`, `2.6 $10^{-10} \mathrm{~N}$`,
`1.5e-3 mol`, `(3.2 \pm 0.1) m`, `3.2(1) m`, `10-12 cm`, `\frac{3}{4} h`, `2\pi m`,
`v \approx 12 m/s`, `$1,200`, `\$5.50`, `10^{-3} M`, `≈ 25 °C`, and of `F = ma = 12 N` what
is said last.
"""

import re
from fractions import Fraction
from functools import lru_cache
from math import isqrt, pi
from typing import NamedTuple

from filters.verifiers.unit_scale import scale_of
from filters.verifiers.unit_text import UnitFactor, read_unit

_MAX_CHARS = 300
_MAX_DIGITS = 60
_MAX_EXPONENT = 400
_LARGEST = Fraction(10) ** 150

_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUPERSCRIPTS = re.compile("[⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LONE_DOLLAR = re.compile(r"(?<!\\)\$(?=\s?-?[\d.])|(?<=\d)\s?\$(?=\s*\Z)")
_SPELLINGS = (
    (re.compile(r"\\\$|US\$"), " dollar "),
    (re.compile(r"\$|\\[()\[\]]|\\(?:left|right|displaystyle|big|Big)(?![a-zA-Z])"), " "),
    (re.compile(r"(?<!\d)\*\*|\*\*(?!\s*[-+\d({])"), " "),
    (re.compile(r"\\(?:mathbf|boldsymbol|textbf|mathit|bm|boxed)\s*\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\(?:mathrm|text)\s*\{\s*(10\s*\^\{?[-+]?\d+\}?)\s*\}"), r"\1"),
    (re.compile(r"\\[dtc]frac(?![a-zA-Z])"), r"\\frac"),
    (re.compile(r"\\times(?![a-zA-Z])|[✕✖]"), "×"),
    (
        re.compile(
            r"(?<=\d)\s*\\cdot\s*(?=\d)|(?<=\d)\s*[*·⋅]\s*(?=1?0?\d)|(?<=\d)\s*x\s*(?=10\s*\^)"
        ),
        "×",
    ),
    (re.compile(r"\\pm(?![a-zA-Z])|\+/-|\+-"), "±"),
    (re.compile(r"\\(?:approx|sim|simeq)(?![a-zA-Z])|[≈≃∼]"), "≈"),
    (re.compile(r"\\(?:geq?|leq?|gt|lt|ge|le)(?![a-zA-Z])"), "<"),
    (re.compile(r"[−–—‒]"), "-"),
    (
        re.compile(r"(?<=\d)(?:\{,\}|,|\\[,!:; ]|[\u2009\u202f\u00a0]|(?<=\d) )(?=\d{3}(?![\d]))"),
        "_",
    ),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\pi(?![a-zA-Z])"), "π"),
)
_APPROXIMATELY = re.compile(
    r"^[\s=≈~]*(?:(?:about|approximately|approx\.?|roughly|around|nearly|circa|ca\.?|~|≈)\s*)+",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"\s\((?:approx|about|or |rounded|to |i\.e|which|that|≈|~|[-+]?\d)[^()]*\)\s*$"
)
_POWER = r"10\s*(?:\^|\*\*)\s*[({{]?\s*(?P<{}>[+-]?\d{{1,4}})\s*[)}}]?"
_DECIMAL = r"(?:\d{1,3}(?:_\d{3})+|\d+)(?:\.\d*)?|\.\d+"
_FRACTION = (
    rf"\\frac\s*\{{\s*(?P<top>{_DECIMAL})?\s*(?P<top_pi>π)?\s*\}}"
    rf"\s*\{{\s*(?P<bottom>{_DECIMAL})\s*\}}"
)
_SCALED = (
    rf"(?P<mantissa>{_DECIMAL})(?:\((?P<last>\d{{1,2}})\))?"
    rf"(?:\s*/\s*(?P<over>\d+)(?![\d.])|[eE](?P<e>[+-]?\d{{1,4}})(?![\d.])"
    rf"|(?:\s*×\s*|\s+){_POWER.format('times')})?"
)
_NUMBER = re.compile(
    rf"\s*(?P<sign>[+-]?)\s*(?:{_FRACTION}|{_POWER.format('alone')}(?!\s*\d)|{_SCALED})?"
    r"(?P<root>\s*×?\s*\\sqrt\s*\{\s*\d{1,9}\s*\})?"
    r"(?P<pi>\s*[×·]?\s*π(?:\s*/\s*(?P<pi_over>[1-9]\d{0,5}))?)?"
)
_ONLY_TEN = re.compile(rf"\s*×?\s*{_POWER.format('ten')}")
_PARTS = re.compile(r"(?<=[A-Za-z°'])[\s,}]{0,8}\s(?:and\s+)?(?=\d)")
_MAX_PARTS = 4
_PLAIN = re.compile(rf"\s*({_DECIMAL})\s*")
_RANGE = re.compile(r"\s*(?:-|to|and)\s*(?=\.?\d)")


class Measure(NamedTuple):
    """A number and the factors of its unit (none for a bare number).

    `step` is the worth of its last digit shown, None for one written without point or power, such
    as `250`, of which nobody knows; `significant` how many digits it shows; `spread` its stated
    uncertainty; `upper` the other end of a range.
    """

    value: Fraction
    factors: tuple[UnitFactor, ...]
    step: Fraction | None = None
    significant: int = 0
    spread: Fraction | None = None
    upper: Fraction | None = None
    whole: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(factor.symbol for factor in self.factors)


class _Read(NamedTuple):
    value: Fraction
    step: Fraction | None
    significant: int
    spread: Fraction | None
    end: int
    whole: bool


@lru_cache(maxsize=1_024)
def read_measure(text: str) -> Measure | None:
    r"""`"3.0 \times 10^8 m/s"` as (3e8, m·s⁻¹); None when it is not a number and a unit."""
    if len(text) > _MAX_CHARS:
        return None
    spelt = _spelt(text)
    remark = _REMARK.search(spelt)
    if remark and any(c.isdigit() for c in remark.group()):
        return None  # another number, which may be another answer
    body = _last_said(spelt)
    read = _read_one(body) or _read_sum(_PARTS.split(body))
    return read if read and _is_bounded(read) else None


def _is_bounded(measure: Measure) -> bool:
    """Whether all its numbers are such as a float holds, and none that it would make a zero."""
    numbers = (measure.value, measure.spread, measure.upper)
    return all(not n or 1 / _LARGEST < abs(n) < _LARGEST for n in numbers)


def _read_sum(parts: list[str]) -> Measure | None:
    """`2 h 30 min` and `5 ft 3 in`: ever smaller units of one kind, in the first one's."""
    if not 2 <= len(parts) <= _MAX_PARTS:
        return None
    total, last = None, None
    for part in parts:
        measure = _read_one(part)
        scale = scale_of(measure.factors) if measure else None
        if measure is None or scale is None or scale.offset or measure.value < 0:
            return None
        if total is None or last is None:
            total, first = measure, scale
        elif scale.dimension != last.dimension or scale.factor >= last.factor:
            return None
        else:
            ratio = Fraction(scale.factor / first.factor).limit_denominator(10**9)
            total = total._replace(value=total.value + measure.value * ratio, step=None)
        last = scale
    return total


def _read_one(body: str) -> Measure | None:
    bracketed = body.startswith(("(", "[")) and ("±" in body or _RANGE.search(body))
    if bracketed:
        body = re.sub(r"^[(\[]([^()\[\]]*)[)\]]", r"\1", body)
    money, body = _leading_money(body)
    first = _read_number(body)
    if first is None:
        return None
    rest = body[first.end :]
    spread, rest = _uncertainty(rest, shared_power="10" not in body[: first.end])
    upper, rest = (None, rest) if spread is not None else _range_end(rest)
    if power := _ONLY_TEN.match(rest):
        return None if power.end() == 0 else _scaled(first, spread, upper, rest, power)
    factors = read_unit(rest)
    if factors is None:
        return None
    return _measure(first, money + factors, spread, upper)


def _scaled(
    first: _Read,
    spread: Fraction | None,
    upper: Fraction | None,
    rest: str,
    power: re.Match[str],
) -> Measure | None:
    """`(2.6 ± 0.1) × 10^-10 N`: the power counts for the uncertainty too."""
    factors, exponent = read_unit(rest[power.end() :]), int(power["ten"])
    if factors is None or abs(exponent) > _MAX_EXPONENT:
        return None
    ten = Fraction(10) ** exponent
    plain = _measure(first, factors, spread, upper)
    return plain._replace(
        value=plain.value * ten,
        step=(plain.step or Fraction(1)) * ten,
        spread=None if plain.spread is None else plain.spread * ten,
        upper=None if plain.upper is None else plain.upper * ten,
        whole=False,
    )


def _measure(
    first: _Read, factors: tuple[UnitFactor, ...], spread: Fraction | None, upper: Fraction | None
) -> Measure:
    return Measure(
        value=first.value,
        factors=factors,
        step=first.step,
        significant=first.significant,
        spread=spread if spread is not None else first.spread,
        upper=upper,
        whole=first.whole,
    )


def _spelt(text: str) -> str:
    text = _SUPERSCRIPTS.sub(lambda m: "^{" + m.group().translate(_SUPERSCRIPT) + "}", text)
    if (text.count("$") - text.count(r"\$")) % 2:  # one of them is no delimiter
        text = _LONE_DOLLAR.sub(" dollar ", text, count=1)
    for pattern, replacement in _SPELLINGS:
        text = pattern.sub(replacement, text)
    return text.strip().rstrip(".").strip()


def _last_said(body: str) -> str:
    """What stands behind the last equals sign, without `about` and without a remark."""
    body = _REMARK.sub("", body)
    said = re.split(r"[=≈]", body)
    body = next((part for part in reversed(said) if part.strip()), "")
    return _APPROXIMATELY.sub("", body).removeprefix("between ").strip(" ~")


def _leading_money(body: str) -> tuple[tuple[UnitFactor, ...], str]:
    match = re.match(r"(-?)\s*(dollar|[€£¥])\s*(?=[\d.+-])", body)
    if match is None:
        return (), body
    return (UnitFactor(match[2], 1),), match[1] + body[match.end() :]


def _read_number(body: str) -> _Read | None:
    match = _NUMBER.match(body)
    if match is None or match.end() == 0 or len(match.group()) > 3 * _MAX_DIGITS:
        return None
    read = _value(match)
    if read is None:
        return None
    if match["root"] or match["pi"]:
        factor = Fraction(pi) / int(match["pi_over"] or 1) if match["pi"] else Fraction(1)
        if match["root"]:
            factor *= _root(int(re.findall(r"\d+", match["root"])[-1]))
        read = read._replace(value=read.value * factor, step=None, whole=False, significant=0)
    return read._replace(value=-read.value) if match["sign"] == "-" else read


def _value(match: re.Match[str]) -> _Read | None:
    end = match.end()
    powers = [
        int(power) for power in (match["e"], match["alone"], match["times"]) if power is not None
    ]
    exponent = powers[0] if powers else 0
    if abs(exponent) > _MAX_EXPONENT:
        return None
    if match["bottom"]:
        top = _decimal(match["top"] or "1") * (Fraction(pi) if match["top_pi"] else 1)
        bottom = _decimal(match["bottom"])
        known = bottom and (match["top"] or match["top_pi"])
        return _Read(top / bottom, None, 0, None, end, False) if known else None
    digits = match["mantissa"]
    ten = Fraction(10) ** exponent
    if digits is None:
        known = bool(powers or match["root"] or match["pi"])
        return _Read(ten, None, 0, None, end, False) if known else None
    if match["over"]:
        over = int(match["over"][:_MAX_DIGITS])
        return _Read(_decimal(digits) / over, None, 0, None, end, False) if over else None
    decimals = len(digits.partition(".")[2])
    step = Fraction(1, 10**decimals) * ten
    shown = bool(powers) or "." in digits.rstrip(".")
    return _Read(
        value=_decimal(digits) * ten,
        step=step if shown else None,
        significant=len(re.sub(r"\D", "", digits).lstrip("0")),
        spread=int(match["last"]) * step if match["last"] else None,
        end=end,
        whole=not shown,
    )


def _uncertainty(rest: str, shared_power: bool) -> tuple[Fraction | None, str]:
    """`± 0.1 m`, and `m ± 0.1 m`, where the unit is said before it already.

    In `2.6 ± 0.1 × 10^-10` the power is one of both numbers.
    """
    before, sign, after = rest.partition("±")
    if not sign:
        return None, rest
    plain = _PLAIN.match(after)
    if shared_power and plain and _ONLY_TEN.match(after, plain.end()):
        return _decimal(plain[1]), after[plain.end() :]
    read = _read_number(after)
    if read is None:
        return None, rest
    tail = after[read.end :].strip(" )")
    return abs(read.value), tail or before


def _range_end(rest: str) -> tuple[Fraction | None, str]:
    between = _RANGE.match(rest)
    if between is None:
        return None, rest
    read = _read_number(rest[between.end() :])
    if read is None:
        return None, rest
    return read.value, rest[between.end() + read.end :]


def _decimal(digits: str) -> Fraction:
    return Fraction("0" + digits.replace("_", "").rstrip(".")[:_MAX_DIGITS])


def _root(number: int) -> Fraction:
    """The square root to 20 digits, which is more than a float holds."""
    return Fraction(isqrt(number * 10**40), 10**20)
