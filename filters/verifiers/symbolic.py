r"""The symbolic layer: Math-Verify, made three-valued and held to exactness.

Math-Verify 0.9 rejects about one in five equal pairs, so its "no" is a reject only when the two
values are seen to differ; its "yes" is an accept only when they do not: it rounds to six digits
and takes `1.414214` for `\sqrt{2}`, and takes any percent reading. Never call this on untrusted
text in a process that must live: SymPy may not come back. Timeouts are off because they use
signals, which fail off the main thread; the Grader kills the process instead.
"""

import logging
import re
from fractions import Fraction
from typing import Any

from filters.formula.parse import parse
from filters.formula.regions import is_region
from filters.formula.scan import scan
from filters.formula.spelling import prepared
from filters.formula.tree import FormulaError
from filters.ruling import Ruling, accept, reject, undecided
from filters.verdict import Reason
from filters.verifiers.normal_form import tidy

_MAX_CHARS = 500
_MAX_DIGITS = 60
_PROBES = 3
_ROUNDED_DECIMALS = 2
_TOLERANCE = 1e-9
_POWER = r"(?:\^|\*\*)"
_TOWER = re.compile(
    rf"{_POWER}\s*(?:\{{[^{{}}]*{_POWER}|\{{[^{{}}]*\}}\s*{_POWER}|\([^()]*{_POWER}|\(?\w*\)?\s*{_POWER})"
)
_BIG_POWER = re.compile(rf"{_POWER}\s*\{{?\s*\(?[+-]?\d{{5,}}")
_BIG_EXPANSION = re.compile(rf"[)}}]\s*{_POWER}\s*\{{?\s*\(?[+-]?\d{{3,}}")  # (x+1)^{400}
_FACTORIAL = re.compile(r"\d{3,}\s*!|!\s*\)*\s*!")
_LONG_NUMBER = re.compile(rf"\d{{{_MAX_DIGITS},}}")
_UNFINISHED = re.compile(
    r"^(?:[<>=]|\\(?:le|ge|lt|gt|ne|approx|in)(?![a-zA-Z]))|\.\.\.|\\[lcv]?dots"
)
_ASKED_FOR = re.compile(r"\\(?:sum|prod|int|lim)(?![a-zA-Z])")
_IN_BRACES = re.compile(r"\{[^{}]*\}")
_CALCULATION = re.compile(r"[\d\s.,+\-*/()^{}=]*=[\d\s.,+\-*/()^{}]+")
_DECIMAL = re.compile(r"^[+-]?\d*\.(\d+)$")


def needs_sympy(reference: str, answer: str) -> bool:
    """Whether SymPy may tell what the quick layers could not.

    Math-Verify passes over what it cannot read, so it is asked only where a sum, product, integral
    or limit stands, or where both sides were read and one is a region (`x^2 < 4`). What our own
    parser has read else it has settled, or nobody can.
    """
    if any(_ASKED_FOR.search(text) for text in (reference, answer)):
        return not any("=" in _IN_BRACES.sub("", text) for text in (reference, answer))
    one, two = parse(reference), parse(answer)
    if one is None or two is None or "list" in (one.kind, two.kind):
        return False
    return is_region(one) or is_region(two)


def compare_symbolically(reference: str, answer: str) -> Ruling:
    """Accept when proven equal, reject when seen to differ, else undecided (`unparsed`, …)."""
    for text in (reference, answer):
        if danger := _danger(text):
            return undecided(Reason.UNPARSED, danger)
    wanted, got = _parse(reference), _parse(_result_of(reference, answer))
    detail = f"{answer} against {reference}"
    if not wanted or not got:
        which = "the reference" if not wanted else "the answer"
        return undecided(Reason.UNPARSED, f"{detail}: {which} is not mathematics we can read")
    return _decide(wanted, got, detail, _shown_decimals(reference))


def _decide(wanted: list[Any], got: list[Any], detail: str, decimals: int | None) -> Ruling:
    from math_verify import verify

    differ = _differ(wanted[0], got[0], decimals)
    if differ is False and decimals is not None and not wanted[0].free_symbols:
        return accept(f"{detail}: the same to {decimals} decimals")
    if verify(wanted, got, strict=True, timeout_seconds=None):
        if differ:
            return reject(Reason.ANSWER_MISMATCH, f"{detail}: close, but not equal")
        return accept(detail)
    if differ:
        return reject(Reason.ANSWER_MISMATCH, detail)
    return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: neither proven equal nor seen to differ")


def _result_of(reference: str, answer: str) -> str:
    """The last member of a sum written out, `12 + 7 = 19`, where the reference is no equation."""
    if "=" in reference or not _CALCULATION.fullmatch(answer):
        return answer
    return answer.rpartition("=")[2]


def _danger(text: str) -> str | None:
    """Why SymPy should not see this: it would compute towers of powers digit by digit."""
    if len(text) > _MAX_CHARS:
        return f"{len(text)} characters are too many for SymPy; the limit is {_MAX_CHARS}"
    for pattern in (_TOWER, _BIG_POWER, _BIG_EXPANSION, _FACTORIAL, _LONG_NUMBER):
        if pattern.search(text):
            return "the answer holds a tower of powers or a giant number"
    if _UNFINISHED.search(tidy(text)):
        return "it starts with a sign of relation or goes on in dots"
    try:
        scan(prepared(text))  # Math-Verify reads the start of `42?41` and of prose
    except FormulaError as error:
        return f"not mathematics: {error}"
    return None


def _parse(text: str) -> list[Any]:
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse

    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    configs = [LatexExtractionConfig(), ExprExtractionConfig()]
    parsed = parse(f"${tidy(text)}$", configs, fallback_mode="no_fallback", parsing_timeout=None)
    return [p for p in parsed if not isinstance(p, str)]


def _shown_decimals(reference: str) -> int | None:
    match = _DECIMAL.match(tidy(reference))
    return len(match[1]) if match and len(match[1]) >= _ROUNDED_DECIMALS else None


def _differ(wanted: Any, got: Any, decimals: int | None) -> bool | None:
    """Whether two SymPy objects have different values; None when no number can tell."""
    from sympy import Expr

    sets = _as_set(wanted), _as_set(got)
    if sets[0] is not None and sets[1] is not None:
        return _sets_differ(*sets)
    pairs = _value_pairs(wanted, got)
    if pairs is None or not all(isinstance(e, Expr) for pair in pairs for e in pair):
        return None
    allowed = float(Fraction(1, 2 * 10**decimals)) if decimals is not None else 0.0
    answers = [_pair_differs(w, g, allowed) for w, g in pairs]
    if any(answers):
        return True
    return None if None in answers else False


def _as_set(value: Any) -> Any:
    """An interval, a finite set, or the solutions of an inequality in one variable; else None."""
    from sympy import Set
    from sympy.core.relational import Relational

    if isinstance(value, Set):
        return value
    if isinstance(value, Relational) and len(value.free_symbols) == 1:
        try:
            return value.as_set()
        except (NotImplementedError, ValueError, TypeError, AttributeError):
            return None
    return None


def _sets_differ(wanted: Any, got: Any) -> bool | None:
    if wanted == got:
        return False
    try:
        empty = wanted.symmetric_difference(got).is_empty
    except (NotImplementedError, ValueError, TypeError, AttributeError):
        return None
    return None if empty is None else not empty


def _value_pairs(wanted: Any, got: Any) -> list[tuple[Any, Any]] | None:
    from sympy import Eq, Tuple

    if isinstance(wanted, Tuple) and isinstance(got, Tuple):
        return list(zip(wanted, got, strict=True)) if len(wanted) == len(got) else None
    if isinstance(wanted, Eq) and isinstance(got, Eq):
        return [(wanted.rhs, got.rhs)] if wanted.lhs == got.lhs else None
    if isinstance(got, Eq) and not isinstance(wanted, Eq) and got.lhs.is_Symbol:
        return [(wanted, got.rhs)]
    if isinstance(wanted, Eq) and not isinstance(got, Eq) and wanted.lhs.is_Symbol:
        return [(wanted.rhs, got)]
    return [(wanted, got)]


def _pair_differs(wanted: Any, got: Any, allowed: float) -> bool | None:
    """Values at a few fixed points: different somewhere is different, equal everywhere is not."""
    symbols = sorted(wanted.free_symbols | got.free_symbols, key=str)
    for probe in range(1, _PROBES + 1):
        point = {s: Fraction(7 * probe + 3 * i + 1, 5 + i) for i, s in enumerate(symbols)}
        values = [_value_at(expression, point) for expression in (wanted, got)]
        if values[0] is None or values[1] is None:
            return None
        if abs(values[0] - values[1]) > allowed + _TOLERANCE * max(1.0, abs(values[0])):
            return True
    return False


def _value_at(expression: Any, point: dict[Any, Fraction]) -> complex | None:
    from sympy import Rational

    exact = {s: Rational(v.numerator, v.denominator) for s, v in point.items()}
    try:
        value = complex(expression.subs(exact).evalf(20))
    except (TypeError, ValueError, AttributeError, ArithmeticError):
        return None
    return value if value == value and abs(value) != float("inf") else None
