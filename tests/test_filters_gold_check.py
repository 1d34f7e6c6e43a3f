"""Gold checking: a majority against the reference makes the reference doubtful, nothing less."""

from typing import Any

import pytest
from filters_records import prompt

from filters.gold_check import (
    LEAST_DECIDED,
    may_be_suspect,
    most_common,
    rule_on_suspect,
    suspect_of,
)
from filters.verdict import Reason


def agreed(kind: Any, answers: list[str]) -> tuple[str, int]:
    choices = ("chalk", "granite", "5 mJ", "5 MJ") if kind == "choice" else ()
    return most_common(answers, prompt(kind, "0", choices=choices))


@pytest.mark.parametrize(
    ("accepted", "wrong", "suspect"),
    [
        (0, LEAST_DECIDED, True),
        (0, LEAST_DECIDED - 1, False),
        (1, LEAST_DECIDED, False),
        (1, 6, False),
        (1, 9, False),  # a tenth was accepted
        (1, 10, True),
        (2, 18, False),
        (9, 91, True),
        (0, 0, False),
    ],
)
def test_the_counts_leave_room_for_doubt(accepted: int, wrong: int, suspect: bool) -> None:
    assert may_be_suspect(accepted, wrong) is suspect


def test_a_prompt_whose_samples_agree_on_another_answer_is_suspect() -> None:
    asked = prompt("math_answer", "12", question="What is 5 + 8?")
    found = suspect_of(asked, 0, ["13", "13", "\\frac{26}{2}", "13.0", "13", "14", "13", "7"])
    assert found is not None
    assert (found.agreed_answer, found.agreed, found.decided) == ("13", 6, 8)
    assert (found.reference, found.question) == ("12", "What is 5 + 8?")


@pytest.mark.parametrize(
    ("accepted", "answers", "suspect"),
    [
        (0, ["13"] * 3, False),
        (0, ["13", "26/2", "13.0", "13"], True),
        (0, ["13"] * 3 + ["14"], False),
        (1, ["13"] * 4, False),
        (0, ["13"] * 6 + ["14"], False),
        (0, ["13"] * 7, True),
        (0, ["13"] * 5 + ["14", "7", "9"], True),
        (0, ["13"] * 4 + ["14", "7", "9", "8"], False),
    ],
)
def test_of_few_samples_all_must_agree(accepted: int, answers: list[str], suspect: bool) -> None:
    found = suspect_of(prompt("math_answer", "12"), accepted, answers)
    assert (found is not None) is suspect


@pytest.mark.parametrize(
    ("kind", "reference", "choices"),
    [
        ("short_answer", "Yes", ()),
        ("short_answer", "**false**", ()),
        ("short_answer", "no", ()),
        ("choice", "A", ("it rises", "it falls")),
    ],
)
def test_where_only_one_wrong_answer_is_possible_agreement_proves_nothing(
    kind: Any, reference: str, choices: tuple[str, ...]
) -> None:
    asked = prompt(kind, reference, choices=choices)
    assert suspect_of(asked, 0, ["B" if choices else "maybe so"] * 20) is None


def test_samples_that_err_each_in_their_way_prove_nothing() -> None:
    asked = prompt("math_answer", "12")
    assert suspect_of(asked, 0, [str(n) for n in range(20)]) is None


def test_answers_that_agree_beside_accepted_ones_prove_nothing() -> None:
    assert suspect_of(prompt("math_answer", "12"), 3, ["13"] * 20) is None


@pytest.mark.parametrize("kind", ["unit_tests", "puzzle", "rubric"])
def test_what_has_many_right_answers_is_no_suspect(kind: Any) -> None:
    assert suspect_of(prompt(kind, "12"), 0, ["13"] * 20) is None


@pytest.mark.parametrize(
    ("kind", "answers", "count"),
    [
        ("math_answer", ["1/2", "0.5", "\\frac12", "2"], 3),
        ("math_answer", ["(1,2)", "(2,1)", "(1, 2)"], 2),
        ("choice", ["B", "(B)", "B) granite", "B. granite", "A"], 4),
        ("choice", ["granite", "Granite", "A) chalk"], 2),
        ("choice", ["B and C", "B and D", "B"], 1),
        ("choice", ["B", "B", "\\text{B}", "(b)", "B and C", "granite"], 5),
        ("choice", ["C", "5 mJ", "5 MJ", "D"], 2),
        ("short_answer", ["The Nile", "the  nile", "Amazon"], 2),
        ("quantity", ["12 m", "1200 cm", "12 M", "13 m"], 2),
        ("quantity", ["5 mJ", "5 MJ"], 1),
        ("quantity", ["1e400 m", "12 cm", "1e400 km"], 1),
        ("short_answer", ["5 mJ", "5 MJ", "5 kJ"], 1),
    ],
)
def test_answers_that_say_the_same_are_counted_together(
    kind: Any, answers: list[str], count: int
) -> None:
    assert agreed(kind, answers)[1] == count


def test_no_answers_agree_on_nothing() -> None:
    assert agreed("math_answer", []) == ("", 0)


def test_the_detail_names_both_answers() -> None:
    found = suspect_of(prompt("math_answer", "12"), 0, ["13"] * 9)
    assert found is not None
    ruling = rule_on_suspect(found)
    assert ruling.reason is Reason.REFERENCE_SUSPECT
    assert ruling.detail == "9 of 9 samples answer 13, the reference is 12"
