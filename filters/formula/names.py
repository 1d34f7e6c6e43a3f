r"""What an answer is called: the name and the value of `x = 5`, `f(x) = 2x`, `(x, y) = (1, 2)`."""

from collections.abc import Sequence

from filters.formula.equal import same
from filters.formula.tree import Node, replaced, symbols


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
    if len(values) > 1 and not _all_same(node.name, values):
        return None
    return _in_order(name, values[0]) if first.kind == "tuple" else (name, values[0])


def _in_order(name: str, value: Node) -> tuple[str, Node] | None:
    """`(y, x) = (1, 2)` as (x, y) = (2, 1)."""
    names = name.split(",")
    if len(names) == 1 or names == sorted(names):
        return name, value
    if value.kind != "tuple" or len(value.args) != len(names):
        return None
    pairs = sorted(zip(names, value.args, strict=True), key=lambda pair: pair[0])
    return ",".join(sorted(names)), Node("tuple", tuple(arg for _, arg in pairs), value.name)


def _with_one_argument(node: Node) -> Node:
    """`f(t) = 2t` in the argument that all functions get, so that its name means nothing."""
    first = node.args[0]
    if first.kind != "call" or len(first.args) != 1 or first.args[0].kind != "symbol":
        return node
    if not first.args[0].name.islower():
        return node  # P(A)
    return replaced(node, {first.args[0].name: Node("symbol", name="x")})


def _name(node: Node) -> str | None:
    if node.kind == "symbol":
        return node.name
    if node.kind == "call" and len(node.name.rstrip("'")) == 1:
        of_symbols = all(arg.kind == "symbol" and arg.name.islower() for arg in node.args)
        return f"{node.name}()" if of_symbols else f"{node.name}{node.args}"
    if node.kind == "call" and node.name == "abs" and node.args[0].kind == "mul":
        return _name(node.args[0])  # |AB|
    if node.kind == "tuple" and all(arg.kind == "symbol" for arg in node.args):
        return ",".join(arg.name for arg in node.args)
    if node.kind == "mul" and _is_label(node.args):
        return "".join(arg.name for arg in node.args)
    if len(symbols(node)) > 1 and is_polynomial(node):
        return ASKED
    inverse = node.kind == "mul" and node.args[0].kind == "pow"
    if inverse and node.args[0].args[0] in _FUNCTIONS and node.args[1].kind == "symbol":
        return f"{node.args[0].args[0].name}^-1()"
    return None


_FUNCTIONS = tuple(Node("symbol", name=name) for name in "fgh")


ASKED = "?"  # what a question may ask the value of


def is_polynomial(node: Node) -> bool:
    """`a + b`, `x^2 + y^2`: what a question asks the value of, not an equation to be solved."""
    if node.kind == "pow":
        return is_polynomial(node.args[0]) and node.args[1].kind == "number"
    if node.kind in ("add", "mul"):
        return all(is_polynomial(arg) for arg in node.args)
    return node.kind == "symbol"


def is_name(node: Node) -> bool:
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


def plain_value(node: Node) -> Node:
    """The value alone, of a name or of a sum written out: `3 + 4 = 7` is 3 + 4."""
    found = named(node)
    if found is not None:
        return plain_value(found[1])
    if node.kind in ("relation", "chain") and not set(node.name.split()) - {"=", "~"}:
        first, *rest = node.args
        if not symbols(node) and _all_same("= " + node.name, [first, *rest]):
            return first
    return node


def assignments(node: Node) -> dict[str, Node]:
    """`x=1, y=2` as values by name; empty where it is not that."""
    if node.kind not in ("list", "set") or node.name == "or":
        return {}
    found = [named(item) for item in node.args]
    pairs = [each for each in found if each is not None]
    values = dict(pairs)
    if len({name.partition("_")[0] for name in values}) < len(node.args):
        return {}  # x=1, x=2; x_1=1, x_2=2: solutions
    return values


def as_point(node: Node, assignments: dict[str, Node]) -> Node:
    """Assignments as a point, in the order of their names where they are written so."""
    if not assignments:
        return node
    return Node("tuple", tuple(assignments[name] for name in sorted(assignments)), "()")


def alike(one: str, two: str) -> bool:
    """`y` and `f(x)` name the same thing."""
    return {one, two} <= {"y", "f()", "g()"} or one.rstrip("()") == two.rstrip("()")
