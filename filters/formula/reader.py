"""The tokens of a text read one after the other, and no deeper than is sane."""

from collections.abc import Iterator
from contextlib import contextmanager

from filters.formula.scan import Token, scan
from filters.formula.tree import FormulaError

MAX_DEPTH = 120  # levels of the descent; a bracket takes three


class Reader:
    """Where a parse is in its text."""

    def __init__(self, text: str) -> None:
        self._source = text
        self._tokens = scan(text)
        self._at = 0
        self._depth = 0
        self.bars = 0
        self.in_builder = False

    @property
    def peek(self) -> Token:
        return self._tokens[self._at]

    @property
    def last(self) -> Token:
        return self._tokens[self._at - 1]

    @property
    def after(self) -> Token:
        """The token after the next."""
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    @property
    def before_last(self) -> Token:
        return self._tokens[self._at - 2]

    def next(self) -> Token:
        token = self._tokens[self._at]
        if token.kind == "end":
            raise FormulaError("it ends too early")
        self._at += 1
        return token

    def accept(self, text: str) -> bool:
        """Take the token if it is this one."""
        if self.peek.text == text and self.peek.kind != "end":
            self._at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise FormulaError(f"{text!r} is missing before {self.peek.text!r}")

    @contextmanager
    def deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FormulaError("nested too deep")
        yield
        self._depth -= 1
