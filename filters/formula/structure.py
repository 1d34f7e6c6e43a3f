r"""Answers compared as what they are: values, lists, sets, points, matrices, regions, equations.

What is not a value by itself is taken apart until only values are left, which
filters/formula/equal.py compares. True means equal, False different, None that the forms do not
settle it (`\{1, 2\}` against `(1, 2)`, `x=5` against `y=5`).
"""

from collections.abc import Iterable, Sequence
from itertools import product

from filters.formula.equal import meets, same
from filters.formula.families import (
    Parameters,
    same_antiderivative,
    same_family,
    without_parameters,
)
from filters.formula.relations import same_relation, solves
from filters.formula.regions import is_region, region, same_region
from filters.formula.tree import Node, kinds, number, replaced, symbols

_MAX_ITEMS = 60
_MAX_SIGNS = 4
_COLLECTIONS = ("list", "set", "tuple", "matrix")


def compare(wanted: Node, got: Node, said: Parameters | None = None) -> bool | None:
    """Whether an answer's tree is the reference's; `said` are parameters named beside them."""
    if wanted == got:
        return True
    wanted, got, parameters = without_parameters(wanted, got, said)
    return _compare(wanted, got, parameters)


def _compare(wanted: Node, got: Node, parameters: frozenset[str]) -> bool | None:
    if wanted == got:
        return True
    if is_region(wanted) or is_region(got):
        return _as_regions(wanted, got)
    assignments = _assignments(wanted), _assignments(got)
    if assignments[0] and assignments[1]:
        return _same_assignments(assignments[0], assignments[1], parameters)
    if assignments[0] or assignments[1]:
        wanted, got = _ordered(wanted, assignments[0]), _ordered(got, assignments[1])
    if (answer := _as_equations(wanted, got, parameters)) is not _NOT_EQUATIONS:
        return answer
    wanted, got = _plain(wanted), _plain(got)
    if _is_many(wanted) or _is_many(got):
        return _as_lists(wanted, got, parameters)
    if any("matrix" in kinds(each) or each.kind in _COLLECTIONS for each in (wanted, got)):
        return _as_tuples(wanted, got, parameters)
    if wanted.kind == "ratio" or got.kind == "ratio":
        return _as_ratios(wanted, got)
    return _as_values(wanted, got, parameters)


def _as_values(wanted: Node, got: Node, parameters: frozenset[str]) -> bool | None:
    answer = meets(wanted, got)
    if answer is False and parameters:
        return same_family(wanted, got, parameters)
    if not answer and same_antiderivative(wanted, got):
        return True
    return answer


# Names: x = 5


def named(node: Node) -> tuple[str, Node] | None:
    r"""(name, value) of `x = 5`, `5 = x`, `f(x) = 2x`, `(x, y) = (1, 2)`, `S = 3 + 4 = 7`."""
    if node.kind not in ("relation", "chain") or set(node.name.split()) - {"=", "~"}:
        return None
    first, *values = _with_one_argument(node).args
    name = _name(first)
    if name is None and node.kind == "relation" and values[0].kind == "symbol":
        name, values = values[0].name, [first]
    if name is None or any(symbols(first) & symbols(v) for v in values if first.kind == "symbol"):
        return None
    return (name, values[0]) if len(values) == 1 or _all_same(node.name, values) else None


def _with_one_argument(node: Node) -> Node:
    """`f(t) = 2t` in the argument that all functions get, so that its name means nothing."""
    first = node.args[0]
    if first.kind != "call" or len(first.args) != 1 or first.args[0].kind != "symbol":
        return node
    return replaced(node, {first.args[0].name: Node("symbol", name="x")})


def _name(node: Node) -> str | None:
    if node.kind == "symbol":
        return node.name
    if node.kind == "call" and len(node.name.rstrip("'")) == 1:
        return f"{node.name}()"
    if node.kind == "call" and node.name == "abs":
        return _name(node.args[0])
    if node.kind == "tuple" and all(arg.kind == "symbol" for arg in node.args):
        return ",".join(arg.name for arg in node.args)
    if node.kind == "mul" and _is_label(node.args):
        return "".join(arg.name for arg in node.args)
    if len(symbols(node)) > 1 and _is_plain_polynomial(node):
        return _ASKED
    inverse = node.kind == "mul" and node.args[0].kind == "pow"
    if inverse and node.args[0].args[0] in _FUNCTIONS and node.args[1].kind == "symbol":
        return f"{node.args[0].args[0].name}^-1()"
    return None


_FUNCTIONS = tuple(Node("symbol", name=name) for name in "fgh")


_ASKED = "?"  # what a question may ask the value of


def _is_plain_polynomial(node: Node) -> bool:
    """`a + b`, `x^2 + y^2`: what a question asks the value of, not an equation to be solved."""
    if node.kind == "pow":
        return _is_plain_polynomial(node.args[0]) and node.args[1].kind == "number"
    if node.kind in ("add", "mul"):
        return all(_is_plain_polynomial(arg) for arg in node.args)
    return node.kind == "symbol"


def _is_name(node: Node) -> bool:
    """Whether it is one thing's name, as `AB` is, rather than an expression."""
    return node.kind == "mul" and (_is_label(node.args) or node.args[0].kind == "pow")


def _is_label(factors: Sequence[Node]) -> bool:
    """`AB`, a length."""
    return all(each.kind == "symbol" and each.name[:1].isupper() for each in factors)


def _all_same(names: str, values: Sequence[Node]) -> bool:
    """Whether the later sides only say the first again, or round it."""
    signs = names.split()[1:]
    return all(
        sign == "~" or same(values[0], value) is True
        for sign, value in zip(signs, values[1:], strict=False)
    )


def _plain(node: Node) -> Node:
    """The value alone, of a name or of a sum written out: `3 + 4 = 7` is 3 + 4."""
    found = named(node)
    if found is not None:
        return _plain(found[1])
    if node.kind in ("relation", "chain") and not set(node.name.split()) - {"=", "~"}:
        first, *rest = node.args
        if not symbols(node) and _all_same("= " + node.name, [first, *rest]):
            return first
    return node


def _assignments(node: Node) -> dict[str, Node]:
    """`x=1, y=2` as values by name; empty where it is not that."""
    if node.kind not in ("list", "set") or node.name == "or":
        return {}
    found = [named(item) for item in node.args]
    pairs = [each for each in found if each is not None]
    values = dict(pairs)
    return values if len(values) == len(node.args) else {}


def _same_assignments(
    wanted: dict[str, Node], got: dict[str, Node], parameters: frozenset[str]
) -> bool | None:
    if set(wanted) != set(got):
        return None
    return _all_of(_compare(value, got[name], parameters) for name, value in wanted.items())


def _ordered(node: Node, assignments: dict[str, Node]) -> Node:
    """Assignments as a point, in the order of their names where they are written so."""
    if not assignments or list(assignments) != sorted(assignments):
        return node
    return Node("tuple", tuple(assignments.values()), "()")


# Lists and sets


def _is_many(node: Node) -> bool:
    return node.kind in ("list", "set") or "pm" in kinds(node)


def _as_lists(wanted: Node, got: Node, parameters: frozenset[str]) -> bool | None:
    if "tuple" in (wanted.kind, got.kind) and "pm" not in kinds(wanted) | kinds(got):
        return _list_and_tuple(wanted, got, parameters)
    if "set" in (wanted.kind, got.kind) and "matrix" in (wanted.kind, got.kind):
        return None
    items = _items(wanted), _items(got)
    if items[0] is None or items[1] is None:
        return None
    counts_once = (
        "set" in (wanted.kind, got.kind)
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
    if other.kind == "set" or point.name not in ("()", "[]"):
        return None
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
        found += signs_written_out(_plain(item))
        if len(found) > _MAX_ITEMS:
            return None
    return found


def signs_written_out(node: Node) -> list[Node]:
    r"""`1 \pm 2` as 1 + 2 and 1 - 2; `\mp` goes with the `\pm` before it."""
    count = _signs(node)
    if not count:
        return [node]
    if count > _MAX_SIGNS:
        return [node]
    tied = "mp" in _sign_names(node)
    choices = [(s,) * count for s in (1, -1)] if tied else list(product((1, -1), repeat=count))
    return [_with_signs(node, list(choice)) for choice in choices]


def _signs(node: Node) -> int:
    return (node.kind == "pm") + sum(_signs(arg) for arg in node.args)


def _sign_names(node: Node) -> set[str]:
    here = {node.name} if node.kind == "pm" else set()
    return here.union(*(_sign_names(arg) for arg in node.args))


def _with_signs(node: Node, signs: list[int]) -> Node:
    if node.kind == "pm":
        sign = signs.pop(0) * (1 if node.name == "pm" else -1)
        inner = _with_signs(node.args[0], signs)
        return inner if sign > 0 else Node("neg", (inner,))
    args = tuple(_with_signs(arg, signs) for arg in node.args)
    return Node(node.kind, args, node.name, node.number, node.decimals)


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
    one, two = _as_vector(wanted), _as_vector(got)
    if two.kind == "tuple":
        one = _components(one, len(two.args))
    if one.kind == "tuple":
        two = _components(two, len(one.args))
    if one.kind == two.kind == "matrix":
        return _cells(one, two, parameters)
    if one.kind != "tuple" or two.kind != "tuple":
        return False if {one.kind, two.kind} != {"matrix", "tuple"} else None
    if len(one.args) != len(two.args):
        return False
    answer = _cells(one, two, parameters)
    if one.name != two.name and answer:
        return None if {one.name, two.name} == {"()", "[]"} else False
    return answer


def _as_vector(node: Node) -> Node:
    """A matrix of one column or row as a point; what multiplies a matrix goes to its cells."""
    if node.kind == "mul" and [arg.kind for arg in node.args].count("matrix") == 1:
        node = _spread(node)
    if node.kind == "pow" and node.args[0].kind == "matrix" and node.args[1] in _TRANSPOSED:
        rows = zip(*(row.args for row in node.args[0].args), strict=True)
        node = Node("matrix", tuple(Node("tuple", tuple(row), "()") for row in rows))
    if node.kind != "matrix":
        return node
    if len(node.args) == 1:
        return Node("tuple", node.args[0].args, "()")
    if all(len(row.args) == 1 for row in node.args):
        return Node("tuple", tuple(row.args[0] for row in node.args), "()")
    return node


_TRANSPOSED = (Node("symbol", name="T"), Node("symbol", name="top"))
_UNIT_VECTORS = ("veci", "vecj", "veck")


def _spread(product_: Node) -> Node:
    matrix = next(arg for arg in product_.args if arg.kind == "matrix")
    factors = tuple(arg for arg in product_.args if arg is not matrix)
    rows = [
        Node("tuple", tuple(Node("mul", (*factors, cell)) for cell in row.args), "()")
        for row in matrix.args
    ]
    return Node("matrix", tuple(rows))


def _components(node: Node, count: int) -> Node:
    """`3i - j + 2k` in unit vectors as a point of so many coordinates."""
    if node.kind in _COLLECTIONS or not symbols(node) & set(_UNIT_VECTORS) or count not in (2, 3):
        return node
    if count == 2 and "veck" in symbols(node):
        return node
    return Node("tuple", tuple(
        replaced(node, {name: number(int(name == axis)) for name in _UNIT_VECTORS})
        for axis in _UNIT_VECTORS[:count]
    ), "()")  # fmt: skip


def _cells(wanted: Node, got: Node, parameters: frozenset[str]) -> bool | None:
    if len(wanted.args) != len(got.args):
        return False
    pairs = zip(wanted.args, got.args, strict=True)
    return _all_of(_compare(w, g, parameters) for w, g in pairs)


def _as_ratios(wanted: Node, got: Node) -> bool | None:
    parts = [_parts(wanted), _parts(got)]
    if len(parts[0]) != len(parts[1]):
        return False
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


_NOT_EQUATIONS = "not equations"


def _as_equations(wanted: Node, got: Node, parameters: frozenset[str]) -> "bool | str | None":
    """Two equations are one when they are multiples of each other, whatever stands where."""
    is_equation = [each.kind == "relation" and each.name == "=" for each in (wanted, got)]
    if not all(is_equation):
        return _one_equation(wanted, got, is_equation)
    one, two = named(wanted), named(got)
    if _ASKED in (one and one[0], two and two[0]):
        return True if solves(wanted, got) else same_relation(wanted, got)
    if one and two and one[0] == two[0]:
        return _compare(one[1], two[1], parameters)
    if same_relation(wanted, got) or solves(wanted, got):
        return True
    if one and two and _alike(one[0], two[0]):
        return _compare(one[1], two[1], parameters)
    if one and two:
        return None if _compare(one[1], two[1], parameters) is not False else False
    return same_relation(wanted, got)


def _alike(one: str, two: str) -> bool:
    """`y` and `f(x)` name the same thing."""
    return {one, two} <= {"y", "f()", "g()"} or one.rstrip("()") == two.rstrip("()")


def _one_equation(wanted: Node, got: Node, is_equation: list[bool]) -> "bool | str | None":
    """An equation that states no value is none of a bare value's kind; `a + b = 5`, which an
    answer may be, is no value where a reference says it."""
    if is_equation[0] and wanted.args[0].kind in ("add", "mul") and not _is_name(wanted.args[0]):
        return None if symbols(got) else False
    for node, flag in zip((wanted, got), is_equation, strict=True):
        if flag and named(node) is None and _plain(node) == node:
            return None
    return _NOT_EQUATIONS


def _all_of(answers: Iterable[bool | None]) -> bool | None:
    open_ = False
    for answer in answers:
        if answer is False:
            return False
        open_ = open_ or answer is None
    return None if open_ else True
