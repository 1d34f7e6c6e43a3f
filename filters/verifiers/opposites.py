"""Phrases that differ in one word only, and in that cannot be the same.

`type A` and `type B`, `World War I` and `World War II`, `exothermic` and `endothermic`.
"""

import re

_PAIRS = (
    "increase decrease",
    "endothermic exothermic",
    "mitosis meiosis",
    "kinetic potential",
    "prokaryotic eukaryotic",
    "prokaryote eukaryote",
    "anode cathode",
    "cation anion",
    "positive negative",
    "left right",
    "up down",
    "higher lower",
    "faster slower",
    "more less",
    "larger smaller",
    "hotter colder",
    "north south",
    "east west",
    "northern southern",
    "eastern western",
    "convex concave",
    "clockwise counterclockwise",
    "clockwise anticlockwise",
    "concave convex",
    "odd even",
    "rational irrational",
    "convergent divergent",
    "physical chemical",
    "series parallel",
    "oxidation reduction",
    "dominant recessive",
    "biotic abiotic",
    "renewable nonrenewable",
    "homozygous heterozygous",
    "homogeneous heterogeneous",
    "vertebrate invertebrate",
    "producer consumer",
    "predator prey",
    "ionic covalent",
    "longitudinal transverse",
)
_OPPOSITES = frozenset(frozenset(pair.split()) for pair in _PAIRS)
_ROMAN = re.compile(r"(x{0,3})(ix|iv|v?i{0,3})")


def only_difference(wanted: str, got: str) -> bool | None:
    """Whether two folded phrases are told apart by their one different word; None: not so.

    True where that word is the same number in Roman and Arabic digits, False where it is another
    letter, number or the opposite.
    """
    words = wanted.split(), got.split()
    if len(words[0]) != len(words[1]):
        return None
    different = [(a, b) for a, b in zip(*words, strict=True) if a != b]
    if len(different) != 1:
        return None
    pair = different[0]
    if frozenset(pair) in _OPPOSITES:
        return False
    if len(words[0]) == 1:
        return None
    values = [_value(word) for word in pair]
    if values[0] is not None and values[1] is not None:
        return values[0] == values[1]
    letters = all(len(word) == 1 and word.isascii() and word.isalpha() for word in pair)
    return False if letters else None


def _value(word: str) -> int | None:
    if word.isdecimal() and len(word) < 6:
        return int(word)
    match = _ROMAN.fullmatch(word)
    if not match or not word:
        return None
    units = {"": 0, "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8}
    return 10 * len(match[1]) + units.get(match[2], 9)
