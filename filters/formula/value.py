"""Formulas in numbers: exact fractions where they are, else mpmath to as many digits as it takes.

Everything is bounded before it is computed: an exponent tower, a giant factorial or a literal of
many thousand digits raises TooBigError, and costs nothing. So this runs in any process.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import factorial, gcd, lcm
from typing import Any

from filters.formula.tree import FormulaError, Node, kinds

MAX_EXACT_BITS = 40_000
MAX_TERMS = 2_100
MAX_FACTORIAL = 3_000
MAX_MAGNITUDE_BITS = 15_000
DIGITS = 40

Values = Mapping[str, Any]  # numbers for symbols
Exact = Callable[..., Fraction | None]


class TooBigError(FormulaError):
    """Computing it could take more than a moment."""


def exact(node: Node, values: Mapping[str, Fraction] | None = None) -> Fraction | None:
    """The value as a fraction; None where it is none or is not seen to be one.

    `values` are fractions for symbols. Raises TooBigError, and ZeroDivisionError.
    """
    values = values or {}
    if node.kind == "number":
        return node.number
    if node.kind == "symbol":
        return values.get(node.name)
    if node.kind == "series":
        return _exact_series(node, values)
    rule = _EXACT.get(node.kind)
    if rule is None:
        return _exact_call(node, values) if node.kind == "call" else None
    args: list[Fraction] = []
    for arg in node.args:
        value = exact(arg, values)
        if value is None:
            return None
        args.append(value)
    return _bounded(rule(*args))


def _exact_series(node: Node, values: Mapping[str, Fraction]) -> Fraction | None:
    """The terms one by one; there may be MAX_TERMS of them."""
    index, first, last, term = node.args
    ends = exact(first, values), exact(last, values)
    if ends[0] is None or ends[1] is None:
        return None
    places = _places(ends[0], ends[1], term)
    total = Fraction(0 if node.name == "sum" else 1)
    for place in places:
        value = exact(term, {**values, index.name: Fraction(place)})
        if value is None:
            return None
        total = _bounded(total + value if node.name == "sum" else total * value) or Fraction(0)
    return total


def _places(first: Fraction, last: Fraction, term: Node) -> range:
    if first.denominator != 1 or last.denominator != 1:
        raise FormulaError("a series between what are no whole numbers")
    if last - first > MAX_TERMS or "series" in kinds(term):
        raise TooBigError("a series of too many terms")
    return range(first.numerator, last.numerator + 1)


def _bounded(value: Fraction | None) -> Fraction | None:
    if value is not None and max(_bits(value.numerator), _bits(value.denominator)) > MAX_EXACT_BITS:
        raise TooBigError("a number of too many digits")
    return value


def _bits(value: int) -> int:
    return value.bit_length()


def _sum(*terms: Fraction) -> Fraction:
    return sum(terms, Fraction(0))


def _product(*factors: Fraction) -> Fraction:
    product = Fraction(1)
    for factor in factors:
        product *= factor
        _bounded(product)
    return product


def _quotient(top: Fraction, bottom: Fraction) -> Fraction:
    return top / bottom


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator != 1:
        return _root(base, exponent)
    size = max(_bits(base.numerator), _bits(base.denominator)) * abs(exponent.numerator)
    if base in (0, 1, -1):
        size = 1
    if size > MAX_EXACT_BITS + 64:
        raise TooBigError("a power of too many digits")
    if base == 0 and exponent < 0:
        raise ZeroDivisionError
    odd = exponent.numerator % 2
    if base in (1, -1):
        return base if odd else Fraction(1)
    return base**exponent.numerator


def _root(base: Fraction, exponent: Fraction) -> Fraction | None:
    """A fraction's root where that is a fraction: `\\sqrt{\\frac{4}{9}}`, `8^{2/3}`."""
    degree = exponent.denominator
    if base < 0 or degree > 60 or abs(exponent.numerator) > 60:
        return None
    top, bottom = _whole_root(base.numerator, degree), _whole_root(base.denominator, degree)
    if top is None or bottom is None:
        return None
    return _power(Fraction(top, bottom), Fraction(exponent.numerator))


def _whole_root(value: int, degree: int) -> int | None:
    if value in (0, 1):
        return value
    low, high = 1, 1 << (value.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= value else (low, middle - 1)
    return low if low**degree == value else None


_EXACT: dict[str, Exact] = {
    "add": _sum,
    "mul": _product,
    "div": _quotient,
    "pow": _power,
    "neg": lambda a: -a,
    "percent": lambda a: a / 100,
}


def _exact_call(node: Node, values: Mapping[str, Fraction]) -> Fraction | None:
    if node.name not in _EXACT_CALLS:
        return None
    args = [exact(arg, values) for arg in node.args]
    if any(arg is None for arg in args):
        return None
    return _bounded(_EXACT_CALLS[node.name](*args))


def _factorial(value: Fraction) -> Fraction | None:
    if value.denominator != 1 or value < 0:
        return None
    if value > MAX_FACTORIAL:
        raise TooBigError("a factorial of too many digits")
    return Fraction(factorial(value.numerator))


def _double_factorial(value: Fraction) -> Fraction | None:
    if value.denominator != 1 or value < 0:
        return None
    if value > MAX_FACTORIAL:
        raise TooBigError("a factorial of too many digits")
    product = 1
    for factor in range(value.numerator, 1, -2):
        product *= factor
    return Fraction(product)


def _binomial(n: Fraction, k: Fraction) -> Fraction | None:
    if n.denominator != 1 or k.denominator != 1 or n < 0 or k < 0:
        return None
    value, whole, chosen = 1, n.numerator, k.numerator
    if chosen > whole:
        return Fraction(0)
    steps = min(chosen, whole - chosen)
    if steps > MAX_FACTORIAL or _bits(whole) * steps > 2 * MAX_EXACT_BITS:
        raise TooBigError("a binomial of too many digits")
    for step in range(steps):
        value = value * (whole - step) // (step + 1)
    return Fraction(value)


def _whole(function: Callable[..., int]) -> Exact:
    def call(*values: Fraction) -> Fraction | None:
        if any(value.denominator != 1 for value in values):
            return None
        return Fraction(function(*(value.numerator for value in values)))

    return call


_EXACT_CALLS: dict[str, Exact] = {
    "factorial": _factorial,
    "double_factorial": _double_factorial,
    "binom": _binomial,
    "root": lambda a, n: None if n.denominator != 1 or n < 1 else _root(a, 1 / n),
    "abs": lambda a: abs(a),
    "floor": lambda a: Fraction(a.numerator // a.denominator),
    "ceil": lambda a: Fraction(-(-a.numerator // a.denominator)),
    "gcd": _whole(gcd),
    "lcm": _whole(lcm),
    "max": lambda *a: max(a),
    "min": lambda *a: min(a),
    "mod": lambda a, b: a % b if b else None,
}


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
        if _bits(node.number.numerator) > MAX_EXACT_BITS:
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
    places = _places(Fraction(int(ends[0])), Fraction(int(ends[1])), term)
    total = mp.mpf(0 if node.name == "sum" else 1)
    for place in places[: MAX_TERMS // 4 + 1]:
        value = _number(term, {**values, index.name: mp.mpf(place)}, log_base)
        total = _tame(total + value if node.name == "sum" else total * value)
    if len(places) > MAX_TERMS // 4:
        raise TooBigError("a series of too many terms")
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
