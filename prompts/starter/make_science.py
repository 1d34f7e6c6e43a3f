"""Write science.jsonl: quantities with units, four-way choices and short terms, in small numbers.

`python -m prompts.starter.make_science`. Numbers are as small as the model's arithmetic; the
words of the choices and terms are in science_words.py.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product

from prompts.starter.draw import Candidate, Family, pair, write
from prompts.starter.science_words import (
    ANIMALS,
    FACTS,
    KINDS,
    METALS,
    NONMETALS,
    STATES,
    SYMBOLS,
)

LETTERS = "ABCD"
MOVERS = ("car", "bike", "cart", "boat", "bus", "dog", "train", "runner", "truck", "robot")
SMALL = [(a, b) for a, b in product(range(2, 10), range(2, 7))]

Wording = Callable[[str, int, int], tuple[str, str]]


def quantities(wording: Wording) -> list[Candidate]:
    """One candidate per pair of small numbers, with a changing subject."""
    found = []
    for i, (a, b) in enumerate(SMALL):
        question, answer = wording(MOVERS[(i * 3) % len(MOVERS)], a, b)
        found.append(Candidate(question, answer, _arithmetic(wording, a, b)))
    return found


def distance(thing: str, a: int, b: int) -> tuple[str, str]:
    return f"A {thing} moves at {a} m/s for {b} s. How far does it go?", f"{a * b} m"


def speed(thing: str, a: int, b: int) -> tuple[str, str]:
    return f"A {thing} goes {a * b} m in {b} s. What is its speed?", f"{a} m/s"


def time(thing: str, a: int, b: int) -> tuple[str, str]:
    return f"A {thing} moves at {b} m/s. How long does it take to go {a * b} m?", f"{a} s"


def force(thing: str, a: int, b: int) -> tuple[str, str]:
    return f"A {a} kg {thing} accelerates at {b} m/s^2. What is the net force?", f"{a * b} N"


def voltage(_: str, a: int, b: int) -> tuple[str, str]:
    return f"A current of {a} A flows through {b} ohms. What is the voltage?", f"{a * b} V"


def work(thing: str, a: int, b: int) -> tuple[str, str]:
    return f"A force of {a} N moves a {thing} {b} m. How much work is done?", f"{a * b} J"


def power(_: str, a: int, b: int) -> tuple[str, str]:
    return f"A motor does {a * b} J of work in {b} s. What is its power?", f"{a} W"


def density(_: str, a: int, b: int) -> tuple[str, str]:
    return f"A stone has {a * b} g of mass and fills {b} cm^3. Find its density.", f"{a} g/cm^3"


def momentum(thing: str, a: int, b: int) -> tuple[str, str]:
    return f"What is the momentum of a {a} kg {thing} at {b} m/s?", f"{a * b} kg*m/s"


def wave(_: str, a: int, b: int) -> tuple[str, str]:
    return f"A wave of {a} Hz has a wavelength of {b} m. How fast is it?", f"{a * b} m/s"


def added_mass(_: str, a: int, b: int) -> tuple[str, str]:
    return f"A jar holds {a} g of salt and {b} g is added. What mass is in it?", f"{a + b} g"


def mass_numbers() -> list[Candidate]:
    """`An atom has 6 protons and 8 neutrons. What is its mass number?`"""
    pairs = [(p, p + extra) for p in range(2, 16) for extra in range(3)]
    return [
        Candidate(
            f"An atom has {p} protons and {n} neutrons. What is its mass number?",
            str(p + n),
            pair("+", p, n),
        )
        for p, n in pairs
    ]


def choices() -> list[Candidate]:
    """`Which of these is a metal?` with one right and three wrong options."""
    found = []
    for kind, members in KINDS.items():
        others = [word for other, words in KINDS.items() if other != kind for word in words]
        for i, word in enumerate(members):
            wrong = [others[(i * 11 + step * 17 + len(kind)) % len(others)] for step in range(3)]
            place = (i * 3 + len(kind)) % 4
            found.append(_choice(f"Which of these is {kind}?", word, wrong, place))
    return found


def animals() -> list[Candidate]:
    """`Is a salmon a bird or a fish?`"""
    return _either(ANIMALS, _an)


def states() -> list[Candidate]:
    """`Is milk a solid or a liquid?`"""
    return _either(STATES, str)


def metals() -> list[Candidate]:
    """`Is copper a metal or a nonmetal?`"""
    words = [(name, "metal") for name in METALS] + [(name, "nonmetal") for name in NONMETALS]
    return [
        Candidate(f"Is {name} a metal or a nonmetal?", kind, _kind_of(name), aliases=_the(kind))
        for name, kind in words
    ]


def symbols() -> list[Candidate]:
    """`What is the chemical symbol for oxygen?`"""
    return [
        Candidate(f"What is the chemical symbol for {name}?", symbol)
        for name, symbol in SYMBOLS.items()
    ]


def facts() -> list[Candidate]:
    """Questions whose answer is one well-known term."""
    return [Candidate(question, *_split(answers)) for question, answers in FACTS.items()]


def families() -> list[Family]:
    """All science families with their share of each split."""
    return [
        *_quantity_families(),
        Family("mass_numbers", "math_answer", "hard", 3, 1, mass_numbers()),
        Family("choices", "choice", "medium", 26, 8, choices()),
        Family("animals", "short_answer", "easy", 20, 6, animals()),
        Family("states", "short_answer", "easy", 14, 4, states()),
        Family("metals", "short_answer", "easy", 14, 5, metals()),
        Family("symbols", "short_answer", "medium", 12, 3, symbols()),
        Family("facts", "short_answer", "medium", 12, 4, facts()),
    ]


def _quantity_families() -> Iterator[Family]:
    easy: Sequence[Wording] = (distance, force, voltage, work, added_mass, speed)
    hard: Sequence[Wording] = (time, power, density, momentum, wave)
    for wording in (*easy, *hard):
        name, level = wording.__name__, "easy" if wording in easy else "hard"
        train, test = (9, 2) if wording in easy else (3, 1)
        yield Family(name, "quantity", level, train, test, quantities(wording))


def _arithmetic(wording: Wording, a: int, b: int) -> str:
    """What is reckoned, whatever the law: the same fact as in the math set."""
    if wording is added_mass:
        return pair("+", a, b)
    return f"/ {a * b} {b}" if wording in (speed, time, power, density) else pair("*", a, b)


def _kind_of(word: str) -> str:
    return f"kind of {word}"


def _choice(stem: str, right: str, wrong: list[str], place: int) -> Candidate:
    options = (*wrong[:place], right, *wrong[place:])
    lines = [f"{letter}) {option}" for letter, option in zip(LETTERS, options, strict=True)]
    question = "\n".join([stem, *lines])
    return Candidate(question, LETTERS[place], _kind_of(right), choices=options)


def _either(kinds: dict[str, tuple[str, ...]], named: Callable[[str], str]) -> list[Candidate]:
    """Each word with its own kind and one other, in changing order."""
    found = []
    for kind, words in kinds.items():
        others = [other for other in kinds if other != kind]
        for i, word in enumerate(words):
            first, second = sorted([kind, others[i % len(others)]], reverse=i % 4 < 2)
            question = f"Is {named(word)} {_an(first)} or {_an(second)}?"
            found.append(Candidate(question, kind, _kind_of(word), aliases=_the(kind)))
    return found


def _an(name: str) -> str:
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _the(kind: str) -> tuple[str, ...]:
    return (_an(kind),)


def _split(
    answers: tuple[str, ...],
) -> tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    return answers[0], "", (), (), answers[1:]


if __name__ == "__main__":
    print(write("science", families()))
