"""Hostile text into Markdown: nothing a model writes can close a fence or open a tag."""

import re

# Control characters but tab and newline, and the marks that reorder text on screen.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_PUNCTUATION = re.compile(r"([\\`*_\[\]<>|#&~!$])")
_BACKTICKS = re.compile(r"`+")
_CUT = "\n[… {count:,} more characters]"


def visible(text: str) -> str:
    """The text without what cannot be seen: control and direction marks, lone surrogates."""
    encodable = text.encode("utf-8", "ignore").decode("utf-8")
    return _UNSEEN.sub("", encodable.replace("\r\n", "\n").replace("\r", "\n"))


def fence(text: str, max_chars: int = 1_500) -> str:
    """A fenced block of the text, cut at `max_chars`; its fence is longer than any run inside."""
    shown = visible(text).strip("\n")
    if len(shown) > max_chars:
        shown = shown[:max_chars] + _CUT.format(count=len(shown) - max_chars)
    ticks = "`" * max(3, _longest_run(shown) + 1)
    return f"{ticks}text\n{shown}\n{ticks}"


def one_line(text: str) -> str:
    """What can be seen of the text, on one line; safe in a terminal, which runs what cannot."""
    return " ".join(visible(text).split())


def plain(text: str) -> str:
    """The text on one line with Markdown's and HTML's signs escaped; safe in a table cell."""
    return _PUNCTUATION.sub(r"\\\1", one_line(text))


def code(text: str) -> str:
    """The text on one line as a code span; safe in a table cell."""
    line = one_line(text).replace("|", "\\|")
    if not line:
        return ""
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if "`" in line else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
