"""Lines of texts: one that stands over and over, one that is endless."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from filters.text_bytes import Mask, Places, TextBytes

LOOPING_LINE_CHARS = 12  # shorter lines (`}`, `\]`, `---`) repeat in honest work

_BINS = 256


def repeats_a_line(text: str, times: int, share: float) -> bool:
    """Whether one line of 12 characters or more stands `times` times and is `share` of all lines.

    Blank lines are no lines here.
    """
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    counts = Counter(line for line in lines if len(line) >= LOOPING_LINE_CHARS)
    most = max(counts.values(), default=0)
    return most >= times and most >= share * len(lines)


def longest_line(text: str) -> int:
    """Characters of the longest line."""
    return max(map(len, text.split("\n")))


class Lines(NamedTuple):
    """All lines of some texts: where each starts, its bytes, and the number of its text."""

    starts: Places
    sizes: Places
    rows: Places


def lines_of(texts: TextBytes, breaks: Places) -> Lines:
    """The lines between the line breaks, in order; a text without any is one line."""
    rows = texts.rows_of(breaks)
    count = len(texts.offsets) - 1
    # A text opens one line, and so does each of its breaks.
    openings = np.arange(count) + np.searchsorted(breaks, texts.offsets[:-1])
    followings = np.arange(len(breaks)) + rows + 1
    all_starts = np.empty(count + len(breaks), dtype=np.int64)
    all_starts[openings], all_starts[followings] = texts.offsets[:-1], breaks + 1
    all_rows = np.empty_like(all_starts)
    all_rows[openings], all_rows[followings] = np.arange(count), rows
    ends = np.append(all_starts[1:] - 1, 0)[: len(all_starts)]
    closings = np.append(openings[1:] - 1, len(all_starts) - 1)[:count]
    ends[closings] = texts.offsets[1:]
    return Lines(all_starts, ends - all_starts, all_rows)


def longest_bytes(lines: Lines, texts: int) -> Places:
    """Bytes of each text's longest line: never fewer than it has characters."""
    longest = np.zeros(texts, dtype=np.int64)
    if len(lines.rows):
        first = np.flatnonzero(np.append(True, lines.rows[1:] != lines.rows[:-1]))
        longest[lines.rows[first]] = np.maximum.reduceat(lines.sizes, first)
    return longest


def may_repeat_a_line(lines: Lines, texts: int, times: int, share: float) -> Mask:
    """False where the commonest line surely stands less than `times` times, or has less than
    `share` of the lines.

    Lines of one length stand for one line: there are no fewer of them.
    """
    long = lines.sizes >= LOOPING_LINE_CHARS
    rows = lines.rows[long]
    bins = rows * _BINS + lines.sizes[long] % _BINS
    fullest = np.bincount(bins, minlength=texts * _BINS).reshape(texts, _BINS).max(axis=1)
    of_lines = np.bincount(rows, minlength=texts)
    return np.asarray((fullest >= times) & (fullest >= share * of_lines))
