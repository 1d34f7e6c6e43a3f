"""Puzzles are checked by what they ask for: any right solution, and no wrong one."""

import json
import random
from fractions import Fraction
from typing import Any

import pytest
from filters_records import boxed, prompt, sample
from hypothesis import given, settings
from hypothesis import strategies as st

import filters
from filters.verdict import Outcome, Reason
from filters.verifiers import puzzle as puzzle_module
from filters.verifiers.puzzle import read_puzzle, rule_on_puzzle_quickly, verify_puzzle
from filters.verifiers.puzzle_countdown import check_countdown
from filters.verifiers.puzzle_knights import check_knights, solve
from prompts.errors import PrerequisiteError

ACCEPT, REJECT, UNDECIDED = Outcome.ACCEPT, Outcome.REJECT, Outcome.UNDECIDED
COUNTDOWN = {"kind": "countdown", "numbers": [3, 7, 25], "target": 46}
PEOPLE = {
    "kind": "knights_and_knaves",
    "people": ["Zoey", "Oliver", "Ann"],
    "solution": {"Zoey": "knight", "Oliver": "knave", "Ann": "knave"},
}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("3*7+25", ACCEPT),
        ("25 + (7 × 3)", ACCEPT),
        (r"25 + 7 \times 3 = 46", ACCEPT),
        (r"46 = 25 + 7 \cdot 3", ACCEPT),
        ("3*7 + 25 = 21 + 25 = 46", ACCEPT),
        (r"\left(3\right)(7) + 25", ACCEPT),
        (r"\frac{7}{\frac{1}{3}} + 25", REJECT),
        ("[3*7]+25", ACCEPT),
        ("**3*7+25**", ACCEPT),
        ("-(-3*7) + 25", ACCEPT),
        ("3 x 7 + 25.", ACCEPT),
        ("46", REJECT),
        ("25+21", REJECT),
        ("3*7+25+3-3", REJECT),
        ("3*7+25=47", REJECT),
        ("3*7=22+24", REJECT),
        ("3+7+25", REJECT),
        ("3*7+25/(3-3)", REJECT),
        ("3**7+25", UNDECIDED),
        ("3^7+25", UNDECIDED),
        ("3*7, then +25", UNDECIDED),
        ("3*7+(25", UNDECIDED),
        ("(3*7]+25", UNDECIDED),
        ("3 7 + 25", UNDECIDED),
        ("", UNDECIDED),
        ("__import__('os').getpid()", UNDECIDED),
        ("9" * 1_900, UNDECIDED),
    ],
)
def test_countdown_takes_any_expression_of_the_numbers(answer: str, outcome: Outcome) -> None:
    assert check_countdown(COUNTDOWN, answer).outcome == outcome


def test_countdown_may_leave_numbers_out_where_the_puzzle_says_so() -> None:
    loose = {"numbers": [3, 7, 25], "target": 21, "use_all": False}
    assert check_countdown(loose, "3*7").outcome == ACCEPT
    assert check_countdown({**loose, "use_all": True}, "3*7").outcome == REJECT
    assert check_countdown(loose, "3*7*7/7").outcome == REJECT
    assert check_countdown(loose, "21").outcome == REJECT


def test_countdown_is_exact_where_floats_are_not() -> None:
    thirds = {"numbers": [1, 3, 3], "target": 1}
    assert check_countdown(thirds, r"\frac{1}{3} * 3").outcome == ACCEPT
    near = {"numbers": [10**15, 10**15, 1], "target": 1}
    assert check_countdown(near, f"{10**15}/{10**15} * 1").outcome == ACCEPT
    assert check_countdown({**near, "target": 2}, f"{10**15}/{10**15} + 1").outcome == ACCEPT


@pytest.mark.parametrize(
    ("numbers", "target", "answer", "outcome"),
    [
        ([-3, 5], 8, "5-(-3)", ACCEPT),
        ([-3, 5], 2, "-3+5", ACCEPT),
        ([-3, 5], 2, "5+[-3]", ACCEPT),
        ([-3, 5], -15, "-3*5", ACCEPT),
        ([-3, 5], 8, "5+3", UNDECIDED),
        ([-3, 5], 2, "5-3", UNDECIDED),
        ([-3, 5], 8, "5+4", REJECT),
        ([-3, 5], 9, "5+4", REJECT),
        ([-3, 3, 5], 5, "-3+3+5", ACCEPT),
        ([3, 5], 2, "-3+5", ACCEPT),
    ],
)
def test_a_countdown_of_negative_numbers(
    numbers: list[int], target: int, answer: str, outcome: Outcome
) -> None:
    assert check_countdown({"numbers": numbers, "target": target}, answer).outcome == outcome


@pytest.mark.parametrize("bad", [{}, {"numbers": [1], "target": "x"}, {"numbers": 5, "target": 5}])
def test_a_broken_countdown_is_undecided(bad: dict[str, Any]) -> None:
    assert check_countdown(bad, "1").reason == Reason.UNPARSED


def _drawn(draw: random.Random, numbers: list[int]) -> tuple[str, Fraction]:
    """A random expression of all the numbers and its value, computed beside the text."""
    if len(numbers) == 1:
        return str(numbers[0]), Fraction(numbers[0])
    cut = draw.randrange(1, len(numbers))
    left, right = _drawn(draw, numbers[:cut]), _drawn(draw, numbers[cut:])
    sign = draw.choice("+-*/" if right[1] else "+-*")
    value = {
        "+": left[1] + right[1],
        "-": left[1] - right[1],
        "*": left[1] * right[1],
        "/": left[1] / right[1] if right[1] else Fraction(0),
    }[sign]
    return f"({left[0]}{draw.choice([' ', ''])}{sign}{right[0]})", value


@settings(deadline=None)
@given(st.integers(0, 10**9), st.lists(st.integers(1, 99), min_size=1, max_size=7))
def test_every_true_expression_is_accepted_and_no_other_target_is(
    seed: int, numbers: list[int]
) -> None:
    text, value = _drawn(random.Random(seed), numbers)
    if value.denominator != 1:
        return
    puzzle = {"numbers": sorted(numbers), "target": int(value)}
    assert check_countdown(puzzle, text).outcome == ACCEPT
    assert check_countdown({**puzzle, "target": int(value) + 1}, text).outcome == REJECT
    assert check_countdown({**puzzle, "numbers": [*numbers, 5]}, text).outcome == REJECT


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("Zoey is a knight, Oliver is a knave, and Ann is a knave.", ACCEPT),
        (r"\text{Zoey is a knight, and Oliver and Ann are knaves}", ACCEPT),
        ("Zoey: knight; Oliver: knave; Ann: knave", ACCEPT),
        ("- **Zoey**: Knight\n- **Oliver**: Knave\n- **Ann**: Knave", ACCEPT),
        (
            "| Person | Role |\n|---|---|\n| Zoey | knight |\n| Oliver | knave |\n| Ann | knave |",
            ACCEPT,
        ),
        ("Knights: Zoey. Knaves: Oliver, Ann.", ACCEPT),
        ("Knight → Zoey; knave → Oliver, Ann", ACCEPT),
        (
            r"\begin{cases}\text{Zoey} & \textbf{knight} \\\\ \text{Oliver} & \text{knave} \\\\"
            r"\text{Ann}\, \& \quad \mathrm{knave}\end{cases}",
            ACCEPT,
        ),
        ("The only knight is Zoey, the knaves are Oliver and Ann", UNDECIDED),
        ("Zoey is a knight, the others, Oliver and Ann, are knaves", UNDECIDED),
        (r"Zoey \neq knight, Oliver \neq knave, Ann \neq knave", UNDECIDED),
        ("Zoey ≠ knight, Oliver ≠ knave, Ann ≠ knave", UNDECIDED),
        ("Zoey != knight, Oliver != knave, Ann != knave", UNDECIDED),
        ("¬(Zoey is a knight), Oliver and Ann are knaves", UNDECIDED),
        (r"Zoey knight, Oliver \cancel{knave}, Ann knave", UNDECIDED),
        ("Zoey: knight ✗, Oliver: knave, Ann: knave", UNDECIDED),
        ("Zoey: ~~knight~~, Oliver: knave, Ann: knave", UNDECIDED),
        ("Zoey: knight, Oliver: knave, Ann: knave?", UNDECIDED),
        ("Zoey: knight, Oliver/Ann: knave", UNDECIDED),
        ("Zoey: k̶night, Oliver: knave, Ann: knave", UNDECIDED),
        ("Zoey knight => Oliver knave, Ann knave", UNDECIDED),
        ("Zoey -> knight; Oliver -> knave; Ann -> knave", ACCEPT),
        (r"\text{Zoey knight} \implies \text{Oliver and Ann knaves}", UNDECIDED),
        ("Zoey is the knight, and the knaves are Ann and Oliver", ACCEPT),
        ('{"Zoey": "knight", "Oliver": "knave", "Ann": "knave"}', ACCEPT),
        ("zoey = knight, oliver = knave, ann = knave", ACCEPT),
        ("Zoey (knight), Oliver (knave), Ann (knave)", ACCEPT),
        ("Zoey is a knave, Oliver is a knave, and Ann is a knave", REJECT),
        ("Zoey, Oliver and Ann are knights", REJECT),
        ("Oliver is a knight", REJECT),
        ("Zoey is a knight and Zoey is a knave, Oliver is a knave, Ann is a knave", REJECT),
        ("Oliver is a knave", UNDECIDED),
        ("Zoey is a knight, Oliver and Ann", UNDECIDED),
        ("Zoey is not a knave, Oliver is a knave, Ann is a knave", UNDECIDED),
        ("If Zoey is a knight, Oliver is a knave and Ann is a knave", UNDECIDED),
        ("knight Zoey Oliver Ann knave", UNDECIDED),
        ("knight, knave, knave", UNDECIDED),
        ("all are knaves", UNDECIDED),
        ("42", UNDECIDED),
        ("Zoey knight " * 200, UNDECIDED),
    ],
)
def test_knights_are_read_from_any_plain_wording(answer: str, outcome: Outcome) -> None:
    assert check_knights(PEOPLE, answer).outcome == outcome


_NAMES = ["Ada", "Ben", "Cleo", "Dan", "Eve", "Finn"]


def _worded(roles: dict[str, str], way: int) -> str:
    """The same roles in one of five wordings."""
    by_role = {r: [p for p, role in roles.items() if role == r] for r in ("knight", "knave")}
    groups = [(role, people) for role, people in by_role.items() if people]
    return [
        ", and ".join(f"{person} is a {role}" for person, role in roles.items()),
        "\n".join(f"- **{person}**: {role.title()}" for person, role in roles.items()),
        "; ".join(f"{role}s: {', '.join(people)}" for role, people in groups),
        "; ".join(f"{' and '.join(people)} are {role}s" for role, people in groups),
        "\n".join(f"| {person} | {role} |" for person, role in roles.items()),
    ][way]


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=6), st.integers(0, 4), st.integers(0, 5))
def test_any_roles_in_any_wording_are_accepted_and_one_flipped_is_not(
    honest: list[bool], way: int, flipped: int
) -> None:
    roles = {p: "knight" if t else "knave" for p, t in zip(_NAMES, honest, strict=False)}
    assert check_knights({"solution": roles}, _worded(roles, way)).outcome == ACCEPT
    person = _NAMES[flipped % len(honest)]
    other = {**roles, person: "knave" if roles[person] == "knight" else "knight"}
    assert check_knights({"solution": roles}, _worded(other, way)).outcome == REJECT
    fewer = {p: role for p, role in roles.items() if p != person}
    if fewer:
        assert check_knights({"solution": roles}, _worded(fewer, way)).outcome == UNDECIDED


def test_people_called_by_a_letter_are_not_articles() -> None:
    letters = {"solution": {"A": "knight", "B": "knave"}}
    assert check_knights(letters, "A is a knight, B is a knave").outcome == ACCEPT
    assert check_knights(letters, "A is a knave, B is a knight").outcome == REJECT


def test_a_name_may_have_several_words() -> None:
    doctors = {"solution": {"Dr. Bo Li": "knight", "Li": "knave"}}
    assert check_knights(doctors, "dr. bo li is a knight, and Li is a knave").outcome == ACCEPT
    assert check_knights(doctors, "Li is a knight, and Dr. Bo Li is a knave").outcome == REJECT


def test_roles_may_have_other_names() -> None:
    saints = {"solution": {"A": "hero", "B": "villain"}, "roles": ["hero", "villain"]}
    assert check_knights(saints, "A is a hero, and B is a villain").outcome == ACCEPT
    assert check_knights(saints, "Heroes: A, B").outcome == REJECT
    assert check_knights(saints, "A is a knight, and B is a knave").outcome == UNDECIDED


STATEMENTS = {
    "A": ["is", "B", "knave"],
    "B": ["same", ["is", "A", "knight"], ["is", "C", "knight"]],
    "C": ["not", ["and", ["is", "A", "knight"], ["is", "B", "knave"]]],
}


def test_statements_are_solved() -> None:
    (found,) = solve(["A", "B", "C"], STATEMENTS)
    assert found == {"A": "knight", "B": "knave", "C": "knave"}
    puzzle = {"people": ["A", "B", "C"], "statements": STATEMENTS}
    assert check_knights(puzzle, "A is a knight, B and C are knaves").outcome == ACCEPT
    assert check_knights(puzzle, "A and B are knights, C is a knave").outcome == REJECT


@pytest.mark.parametrize(
    ("puzzle", "reason"),
    [
        ({"statements": {"A": ["is", "A", "knight"]}}, Reason.REFERENCE_SUSPECT),
        ({"statements": {"A": ["is", "A", "knave"]}}, Reason.REFERENCE_SUSPECT),
        (
            {"statements": STATEMENTS, "solution": dict.fromkeys("ABC", "knave")},
            Reason.REFERENCE_SUSPECT,
        ),
        ({"statements": {"A": ["says", "x"]}}, Reason.UNPARSED),
        ({"statements": {"A": "A is a knight"}}, Reason.UNPARSED),
        ({"statements": {"A": ["is", "Z", "knight"]}}, Reason.UNPARSED),
        ({"solution": {"A": "wizard"}}, Reason.UNPARSED),
        ({"solution": {}}, Reason.UNPARSED),
        ({"people": ["A", "a"], "solution": {}}, Reason.UNPARSED),
        ({"people": [str(n) for n in range(99)]}, Reason.UNPARSED),
        ({}, Reason.UNPARSED),
    ],
)
def test_a_broken_puzzle_of_knights_is_undecided(puzzle: dict[str, Any], reason: Reason) -> None:
    ruling = check_knights(puzzle, "A is a knight")
    assert (ruling.outcome, ruling.reason) == (UNDECIDED, reason)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(0, 10**9))
def test_the_solver_agrees_with_what_each_case_says(count: int, seed: int) -> None:
    draw, people = random.Random(seed), [f"P{n}" for n in range(count)]
    claims = {p: ["is", draw.choice(people), draw.choice(["knight", "knave"])] for p in people}
    for roles in solve(people, claims):
        for person, (_, other, role) in claims.items():
            assert (roles[other] == role) == (roles[person] == "knight")


def test_a_reference_that_is_no_known_puzzle_is_undecided() -> None:
    for reference in ("24", "{}", '{"kind": "chess"}', "{" * 5_000, '["kind"]'):
        assert read_puzzle(reference) is None
        ruling = rule_on_puzzle_quickly(prompt("puzzle", reference), boxed("1"))
        assert ruling is not None
        assert ruling.reason == Reason.UNPARSED


def test_an_answer_needs_its_mark() -> None:
    given_prompt = prompt("puzzle", json.dumps(COUNTDOWN))
    assert verify_puzzle(given_prompt, boxed("3*7+25")).outcome == ACCEPT
    tagged = sample("So: <answer>3*7+25</answer>")
    assert verify_puzzle(given_prompt, tagged).outcome == ACCEPT
    unmarked = verify_puzzle(given_prompt, sample("I tried 3*7 and then something else."))
    assert unmarked.reason == Reason.NO_FINAL_ANSWER


def test_an_answer_in_a_tag_is_read_to_the_letter() -> None:
    powers = json.dumps({"kind": "countdown", "numbers": [37, 25], "target": 62})
    in_bold = sample("<answer>**37 + 25**</answer>")
    assert verify_puzzle(prompt("puzzle", powers), in_bold).outcome == ACCEPT
    power = sample("<answer>3**7 + 25</answer>")
    assert verify_puzzle(prompt("puzzle", powers), power).outcome == UNDECIDED
    assert verify_puzzle(prompt("puzzle", powers), boxed("37+25")).outcome == ACCEPT


def test_without_reasoning_gym_its_tasks_are_the_users_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(puzzle_module, "find_spec", lambda name: None)
    task = json.dumps({"kind": "reasoning_gym", "dataset": "chain_sum", "entry": {}})
    with pytest.raises(PrerequisiteError, match=r"pip install 'stillhouse\[puzzles\]'"):
        filters.check(task, r"\boxed{5}", "puzzle")
    assert filters.check(json.dumps(COUNTDOWN), r"\boxed{3*7+25}", "puzzle").outcome == ACCEPT
