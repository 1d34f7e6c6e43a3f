r"""`\\pm` written out: an answer with it states several values."""

from itertools import product

from filters.formula.tree import Node

_MAX_SIGNS = 4


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


def all_marked(node: Node, mark: str) -> Node | None:
    """A list without the mark that all of its values bear: degrees, or percent; else None."""
    items = node.args if node.kind in ("list", "set", "tuple") else ()
    if not items or any(item.kind != mark for item in items):
        return None
    return Node(node.kind, tuple(item.args[0] for item in items), node.name)
