"""Short phrases in one spelling: case, accents of writing, articles, punctuation and plurals."""

import re
import unicodedata

from filters.verifiers.normal_form import unwrap

_ARTICLES = frozenset(("a", "an", "the"))
_COUNTED = "zero one two three four five six seven eight nine ten eleven twelve"
_NUMBER_WORDS = {word: str(number) for number, word in enumerate(_COUNTED.split())}
_SUBSCRIPT = re.compile(r"\s*_\s*(?:\{\s*(\d+)\s*\}|(\d))")
_MARKUP = re.compile(r"[$*_`\\{}]")
_WORDS = re.compile(r"[^\W_]+(?:[.,'’]?[^\W_]+)*|[+\-<>=%°#]", re.UNICODE)


def normalise_phrase(text: str) -> str:
    """`"The  Mitochondria."` and `\\text{mitochondria}` both become `mitochondria`."""
    folded = unicodedata.normalize("NFKC", _MARKUP.sub(" ", _SUBSCRIPT.sub(r"\1\2", unwrap(text))))
    folded = folded.casefold()
    words: list[str] = _WORDS.findall(folded)
    if len(words) > 1 and words[0] in _ARTICLES:
        del words[0]
    return " ".join(_NUMBER_WORDS.get(word, word) for word in words)


def singular_phrase(text: str) -> str:
    """The normalised phrase with plain plural endings dropped: `cells` is `cell`."""
    return " ".join(_singular(word) for word in normalise_phrase(text).split())


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
