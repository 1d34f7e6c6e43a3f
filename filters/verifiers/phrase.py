"""Short phrases in one spelling: case, articles, punctuation and plurals.

What is folded away is only how a text is written. Signs are words of their own, for `-5`, `¬p`,
`5!` and `10^6` are not `5`, `p`, `5` and `106`; so are marks that stand on no letter of Unicode.
"""

import re
import unicodedata

from filters.verifiers.normal_form import unwrap

_ARTICLES = frozenset(("a", "an", "the"))
_COUNTED = "zero one two three four five six seven eight nine ten eleven twelve"
_NUMBER_WORDS = {word: str(number) for number, word in enumerate(_COUNTED.split())}
_SUBSCRIPT = re.compile(r"\s*_\s*(?:\{\s*(\d+)\s*\}|(\d))")
_DEGREE = re.compile(r"\^\s*\{?\s*\\(?:circ|degree)(?![a-zA-Z])\s*\}?")
_LATEX_BLANK = re.compile(
    r"\\(?:left|right|displaystyle|q?quad)(?![a-zA-Z])|\\[,;:!()\[\]]|(?<=[\w}{\\.,])~(?=[\w\\{])"
)
_DOLLAR = re.compile(r"\\\$|\$(?=\s?-?[\d.])")
_BOLD = re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])([^*]+)(?<=[^\s*])\1(?![\w*])")
_MARKUP = re.compile(r"[$_`\\{}]")
_MINUS = re.compile(r"[−–‒‐‑]|(?<!\w)—(?=\s?\d)")
# The charge of an ion, `Cl^-`, and not the power of `e^{-x}`.
_CHARGE = re.compile(r"\^\s*(?:\{\s*([+-])\s*\}|([+-])(?=\s*(?:\Z|[$)\],.;])))")
_WORDS = re.compile(r"[^\W_]+(?:[.,'’]?[^\W_]+)*|(?<=\d)\s*:\s*(?=\d)|[^\w\s:]", re.UNICODE)
_SIGNS = frozenset("-:!/*%#&@·′″")  # to Unicode they are punctuation


def normalise_phrase(text: str) -> str:
    """`"The  Mitochondria."` and `\\text{mitochondria}` both become `mitochondria`."""
    if "\\" in text:
        text = _LATEX_BLANK.sub(" ", _DEGREE.sub("°", text))
    folded = unicodedata.normalize("NFKC", _without_markup(unwrap(text))).casefold()
    folded = _CHARGE.sub(r" \1\2", _MINUS.sub("-", folded))
    words = [word.strip() for word in _WORDS.findall(_MARKUP.sub(" ", folded))]
    words = [word for word in words if _says_something(word)]
    if len(words) > 1 and words[0] in _ARTICLES and _is_noun(words[1]):
        del words[0]
    return " ".join(_NUMBER_WORDS.get(word, word) for word in words)


def _without_markup(text: str) -> str:
    """A text without Markdown and LaTeX; `$` that delimits nothing is money and stays."""
    text = _BOLD.sub(r" \2 ", _SUBSCRIPT.sub(r"\1\2", text))
    alone = (text.count("$") - text.count(r"\$")) % 2 == 1
    text = text.replace(r"\$", "¤")
    if alone:
        text = _DOLLAR.sub("¤", text, count=1)
    return text if text.isascii() else _spelt_out(text)


def _spelt_out(text: str) -> str:
    """`10⁶` as `10^6` and `3½` as `3 1/2`, which Unicode's own folding makes 106 and 31/2."""
    spelt: list[str] = []
    raised = False
    for letter in text:
        kind = unicodedata.decomposition(letter).partition(" ")[0]
        if kind == "<super>":
            spelt.append(letter if raised else "^" + letter)
        elif kind == "<fraction>":
            spelt.append(" " + unicodedata.normalize("NFKC", letter).replace("\u2044", "/") + " ")
        else:
            spelt.append(letter)
        raised = kind == "<super>"
    return "".join(spelt)


def _says_something(word: str) -> bool:
    """Words, signs of Unicode's symbols and marks on no letter; never commas and brackets."""
    if len(word) > 1 or word.isalnum() or word in _SIGNS:
        return True
    return unicodedata.category(word)[0] in "SM"


def _is_noun(word: str) -> bool:
    """Whether an article may stand before a word: not in `A → B`, nor in `A B`."""
    return word[0].isalnum() and (len(word) > 1 or not word.isalpha())


def singular_phrase(text: str) -> str:
    """The normalised phrase with plain plural endings dropped: `cells` is `cell`."""
    return " ".join(_singular(word) for word in normalise_phrase(text).split())


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
