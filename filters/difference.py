"""How different completions of one prompt are, by the words they share in a row."""

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

SHINGLE_WORDS = 5
# The lowest hashes of a text stand for it: the distance of two is then known to about 0.03, and
# exactly for texts of up to this many shingles between them. 32k tokens have about 20,000.
SKETCH = 1_024

# A word or number (of up to 64 characters, so that the cache of hashes stays small), a character of
# a script written without blanks, or an operator.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{1,64}"
    r"|[+\-*/=<>^]"
)

_PLACES = np.array(
    [
        int.from_bytes(blake2b(bytes([place]), digest_size=8).digest(), "big") | 1
        for place in range(SHINGLE_WORDS)
    ],
    dtype=np.uint64,
)

# Sorted, each hash once.
Sketch = NDArray[np.uint64]


def sketch(text: str) -> Sketch:
    """The lowest 64-bit hashes of the text's word 5-shingles (of the whole if it has fewer words).

    A shingle's hash is a sum of its words' blake2b hashes, each times an odd number of its place:
    the same on every machine and in every version. Linear in the text's length.
    """
    words = np.fromiter(map(_word_hash, _WORD.findall(text.lower())), dtype=np.uint64)
    size = min(len(words), SHINGLE_WORDS)
    hashes = np.zeros(len(words) - size + 1, dtype=np.uint64)
    for place in range(size):
        hashes += words[place : place + len(hashes)] * _PLACES[place]
    return np.unique(hashes)[:SKETCH]


@lru_cache(maxsize=1 << 16)
def _word_hash(word: str) -> int:
    digest = blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def distance(one: Sketch, other: Sketch) -> float:
    """1 - Jaccard similarity, 0 (same shingles) to 1 (none shared), estimated from the sketches.

    Of the lowest hashes of both together, the part that is in both estimates shared / all (Broder
    1997, "On the resemblance and containment of documents").
    """
    both = np.sort(np.concatenate([one, other]))
    twice = both[1:] == both[:-1]
    # Every hash but the repeated ones is one more of both together.
    lowest = np.cumsum(np.concatenate([[True], ~twice])) <= SKETCH
    return 1.0 - int((twice & lowest[1:]).sum()) / min(len(both) - int(twice.sum()), SKETCH)


def most_different(texts: Sequence[str], keep: int) -> list[int]:
    """Positions of up to `keep` texts, each the farthest from those before it; 0 is the first.

    Farthest is by the distance to the nearest one chosen (greedy max-min, Gonzalez 1985: its
    smallest distance is at least half of the best possible). Ties go to the lower position. Of n
    texts, keep * n distances are taken.
    """
    if len(texts) <= keep or keep == 1:
        return list(range(min(len(texts), keep)))
    sketches = [sketch(text) for text in texts]
    chosen, left = [0], list(range(1, len(texts)))
    nearest = [1.0] * len(texts)
    while len(chosen) < keep:
        added = sketches[chosen[-1]]
        for at in left:
            nearest[at] = min(nearest[at], distance(added, sketches[at]))
        chosen.append(max(left, key=lambda at: nearest[at]))
        left.remove(chosen[-1])
    return chosen
