"""Write math.jsonl: small arithmetic a 135M model gets right half the time, and some it never does.

`python -m prompts.starter.make_math`. Templates of our own, except the `gym` families, whose
numbers come from reasoning-gym (a development dependency).
"""

from itertools import product

from prompts.starter.draw import Candidate, Family, pair, write

NAMES = ("Ann", "Ben", "Cara", "Dan", "Ella", "Finn", "Gus", "Hana", "Ivan", "June", "Kofi", "Lena")
THINGS = ("apples", "books", "coins", "eggs", "pens", "stamps", "cards", "shells")
DIGITS = range(2, 10)


def sums() -> list[Candidate]:
    """`What is 3 + 4?`; 4 + 3 is the same fact."""
    pairs = product(DIGITS, DIGITS)
    return [Candidate(f"What is {a} + {b}?", str(a + b), pair("+", a, b)) for a, b in pairs]


def products() -> list[Candidate]:
    """`What is 3 * 4?`, the small times table."""
    pairs = product(DIGITS, DIGITS)
    return [Candidate(f"What is {a} * {b}?", str(a * b), pair("*", a, b)) for a, b in pairs]


def sums_in_words() -> list[Candidate]:
    """`What is the sum of 3 and 4?`"""
    pairs = product(DIGITS, DIGITS)
    return [
        Candidate(f"What is the sum of {a} and {b}?", str(a + b), pair("+", a, b)) for a, b in pairs
    ]


def products_in_words() -> list[Candidate]:
    """`What is 3 times 4?`"""
    pairs = product(DIGITS, DIGITS)
    return [Candidate(f"What is {a} times {b}?", str(a * b), pair("*", a, b)) for a, b in pairs]


def differences() -> list[Candidate]:
    """`What is 9 - 4?`, from numbers up to 12."""
    pairs = [(a, b) for a in range(4, 13) for b in range(1, 10) if a > b]
    return [Candidate(f"What is {a} - {b}?", str(a - b), f"- {a} {b}") for a, b in pairs]


def tens() -> list[Candidate]:
    """`What is 30 + 40?`, whole tens."""
    pairs = [(10 * a, 10 * b) for a, b in product(range(1, 9), repeat=2)]
    return [Candidate(f"What is {a} + {b}?", str(a + b), pair("+", a, b)) for a, b in pairs]


def round_products() -> list[Candidate]:
    """`What is 7 * 10?`"""
    pairs = [(a, b) for a in range(4, 20) for b in (10, 100)]
    return [Candidate(f"What is {a} * {b}?", str(a * b), pair("*", a, b)) for a, b in pairs]


def sequences() -> list[Candidate]:
    """`What comes next: 2, 4, 6, 8?`, steps of 1 to 5 and of 10."""
    found = []
    for start, step in product(range(1, 9), (1, 2, 3, 4, 5, 10)):
        shown = ", ".join(str(start + step * i) for i in range(4))
        found.append(Candidate(f"What number comes next: {shown}?", str(start + 4 * step)))
    return found


def larger() -> list[Candidate]:
    """`Which number is larger, 45 or 72?`"""
    pairs = [(a, b) for a in range(12, 99, 7) for b in range(15, 99, 11) if a != b]
    return [
        Candidate(f"Which is larger, {a} or {b}?", str(max(a, b)), pair("max", a, b))
        for a, b in pairs
    ]


def gains() -> list[Candidate]:
    """One-step word problems that add."""
    verbs = ("buys", "finds", "gets", "picks")
    found = []
    for i, (a, b) in enumerate(product(DIGITS, DIGITS)):
        name, thing = NAMES[i % len(NAMES)], THINGS[(i // 3) % len(THINGS)]
        text = (
            f"{name} has {a} {thing} and {verbs[i % 4]} {b} more. How many {thing} has {name} now?"
        )
        found.append(Candidate(text, str(a + b), pair("+", a, b)))
    return found


def losses() -> list[Candidate]:
    """One-step word problems that take away."""
    verbs = ("loses", "sells", "gives away", "breaks")
    found = []
    for i, (a, b) in enumerate((a, b) for a in range(4, 13) for b in range(1, 9) if a > b):
        name, thing = NAMES[(i * 5) % len(NAMES)], THINGS[(i // 2) % len(THINGS)]
        text = f"{name} has {a} {thing} and {verbs[i % 4]} {b}. How many {thing} are left?"
        found.append(Candidate(text, str(a - b), f"- {a} {b}"))
    return found


def groups() -> list[Candidate]:
    """One-step word problems that multiply."""
    holders = ("boxes", "bags", "jars", "baskets")
    found = []
    for i, (a, b, _) in enumerate(product(range(2, 8), range(2, 10), range(2))):
        thing, holder = THINGS[i % len(THINGS)], holders[(i // 2) % 4]
        text = f"{a} {holder} hold {b} {thing} each. How many {thing} is that?"
        found.append(Candidate(text, str(a * b), pair("*", a, b)))
    return found


def two_steps() -> list[Candidate]:
    """Two-step word problems; the model gets about one in twenty."""
    found = []
    for i, (a, b) in enumerate(product(range(3, 9), range(2, 8))):
        name, c = NAMES[(i * 7) % len(NAMES)], 2 + (i * 3) % 5
        text = f"{name} buys {a} pens at ${b} each and {c} at $1 each. What does {name} pay?"
        found.append(Candidate(text, str(a * b + c), f"{pair('*', a, b)} + {c}"))
    return found


def gym_sums() -> list[Candidate]:
    """Sums and differences of two-digit numbers from reasoning-gym's chain_sum."""
    import reasoning_gym

    data = reasoning_gym.create_dataset(
        "chain_sum", size=40, seed=2, min_terms=2, max_terms=2, min_digits=2, max_digits=2
    )
    return [_gym(entry) for entry in data]


def gym_chains() -> list[Candidate]:
    """Three one-digit terms from reasoning-gym's chain_sum."""
    import reasoning_gym

    data = reasoning_gym.create_dataset(
        "chain_sum", size=60, seed=3, min_terms=3, max_terms=3, min_digits=1, max_digits=1
    )
    return [_gym(entry) for entry in data]


def gym_gcd() -> list[Candidate]:
    """Greatest common divisors of small numbers from reasoning-gym's gcd."""
    import reasoning_gym

    data = reasoning_gym.create_dataset(
        "gcd", size=40, seed=4, min_numbers=2, max_numbers=2, min_value=4, max_value=60
    )
    found = []
    for entry in data:
        a, b = entry["metadata"]["numbers"]
        question = f"What is the greatest common divisor of {a} and {b}?"
        found.append(Candidate(question, str(entry["answer"]), pair("gcd", a, b)))
    return found


def families() -> list[Family]:
    """All math families with their share of each split."""
    kind = "math_answer"
    return [
        Family("sums", kind, "easy", 22, 4, sums()),
        Family("sums_in_words", kind, "easy", 16, 3, sums_in_words()),
        Family("products", kind, "easy", 22, 4, products()),
        Family("products_in_words", kind, "easy", 14, 3, products_in_words()),
        Family("round_products", kind, "easy", 16, 3, round_products()),
        Family("larger", kind, "medium", 24, 5, larger()),
        Family("gains", kind, "easy", 30, 6, gains()),
        Family("groups", kind, "medium", 24, 5, groups()),
        Family("losses", kind, "hard", 20, 4, losses()),
        Family("differences", kind, "hard", 14, 3, differences()),
        Family("tens", kind, "medium", 18, 3, tens()),
        Family("gym_sums", kind, "hard", 8, 1, gym_sums()),
        Family("gym_chains", kind, "hard", 8, 1, gym_chains()),
        Family("gym_gcd", kind, "hard", 4, 1, gym_gcd()),
        Family("sequences", kind, "hard", 8, 1, sequences()),
        Family("two_steps", kind, "hard", 4, 1, two_steps()),
    ]


def _chain(expression: str) -> str:
    """The fact of a sum of signed terms: two terms like any sum or difference of the others."""
    first, *rest = expression.split()
    terms = [
        int(first),
        *(int(sign + term) for sign, term in zip(rest[::2], rest[1::2], strict=True)),
    ]
    if len(terms) == 2:
        a, b = terms
        return pair("+", a, b) if b >= 0 else f"- {a} {-b}"
    return f"chain {sorted(terms)}"


def _gym(entry: dict[str, object]) -> Candidate:
    expression = _expression(entry)
    return Candidate(f"What is {expression}?", str(entry["answer"]), _chain(expression))


def _expression(entry: dict[str, object]) -> str:
    metadata = entry["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata["expression"])


if __name__ == "__main__":
    print(write("math", families()))
