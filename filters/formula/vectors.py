r"""Points, vectors and matrices in one form: `3i - j`, `(1, 2)`, a matrix of one column."""

from filters.formula.tree import Node, number, replaced, symbols


def _arithmetic(node: Node) -> Node:
    """Sums and multiples of vectors, coordinate by coordinate; anything else as it is."""
    if node.kind not in ("add", "neg", "mul", "div"):
        return node
    args = [as_vector(arg) for arg in node.args]
    vectors = [arg for arg in args if arg.kind == "tuple"]
    if not vectors or len({len(vector.args) for vector in vectors}) > 1:
        return node
    if node.kind in ("add", "neg") and len(vectors) == len(args):
        return _by_coordinate(node.kind, args)
    if (node.kind == "mul" and len(vectors) == 1) or (node.kind == "div" and args[0] == vectors[0]):
        return _by_coordinate(node.kind, args)
    return node


def _by_coordinate(kind: str, args: list[Node]) -> Node:
    size = max(len(arg.args) for arg in args if arg.kind == "tuple")
    columns = [[arg.args[at] if arg.kind == "tuple" else arg for arg in args] for at in range(size)]
    return Node("tuple", tuple(Node(kind, tuple(column)) for column in columns), "()")


def as_vector(node: Node) -> Node:
    """A matrix of one column or row as a point; what multiplies a matrix goes to its cells."""
    if node.kind == "mul" and [arg.kind for arg in node.args].count("matrix") == 1:
        node = _spread(node)
    node = _arithmetic(node)
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


def components(node: Node, count: int) -> Node:
    """`3i - j + 2k` in unit vectors as a point of so many coordinates."""
    if (
        node.kind in ("list", "set", "tuple", "matrix")
        or not symbols(node) & set(_UNIT_VECTORS)
        or count not in (2, 3)
    ):
        return node
    if count == 2 and "veck" in symbols(node):
        return node
    return Node("tuple", tuple(
        replaced(node, {name: number(int(name == axis)) for name in _UNIT_VECTORS})
        for axis in _UNIT_VECTORS[:count]
    ), "()")  # fmt: skip
