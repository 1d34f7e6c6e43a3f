"""Formulas as exact fractions, where they are any.

Everything is bounded before it is computed: an exponent tower, a giant factorial or a literal of
many thousand digits raises TooBigError, and costs nothing. So this runs in any process.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import factorial, gcd, isqrt, lcm

from filters.formula.tree import FormulaError, Node, kinds

MAX_EXACT_BITS = 40_000
MAX_TERMS = 2_100
MAX_FACTORIAL = 3_000

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
    between = places(ends[0], ends[1], term)
    total = Fraction(0 if node.name == "sum" else 1)
    for place in between:
        value = exact(term, {**values, index.name: Fraction(place)})
        if value is None:
            return None
        total = _bounded(total + value if node.name == "sum" else total * value) or Fraction(0)
    return total


def places(first: Fraction, last: Fraction, term: Node) -> range:
    if first.denominator != 1 or last.denominator != 1:
        raise FormulaError("a series between what are no whole numbers")
    if last - first > MAX_TERMS or "series" in kinds(term):
        raise TooBigError("a series of too many terms")
    return range(first.numerator, last.numerator + 1)


def _bounded(value: Fraction | None) -> Fraction | None:
    if value is not None and max(bits(value.numerator), bits(value.denominator)) > MAX_EXACT_BITS:
        raise TooBigError("a number of too many digits")
    return value


def bits(value: int) -> int:
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
    size = max(bits(base.numerator), bits(base.denominator)) * abs(exponent.numerator)
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
    if degree == 2:
        root = isqrt(value)
        return root if root * root == value else None
    root = 1 << (value.bit_length() // degree + 1)
    while True:  # Newton's steps, down to the root
        step = ((degree - 1) * root + value // root ** (degree - 1)) // degree
        if step >= root:
            return root if root**degree == value else None
        root = step


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
    if steps > MAX_FACTORIAL or bits(whole) * steps > 2 * MAX_EXACT_BITS:
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
