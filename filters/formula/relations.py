"""Equations and inequalities in any form: the same when one is a multiple of the other."""

from fractions import Fraction

from filters.formula.equal import same
from filters.formula.exact import exact
from filters.formula.tree import FormulaError, Node, kinds, number, replaced, symbols
from filters.formula.value import numeric

_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
_PROBES = 7
_BOTH_ZERO = float("inf")  # a point that says nothing


def same_relation(wanted: Node, got: Node) -> bool | None:
    """Whether `wanted` and `got` state the same; chains are compared side by side."""
    if wanted.kind == "chain" or got.kind == "chain":
        return _same_sides(wanted, got)
    if wanted.name not in _FLIPPED or got.name not in _FLIPPED:
        return _same_sides(wanted, got)
    ratio = _ratio(_left_over(wanted), _left_over(got))
    if ratio is None or ratio == 0:
        return None if _may_be_same(_left_over(wanted), _left_over(got)) else False
    name = got.name if ratio > 0 else _FLIPPED[got.name]
    return wanted.name == name


def _may_be_same(wanted: Node, got: Node) -> bool:
    """Two equations that are no multiples may still have the same solutions: x^2 = 4, |x| = 2.

    Two polynomials of one degree hardly may: x = 0 and x^2 = 0 have two degrees.
    """
    degrees = _degree(wanted), _degree(got)
    if degrees[0] is not None and degrees[0] == degrees[1]:
        return False
    return symbols(wanted) == symbols(got)


def _degree(node: Node) -> int | None:
    """The degree of a polynomial as it is written, None for what is none."""
    if not symbols(node):
        return 0
    if node.kind == "symbol":
        return 1
    degrees = [_degree(arg) for arg in node.args]
    known = [each for each in degrees if each is not None]
    if len(known) < len(degrees):
        return None
    if node.kind in ("add", "neg"):
        return max(known)
    if node.kind == "mul":
        return sum(known)
    if node.kind == "div":
        return known[0] if known[1] == 0 else None
    exponent = node.args[1].number if node.kind == "pow" else None
    if exponent is None or exponent.denominator != 1 or not 0 < exponent < 100:
        return None
    return known[0] * exponent.numerator


def _same_sides(wanted: Node, got: Node) -> bool | None:
    wanted, got = _upwards(wanted), _upwards(got)
    if (wanted.kind, wanted.name) != (got.kind, got.name):
        return None
    answers = [same(w, g) for w, g in zip(wanted.args, got.args, strict=True)]
    return True if all(answers) else None


def _upwards(node: Node) -> Node:
    """`c > b > a` as a < b < c."""
    names = node.name.split()
    if not set(names) <= {">", ">="}:
        return node
    flipped = " ".join(_FLIPPED[name] for name in reversed(names))
    return Node(node.kind, node.args[::-1], flipped)


def _divides_by(value: Node, factor: Node) -> bool:
    here = value.kind == "div" and same(value.args[1], factor) is True
    return here or any(_divides_by(arg, factor) for arg in value.args)


def _left_over(node: Node) -> Node:
    """Left side less right side."""
    return Node("add", (node.args[0], Node("neg", (node.args[1],))))


def _ratio(one: Node, other: Node) -> float | None:
    """one / other where that is the same real number at all points, else None."""
    names = sorted(symbols(one) | symbols(other))
    if not names or len(names) > len(_PRIMES):
        return None
    if set(names) & {"z", "w"} and "call abs" in kinds(one) | kinds(other):
        return None  # most likely complex
    found: float | None = None
    for probe in range(_PROBES):
        at = {
            name: Fraction(_PRIMES[(place + probe) % len(_PRIMES)] + probe, 2 + probe)
            * (-1 if (place + probe) % 3 == 2 or probe == _PROBES - 1 else 1)
            for place, name in enumerate(names)
        }
        quotient = _quotient(one, other, at)
        if quotient == _BOTH_ZERO:
            continue
        if quotient is None or (found is not None and abs(quotient - found) > 1e-12 * abs(found)):
            return None
        found = quotient
    return found


def _quotient(one: Node, other: Node, at: dict[str, Fraction]) -> float | None:
    try:
        values = exact(one, at), exact(other, at)
        if values[0] is not None and values[1] is not None:
            if not values[1]:
                return None if values[0] else _BOTH_ZERO
            return float(values[0] / values[1])
        import mpmath as mp

        points = {name: mp.mpf(v.numerator) / v.denominator for name, v in at.items()}
        top, bottom = numeric(one, points), numeric(other, points)
        if not bottom or isinstance(top, mp.mpc) or isinstance(bottom, mp.mpc):
            return None
        return float(top / bottom)
    except (FormulaError, ArithmeticError, OverflowError):
        return None


def solves(wanted: Node, got: Node) -> bool:
    """Whether one is the other solved for a variable: `y = 1/x` and `xy = 1`."""
    return _solves(wanted, got) or _solves(got, wanted)


def _solves(solved: Node, other: Node) -> bool:
    name, value = solved.args
    if name.kind != "symbol" or name.name in symbols(value):
        return False
    left_over = _left_over(other)
    at = [replaced(left_over, {name.name: number(k)}) for k in range(-1, 3)]
    steps = [Node("add", (at[k + 1], Node("neg", (at[k],)))) for k in range(3)]
    even = same(steps[0], steps[1]) is True and same(steps[1], steps[2]) is True
    if not even or same(steps[0], number(0)) is not False:
        return False  # not linear in the variable, or without it
    if symbols(steps[0]) and not _divides_by(value, steps[0]):
        return False  # y = x, and xy = x^2, which says nothing of y at 0
    return same(replaced(left_over, {name.name: value}), number(0)) is True
