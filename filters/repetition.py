"""Loops: a text that says most of what it says for the second time.

The exact measure takes 20 to 100 ns a byte. So it is taken only of texts a cheap look finds
suspicious: `may_loop` is wrong on one side only.
"""

import re

import numpy as np

from filters.text_bytes import Bytes, Mask, Places, TextBytes, places_of

GRAM_WORDS = 8

# A character of a script written without blanks is a word of its own.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")
_WORD = re.compile(
    r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]|[^\s\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+"
)
_ODD = [np.uint64(0x9E3779B97F4A7C15 * (2 * k + 1) % 2**64 | 1) for k in range(GRAM_WORDS)]

# Texts below this are measured exactly: too few anchors to judge by.
_SHORT_BYTES = 512
_LINE_BREAK = 10
_WINDOW_BYTES = 32  # honest traces repeat 3 % of such windows (median of 240 real ones), loops all
_LONGEST_GAP_BYTES = 2_048  # anchors stand 100 to 250 bytes apart


def repeated_share(text: str, min_words: int = GRAM_WORDS) -> float:
    """1 - distinct / all 8-word runs of a text; 0.0 for one with fewer than `min_words` words."""
    return _share_of(words_of(text), min_words)


def words_of(text: str) -> list[str]:
    """What stands between blanks; of scripts written without them, each character."""
    if text.isascii() or not _UNSPACED.search(text):
        return text.split()
    return _WORD.findall(text)


def _share_of(words: list[str], min_words: int) -> float:
    runs = len(words) - GRAM_WORDS + 1
    if runs < 1 or len(words) < min_words:
        return 0.0
    hashes = np.fromiter(map(hash, words), dtype=np.int64, count=len(words)).view(np.uint64)
    grams = np.zeros(runs, dtype=np.uint64)
    for place in range(GRAM_WORDS):
        grams += hashes[place : place + runs] * _ODD[place]
    grams.sort()
    return np.count_nonzero(grams[1:] == grams[:-1]) / runs


def exceeds(text: str, share: float, min_words: int, is_spaced: bool = False) -> bool:
    """Whether `repeated_share` is above `share`, without measuring it where words tell.

    There are at least as many different runs as different words, but for the last seven. With
    `is_spaced` no script written without blanks is looked for.
    """
    words = text.split() if is_spaced else words_of(text)
    runs = len(words) - GRAM_WORDS + 1
    if len(set(words)) - GRAM_WORDS + 1 >= (1 - share) * runs:
        return False
    return _share_of(words, min_words) > share


def breaks_and_anchors(texts: TextBytes) -> tuple[Places, Places]:
    """(all line breaks, other places chosen by the byte that stands there), each in order.

    One test finds both: anchors share four of their lower five bits with a line break. They are
    `*`, `+`, `J`, `K`, `j` and `k`, and one in 32 of the characters that take three bytes.
    """
    found = places_of(texts.data, _is_either)
    is_break = texts.data[found] == _LINE_BREAK
    return found[is_break], found[~is_break]


def _is_either(data: Bytes) -> Mask:
    return np.asarray((data & 0x1E) == _LINE_BREAK)


def may_loop(texts: TextBytes, anchors: Places, share: float) -> Mask:
    """False where `repeated_share` is surely not above `share`.

    A repeated passage has the same anchors each time (line breaks are none: many honest lines
    begin alike). An anchor stands for the bytes up to the next one. Those count as repeated when
    the 32 bytes at the anchor were seen before in this text, or when there is no anchor for 2,048
    bytes (or a quarter of the text), as in a loop too short to have one. Suspicious is a text of
    whose bytes half of `share` is repeated: words of a loop may be shorter than others.
    """
    starts, ends = texts.offsets[:-1], texts.offsets[1:]
    rows = texts.rows_of(anchors)
    is_whole = anchors + _WINDOW_BYTES <= ends[rows]
    anchors, rows = anchors[is_whole], rows[is_whole]
    after, before = _gaps(anchors, rows, texts)
    sizes = ends - starts
    longest_gap = np.minimum(sizes // 4, _LONGEST_GAP_BYTES)
    seen = _seen_before(texts.data, anchors, rows) | (after > longest_gap[rows])
    mass = np.bincount(rows, after * seen, minlength=len(starts))
    mass += np.where(before > longest_gap, before, 0)
    return np.asarray((mass >= sizes * (share / 2)) | (sizes < _SHORT_BYTES))


def _gaps(anchors: Places, rows: Places, texts: TextBytes) -> tuple[Places, Places]:
    """Bytes from each anchor to the next or to its text's end; and from each text's start to its
    first anchor or its end."""
    starts, ends = texts.offsets[:-1], texts.offsets[1:]
    if not len(anchors):
        return anchors, ends - starts
    is_other_text = rows[1:] != rows[:-1]
    following = np.append(anchors[1:], ends[-1])
    following[np.append(is_other_text, True)] = ends[rows[np.append(is_other_text, True)]]
    before = ends - starts
    first = np.append(True, is_other_text)
    before[rows[first]] = anchors[first] - starts[rows[first]]
    return following - anchors, before


def _seen_before(data: Bytes, anchors: Places, rows: Places) -> Mask:
    """Whether the window at an anchor stood earlier in its text."""
    if not len(anchors):
        return np.zeros(0, dtype=np.bool_)
    words = np.ndarray((len(data) - 7,), np.uint64, data, strides=(1,))
    mixed = rows.astype(np.uint64) * _ODD[3]
    for offset, factor in zip((0, 12, 24), _ODD, strict=False):  # of 32 bytes
        mixed += words[anchors + offset] * factor
    # Sorted with their numbers in the low bits, equal windows follow each other in order.
    low = np.uint64((1 << len(anchors).bit_length()) - 1)
    numbered = (mixed & ~low) | np.arange(len(anchors), dtype=np.uint64)
    numbered.sort()
    is_repeat = (numbered[1:] ^ numbered[:-1]) <= low
    seen = np.zeros(len(anchors), dtype=np.bool_)
    seen[numbered[1:][is_repeat] & low] = True
    return seen
