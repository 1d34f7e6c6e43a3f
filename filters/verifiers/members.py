r"""The members of a list, tuple, set or interval: `(1, 2)`, `\{1, 2\}`, `1, 2`, `[0, 5)`.

Order counts inside `( )` and `[ ]`, which may be points or intervals; not inside `\{ \}` nor in
a bare list, which state a set of solutions.
"""

import re
from typing import NamedTuple

from filters.verifiers.normal_form import tidy, unwrap

_MAX_MEMBERS = 40
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_OPEN = {"(": ")", "[": "]", "\\{": "\\}"}
_TOKEN = re.compile(r"\\.|[(){}\[\],]")
_AND = re.compile(r"\s*,?\s+(?:and|or)\s+|\s*;\s*")
_LABEL = re.compile(
    r"(?:^|(?<=[\s,;.]))\(?(?P<label>[a-h]|i{1,3}|iv|v|[1-6])\)[.:]?\s*", re.IGNORECASE
)
_ONLY = re.compile(r"\s+only$")
_DESCRIBED = re.compile(
    r"\\mid|\||\{[^{}]*:|\.\.\.|[<>]|\\(?:le|ge|lt|gt|ne|in|cup|cap)(?![a-zA-Z])"
)
_PREFIX = re.compile(r"^[a-zA-Z]\s*(?:=|\\in)\s*")


class Members(NamedTuple):
    """The members as texts, and the brackets around them: `""` for a bare list."""

    items: tuple[str, ...]
    brackets: str

    @property
    def ordered(self) -> bool:
        return self.brackets not in ("", "\\{\\}")


def read_members(text: str) -> Members | None:
    """Two or more members, or None when the text is a single thing (or too many things)."""
    body = _PREFIX.sub("", _ONLY.sub("", unwrap(tidy(text))))
    if _DESCRIBED.search(body):
        return None
    opening = next((mark for mark in _OPEN if body.startswith(mark)), "")
    closing = next((mark for mark in _OPEN.values() if body.endswith(mark)), "")
    if opening and closing and _closes_at_end(body):
        inner = body[len(opening) : len(body) - len(closing)]
        brackets = opening + closing
    else:
        inner, brackets = _AND.sub(",", body), ""
    if _THOUSANDS.fullmatch(inner.strip()) and brackets in ("", "\\{\\}"):
        return None
    items = tuple(part.strip() for part in _split_at_commas(inner))
    if not 2 <= len(items) <= _MAX_MEMBERS or not all(items):
        return None
    return Members(items, brackets)


def _closes_at_end(body: str) -> bool:
    """Whether the first bracket is closed by the last one: not so in `(1,2), (3,4)`."""
    depth = 0
    for token in _TOKEN.finditer(body):
        mark = token.group()
        depth += (mark in ("(", "[", "{", "\\{")) - (mark in (")", "]", "}", "\\}"))
        if depth == 0:
            return token.end() == len(body)
    return False


def _split_at_commas(inner: str) -> list[str]:
    parts, start, depth = [], 0, 0
    for token in _TOKEN.finditer(inner):
        mark = token.group()
        depth += (mark in ("(", "[", "{", "\\{")) - (mark in (")", "]", "}", "\\}"))
        if mark == "," and depth == 0:
            parts.append(inner[start : token.start()])
            start = token.end()
    return [*parts, inner[start:]]


def read_parts(text: str) -> tuple[str, ...]:
    """`(a) 5; (b) 7` as its parts in order; empty where the text is not labelled from a, i or 1."""
    body = unwrap(tidy(text))
    labels = list(_LABEL.finditer(body))
    if not 2 <= len(labels) <= _MAX_MEMBERS or labels[0].start() > 0:
        return ()
    names = [label["label"].casefold() for label in labels]
    if min(names) not in ("a", "i", "1") or len(set(names)) < len(names):
        return ()
    ends = [label.start() for label in labels[1:]] + [len(body)]
    parts = [body[a.end() : b].strip(" ,;.") for a, b in zip(labels, ends, strict=True)]
    in_order = [part for _, part in sorted(zip(names, parts, strict=True), key=lambda p: p[0])]
    return tuple(in_order) if all(parts) else ()
