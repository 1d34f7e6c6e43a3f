r"""Sets of real numbers in whatever way they are said, as spans between end points.

`[1, \infty)`, `x \ge 1`, `1 \le x`, `\{x \mid x \ge 1\}` and `x \in [1, \infty)` are one region;
so are `x \ne 0`, `\mathbb{R} \setminus \{0\}` and `(-\infty, 0) \cup (0, \infty)`. End points are
compared by value; a region whose end points hold symbols is one span or none.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from filters.formula.equal import same
from filters.formula.tree import FormulaError, Node, number, symbols
from filters.formula.value import numeric

_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!=", "=": "="}
INFINITY = Node("constant", name="oo")
_ORDER = frozenset(_FLIPPED)
_MAX_SPANS = 60
_NOUGHT = number(0)


class Span(NamedTuple):
    """From `low` to `high`, each with whether it is among them; None is minus or plus infinity."""

    low: Node | None
    low_in: bool
    high: Node | None
    high_in: bool


class Region(NamedTuple):
    """Spans, and the variable that is said to lie in them (empty where none is named)."""

    name: str
    spans: tuple[Span, ...]


ALL = Span(None, False, None, False)


def is_region(node: Node) -> bool:
    """Whether it can only be a region: no point `(1, 2)`, no set of numbers."""
    if node.kind in ("union", "intersection", "difference", "builder", "space"):
        return True
    if node.kind == "tuple":
        return len(node.args) == 2 and (node.name in ("(]", "[)") or _holds_infinity(node))
    if node.kind in ("relation", "chain"):
        return bool(set(node.name.split()) & {"<", "<=", ">", ">=", "!=", "in"})
    if node.kind == "list":
        return any(is_region(item) for item in node.args)
    return node.kind == "add" and any(arg.kind == "space" for arg in node.args)


def _holds_infinity(node: Node) -> bool:
    return any(arg == INFINITY or arg == Node("neg", (INFINITY,)) for arg in node.args)


def region(node: Node) -> Region | None:
    """The node as a region, its spans in order; None where it is none that we can tell."""
    try:
        name, spans = _read(node)
        return Region(name, _merged(spans))
    except (FormulaError, ArithmeticError):
        return None


def same_region(wanted: Region, got: Region) -> bool | None:
    """Whether two regions are the same; None where names or end points leave it open."""
    if wanted.name and got.name and wanted.name != got.name:
        return None
    if len(wanted.spans) != len(got.spans):
        return False
    answers = [_same_span(w, g) for w, g in zip(wanted.spans, got.spans, strict=True)]
    if False in answers:
        return False
    return None if None in answers else True


def _same_span(wanted: Span, got: Span) -> bool | None:
    if (wanted.low_in, wanted.high_in) != (got.low_in, got.high_in):
        return False
    answers = [_same_end(wanted.low, got.low), _same_end(wanted.high, got.high)]
    if False in answers:
        return False
    return None if None in answers else True


def _same_end(wanted: Node | None, got: Node | None) -> bool | None:
    if wanted is None or got is None:
        return wanted is got
    return same(wanted, got)


def _read(node: Node) -> tuple[str, list[Span]]:
    if node.kind == "tuple" and len(node.args) == 2:
        low_in, high_in = node.name[0] == "[", node.name[1] == "]"
        span = _span(node.args[0], low_in, node.args[1], high_in)
        if not symbols(node) and _is_empty(span):
            raise FormulaError("no interval")
        return "", [span]
    if node.kind == "set":
        return "", [Span(item, True, item, True) for item in node.args]
    if node.kind == "space" and node.name in ("R", "R+", "R*", "R-"):
        return "", {"R": [ALL], "R*": _without([_NOUGHT]),
                    "R+": [Span(_NOUGHT, False, None, False)],
                    "R-": [Span(None, False, _NOUGHT, False)]}[node.name]  # fmt: skip
    if node.kind == "union":
        return _joined([_read(arg) for arg in node.args], _union)
    if node.kind == "intersection":
        return _joined([_read(arg) for arg in node.args], _intersection)
    if node.kind == "difference":
        return _joined([_read(arg) for arg in node.args], _difference)
    if node.kind == "add" and len(node.args) == 2 and node.args[1].kind == "neg":
        return _read(Node("difference", (node.args[0], node.args[1].args[0])))
    if node.kind == "builder":
        return _read_builder(node)
    if node.kind == "list":
        return _read_list(node)
    if node.kind == "relation":
        return _read_relation(node)
    if node.kind == "chain":
        return _read_chain(node)
    raise FormulaError("no region")


def _read_builder(node: Node) -> tuple[str, list[Span]]:
    element, conditions = node.args
    if element.kind == "relation" and element.name == "in":
        conditions = Node("list", (element, conditions), "and")
        element = element.args[0]
    name, spans = _read(conditions)
    if element.kind != "symbol" or name not in ("", element.name):
        raise FormulaError("a set of something else")
    return "", spans


def _read_list(node: Node) -> tuple[str, list[Span]]:
    """Conditions on one variable. A bare list of them means both where both can hold."""
    items = _with_names(node.args)
    read = [_read(item) for item in items]
    if node.name in ("or", "lor"):
        return _joined(read, _union)
    name, both = _joined(read, _intersection)
    if node.name in ("and", "land"):
        if not both:
            raise FormulaError("both at once cannot be")
        return name, both
    is_exclusion = any(item.kind == "relation" and item.name == "!=" for item in items)
    if both or is_exclusion:
        return name, both
    return _joined(read, _union)


def _with_names(items: tuple[Node, ...]) -> list[Node]:
    """`x \\ne 1, 2` with its second condition written out."""
    full: list[Node] = []
    for item in items:
        before = full[-1] if full else None
        plain = item.kind not in ("relation", "chain", "tuple", "set", "union", "space")
        if plain and before is not None and before.kind == "relation" and before.name == "!=":
            item = Node("relation", (before.args[0], item), "!=")
        full.append(item)
    return full


def _read_relation(node: Node) -> tuple[str, list[Span]]:
    left, right = node.args
    if left.kind == "call" and left.name == "abs" and not symbols(right):
        return _read_distance(left.args[0], node.name, right)
    if node.name == "in":
        if left.kind != "symbol":
            raise FormulaError("no variable")
        return left.name, _read(right)[1]
    if node.name not in _ORDER:
        raise FormulaError("no order")
    if left.kind == "symbol" and left.name not in symbols(right):
        return left.name, _ray(node.name, right)
    if right.kind == "symbol" and right.name not in symbols(left):
        return right.name, _ray(_FLIPPED[node.name], left)
    raise FormulaError("no lone variable")


def _read_distance(inner: Node, name: str, radius: Node) -> tuple[str, list[Span]]:
    """`|x - 1| < 2` is (-1, 3), and what is farther off is the rest."""
    variable, centre = inner, number(0)
    if inner.kind == "add" and len(inner.args) == 2:
        variable, centre = inner.args[0], Node("neg", (inner.args[1],))
    if variable.kind != "symbol" or symbols(centre) or name not in ("<", "<=", ">", ">="):
        raise FormulaError("no distance")
    if _at(radius, 1) <= 0:
        raise FormulaError("a distance of nothing")
    ends = Node("add", (centre, Node("neg", (radius,)))), Node("add", (centre, radius))
    near_in = name in ("<=", ">")  # > leaves the closed interval out
    near = [Span(ends[0], near_in, ends[1], near_in)]
    return variable.name, near if name in ("<", "<=") else _complement(near)


def _read_chain(node: Node) -> tuple[str, list[Span]]:
    names = node.name.split()
    pairs = zip(names, node.args, node.args[1:], strict=False)
    parts = [_read_relation(Node("relation", (a, b), name)) for name, a, b in pairs]
    return _joined(parts, _intersection)


def _ray(name: str, end: Node) -> list[Span]:
    if name == "=":
        return [Span(end, True, end, True)]
    if name == "!=":
        return _without([end])
    if name in ("<", "<="):
        return [_span(Node("neg", (INFINITY,)), False, end, name == "<=")]
    return [_span(end, name == ">=", INFINITY, False)]


def _span(low: Node, low_in: bool, high: Node, high_in: bool) -> Span:
    """Infinite ends become None, and are never among the numbers."""
    lowest = low == Node("neg", (INFINITY,))
    highest = high in (INFINITY, Node("pm", (INFINITY,), "pm"))
    if low == INFINITY or high == Node("neg", (INFINITY,)):
        raise FormulaError("an interval from infinity")
    if (lowest and low_in) or (highest and high_in):
        raise FormulaError("infinity is no number")
    return Span(None if lowest else low, low_in, None if highest else high, high_in)


def _joined(parts: list[tuple[str, list[Span]]], join: Any) -> tuple[str, list[Span]]:
    names = {name for name, _ in parts if name}
    if len(names) > 1:
        raise FormulaError("several variables")
    spans = parts[0][1]
    for _, more in parts[1:]:
        spans = join(spans, more)
        if len(spans) > _MAX_SPANS:
            raise FormulaError("too many parts")
    return names.pop() if names else "", spans


def _union(one: list[Span], other: list[Span]) -> list[Span]:
    return list(_merged([*one, *other]))


def _intersection(one: list[Span], other: list[Span]) -> list[Span]:
    found = []
    for a in one:
        for b in other:
            low, low_in = max(_low(a), _low(b), key=lambda end: (_at(end[0], -1), not end[1]))
            high, high_in = min(_high(a), _high(b), key=lambda end: (_at(end[0], 1), end[1]))
            span = Span(low, low_in, high, high_in)
            if not _is_empty(span):
                found.append(span)
    return list(_merged(found))


def _difference(one: list[Span], other: list[Span]) -> list[Span]:
    return _intersection(one, _complement(other))


def _complement(spans: list[Span]) -> list[Span]:
    left: list[Span] = [ALL]
    for span in _merged(spans):
        outside = []
        if span.low is not None:
            outside.append(Span(None, False, span.low, not span.low_in))
        if span.high is not None:
            outside.append(Span(span.high, not span.high_in, None, False))
        left = _intersection(left, outside)
    return left


def _without(points: list[Node]) -> list[Span]:
    return _complement([Span(point, True, point, True) for point in points])


def _low(span: Span) -> tuple[Node | None, bool]:
    return span.low, span.low_in


def _high(span: Span) -> tuple[Node | None, bool]:
    return span.high, span.high_in


def _at(end: Node | None, sign: int) -> Any:
    """An end point as a number to sort by."""
    import mpmath as mp

    return sign * mp.inf if end is None else _value_of(end)


@lru_cache(maxsize=512)
def _value_of(end: Node) -> Any:
    import mpmath as mp

    value = numeric(end, {})
    if isinstance(value, mp.mpc):
        raise FormulaError("no real end point")
    return value


def _is_empty(span: Span) -> bool:
    low, high = _at(span.low, -1), _at(span.high, 1)
    return bool(low > high or (low == high and not (span.low_in and span.high_in)))


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    """In order, those that touch made one, empty ones dropped; one symbolic span stays as it is."""
    if len(spans) == 1 and any(end and symbols(end) for end in (spans[0].low, spans[0].high)):
        return tuple(spans)
    kept: list[Span] = []
    ordered = sorted(
        (span for span in spans if not _is_empty(span)),
        key=lambda span: (_at(span.low, -1), not span.low_in),
    )
    for span in ordered:
        if kept and _touches(kept[-1], span):
            last = kept.pop()
            far = max((_high(last), _high(span)), key=lambda end: (_at(end[0], 1), end[1]))
            span = Span(last.low, last.low_in, *far)
        kept.append(span)
    return tuple(kept)


def _touches(one: Span, other: Span) -> bool:
    end, start = _at(one.high, 1), _at(other.low, -1)
    return bool(start < end or (start == end and (one.high_in or other.low_in)))
