r"""Answers with free parameters: `\frac{\pi}{6} + 2k\pi, k \in \mathbb{Z}`, `\frac{x^2}{2} + C`.

A parameter's name means nothing: `k \in \mathbb{Z}` and `n \in \mathbb{Z}` state one family. Two
families that go in equal steps are one when they meet: `\frac{\pi}{4} + k\pi` is
`-\frac{3\pi}{4} + k\pi`.
"""

from fractions import Fraction
from typing import NamedTuple

from filters.formula.equal import same
from filters.formula.regions import region, same_region
from filters.formula.tree import FormulaError, Node, number, replaced, symbols
from filters.formula.value import numeric

_OF_FUNCTIONS = frozenset(("C", "c", "K", "k", "C_1", "c_1", "a", "m", "A"))  # f(x) = cx
_CONSTANTS = frozenset(("C", "c", "K", "k", "C_1", "c_1", "C_0", "A"))
_ARBITRARY = frozenset(("C", "C_1", "c_1", "C_2", "c_2"))
_CONDITIONS = frozenset(("in", ">=", ">", "!=", "=", "<", "<="))


_WHOLE_BESIDE_PI = frozenset("kmn")  # said to be whole or not


def _is_family(wanted: Node, got: Node) -> bool:
    r"""Whether a lone parameter is one without being called so: `2k\pi`, `f(x) = cx`."""
    return (_has_pi(wanted) and _has_pi(got)) or bool(_free_names(wanted, got))


def _free_names(wanted: Node, got: Node) -> frozenset[str]:
    """The names that stand for any number in both, as it is with functions and `C`."""
    if symbols(wanted) & _ARBITRARY and symbols(got) & _CONSTANTS:
        return _CONSTANTS
    of_functions = all(
        each.kind == "relation" and each.name == "=" and each.args[0].kind == "call"
        for each in (wanted, got)
    )
    return _OF_FUNCTIONS if of_functions else frozenset()


def _inner(node: Node) -> frozenset[str]:
    """The symbols of what is said, without the name it is given: `x` of `x = 2k`."""
    if node.kind == "list":
        return frozenset().union(*(_inner(item) for item in node.args))
    if node.kind == "relation" and node.name == "=" and node.args[0].kind == "symbol":
        return symbols(node.args[1])
    return symbols(node)


def _has_pi(node: Node) -> bool:
    return node == Node("constant", name="pi") or any(_has_pi(arg) for arg in node.args)


class Parameters(NamedTuple):
    """The names that clauses beside the formulas call parameters, each with what it runs over:
    the name of a set of numbers, `whole` for some whole numbers, empty where nothing is said."""

    wanted: dict[str, str]
    got: dict[str, str]


def without_parameters(
    wanted: Node, got: Node, said: Parameters | None = None
) -> tuple[Node, Node, frozenset[str]]:
    """Both without the clauses that say what a parameter is, and with one name for it.

    The third value is the names of the parameters that run over whole numbers.
    """
    wanted, of_wanted, conditions = _without_clauses(_of_congruence(wanted))
    got, of_got, others = _without_clauses(_of_congruence(got))
    if said is not None:
        of_wanted, of_got = said.wanted | of_wanted, said.got | of_got
    if not of_wanted and not of_got and not _is_family(wanted, got):
        return wanted, got, frozenset()
    got = _with_constants_of(wanted, got)
    pair = _renamed(wanted, got, of_wanted, of_got)
    _check_conditions(conditions, others, dict([pair[::-1]]) if pair else {})
    if pair is not None:
        name, other = pair
        if {name, other} <= _WHOLE_BESIDE_PI and _has_pi(wanted):
            of_wanted.setdefault(name, "whole")
        if _differ(of_wanted.get(name, ""), of_got.get(other, "")):
            return wanted, replaced(got, {other: Node("symbol", name="other")}), frozenset()
        got = replaced(got, {other: Node("symbol", name=name)})
        is_whole = _is_whole_space(of_wanted.get(name, "")) or _is_whole_space(
            of_got.get(other, "")
        )
        return wanted, got, frozenset((name,)) if is_whole else frozenset()
    clauses = [*of_wanted.items(), *of_got.items()]
    return wanted, got, frozenset(name for name, space in clauses if _is_whole_space(space))


def _check_conditions(wanted: list[Node], got: list[Node], names: dict[str, str]) -> None:
    """FormulaError where one side sets limits that the other does not: nobody can tell then.

    What is only said for order's sake is none: n >= 1, x != 0.
    """
    renamed = {old: Node("symbol", name=new) for old, new in names.items()}
    got = [replaced(condition, renamed) for condition in got]
    if not wanted or not got:
        if all(map(_is_note, wanted + got)):
            return
        raise FormulaError("one side has conditions")
    regions = [region(Node("list", tuple(each), "and") if len(each) > 1 else each[0])
               for each in (wanted, got)]  # fmt: skip
    if regions[0] is None or regions[1] is None or not same_region(regions[0], regions[1]):
        raise FormulaError("other conditions")


def _is_note(condition: Node) -> bool:
    rising = condition.name in (">", ">=") and condition.args[0].name in _WHOLE_BESIDE_PI
    return condition.name == "!=" or rising


def _renamed(
    wanted: Node, got: Node, of_wanted: dict[str, str], of_got: dict[str, str]
) -> tuple[str, str] | None:
    """The reference's parameter and the answer's, which may have one name already."""
    mine, others = _inner(wanted), _inner(got)
    shared = [name for name in of_wanted if name in of_got and name in mine & others]
    usual = [name for name in mine & others if name in _WHOLE_BESIDE_PI and _has_pi(wanted)]
    if shared or usual:
        return ((shared or usual)[0],) * 2
    only_wanted, only_got = mine - symbols(got), others - symbols(wanted)
    if len(only_wanted) != 1 or len(only_got) != 1:
        return None
    (name,), (other,) = only_wanted, only_got
    usually = {name, other} <= _WHOLE_BESIDE_PI and _has_pi(wanted)
    said = name in of_wanted or other in of_got
    is_free = {name, other} <= _free_names(wanted, got)
    return (name, other) if usually or said or is_free else None


def _with_constants_of(wanted: Node, got: Node) -> Node:
    """Two arbitrary constants under the reference's names, in the order of theirs."""
    mine, others = sorted(symbols(wanted) - symbols(got)), sorted(symbols(got) - symbols(wanted))
    if len(mine) != 2 or len(others) != 2 or not set(mine) <= _ARBITRARY:
        return got
    if not set(others) <= _ARBITRARY | {"A", "B", "a", "b", "K_1", "K_2"}:
        return got
    return replaced(got, {o: Node("symbol", name=n) for o, n in zip(others, mine, strict=True)})


def _differ(space: str, other: str) -> bool:
    """Whether two parameters are said to run over different numbers."""
    if "" in (space, other) or space == other:
        return False
    return "R" in (space, other) or "whole" not in (space, other)


def _is_whole_space(space: str) -> bool:
    return space in ("whole", "Z")  # N has an end: 6k + 1 and 6k - 5 are two


def _of_congruence(node: Node) -> Node:
    r"""`n \equiv 3 \pmod 7` as n = 3 + 7k with k in Z."""
    if node.kind != "chain" or node.name not in ("== mod", "= mod"):
        return node
    value, rest, modulus = node.args
    step = Node("mul", (modulus, Node("symbol", name="k")))
    family = Node("relation", (value, Node("add", (rest, step))), "=")
    clause = Node("relation", (Node("symbol", name="k"), Node("space", name="Z")), "in")
    return Node("list", (family, clause), ",")


def _without_clauses(node: Node) -> tuple[Node, dict[str, str], list[Node]]:
    """The list without its last clauses of the kind `k \\in Z`; each with what it runs over."""
    if node.kind != "list":
        return node, {}, []
    items, found, conditions = list(node.args), dict[str, str](), list[Node]()
    while len(items) > 1 and (clause := _clause(items[-1], items[:-1])) is not None:
        found.update(clause)
        last = items.pop()
        if last.name != "in":
            conditions.append(last)
    if not found:
        return node, {}, []
    rest = items[0] if len(items) == 1 else Node("list", tuple(items), node.name)
    return rest, found, conditions


def _clause(node: Node, others: list[Node]) -> dict[str, str] | None:
    """The parameter a clause is about: a symbol of the others, which are values or equations."""
    if node.kind != "relation" or node.name not in _CONDITIONS or node.args[0].kind != "symbol":
        return None
    name, space = node.args[0].name, node.args[1]
    if any(other.kind in ("relation", "chain") and node.args[0] in other.args for other in others):
        return None
    if not any(name in symbols(other) for other in others):
        return None
    if node.name == "in" and space.kind == "space":
        return {name: space.name}
    return {name: ""} if node.name != "=" and node.name != "in" else None


def same_family(wanted: Node, got: Node, parameters: frozenset[str]) -> bool | None:
    """Two values that go in steps with one whole parameter: whether they run through the same."""
    shared = [p for p in parameters if p in symbols(wanted) and p in symbols(got)]
    if len(shared) != 1:
        return False
    one, two = _steps(wanted, shared[0]), _steps(got, shared[0])
    if one is None or two is None:
        return None
    if not (same(one[1], two[1]) or same(one[1], Node("neg", (two[1],)))):
        return False
    gap = Node("div", (Node("add", (one[0], Node("neg", (two[0],)))), one[1]))
    return _is_whole(gap)


def _steps(node: Node, name: str) -> tuple[Node, Node] | None:
    """(value at 0, step) of a value that is linear in a parameter, else None."""
    at = [replaced(node, {name: number(k)}) for k in range(3)]
    steps = [Node("add", (at[k + 1], Node("neg", (at[k],)))) for k in range(2)]
    return (at[0], steps[0]) if same(steps[0], steps[1]) else None


def _is_whole(node: Node) -> bool | None:
    try:
        value = numeric(node, {})
        nearest = round(float(value.real))
    except (FormulaError, ArithmeticError, OverflowError, ValueError):
        return None
    return same(node, number(Fraction(nearest)))


def same_antiderivative(wanted: Node, got: Node) -> bool | None:
    """Whether both end in `+ C` and differ by a constant besides."""
    if not symbols(wanted) & symbols(got) & _ARBITRARY:
        return None
    one, two = _without_constant(wanted), _without_constant(got)
    if one is None or two is None:
        return None
    names = sorted(symbols(one) | symbols(two))
    if len(names) != 1:
        return None
    gap = Node("add", (one, Node("neg", (two,))))
    moved = [replaced(gap, {names[0]: number(Fraction(k, 7))}) for k in (2, 5, 9, -4)]
    if same(moved[0], moved[1]) is not True or same(moved[1], moved[2]) is not True:
        return False
    return same(moved[2], moved[3]) is not False


def _without_constant(node: Node) -> Node | None:
    if node.kind != "add":
        return None
    left = [term for term in node.args if not (term.kind == "symbol" and term.name in _CONSTANTS)]
    if len(left) != len(node.args) - 1 or not left:
        return None
    return left[0] if len(left) == 1 else Node("add", tuple(left))
