r"""The tokens of an answer in LaTeX or plain text: `\frac`, `x_{1}`, `12.5`, `<=`, `sqrt`."""

import re
from typing import NamedTuple

from filters.formula.tree import FormulaError

MAX_TOKENS = 600

# Words that stand for something when written without a backslash; all other letters are symbols.
_NAMES = (
    "arcsinh arccosh arctanh arcsin arccos arctan arccot arcsec arccsc asin acos atan sinh cosh "
    "tanh coth sin cos tan cot sec csc cbrt sqrt exp log ln lg lcm gcd max min floor ceil abs pi "
    "infinity infty inf and or mod deg"
)
WORDS = frozenset(_NAMES.split())
_WORD = "|".join(sorted(WORDS, key=len, reverse=True))
_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<number>\d+\.\d*|\.\d+|\d+)"
    rf"|(?P<word>(?:{_WORD})(?![a-z]))"
    r"|(?P<letter>[a-zA-Z])"
    r"|\\(?P<command>[a-zA-Z]+)"
    r"|(?P<relation><=>|<=|>=|!=|=>|:=|==|[=<>≈])"
    r"|(?P<mark>\\[{}|\\]|\*\*|\.\.\.|[-+*/^_(){}\[\],;:!|'%&])"
    r")"
)
_SPACE = re.compile(r"\s*")


class Token(NamedTuple):
    """`kind` is number, word, letter, command, relation, mark or end; `at` and `end` its place."""

    kind: str
    text: str
    at: int
    end: int


def scan(text: str) -> list[Token]:
    """All tokens, and an `end` after them. Raises FormulaError at what is none, or too many."""
    tokens: list[Token] = []
    at, size = 0, len(text.rstrip())
    while at < size:
        match = _TOKEN.match(text, at)
        if match is None:
            raise FormulaError(f"no mathematics at {text[at : at + 20]!r}")
        kind = match.lastgroup or ""
        tokens.append(Token(kind, match[kind], match.start(kind), match.end()))
        at = match.end()
        if len(tokens) > MAX_TOKENS:
            raise FormulaError(f"more than {MAX_TOKENS} tokens")
    tokens.append(Token("end", "", size, size))
    return tokens
