r"""Unit texts read by a small grammar: symbols, products, quotients and small integer powers.

Read: `m/s^2`, `kg m^{-1} s^{-2}`, `\mathrm{~kJ} \mathrm{mol}^{-1}`, `metres per second`, `°C`.
Nothing is evaluated: a parser that takes expressions would compute `10**10**10`.
"""

import re
from typing import NamedTuple

_MAX_CHARS = 80
_MAX_POWER = 9
_ARGUMENT = r"\{((?:[^{}]|\{[^{}]*\})*)\}"
_FRACTION = re.compile(rf"\\[dt]?frac\s*{_ARGUMENT}\s*{_ARGUMENT}")
_LATEX = (
    (re.compile(r"(?:\\mu|\\micro|[µμ])\s*\\(?:mathrm|text|rm)\s*\{[\s~]*"), " {µ"),
    (re.compile(r"\\(?:mathrm|text|textrm|rm|operatorname|mathit|unit|si)(?![a-zA-Z])"), " "),
    (re.compile(r"\^\s*\{?\s*\\circ\s*\}?\s*|°\s*|\\degree\s*(?:Celsius)?"), " °"),
    (re.compile(r"\\(?:mu|micro)(?![a-zA-Z])\s*"), "µ"),
    (re.compile(r"\\(?:Omega|ohm)(?![a-zA-Z])"), "ohm "),
    (re.compile(r"\\AA(?![a-zA-Z])|\\r(?:ing)?\{A\}|\\mathring\{A\}|Å"), " angstrom "),
    (re.compile(r"\\(?:cdot|times)(?![a-zA-Z])|[·⋅*×]"), " "),
    (re.compile(r"\\[,;:! ]|~|\\(?:left|right)(?![a-zA-Z])|\$"), " "),
    (re.compile(r"\bdegrees?\s+C(?:elsius|entigrade)?\b"), " °C"),
    (re.compile(r"\bdegrees?\s+F(?:ahrenheit)?\b"), " °F"),
    (re.compile(r"\b(?:electron[\s-]?volts?)\b"), "eV"),
    (re.compile(r"(?<=[A-Za-z}])\.(?=\s?[A-Za-z\\{])"), " "),
    (re.compile(r"\bper\b"), "/"),
    (re.compile(r"\b(?:square|sq\.?)\s+([A-Za-z]+)"), r"\1^2"),
    (re.compile(r"\b(?:cubic|cu\.?)\s+([A-Za-z]+)"), r"\1^3"),
    (re.compile(r"\bsquared\b"), "^2"),
    (re.compile(r"\bcubed\b"), "^3"),
)
# Written without a blank: the power is the last one's, as in `JK^{-1}`.
_COMPOUNDS = {
    first + second: (first, second)
    for first, seconds in (
        ("N", "m s C"),
        ("kN", "m"),
        ("J", "s K C T kg mol"),
        ("kJ", "mol kg K"),
        ("Pa", "s"),
        ("g", "mol cm L"),
        ("kg", "m mol"),
        ("mol", "L kg dm"),
        ("mg", "L"),
        ("V", "m s"),
        ("A", "s"),
        ("W", "m K"),
    )
    for second in seconds.split()
}
_EXPONENT_BRACES = re.compile(r"\^\s*\{\s*([+-]?\d{1,2})\s*\}")
_HYPHEN = re.compile(r"(?<=[A-Za-z])-(?=[A-Za-z])")  # ft-lb
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SUPERSCRIPTS = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_TOKEN = re.compile(
    r"\s*(?:(?P<symbol>[A-Za-zµμΩ°]+|[%€£¥¢])(?:\s*(?:\^|\*\*)\s*(?P<bracket>\()?(?P<power>[+-]?\d{1,2})(?(bracket)\))"
    r"|(?P<glued>-?[2-4](?![\d.])))?|(?P<slash>/)|(?P<open>\()|(?P<close>\))|(?P<one>1(?=\s*/)))"
)


class UnitFactor(NamedTuple):
    """One symbol with its power: `s^-2` is `("s", -2)`."""

    symbol: str
    power: int


def read_unit(text: str) -> tuple[UnitFactor, ...] | None:
    """The factors of a unit text, empty for none, or None when the grammar does not hold it."""
    if len(text) > _MAX_CHARS:
        return None
    text = _SUPERSCRIPTS.sub(lambda m: "^" + m.group().translate(_SUPERSCRIPT), text)
    text = _FRACTION.sub(r"(\1)/(\2)", text)
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    text = _EXPONENT_BRACES.sub(r"^\1 ", text).replace("{", " ").replace("}", " ")
    return _read_factors(_HYPHEN.sub(" ", text.replace("\\%", "%")).strip(" .,"))


def _read_factors(text: str) -> tuple[UnitFactor, ...] | None:
    """`a/b c` is a/(b)·c in school texts' `J/mol K` spelling: a slash holds to the end.

    A second slash divides again; parentheses after a slash only make the same thing plain.
    """
    factors: list[UnitFactor] = []
    position, sign, depth = 0, 1, 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            return None
        position = token.end()
        if token["slash"]:
            sign = -1
        depth += bool(token["open"]) - bool(token["close"])
        if not 0 <= depth <= 1:
            return None
        if token["symbol"]:
            power = int(token["power"] or token["glued"] or 1)
            if power == 0 or abs(power) > _MAX_POWER:
                return None
            *before, last = _COMPOUNDS.get(token["symbol"], (token["symbol"],))
            factors += [UnitFactor(symbol, sign) for symbol in before]
            factors.append(UnitFactor(last, sign * power))
    return tuple(factors) if depth == 0 else None
