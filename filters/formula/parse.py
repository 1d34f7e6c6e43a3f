r"""Answers parsed: `x \in (1,2) \cup [3,\infty)`, `\frac{-1\pm\sqrt5}{2}`, `\{1, 2\}`, `y=2x+3`.

A parser by descent over the tokens of filters/formula/scan.py: lists of statements, statements of
relations, relations of sets or sums, then products (with signs left out), powers and atoms
(filters/formula/atoms.py). It computes nothing. Depth and length are bounded, so any text costs
little; what it does not read is a FormulaError.
"""

from functools import lru_cache

from filters.formula.atoms import Atoms
from filters.formula.spelling import prepared
from filters.formula.tree import FormulaError, Node

_RELATIONS = {
    "=": "=", "==": "=", ":=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "!=",
    "≈": "~", "le": "<=", "ge": ">=", "lt": "<", "gt": ">", "ne": "!=", "approx": "~",
    "simeq": "~", "sim": "~", "equiv": "==", "in": "in", "colon": ":",
}  # fmt: skip
_SET_OPERATIONS = {"cup": "union", "cap": "intersection", "setminus": "difference",
                   "backslash": "difference"}  # fmt: skip
# Words join answers; logic's own signs join statements, and are not one another.
_CONNECTIVES = {"and": "and", "or": "or", "land": "land", "wedge": "land", "lor": "lor",
                "vee": "lor"}  # fmt: skip
_STARTS = frozenset(("letter", "command", "word"))
_NO_FACTORS = frozenset(
    (*_RELATIONS, *_SET_OPERATIONS, "cdot", "times", "div", "pm", "mp", "mid", "bmod", "pmod",
     "mod", "and", "or", "land", "wedge", "lor", "vee", "right", "rvert", "rVert", "rfloor",
     "rceil", "rangle", "end", "to", "rightarrow", "Rightarrow", "implies", "iff", "text", "quad",
     "vert", "choose", "over", "Leftrightarrow", "neg", "lnot", "because", "therefore", "forall",
     "exists", "ast", "degree")
)  # fmt: skip


class Parser(Atoms):
    """One text's parse; use `parse`."""

    def answer(self) -> Node:
        """The whole text: one statement or a list of them."""
        parsed = self._list()
        if self.accept("over"):
            parsed = Node("div", (parsed, self._list()))
        if self.peek.kind != "end":
            raise FormulaError(f"{self.peek.text!r} is out of place")
        return parsed

    def _list(self) -> Node:
        with self.deeper():
            items, names = [self._statement()], set()
            while (name := self._separator()) is not None:
                if self.peek.kind == "end" or self.peek.text in (")", "]", "}", r"\}"):
                    break
                names.add(name)
                items.append(self._statement())
        if len(items) == 1:
            return items[0]
        words = names - {","}
        if len(words) > 1:
            raise FormulaError("both and and or")
        return Node("list", tuple(items), words.pop() if words else ",")

    def _separator(self) -> str | None:
        """`,`, `and` or `or`; `, and` is one."""
        found = None
        while True:
            text = self.peek.text
            if text in (",", ";", r"\\"):
                found = found or ","
            elif text in _CONNECTIVES:
                found = _CONNECTIVES[text]
            else:
                return found
            self.next()

    def _statement(self) -> Node:
        sides, names = [self._sets()], []
        while (name := _RELATIONS.get(self.peek.text)) is not None:
            if self.peek.kind not in ("relation", "command") or name == ":":
                break
            self.next()
            names.append(name)
            sides.append(self._sets())
        if self.accept("pmod") or self.accept("mod"):
            sides.append(self._modulus())
            names.append("mod")
        if self.peek.text == ":" and not names and not self.in_builder:
            return self._ratio(sides[0])
        if not names:
            return sides[0]
        kind = "relation" if len(names) == 1 else "chain"
        return Node(kind, tuple(sides), " ".join(names))

    def _modulus(self) -> Node:
        if self.accept("{"):
            modulus = self._sum()
            self.expect("}")
            return modulus
        return self._sum()

    def _ratio(self, first: Node) -> Node:
        parts = [first]
        while self.accept(":"):
            parts.append(self._sum())
        return Node("ratio", tuple(parts))

    def _sets(self) -> Node:
        left = self._sum()
        while True:
            name = _SET_OPERATIONS.get(self.peek.text)
            if name is None or self.peek.kind != "command":
                return left
            self.next()
            left = Node(name, (left, self._sum()))

    def _sum(self) -> Node:
        with self.deeper():
            terms = [self._signed_product()]
            while self.peek.text in ("+", "-", "pm", "mp"):
                terms.append(self._signed_product())
        return terms[0] if len(terms) == 1 else Node("add", tuple(terms))

    def _signed_product(self) -> Node:
        sign = self.peek.text
        if sign == "+":
            self.next()
            return self._signed_product() if self.peek.text in "+-" else self._product()
        if sign == "-":
            self.next()
            with self.deeper():
                return Node("neg", (self._signed_product(),))
        if sign in ("pm", "mp"):
            self.next()
            return Node("pm", (self._product(),), sign)
        return self._product()

    def _product(self) -> Node:
        left = self._factor()
        while True:
            text = self.peek.text
            if text in ("cdot", "times", "*", "ast"):
                self.next()
                left = _times(left, self._signed_factor())
            elif text in ("/", "div"):
                self.next()
                left = Node("div", (left, self._signed_factor()))
            elif text in ("bmod",) or (text == "mod" and self.peek.kind == "word"):
                self.next()
                left = Node("call", (left, self._signed_factor()), "mod")
            elif self.starts_factor():
                left = _times(left, self._factor())
            else:
                return left

    def _signed_factor(self) -> Node:
        if self.accept("-"):
            return Node("neg", (self._factor(),))
        self.accept("+")
        return self._factor()

    def starts_factor(self) -> bool:
        """Whether what comes next is multiplied without a sign."""
        token = self.peek
        if token.kind in _STARTS:
            return token.text not in _NO_FACTORS
        if token.text == "|":
            return self.bars == 0 and not self.in_builder
        if token.kind == "number":
            is_power = self.last.kind == "letter" and self.after.text == "^"
            return self.last.text in (")", "!", "}") or self._ends_exponent() or is_power
        return token.text in ("(", "{") or (token.text == "[" and self.last.text == ")")

    def _ends_exponent(self) -> bool:
        """`2^a3^b`: the letter before is the whole exponent."""
        return self.last.kind == "letter" and self.before_last.text == "^"

    def _factor(self) -> Node:
        base = self.atom()
        while True:
            token = self.peek
            if token.text in ("^", "**"):
                base = self._raised(base)
            elif token.text == "!":
                self.next()
                name = "double_factorial" if self.accept("!") else "factorial"
                base = Node("call", (base,), name)
            elif token.text == "%":
                self.next()
                base = Node("percent", (base,))
            elif token.text == "degree":
                self.next()
                base = Node("degree", (base,))
            elif token.text == "'" and base.kind == "symbol":
                self.next()
                base = Node("symbol", name=base.name + "'")
            else:
                return base

    def _raised(self, base: Node) -> Node:
        self.next()
        with self.deeper():
            exponent = self.argument(signed=True)
            if self.peek.text in ("^", "**"):
                exponent = self._raised(exponent)
        if exponent.kind == "symbol" and exponent.name == "circ":
            return Node("degree", (base,))
        return Node("pow", (base, exponent))

    # What the atoms ask for

    def whole(self) -> Node:
        return self._list()

    def expression(self) -> Node:
        return self._sum()

    def factor(self) -> Node:
        return self._factor()

    def product(self) -> Node:
        return self._product()


def _times(left: Node, right: Node) -> Node:
    if left.kind == "mul":
        return Node("mul", (*left.args, right))
    return Node("mul", (left, right))


def parse(text: str) -> Node | None:
    """The tree of an answer, None where it is no formula that we read. Never raises."""
    return _remembered(text) if len(text) <= _MOST_REMEMBERED_CHARS else _parse(text)


def _parse(text: str) -> Node | None:
    try:
        return Parser(prepared(text)).answer()
    except (FormulaError, RecursionError, OverflowError):
        return None


_MOST_REMEMBERED_CHARS = 200  # the tree of a long text takes 50 kB
_remembered = lru_cache(maxsize=8_192)(_parse)
