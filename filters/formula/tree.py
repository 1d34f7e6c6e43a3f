"""The tree of a parsed answer: one flat node type, told apart by its kind."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Node:
    r"""One part of a formula.

    Kinds of values: number, symbol, constant (pi, e, i, oo), add, mul, div, pow, neg, call
    (`name` is the function), percent, degree, pm (`name` is pm or mp), series (`name` is sum or
    prod; args are the index, its first and last value, the term). Kinds of collections: list
    (`name` is `,`, `and` or `or`), tuple (`name` is its two brackets), set, matrix (rows are
    tuples), union, intersection, difference, builder, space (R, Z, ...). Kinds of statements:
    relation (`name` is one of = < > <= >= != in ~ ==, args are the two sides) and chain (the same
    with more sides, names joined by blanks).
    """

    kind: str
    args: tuple["Node", ...] = ()
    name: str = ""
    number: Fraction | None = None
    decimals: int | None = None


class FormulaError(ValueError):
    """The text is no formula that the parser reads, or one beyond its limits."""


def number(value: int | Fraction, decimals: int | None = None) -> Node:
    """A literal; `decimals` as written, None for a whole number."""
    return Node("number", number=Fraction(value), decimals=decimals)


def symbol(name: str) -> Node:
    return Node("symbol", name=name)


def symbols(node: Node) -> frozenset[str]:
    """The names of the free symbols; those of called functions are not among them."""
    if node.kind == "symbol":
        return frozenset((node.name,))
    found = frozenset[str]().union(*(symbols(arg) for arg in node.args))
    return found - {node.args[0].name} if node.kind == "series" else found


def kinds(node: Node) -> frozenset[str]:
    """All kinds of node in the tree; a call stands with its function's name, `call sin`."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        each = waiting.pop()
        found.add(f"call {each.name}" if each.kind == "call" else each.kind)
        waiting.extend(each.args)
    return frozenset(found)


def replaced(node: Node, names: dict[str, Node]) -> Node:
    """The tree with symbols put in for others."""
    if node.kind == "symbol":
        return names.get(node.name, node)
    if not node.args:
        return node
    if node.kind == "series" and node.args[0].name in names:
        names = {name: to for name, to in names.items() if name != node.args[0].name}
    args = tuple(replaced(arg, names) for arg in node.args)
    return Node(node.kind, args, node.name, node.number, node.decimals)
