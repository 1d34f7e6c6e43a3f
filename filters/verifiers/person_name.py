"""Names of persons written in two ways: titles, initials and `Family, Given`.

Only what is safe: `Dr. Albert Einstein`, `A. Einstein` and `Einstein, Albert` are `Albert
Einstein`; `Einstein` alone may be another one, and `George Bush` is not `George W. Bush`.
"""

import re

_TITLES = frozenset(("mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sir", "dame", "saint"))
_NAME = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*\.?")
_NAME_LIKE = re.compile(r"(?:[^\W\d_]|[\s.,'’\-])+")


def same_person(wanted: str, got: str) -> bool:
    """Whether two texts surely name the same person; False says nothing."""
    names = _names(wanted), _names(got)
    if not names[0] or not names[1] or len(names[0]) != len(names[1]):
        return False
    pairs = list(zip(*names, strict=True))
    family = pairs[-1]
    if _bare(family[0]) != _bare(family[1]) or len(_bare(family[0])) < 2:
        return False
    return all(_agree(a, b) for a, b in pairs[:-1])


def _names(text: str) -> list[str]:
    """The given names in order, then the family name; [] for what does not look like a name."""
    if not _NAME_LIKE.fullmatch(text) or text.count(",") > 1:
        return []
    if "," in text:
        family, _, given = text.partition(",")
        text = f"{given} {family}"
    # `J.R.R.` is three names
    words = _NAME.findall(re.sub(r"(?<=[^\W\d_]\.)(?=[^\W\d_])", " ", text))
    words = [word for word in words if _bare(word) not in _TITLES]
    # of a species only the first name has a capital: `E. coli`
    proper = all(word[0].isupper() for word in words[: 1 if len(words) == 2 else None])
    return words if 2 <= len(words) <= 5 and proper else []


def _agree(one: str, other: str) -> bool:
    one_bare, other_bare = _bare(one), _bare(other)
    if one_bare == other_bare:
        return True
    short, long = sorted((one_bare, other_bare), key=len)
    dotted = one if one_bare == short else other
    return len(short) == 1 and dotted.endswith(".") and long.startswith(short)


def _bare(word: str) -> str:
    return word.rstrip(".").casefold()
