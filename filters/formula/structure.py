r"""Answers compared as what they are: values, lists, sets, points, matrices, regions, equations.

What is not a value by itself is taken apart until only values are left, which
filters/formula/equal.py compares. True means equal, False different, None that the forms do not
settle it (`\{1, 2\}` against `(1, 2)`, `x=5` against `y=5`).
"""

from collections.abc import Iterable

from filters.formula.equal import meets, same
from filters.formula.families import (
    Parameters,
    same_antiderivative,
    same_family,
    without_parameters,
)
from filters.formula.names import ASKED, alike, as_point, assignments, is_name, named, plain_value
from filters.formula.regions import is_region, region, same_region
from filters.formula.relations import same_relation, solves
from filters.formula.signs import signs_written_out
from filters.formula.tree import FormulaError, Node, kinds, number, symbols
from filters.formula.vectors import as_vector, components

_MAX_ITEMS = 60
_NO_STEPS: frozenset[str] = frozenset()
_ENDS = 2
_DEEPEST = 4  # each level doubles the work
_COLLECTIONS = ("list", "set", "tuple", "matrix")


def compare(wanted: Node, got: Node, said: Parameters | None = None) -> bool | None:
    """Whether an answer's tree is the reference's; `said` are parameters named beside them.

    What is too big to be computed is None.
    """
    if wanted == got and (said is None or said.wanted == said.got):
        return True
    if max(_nesting(wanted), _nesting(got)) > _DEEPEST:
        return None
    try:
        wanted, got, parameters = without_parameters(wanted, got, said)
        return _compare(wanted, got, parameters)
    except (FormulaError, ArithmeticError, RecursionError):
        return None


def _nesting(node: Node) -> int:
    """How many collections lie in each other."""
    inner = max((_nesting(arg) for arg in node.args), default=0)
    return inner + (node.kind in _COLLECTIONS)


def _compare(wanted: Node, got: Node, parameters: frozenset[str]) -> bool | None:
    wanted, got = _without_membership(wanted), _without_membership(got)
    if wanted == got:
        return True
    if is_region(wanted) or is_region(got):
        return _as_regions(wanted, got)
    mine, others = assignments(wanted), assignments(got)
    if mine and others:
        return _same_assignments(mine, others, parameters)
    wanted, got = as_point(wanted, mine), as_point(got, others)
    if _is_equation(wanted) and _is_equation(got):
        return _as_equations(wanted, got, parameters)
    if _is_sum_equation(wanted) or _is_bare_equation(wanted):
        return None if symbols(got) else False
    if _is_bare_equation(got):
        return None
    wanted, got = plain_value(wanted), plain_value(got)
    if _is_many(wanted) or _is_many(got):
        return _as_lists(wanted, got, parameters)
    if any(
        kinds(each) & {"matrix", "tuple"} or each.kind in _COLLECTIONS for each in (wanted, got)
    ):
        return _as_tuples(wanted, got, parameters)
    if wanted.kind == "ratio" or got.kind == "ratio":
        return _as_ratios(wanted, got)
    return _as_values(wanted, got, parameters)


def _without_membership(node: Node) -> Node:
    r"""`x \in \{1, 2\}` is the set."""
    if node.kind == "relation" and node.name == "in" and node.args[1].kind == "set":
        return node.args[1]
    return node


def _as_values(wanted: Node, got: Node, parameters: frozenset[str]) -> bool | None:
    answer = meets(wanted, got)
    if answer is False and parameters:
        return same_family(wanted, got, parameters)
    if not answer and same_antiderivative(wanted, got):
        return True
    return answer


def _same_assignments(
    wanted: dict[str, Node], got: dict[str, Node], parameters: frozenset[str]
) -> bool | None:
    if set(wanted) != set(got):
        return None
    return _all_of(_compare(value, got[name], _NO_STEPS) for name, value in wanted.items())


# Lists and sets


def _is_many(node: Node) -> bool:
    return node.kind in ("list", "set") or "pm" in kinds(node)


def _as_lists(wanted: Node, got: Node, parameters: frozenset[str]) -> bool | None:
    if "tuple" in (wanted.kind, got.kind) and "pm" not in kinds(wanted) | kinds(got):
        return _list_and_tuple(wanted, got, parameters)
    if "set" in (wanted.kind, got.kind) and "matrix" in (wanted.kind, got.kind):
        return None
    logical = {wanted.name, got.name} & {"land", "lor"}
    if logical and wanted.name != got.name:
        return None
    items = _items(wanted), _items(got)
    if items[0] is None or items[1] is None:
        return None
    counts_once = (
        not wanted.kind == got.kind == "list"
        or "or" in (wanted.name, got.name)
        or "pm" in kinds(wanted) | kinds(got)
    )
    return _same_items(items[0], items[1], parameters, counts_once)


def _list_and_tuple(wanted: Node, got: Node, parameters: frozenset[str]) -> bool | None:
    """`1, 2` is the point (1, 2) in that order; a set `{1, 2}` is not."""
    other = got if wanted.kind == "tuple" else wanted
    point = wanted if wanted.kind == "tuple" else got
    if any(item.kind == "tuple" for item in other.args):
        return False if len(other.args) > 1 else _compare_one(wanted, got, parameters)
    if other.kind == "set" or point.name != "()":
        return None
    names = [found[0] for item in other.args if (found := named(item))]
    if len(set(names)) < len(names):
        return None  # y=1, y=2
    if len(wanted.args) != len(got.args):
        return False
    answers = [_compare(w, g, parameters) for w, g in zip(wanted.args, got.args, strict=True)]
    return True if all(answers) else None


def _compare_one(wanted: Node, got: Node, parameters: frozenset[str]) -> bool | None:
    only = [each if each.kind == "tuple" else each.args[0] for each in (wanted, got)]
    return _compare(only[0], only[1], parameters)


def _items(node: Node) -> list[Node] | None:
    """All the values a list states, `\\pm` written out; None where they are too many."""
    items = list(node.args) if node.kind in ("list", "set") else [node]
    found: list[Node] = []
    for item in items:
        found += signs_written_out(plain_value(item))
        if len(found) > _MAX_ITEMS:
            return None
    return found


def _same_items(
    wanted: list[Node], got: list[Node], parameters: frozenset[str], counts_once: bool
) -> bool | None:
    """In any order; `counts_once`: what is said twice is said, as in sets."""
    left, doubtful = list(got), False
    for item in wanted:
        answers = [_compare(item, other, parameters) for other in left]
        match = answers.index(True) if True in answers else None
        if match is not None:
            del left[match]
        elif any(_compare(item, other, parameters) for other in got):
            doubtful = doubtful or not counts_once  # said twice here, once there
        elif None in answers:
            doubtful = True
        else:
            return False
    if doubtful:
        return None
    if all(any(_compare(w, g, parameters) for w in wanted) for g in left):
        return True if counts_once or not left else None
    return False


# Points, vectors, matrices, ratios


def _as_tuples(wanted: Node, got: Node, parameters: frozenset[str]) -> bool | None:
    one, two = as_vector(wanted), as_vector(got)
    if two.kind == "tuple":
        one = components(one, len(two.args))
    if one.kind == "tuple":
        two = components(two, len(one.args))
    if one.kind == two.kind == "matrix":
        return _cells(one, two, parameters)
    if one.kind != "tuple" or two.kind != "tuple":
        unread = any(each.kind not in _COLLECTIONS and kinds(each) & set(_COLLECTIONS)
                     for each in (one, two))  # fmt: skip
        return None if unread or {one.kind, two.kind} == {"matrix", "tuple"} else False
    if len(one.args) != len(two.args):
        return False
    answer = _cells(one, two, parameters)
    if one.name != two.name and answer:
        is_open = {one.name, two.name} == {"()", "[]"}  # two numbers may be an interval's ends
        return (len(one.args) > _ENDS or None) if is_open else False
    return answer


def _cells(wanted: Node, got: Node, parameters: frozenset[str]) -> bool | None:
    if len(wanted.args) != len(got.args):
        return False
    pairs = zip(wanted.args, got.args, strict=True)
    return _all_of(_compare(w, g, _NO_STEPS) for w, g in pairs)  # one shift would serve all


def _as_ratios(wanted: Node, got: Node) -> bool | None:
    parts = [_parts(wanted), _parts(got)]
    if len(parts[0]) != len(parts[1]):
        return False
    if any(same(each[0], number(0)) is not False for each in parts):
        return None
    first = parts[0][0], parts[1][0]
    return _all_of(
        same(Node("mul", (w, first[1])), Node("mul", (g, first[0])))
        for w, g in zip(parts[0][1:], parts[1][1:], strict=True)
    )


def _parts(node: Node) -> tuple[Node, ...]:
    """3:4 and 3/4 are one ratio; a bare number is itself to 1."""
    if node.kind == "ratio":
        return node.args
    return node.args if node.kind == "div" else (node, number(1))


# Regions and equations


def _as_regions(wanted: Node, got: Node) -> bool | None:
    regions = region(_plain_region(wanted)), region(_plain_region(got))
    if regions[0] is not None and regions[1] is not None:
        return same_region(regions[0], regions[1])
    if wanted.kind in ("relation", "chain") and got.kind == wanted.kind:
        return same_relation(wanted, got)
    other, read = (got, regions[0]) if is_region(wanted) else (wanted, regions[1])
    if read is None or symbols(other) or kinds(other) & {"relation", "chain"}:
        return None
    return False


def _plain_region(node: Node) -> Node:
    """`x = (1, 2)`, said of a set of solutions, and `D = [0, 1]`."""
    found = named(node)
    return found[1] if found is not None else node


def _is_equation(node: Node) -> bool:
    return node.kind == "relation" and node.name == "="


def _as_equations(wanted: Node, got: Node, parameters: frozenset[str]) -> bool | None:
    """Two equations are one when they are multiples of each other, whatever stands where."""
    one, two = named(wanted), named(got)
    if ASKED in (one and one[0], two and two[0]):
        return True if solves(wanted, got) else same_relation(wanted, got)
    if one and two and one[0] == two[0]:
        return _compare(one[1], two[1], parameters)
    if same_relation(wanted, got) or solves(wanted, got):
        return True
    if one and two and alike(one[0], two[0]):
        return _compare(one[1], two[1], parameters)
    if one and two:
        return None if _compare(one[1], two[1], parameters) is not False else False
    return same_relation(wanted, got)


def _is_sum_equation(node: Node) -> bool:
    """`a + b = 5`: an answer states a value with it, a reference an equation."""
    return _is_equation(node) and node.args[0].kind in ("add", "mul") and not is_name(node.args[0])


def _is_bare_equation(node: Node) -> bool:
    """Whether it is an equation that gives nothing a value."""
    return _is_equation(node) and named(node) is None and plain_value(node) == node


def _all_of(answers: Iterable[bool | None]) -> bool | None:
    open_ = False
    for answer in answers:
        if answer is False:
            return False
        open_ = open_ or answer is None
    return None if open_ else True
