r"""The final answer, found by its mark or not at all: never "the last number".

Looked for in the answer part only (what follows `</think>`). In this order:

1. the last box that is closed and not empty: `\boxed{\frac{1}{2}}`, `\fbox{7}`, `\boxed 5`
   (several different boxes: the last one counts; a last box that never closes: no answer);
2. the last `<answer>…</answer>`;
3. the last marked line: `**Answer:** 12`, `Final answer: 12`, `The answer is 12.`
"""

import re
from typing import NamedTuple

MAX_ANSWER_CHARS = 2_000  # the longest gold answer of MATH has 159; a longer one is prose
MAX_NESTING = 40

_BOX = re.compile(r"\\(?:boxed|fbox)\b\s*")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_BARE_BOX = re.compile(r"[^\s{}$\\]+")
_TAG = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.DOTALL | re.IGNORECASE)
_MARKED_LINE = re.compile(
    r"^[\s*_#>\-]*(?:(?:so|thus|hence|therefore),?\s)?(?:the\s)?(?:final\s|correct\s)?answer"
    r"(?:[\s*_]*(?::|=)|\s(?:is|=):?)[\s*_]*(?P<answer>\S.*)$",
    re.IGNORECASE,
)
_MARKED_LINE_LIMIT_CHARS = 1_000
_OUTER_MATH = re.compile(r"\A(?:\$\$?(.*?)\$?\$|\\\((.*)\\\)|\\\[(.*)\\\])\Z", re.DOTALL)


class FinalAnswer(NamedTuple):
    """The extracted text and the mark it was found by: `box`, `tag` or `line`."""

    text: str
    mark: str


def final_answer(answer: str) -> FinalAnswer | None:
    """The final answer of an answer part, or None when nothing marks one.

    >>> final_answer("So \\\\boxed{12}.").text
    '12'
    """
    boxed, has_box = _last_box(answer)
    if boxed is not None:
        return FinalAnswer(boxed, "box")
    if has_box:
        return None
    tagged = _last_tag(answer)
    if tagged is not None:
        return FinalAnswer(tagged, "tag")
    line = _last_marked_line(answer)
    return None if line is None else FinalAnswer(line, "line")


def too_wild(text: str) -> str | None:
    """Why an answer is not worth parsing (a parser could hang or die on it), or None."""
    if len(text) > MAX_ANSWER_CHARS:
        return f"the answer has {len(text):,} characters, the limit is {MAX_ANSWER_CHARS:,}"
    if any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in text):
        return "the answer holds null bytes or lone surrogates"
    depth = deepest = 0
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        deepest = max(deepest, depth)
    if deepest > MAX_NESTING:
        return f"the answer is nested {deepest} deep, the limit is {MAX_NESTING}"
    return None


def _last_box(text: str) -> tuple[str | None, bool]:
    """The last non-empty box and whether an unclosed one was met after it."""
    for match in reversed(list(_BOX.finditer(text))):
        start = match.end()
        if text[start : start + 1] != "{":
            bare = _BARE_BOX.match(text, start, start + MAX_ANSWER_CHARS)
            if bare is None:
                continue
            return bare.group().rstrip(".,;"), True
        end = _closing_brace(text, start)
        if end is None:
            return None, True
        inner = text[start + 1 : end].strip()
        if inner:
            return inner, True
    return None, False


def _closing_brace(text: str, start: int) -> int | None:
    depth = 0
    for token in _BRACE.finditer(text, start):
        if token.group() == "{":
            depth += 1
        elif token.group() == "}":
            depth -= 1
            if depth == 0:
                return token.start()
    return None


def _last_tag(text: str) -> str | None:
    tagged = [m.group(1).strip() for m in _TAG.finditer(text)]
    return (tagged[-1] or None) if tagged else None


def _last_marked_line(text: str) -> str | None:
    if "answer" not in text.lower():
        return None
    for line in reversed(text.splitlines()):
        if len(line) > _MARKED_LINE_LIMIT_CHARS or "answer" not in line.lower():
            continue
        match = _MARKED_LINE.match(line)
        if match and (found := _undress(match["answer"])):
            return found
    return None


def _undress(text: str) -> str:
    """Drop the bold marks, the closing full stop and the math delimiters around an answer."""
    bare = text.strip().rstrip(".").strip("*_ ").rstrip(".").strip()
    math = _OUTER_MATH.match(bare)
    if math and "$" not in (inner := next(g for g in math.groups() if g is not None)):
        return inner.strip()
    return bare
