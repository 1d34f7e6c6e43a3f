"""A column of texts as one array of bytes, and where in it something is: numpy at memory speed.

A search runs in pieces that fit the second-level cache, and every numpy call on a piece lets other
threads run.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]
Mask = NDArray[np.bool_]

_PIECE_BYTES = 1 << 17
_HIGH_BITS = np.uint64(0x8080808080808080)


class TextBytes(NamedTuple):
    """The texts' UTF-8 in a row; text i is `data[offsets[i]:offsets[i + 1]]`."""

    data: Bytes
    offsets: Places

    def rows_of(self, places: Places) -> Places:
        """The number of the text each of the sorted places is in."""
        counts = np.diff(np.searchsorted(places, self.offsets))
        return np.repeat(np.arange(len(counts)), counts)


def text_bytes(texts: pl.Series) -> TextBytes:
    """The texts' bytes; a null text counts as an empty one. `texts` must hold strings."""
    array = texts.fill_null("").rechunk().to_arrow()
    _, offsets, data = array.buffers()
    places = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    stored = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, np.uint8)
    if not len(places):
        return TextBytes(stored[:0], np.zeros(1, dtype=np.int64))
    return TextBytes(stored[places[0] : places[-1]], places - places[0])


def places_of(data: Bytes, test: Callable[[Bytes], Mask], ahead: int = 0) -> Places:
    """Where `test` holds, in order; it sees `ahead` bytes more than it has to answer for."""
    found = []
    for start in range(0, len(data) - ahead, _PIECE_BYTES):
        mask = test(data[start : start + _PIECE_BYTES + ahead])
        found.append(_true_places(mask[:_PIECE_BYTES]) + start)
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _true_places(mask: Mask) -> Places:
    """`np.flatnonzero` for masks that are mostly False: eight at a time are passed over."""
    whole = len(mask) // 8 * 8
    eights = mask[:whole].view(np.uint64)
    some = np.flatnonzero(eights != 0)
    among = np.flatnonzero(eights[some].view(np.bool_))
    body = some[among >> 3] * 8 + (among & 7)
    return np.concatenate([body, whole + np.flatnonzero(mask[whole:])])


def high_bytes(data: Bytes) -> Places:
    """Where bytes of characters outside ASCII are, in order."""
    found = []
    for start in range(0, len(data), _PIECE_BYTES):
        piece = data[start : start + _PIECE_BYTES]
        whole = len(piece) // 8 * 8
        eights = piece[:whole].view(np.uint64)
        some = np.flatnonzero((eights & _HIGH_BITS) != 0)
        among = np.flatnonzero(eights[some].view(np.uint8) & 0x80)
        found.append(some[among >> 3] * 8 + (among & 7) + start)
        found.append(np.flatnonzero(piece[whole:] & 0x80) + (start + whole))
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)
