"""One wording for short answers: accents, hyphens, plurals, spellings and number words folded.

`The Colours` and `color`, `x-rays` and `X ray`, `São Paulo` and `Sao Paulo`, `twenty-one` and `21`
come out the same; `vitamin A` and `vitamin`, `B12` and `B6` do not.
"""

import re
import unicodedata
from functools import lru_cache

from filters.verifiers.normal_form import unwrap
from filters.verifiers.phrase import normalise_phrase

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES = {word: n for n, word in enumerate(_UNITS.split())}
_VALUES |= {word: 10 * n for n, word in enumerate(_TENS.split(), 2)}
SCALES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9}
_ORDINAL_WORDS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_ORDINALS = {word: n for n, word in enumerate(_ORDINAL_WORDS.split(), 1)}
_ORDINALS |= {f"{word}th": n for word, n in _VALUES.items() if 13 <= n <= 19}
_ORDINALS |= {f"{word[:-1]}ieth": n for word, n in _VALUES.items() if n >= 20}
_ORDINAL_DIGITS = re.compile(r"(\d+)(?:st|nd|rd|th)")

_IRREGULAR = {
    "mice": "mouse",
    "feet": "foot",
    "teeth": "tooth",
    "men": "man",
    "women": "woman",
    "children": "child",
    "geese": "goose",
    "bacteria": "bacterium",
    "mitochondria": "mitochondrion",
    "nuclei": "nucleus",
    "fungi": "fungus",
    "phenomena": "phenomenon",
    "criteria": "criterion",
    "leaves": "leaf",
    "wolves": "wolf",
    "halves": "half",
    "vertices": "vertex",
    "axes": "axis",
    "hypotheses": "hypothesis",
    "species": "species",
    "series": "series",
    "gases": "gas",
    "viruses": "virus",
    "lenses": "lens",
    "lens": "lens",
    "shoes": "shoe",
    "mars": "mars",
}
_SPELLINGS = {
    "sulphur": "sulfur",
    "sulphate": "sulfate",
    "sulphuric": "sulfuric",
    "sulphide": "sulfide",
    "aluminium": "aluminum",
    "colour": "color",
    "flavour": "flavor",
    "harbour": "harbor",
    "labour": "labor",
    "neighbour": "neighbor",
    "behaviour": "behavior",
    "vapour": "vapor",
    "tumour": "tumor",
    "odour": "odor",
    "centre": "center",
    "metre": "meter",
    "litre": "liter",
    "fibre": "fiber",
    "theatre": "theater",
    "grey": "gray",
    "haemoglobin": "hemoglobin",
    "oestrogen": "estrogen",
    "oesophagus": "esophagus",
    "anaemia": "anemia",
    "leukaemia": "leukemia",
    "foetus": "fetus",
    "caesium": "cesium",
    "defence": "defense",
    "programme": "program",
    "mould": "mold",
    "plough": "plow",
    "tyre": "tire",
    "aeroplane": "airplane",
    "catalogue": "catalog",
    "dialogue": "dialog",
}
# `twenty seconds` are twenty of them, and not the 22nd
_PLURAL_ORDINALS = {f"{word}s": word for word in _ORDINALS}
# between words, but not the minus of `x-y`
# Between words; one letter may stand before a long one: e-mail, T-cell, but not x-y.
_HYPHEN = re.compile(
    r"(?<=[^\W\d_]{3})[-‐‑–](?=[^\W\d_]{2})|(?<=[^\W\d_]{2})[-‐‑–](?=[^\W\d_]{3})"
    r"|(?<=[^\W\d_])[-‐‑–](?=[^\W\d_]{3})|(?<=[^\W\d_]{3})[-‐‑–](?=[^\W\d_])"
)
_QUOTES = re.compile(r"[\"“”„«»‘`]|(?<!\w)['’]|['’](?!\w)")
_POSSESSIVE = re.compile(r"['’]")


@lru_cache(maxsize=1_024)
def wording(text: str) -> str:
    """The folded words of a text with blanks between: what two same answers have in common."""
    spaced = _HYPHEN.sub(" ", _QUOTES.sub(" ", unwrap(text).replace("&", " and ")))
    words = normalise_phrase(_without_accents(spaced)).replace("’", "'").split()
    singular = [_spelling(_singular(_POSSESSIVE.sub("", word))) for word in words]
    return " ".join(_PLURAL_ORDINALS.get(word, word) for word in _in_digits(singular))


def _without_accents(text: str) -> str:
    r"""`é` as `e`; only of Latin letters: in other scripts such marks are letters of their own."""
    if text.isascii():
        return text
    plain = []
    for letter in text:
        first, *marks = list(unicodedata.normalize("NFKD", letter))
        accented = marks and all(unicodedata.combining(mark) for mark in marks)
        plain.append(first if accented and first.isascii() and letter.isalpha() else letter)
    return "".join(plain)


def _singular(word: str) -> str:
    if word in _PLURAL_ORDINALS:
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "is", "'s")):
        return word.removesuffix("'s")
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zes", "oes")):
        return word[:-2]
    return word[:-1]


def _spelling(word: str) -> str:
    if word in _SPELLINGS:
        return _SPELLINGS[word]
    if len(word) > 6:
        return re.sub(r"is(e|ed|ing|ation)$", r"iz\1", word)
    return word


def _in_digits(words: list[str]) -> list[str]:
    """Runs of number words as digits: `one hundred and five` is `105`, `twenty first` is `21st`."""
    read: list[str] = []
    at = 0
    while at < len(words):
        value, taken, ordinal = _number_at(words, at)
        if words[at] == "second" and at and words[at - 1].isdecimal():
            taken = 0  # `30 second` is a time
        if taken:
            read.append(f"{value}th" if ordinal else str(value))
            at += taken
        else:
            digits = _ORDINAL_DIGITS.fullmatch(words[at])
            read.append(f"{digits[1]}th" if digits else words[at])
            at += 1
    return read


def _number_at(words: list[str], at: int) -> tuple[int, int, bool]:
    """(value, words taken, whether an ordinal) of the number words from `at`; 0 taken for none."""
    total = current = taken = 0
    for position in range(at, len(words)):
        word = words[position]
        value = _value(word)
        room = current % 100 == 0 or (current % 100 >= 20 and current % 10 == 0)
        if value is not None and room and (taken == 0 or (value and (current or total))):
            current += value
        elif word in SCALES and current:
            current *= SCALES[word]
            if SCALES[word] > 100:
                total, current = total + current, 0
        elif word in _ORDINALS and room:
            return total + current + _ORDINALS[word], position - at + 1, True
        elif not (word == "and" and _goes_on(words, position)):
            break
        taken = position - at + 1
    return total + current, taken, False


def _value(word: str) -> int | None:
    """A number word's value; `normalise_phrase` has made digits of those up to twelve."""
    if word.isdecimal() and len(word) <= 2 and int(word) <= 12:
        return int(word)
    return _VALUES.get(word)


def _goes_on(words: list[str], position: int) -> bool:
    """Whether an `and` stands within a number: behind a hundred, before its units."""
    after = words[position + 1] if position + 1 < len(words) else ""
    scaled = position > 0 and words[position - 1] in SCALES
    return scaled and (_value(after) is not None or after in _ORDINALS)
