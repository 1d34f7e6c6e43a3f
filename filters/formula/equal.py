r"""Whether two expressions are equal: exactly where both are fractions, else in numbers.

Numbers that agree to a hundred digits beyond their size are the same number, as far as answers
go: no two formulas of a line's length are that close by chance. Expressions in symbols are
compared at several points. A decimal reference is also met by what rounds to it.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from filters.formula.exact import exact
from filters.formula.tree import FormulaError, Node, kinds, symbols
from filters.formula.value import DIGITS, numeric

ROUNDED_DECIMALS = 2  # a reference of one decimal, 0.5, is mostly exact,
ROUNDED_DIGITS = 3  # but 33.3 may stand for 100/3, if not for 33.26
_MORE_DIGITS = 120
_MAX_DIGITS = 5_000
_TINY_DIGITS = 600
_MAX_SYMBOLS = 12
_WHOLE_CALLS = frozenset(
    f"call {name}" for name in ("factorial", "double_factorial", "binom", "gcd", "lcm")
)
# Values between 0.3 and 3, between 6 and 60, and below 0; whole ones of both parities for n in
# (-1)^n or n!, and more of them where steps are taken: \\lfloor n/4 \\rfloor.
_PLACES = range(1, _MAX_SYMBOLS + 1)
_POINTS = (
    tuple(Fraction(7 * k % 23 + 9, 13) for k in _PLACES),
    tuple(Fraction(11 * k % 29 + 5, 12) for k in _PLACES),
    tuple(Fraction(41 * k % 97 + 43, 7) for k in _PLACES),
    tuple(Fraction(83 * k % 211 + 241, 8) for k in _PLACES),
    tuple(Fraction(9 * k % 31 - 45, 14) for k in _PLACES),
    tuple(Fraction(-(37 * k % 89) - 61, 9) for k in _PLACES),
)
_FIRST_NEGATIVE = 4
# Where roots and logarithms may be defined that are not at the others: rising, and up and down.
_MORE_POINTS = (
    *(tuple(Fraction(k * k * step + 2, 3) for k in _PLACES) for step in (1, 2)),
    *(tuple(Fraction(step + 40 * (k % 2 == 0), 5) for k in _PLACES) for step in (2, 3)),
)
_WHOLE_POINTS = tuple(
    tuple(Fraction((start * k) % 17 + 2) for k in _PLACES) for start in (3, 4, 5, 6, 10, 13)
)
_STEPS = frozenset(f"call {name}" for name in ("floor", "ceil", "mod", "gcd", "lcm"))
_STEP_POINTS = tuple(
    tuple(Fraction((start * k) % 61) for k in _PLACES)
    for start in (1, 2, 3, 5, 7, 8, 9, 11, 14, 23, 34, 40, 59)
)
_ROOTS = frozenset(f"call {name}" for name in ("root", "ln", "log"))
_WHOLE_NAMES = frozenset("knmN")
_OF_COMPLEX = frozenset(f"call {name}" for name in ("Re", "Im", "arg", "conjugate", "abs"))


def same(wanted: Node, got: Node) -> bool | None:
    """Whether two expressions have one value wherever both have one; None if nobody can tell."""
    if wanted == got:
        return True
    try:
        return _same(wanted, got)
    except (FormulaError, ArithmeticError):
        return None


def _same(wanted: Node, got: Node) -> bool | None:
    values = exact(wanted), exact(got)
    if values[0] is not None and values[1] is not None:
        return values[0] == values[1]
    names = sorted(symbols(wanted) | symbols(got))
    if len(names) > _MAX_SYMBOLS:
        return None
    bare_log = {"log"} & {each.name for tree in (wanted, got) for each in _bare_logs(tree)}
    answers = [_same_with(wanted, got, names, base) for base in ((0, 10) if bare_log else (0,))]
    if True in answers:
        return True
    return None if None in answers else False


def _bare_logs(node: Node) -> list[Node]:
    here = [node] if node.kind == "call" and node.name == "log" and len(node.args) == 1 else []
    return here + [found for arg in node.args for found in _bare_logs(arg)]


def _same_with(wanted: Node, got: Node, names: list[str], log_base: int) -> bool | None:
    if not names:
        return _same_at(wanted, got, {}, log_base)[0]
    whole = is_of_whole_numbers(wanted) or is_of_whole_numbers(got)
    used = kinds(wanted) | kinds(got)
    if set(names) & {"z", "w"} and used & _OF_COMPLEX:
        return None  # it depends on whether they are real
    points = _WHOLE_POINTS if whole else _POINTS
    if used & _STEPS and (whole or set(names) <= _WHOLE_NAMES):
        points, whole = (*_WHOLE_POINTS, *_STEP_POINTS), True
    real: list[tuple[int, bool]] = []
    other: list[bool] = []
    parities: set[int] = set()
    if not whole and used & _ROOTS:
        points = (*points[:_FIRST_NEGATIVE], *_MORE_POINTS, *points[_FIRST_NEGATIVE:])
    for place, point in enumerate(points):
        try:
            at = dict(zip(names, point, strict=False))
            answer, is_real = _same_at(wanted, got, at, log_base)
            is_real = is_real and all(_is_defined(each, at, log_base) for each in (wanted, got))
        except (FormulaError, ArithmeticError):
            continue
        parities.add(point[0].numerator % 2)
        if answer is False and is_real and whole:
            return False
        if is_real:
            real.append((place, bool(answer)))
        else:
            other.append(bool(answer))
    if len(parities) < 2 and (_has_signed_power(wanted) or _has_signed_power(got)):
        return None  # 1 + (-1)^n divides by nothing for half of all n
    if len(real) >= 2:
        # Equal above 0 and not below, as sqrt(x^2) and x: it depends on what x may be.
        agreed = [answer for _, answer in real]
        above = [answer for place, answer in real if points[place][0] > 0]
        if above and not any(above):
            return False
        return True if all(agreed) else None
    return True if len(other) >= 2 and all(other) and not real else None


def _is_defined(node: Node, at: Mapping[str, Fraction], log_base: int) -> bool:
    """Whether no root or logarithm is of a negative number at a point."""
    rooted = node.kind == "call" and node.name in ("root", "ln", "log")
    if rooted and symbols(node.args[0]):
        value = _values(node.args[0], node.args[0], at, DIGITS, log_base)[0]
        if value.imag or value.real < 0:
            return False
    return all(_is_defined(arg, at, log_base) for arg in node.args)


def _same_at(
    wanted: Node, got: Node, at: Mapping[str, Fraction], log_base: int
) -> tuple[bool, bool]:
    """Whether both have one value at a point, and whether both values are real."""
    values = exact(wanted, at), exact(got, at)
    if values[0] is not None and values[1] is not None:
        return values[0] == values[1], True
    return _close(wanted, got, at, log_base)


def _close(wanted: Node, got: Node, at: Mapping[str, Fraction], log_base: int) -> tuple[bool, bool]:
    import mpmath as mp

    one, two = _values(wanted, got, at, DIGITS, log_base)
    is_real = not (isinstance(one, mp.mpc) or isinstance(two, mp.mpc))
    size = max(abs(one), abs(two))
    if abs(one - two) > size * mp.mpf(10) ** -9 and size > mp.mpf(10) ** -20:
        return False, is_real
    digits = _MORE_DIGITS + max(0, int(mp.mag(size) * 0.302) if size else 0)
    if digits > _MAX_DIGITS:
        raise FormulaError("too big to be told apart")
    one, two = _values(wanted, got, at, digits, log_base)
    with mp.workdps(digits + 10):
        size, gap = max(abs(one), abs(two)), abs(one - two)
        if size >= mp.mpf(10) ** -100:
            return bool(gap <= mp.mpf(10) ** -95 * min(size, 1)), is_real
    # Both vanish, or both are tiny: what is below 10^-450 without being 0 is refused as too small.
    one, two = _values(wanted, got, at, _TINY_DIGITS, log_base)
    with mp.workdps(_TINY_DIGITS + 10):
        size, gap = max(abs(one), abs(two)), abs(one - two)
        return bool(size < mp.mpf(10) ** -560 or gap <= mp.mpf(10) ** -95 * size), is_real


def _values(
    wanted: Node, got: Node, at: Mapping[str, Fraction], digits: int, log_base: int
) -> tuple[Any, Any]:
    import mpmath as mp

    with mp.workdps(digits + 10):
        values = {n: mp.mpf(v.numerator) / v.denominator for n, v in at.items()}
        return (
            numeric(wanted, values, digits, log_base),
            numeric(got, values, digits, log_base),
        )


def is_of_whole_numbers(node: Node) -> bool:
    """Whether its symbols can only be whole numbers: `n!`, `(-1)^n`."""
    if kinds(node) & _WHOLE_CALLS or "series" in kinds(node):
        return bool(symbols(node))
    return _has_signed_power(node)


def _has_signed_power(node: Node) -> bool:
    if node.kind == "pow" and symbols(node.args[1]):
        base = node.args[0]
        negative = base.kind == "neg" or (base.number is not None and base.number < 0)
        if negative or base == Node("constant", name="i"):
            return True
    return any(_has_signed_power(arg) for arg in node.args)


def meets(wanted: Node, got: Node) -> bool | None:
    """Whether an answer is the reference, or rounds to all the digits a decimal one shows."""
    answer = same(wanted, got)
    if answer:
        return True
    unit = shown_unit(wanted, ROUNDED_DECIMALS if _is_decimal(got) else 1)
    if unit is None or symbols(got):
        return answer
    return _within(wanted, got, unit / 2, answer)


def _within(wanted: Node, got: Node, allowed: Fraction, otherwise: bool | None) -> bool | None:
    import mpmath as mp

    try:
        values = exact(wanted), exact(got)
        if values[0] is not None and values[1] is not None:
            return _rounds(values[0], values[1], allowed)
        one, two = _values(wanted, got, {}, DIGITS, 0)
        if isinstance(two, mp.mpc):
            return False
        return _rounds(one, two, mp.mpf(allowed.numerator) / allowed.denominator)
    except (FormulaError, ArithmeticError):
        return otherwise


def _rounds(wanted: Any, got: Any, half: Any) -> bool:
    """Half a unit is rounded away from zero: 0.145 meets 0.15, and 0.155 does not."""
    gap = got - wanted if wanted > 0 else wanted - got
    return bool(-half <= gap < half)


def _is_decimal(node: Node) -> bool:
    inner = node.args[0] if node.kind in ("neg", "percent") else node
    return inner.kind == "number" and inner.decimals is not None


def shown_unit(node: Node, least: int = ROUNDED_DECIMALS) -> Fraction | None:
    """What one step of its last digit is: 0.01 for 3.14, 1000 for 3.14 x 10^5; None if exact.

    Exact is what shows fewer decimals than `least`, or one and fewer than ROUNDED_DIGITS digits.
    """
    if node.kind == "number" and node.number is not None:
        digits = len(str(abs(node.number.numerator * 10 // node.number.denominator)))
        if node.decimals is None or node.decimals < least:
            return None
        if node.decimals < ROUNDED_DECIMALS and digits < ROUNDED_DIGITS:
            return None
        return Fraction(1, 10**node.decimals)
    if node.kind in ("neg", "percent") and len(node.args) == 1:
        unit = shown_unit(node.args[0], least)
        return unit if unit is None or node.kind == "neg" else unit / 100
    if node.kind == "mul" and len(node.args) == 2 and _is_power_of_ten(node.args[1]):
        unit, scale = shown_unit(node.args[0], least), exact(node.args[1])
        return None if unit is None or scale is None else unit * scale
    return None


def _is_power_of_ten(node: Node) -> bool:
    return node.kind == "pow" and node.args[0].number == 10
