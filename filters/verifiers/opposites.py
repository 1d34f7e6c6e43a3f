"""Phrases that differ in one word only, and in that cannot be the same.

`type A` and `type B`, `World War I` and `World War II`, `exothermic` and `endothermic`, and two
names of one closed list, each of which has one name only: `Mars` and `Venus`, `gold` and `silver`.
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
_CLOSED_LISTS = tuple(
    frozenset(names.split())
    for names in (
        "mercury venus earth mars jupiter saturn uranus neptune",
        "january february march april may june july august september october november december",
        "monday tuesday wednesday thursday friday saturday sunday",
        "north south east west",
        "africa antarctica asia europe",
        "red orange yellow green blue black white",
        "solid liquid gas plasma",
        """hydrogen helium lithium beryllium boron carbon nitrogen oxygen fluorine neon sodium
        magnesium aluminum silicon phosphorus sulfur chlorine argon potassium calcium titanium
        chromium manganese iron cobalt nickel copper zinc gallium germanium arsenic selenium
        bromine krypton rubidium strontium zirconium palladium silver cadmium tin antimony
        tellurium iodine xenon cesium barium platinum gold mercury lead bismuth radon radium
        thorium uranium plutonium""",
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho "
        "sigma tau upsilon phi chi psi omega",
    )
)
_SYMBOLS = """
    H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br
    Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce W Re Os Ir Pt Au Hg Tl Pb Bi
    Po At Rn Fr Ra Ac Th Pa U Np Pu
"""
_ELEMENTS = frozenset(_SYMBOLS.split())
_ROMAN = re.compile(r"(x{0,3})(ix|iv|v?i{0,3})")
_ORDINAL = re.compile(r"\d{1,5}th")


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
    if frozenset(pair) in _OPPOSITES or any(names >= set(pair) for names in _CLOSED_LISTS):
        return False
    if all(_ORDINAL.fullmatch(word) for word in pair):
        return False
    if len(words[0]) == 1:
        return None
    values = [_value(word) for word in pair]
    if values[0] is not None and values[1] is not None:
        same = values[0] == values[1]
        return True if same and _counts(words[0], pair[0]) else None if same else False
    letters = all(len(word) == 1 and word.isascii() and word.isalpha() for word in pair)
    return False if letters else None


def _counts(words: list[str], number: str) -> bool:
    """Whether a Roman number stands where one does, behind words: not in `v t`."""
    return words[-1] == number and all(len(w) > 1 and w.isalpha() for w in words[:-1])


def other_symbol(wanted: str, got: str) -> bool:
    """Whether two unfolded texts are the symbols of two elements, or two letters."""
    if wanted.casefold() == got.casefold():
        return False
    letters = all(len(text) == 1 and text.isascii() and text.isalpha() for text in (wanted, got))
    return letters or {wanted, got} <= _ELEMENTS


def _value(word: str) -> int | None:
    if word.isdecimal() and len(word) < 6:
        return int(word)
    match = _ROMAN.fullmatch(word)
    if not match or not word:
        return None
    units = {"": 0, "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8}
    return 10 * len(match[1]) + units.get(match[2], 9)
