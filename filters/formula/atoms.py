r"""The atoms of a formula: numbers, symbols, `\frac`, `\sqrt`, functions, brackets, matrices."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from fractions import Fraction

from filters.formula.reader import Reader
from filters.formula.scan import Token
from filters.formula.tree import FormulaError, Node, number, symbol

Read = Callable[[], Node]
FUNCTIONS = {
    **{name: name for name in (
        "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "exp", "ln",
        "gcd", "lcm", "max", "min", "arcsin", "arccos", "arctan", "arccot", "arcsec", "arccsc",
        "floor", "ceil", "abs", "cbrt", "arg", "Re", "Im", "arcsinh", "arccosh", "arctanh")},
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "tg": "tan", "ctg": "cot",
    "cosec": "csc", "arctg": "arctan", "arcctg": "arccot", "lg": "lg", "log": "log",
    "sh": "sinh", "ch": "cosh", "th": "tanh",
}  # fmt: skip
_INVERSE = {"sin": "arcsin", "cos": "arccos", "tan": "arctan", "cot": "arccot", "sec": "arcsec",
            "csc": "arccsc", "sinh": "arcsinh", "cosh": "arccosh", "tanh": "arctanh"}  # fmt: skip
_CONSTANTS = {"pi": "pi", "infty": "oo", "infinity": "oo", "inf": "oo"}
_LETTERS = """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu
    xi rho sigma tau phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Upsilon
    Phi Psi Omega ell hbar circ veci vecj veck"""
_GREEK = frozenset(_LETTERS.split())
_SPACES = {"R": "R", "Z": "Z", "N": "N", "Q": "Q", "C": "C"}
_CHOSEN = re.compile(r"_([2-9]|\d{2,5}|[a-z])\Z")  # C_1^2 is a constant's square
_CALLED = frozenset("fghFGHPQ")
_CLOSING = {"(": (")", "]"), "[": ("]", ")")}
_MATRICES = frozenset(("matrix", "pmatrix", "bmatrix", "Bmatrix", "smallmatrix", "array"))
_FENCES = {"lfloor": ("rfloor", "floor"), "lceil": ("rceil", "ceil"), "lvert": ("rvert", "abs"),
           "lVert": ("rVert", "norm")}  # fmt: skip


class Atoms(Reader, ABC):
    """Reads whatever starts a factor; the levels above are filters/formula/parse.py's."""

    @abstractmethod
    def whole(self) -> Node: ...

    @abstractmethod
    def expression(self) -> Node: ...

    @abstractmethod
    def factor(self) -> Node: ...

    @abstractmethod
    def product(self) -> Node: ...

    @abstractmethod
    def starts_factor(self) -> bool: ...

    def atom(self) -> Node:
        """A number, a symbol, a command, or what stands in brackets; FormulaError for the rest."""
        token = self.peek
        if token.kind == "number":
            return self._number()
        if token.kind == "letter":
            return self._letter()
        if token.kind in ("command", "word"):
            return self._command()
        if token.text in ("(", "["):
            return self._bracketed()
        if token.text == r"\{":
            return self._set(r"\}")
        if token.text == "{":
            return self._group()
        if token.text == "|":
            return self._bars()
        raise FormulaError(f"{token.text!r} starts nothing")

    def argument(self, signed: bool = False) -> Node:
        r"""What `\frac`, `^` and `_` take: a group, one digit, one symbol; `signed`: `x^-1` too."""
        token = self.peek
        if token.text == "{":
            return self._group()
        if signed and token.text == "-":
            self.next()
            return Node("neg", (self.argument(),))
        if token.kind == "number":
            return self._plain_number() if signed else self._digit()  # 2^10 is written for 2^{10}
        if token.kind in ("letter", "command", "word") or token.text == "(":
            return self.atom()
        raise FormulaError(f"{token.text!r} is no argument")

    def _number(self) -> Node:
        value = self._plain_number()
        return self._mixed(value) if value.decimals is None and self.peek.text == "frac" else value

    def _plain_number(self) -> Node:
        token = self.next()
        return number(Fraction("0" + token.text.rstrip(".")), _decimals(token.text))

    def _digit(self) -> Node:
        r"""The first digit of a number, the rest of which is read next: `\frac12`, `x^23`."""
        token = self.peek
        if len(token.text) == 1:
            self.next()
        else:
            rest = token.text[1:]
            if "." in token.text:
                raise FormulaError("a decimal in place of a digit")
            self._tokens[self._at] = Token("number", rest, token.at + 1, token.end)
        return number(int(token.text[0]))

    def _mixed(self, whole: Node) -> Node:
        r"""`1\frac{2}{3}` is 1 + 2/3; `2\frac{x}{3}` and `2\frac{4}{3}` are products."""
        start = self._at
        fraction = self.atom()
        top, bottom = fraction.args if fraction.kind == "div" else (whole, whole)
        plain = all(each.kind == "number" and each.decimals is None for each in (top, bottom))
        if plain and 0 < (top.number or 0) < (bottom.number or 0):
            return Node("add", (whole, fraction))
        self._at = start
        return whole

    def _letter(self) -> Node:
        token = self.next()
        name = token.text
        subscript = self._subscript()
        if name == "C" and (below := _CHOSEN.match(subscript)) and self.peek.text == "^":
            return self._chosen(below[1])
        if name in _CALLED and not subscript and self._is_call():
            return self._called(name)
        if not subscript and name in ("e", "i"):
            return Node("constant", name=name)
        return symbol(name + subscript)

    def _chosen(self, below: str) -> Node:
        """`C_8^3` and `C_3^8`, which are both written: 8 choose 3."""
        self.next()
        other = self.argument()
        if below.isdigit() and other.number is not None:
            return _call("binom", *sorted((number(int(below)), other), key=_descending))
        chosen_from = number(int(below)) if below.isdigit() else symbol(below)
        return _call("binom", chosen_from, other)

    def _is_call(self) -> bool:
        at = self._at
        while self._tokens[at].text == "'":
            at += 1
        return self._tokens[at].text == "("

    def _called(self, name: str) -> Node:
        while self.accept("'"):
            name += "'"
        return Node("call", self._arguments(), name)

    def _subscript(self) -> str:
        if self.peek.text != "_":
            return ""
        self.next()
        start = self.peek.at
        if self.peek.text == "{":
            self._skip_group()
        else:
            self.argument()
        return "_" + "".join(self._source[start : self.last.end].split()).strip("{}")

    def _skip_group(self) -> None:
        depth = 0
        while True:
            text = self.next().text
            depth += (text == "{") - (text == "}")
            if depth == 0:
                return

    def _command(self) -> Node:
        name = self.next().text
        if name in FUNCTIONS:
            return self._function(name)
        if name in _CONSTANTS:
            return Node("constant", name=_CONSTANTS[name])
        if name in _GREEK:
            return symbol(name + self._subscript())
        if name in ("frac", "binom"):
            top = self.argument()
            below = self.argument()
            return Node("div", (top, below)) if name == "frac" else _call("binom", top, below)
        if name == "sqrt":
            return self._root()
        if name in ("sum", "prod"):
            return self._series(name)
        if name in _FENCES:
            return self._fenced(*_FENCES[name])
        if name in ("emptyset", "varnothing"):
            return Node("set")
        if name in ("langle", "begin"):
            return self._angles() if name == "langle" else self._matrix()
        if name in ("mathbb", "Bbb", "mathbf"):
            return self._space()
        if name in ("overline", "bar", "vec", "hat", "overrightarrow", "widehat", "conjugate"):
            return _call(name, self.argument())
        raise FormulaError(f"\\{name} is not read")

    def _series(self, name: str) -> Node:
        r"""`\sum_{k=1}^{n} k^2`."""
        self.expect("_")
        self.expect("{")
        index = symbol(self.next().text)
        self.expect("=")
        first = self.expression()
        self.expect("}")
        self.expect("^")
        last = self.argument(signed=True)
        term = self.product()
        if index.name == "i":
            term = _with_index(term)
        return Node("series", (index, first, last, term), name)

    def _root(self) -> Node:
        if self.accept("["):
            degree = self.expression()
            self.expect("]")
            return _call("root", self.argument(), degree)
        if self.peek.kind == "number" and self.last.kind == "word":
            return _call("root", self._number(), number(2))
        return _call("root", self.argument(), number(2))

    def _function(self, name: str) -> Node:
        function, power, base = FUNCTIONS[name], None, None
        while self.peek.text in ("^", "_"):
            if self.next().text == "^":
                power = self.argument(signed=True)
            else:
                base = self._base()
        if power == Node("neg", (number(1),)) and function in _INVERSE:
            function, power = _INVERSE[function], None
        args = self._arguments() if self.peek.text == "(" else (self._operand(),)
        if len(args) == 1 and args[0].kind == "list":
            args = args[0].args  # \\max\\{a, b\\}
        if function == "lg":
            function, base = "log", number(10)
        value = Node("call", (*args, base) if base is not None else args, function)
        return Node("pow", (value, power)) if power is not None else value

    def _base(self) -> Node:
        """The base of a logarithm: `_2`, `_{10}`, and `_10` as people write it."""
        return self._plain_number() if self.peek.kind == "number" else self.argument()

    def _operand(self) -> Node:
        r"""What a function without brackets takes: `2x` of `\sin 2x \cos y + 1`."""
        if self.peek.text in (r"\{", "{"):
            group = self._set(r"\}") if self.peek.text == r"\{" else self._group()
            return Node("list", group.args, ",") if group.kind == "set" else group
        if self.accept("-"):
            return Node("neg", (self._operand(),))
        factors = [self.factor()]
        while self.starts_factor() and self.peek.text not in FUNCTIONS:
            if self.peek.text == "(" and factors[-1].kind != "number":
                break  # \\sin x (1 + \\cos x)
            factors.append(self.factor())
        return factors[0] if len(factors) == 1 else Node("mul", tuple(factors))

    def _arguments(self) -> tuple[Node, ...]:
        self.expect("(")
        inner = self._inside(self.whole)
        self.expect(")")
        return inner.args if inner.kind == "list" else (inner,)

    def _inside(self, read: Read) -> Node:
        """Read within brackets, where bars and colons are what they are outside of any."""
        kept, self.bars, self.in_builder = (self.bars, self.in_builder), 0, False
        with self.deeper():
            inner = read()
        self.bars, self.in_builder = kept
        return inner

    def _bracketed(self) -> Node:
        opening = self.next().text
        inner = self._inside(self.whole)
        if self.peek.text not in _CLOSING[opening]:
            raise FormulaError(f"{opening!r} is not closed")
        brackets = opening + self.next().text
        if inner.kind == "list" and inner.name == ",":
            return Node("tuple", inner.args, brackets)
        if brackets in ("()", "[]") and inner.kind != "list":
            return inner
        raise FormulaError(f"{brackets!r} holds one thing")

    def _group(self) -> Node:
        r"""`{…}`: a group, `{1, 2}` a set, `{n \choose k}` and `{a \over b}` what they are."""
        self.expect("{")
        if self.accept("}"):
            raise FormulaError("an empty group")
        inner = self._inside(self.whole)
        for name, kind in (("choose", "binom"), ("over", "div")):
            if self.accept(name):
                below = self._inside(self.whole)
                inner = Node("div", (inner, below)) if kind == "div" else _call(kind, inner, below)
        self.expect("}")
        return Node("set", inner.args) if inner.kind == "list" else inner

    def _set(self, closing: str) -> Node:
        self.next()
        if self.accept(closing):
            return Node("set")
        kept, self.in_builder = self.in_builder, True
        with self.deeper():
            element = self.whole()
        self.in_builder = kept
        if self.peek.text in ("|", "mid", ":", "vert"):
            self.next()
            conditions = self._inside(self.whole)
            self.expect(closing)
            return Node("builder", (element, conditions))
        self.expect(closing)
        return Node("set", element.args if element.kind == "list" else (element,))

    def _bars(self) -> Node:
        self.next()
        self.bars += 1
        inner = self.expression()
        self.bars -= 1
        self.expect("|")
        return _call("abs", inner)

    def _fenced(self, closing: str, name: str) -> Node:
        inner = self._inside(self.expression)
        self.expect(closing)
        return _call(name, inner)

    def _angles(self) -> Node:
        inner = self._inside(self.whole)
        self.expect("rangle")
        return Node("tuple", inner.args if inner.kind == "list" else (inner,), "()")

    def _space(self) -> Node:
        self.accept("{")
        name = _SPACES.get(self.next().text)
        self.accept("}")
        if name is None:
            raise FormulaError("an unknown set of numbers")
        start = self.peek.at
        while self.peek.text in ("^", "_"):
            self.next()
            self.accept("{")
            while self.peek.text in ("+", "-", "*", "0", "ast", ">", ">=", "ge", "geq", "2", "3"):
                self.next()
            self.accept("}")
        mark = "".join(c for c in self._source[start : self.last.end] if c in "+-*0>=23")
        return Node("space", name=name + mark.replace("ast", "*"))

    def _matrix(self) -> Node:
        name = self._name_in_braces()
        if name not in _MATRICES:
            raise FormulaError(f"the environment {name} is not read")
        if name == "array" and self.peek.text == "{":
            self._skip_group()
        rows: list[tuple[Node, ...]] = []
        while self.peek.text != "end":
            cells = [self.expression()]
            while self.accept("&"):
                cells.append(self.expression())
            rows.append(tuple(cells))
            if not self.accept(r"\\"):
                break
        self.expect("end")
        self._name_in_braces()
        if len({len(row) for row in rows}) != 1:
            raise FormulaError("rows of different length")
        return Node("matrix", tuple(Node("tuple", row, "()") for row in rows))

    def _name_in_braces(self) -> str:
        start = self.peek.end
        self._skip_group()
        return self._source[start : self.last.at].strip()


def _call(name: str, *args: Node) -> Node:
    return Node("call", args, name)


def _with_index(node: Node) -> Node:
    """The term of a series whose index is `i`, which is imaginary elsewhere."""
    if node == Node("constant", name="i"):
        return symbol("i")
    args = tuple(_with_index(arg) for arg in node.args)
    return Node(node.kind, args, node.name, node.number, node.decimals)


def _descending(node: Node) -> Fraction:
    return -(node.number or Fraction(0))


def _decimals(text: str) -> int | None:
    return len(text.partition(".")[2]) if "." in text.rstrip(".") else None
