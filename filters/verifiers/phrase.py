"""Short phrases in one spelling: case, accents of writing, articles, punctuation and plurals."""

import re
import unicodedata

from filters.verifiers.normal_form import unwrap

_ARTICLES = frozenset(("a", "an", "the"))
_MARKUP = re.compile(r"[$*_`\\{}]")
_WORDS = re.compile(r"[^\W_]+(?:[.,'’]?[^\W_]+)*|[+\-<>=%°#]", re.UNICODE)


def normalise_phrase(text: str) -> str:
    """`"The  Mitochondria."` and `\\text{mitochondria}` both become `mitochondria`."""
    folded = unicodedata.normalize("NFKC", _MARKUP.sub(" ", unwrap(text))).casefold()
    words: list[str] = _WORDS.findall(folded)
    return " ".join([w for w in words if w not in _ARTICLES] or words)


def singular_phrase(text: str) -> str:
    """The normalised phrase with plain plural endings dropped: `cells` is `cell`."""
    return " ".join(_singular(word) for word in normalise_phrase(text).split())


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
