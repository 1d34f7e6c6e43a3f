"""Formulas in numbers, by mpmath, to as many digits as it takes; bounded as exact fractions are.

What has no value, or one beyond 10^4500, is an error before it is computed.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from filters.formula.exact import MAX_EXACT_BITS, MAX_TERMS, TooBigError, bits, places
from filters.formula.tree import FormulaError, Node

MAX_MAGNITUDE_BITS = 15_000
MOST_TINY_BITS = 1_500  # 10^-450
_ROUNDING_BITS = 1_800  # what is left of 0 at 600 digits
DIGITS = 40

Values = Mapping[str, Any]  # numbers for symbols


def numeric(node: Node, values: Values, digits: int = DIGITS, log_base: int = 0) -> Any:
    """The value as an mpmath complex or real number of `digits` digits.

    `values` are numbers for symbols; `log_base` is what a bare `\\log` means (0: natural). Raises
    FormulaError for what has no value, TooBigError for what is beyond 10^4500.
    """
    import mpmath

    with mpmath.workdps(digits + 10):
        return _number(node, values, log_base)


def _number(node: Node, values: Values, log_base: int) -> Any:
    import mpmath as mp

    kind = node.kind
    if kind == "number":
        assert node.number is not None
        if bits(node.number.numerator) > MAX_EXACT_BITS:
            raise TooBigError("a literal of too many digits")
        return mp.mpf(node.number.numerator) / node.number.denominator
    if kind == "symbol":
        if node.name not in values:
            raise FormulaError(f"no value for {node.name}")
        return values[node.name]
    if kind == "constant":
        return _constant(node.name)
    if kind == "series":
        return _series(node, values, log_base)
    args = [_number(arg, values, log_base) for arg in node.args]
    rule = _call(node.name, log_base) if kind == "call" else _RULES.get(kind)
    if rule is None:
        raise FormulaError(f"{kind} has no value")
    try:
        value = rule(*args)
    except FormulaError:
        raise
    except (ZeroDivisionError, ValueError, TypeError) as error:
        raise FormulaError(f"no value: {error}") from None
    return _tame(value)


def _series(node: Node, values: Values, log_base: int) -> Any:
    import mpmath as mp

    index, first, last, term = node.args
    ends = [_number(end, values, log_base) for end in (first, last)]
    if not all(mp.isint(end) and abs(end) < 10**9 for end in ends):
        raise FormulaError("a series between what are no whole numbers")
    between = places(Fraction(int(ends[0])), Fraction(int(ends[1])), term)
    if len(between) > MAX_TERMS // 4:
        raise TooBigError("a series of too many terms")
    total = mp.mpf(0 if node.name == "sum" else 1)
    for place in between:
        value = _number(term, {**values, index.name: mp.mpf(place)}, log_base)
        total = _tame(total + value if node.name == "sum" else total * value)
    return total


def _constant(name: str) -> Any:
    import mpmath as mp

    if name == "oo":
        raise FormulaError("infinity is no number")
    return {"pi": +mp.pi, "e": +mp.e, "i": mp.mpc(0, 1)}[name]


def _tame(value: Any) -> Any:
    """The value, a vanishing imaginary part dropped; what is not finite or too big is refused."""
    import mpmath as mp

    if not mp.isfinite(value):
        raise FormulaError("not finite")
    if value and mp.mag(value) > MAX_MAGNITUDE_BITS:
        raise TooBigError("too big a number")
    if value and -_ROUNDING_BITS < mp.mag(value) < -MOST_TINY_BITS:
        raise TooBigError("too small a number")
    if isinstance(value, mp.mpc) and value.imag == 0:
        return value.real
    return value


def _mp_power(base: Any, exponent: Any) -> Any:
    import mpmath as mp

    if base == 0:
        if mp.re(exponent) <= 0 and exponent != 0:
            raise ZeroDivisionError
        return mp.mpf(0) if exponent != 0 else mp.mpf(1)
    if exponent and mp.mag(exponent) + mp.mag(abs(mp.log(abs(base))) + 1) > 16:
        raise TooBigError("a power of too many digits")
    return mp.power(base, exponent)


def _sum_of(*terms: Any) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _product_of(*factors: Any) -> Any:
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    return product


def _degrees(value: Any) -> Any:
    import mpmath as mp

    return value * mp.pi / 180


_RULES: dict[str, Callable[..., Any]] = {
    "add": _sum_of,
    "mul": _product_of,
    "div": lambda a, b: a / b,
    "pow": _mp_power,
    "neg": lambda a: -a,
    "percent": lambda a: a / 100,
    "degree": _degrees,
}
_PLAIN = {
    "sin": "sin", "cos": "cos", "tan": "tan", "cot": "cot", "sec": "sec", "csc": "csc",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "coth": "coth", "ln": "log", "abs": "fabs",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsec": "asec", "arccsc": "acsc",
    "arccot": "acot", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "arg": "arg",
    "Re": "re", "Im": "im", "conjugate": "conj", "cbrt": "cbrt",
}  # fmt: skip
_MAX_ARGUMENT_BITS = 60  # sin(10^18): beyond, digits are lost


def _call(name: str, log_base: int) -> Callable[..., Any] | None:
    import mpmath as mp

    if name in _PLAIN:
        function = getattr(mp, _PLAIN[name])
        return lambda a: function(_small(a))
    rules: dict[str, Callable[..., Any]] = {
        "exp": lambda a: _mp_power(mp.e, a),
        "log": lambda a, b=None: _log(a, b, log_base),
        "root": _mp_root,
        "factorial": lambda a: mp.factorial(_within(a, 100_000)),
        "binom": lambda n, k: mp.binomial(_within(n, 10**9), _within(k, 100_000)),
        "floor": lambda a: mp.floor(_real(a)),
        "ceil": lambda a: mp.ceil(_real(a)),
        "max": lambda *a: max(map(_real, a)),
        "min": lambda *a: min(map(_real, a)),
        "mod": lambda a, b: mp.fmod(_real(a), _real(b)),
    }
    return rules.get(name)


def _log(value: Any, base: Any, log_base: int) -> Any:
    import mpmath as mp

    if value == 0:
        raise FormulaError("the logarithm of 0")
    if base is None:
        base = log_base or None
    return mp.log(value) if base is None else mp.log(value) / mp.log(base)


def _mp_root(value: Any, degree: Any) -> Any:
    """The real root of a negative number where the degree is odd, as school has it."""
    import mpmath as mp

    value = _small(value, MAX_MAGNITUDE_BITS)
    if not isinstance(value, mp.mpc) and value < 0 and mp.isint(degree) and int(degree) % 2:
        return -mp.power(-value, 1 / mp.mpf(degree))
    return mp.sqrt(value) if degree == 2 else mp.power(value, 1 / mp.mpf(degree))


def _small(value: Any, bits: int = _MAX_ARGUMENT_BITS) -> Any:
    import mpmath as mp

    if value and mp.mag(value) > bits:
        raise TooBigError("too big an argument")
    return value


def _within(value: Any, limit: int) -> Any:
    if abs(value) > limit:
        raise TooBigError("too big an argument")
    return value


def _real(value: Any) -> Any:
    import mpmath as mp

    if isinstance(value, mp.mpc):
        raise FormulaError("no real number")
    return value
