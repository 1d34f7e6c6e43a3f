"""Choices: real questions, by letter, by text and by both."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.verdict import Outcome
from filters.verifiers.choice import compare_choices

ARC = Path(__file__).parent.parent.parent / "shared" / "data" / "science" / "arc_challenge.jsonl"
LETTERS = "ABCDE"


def _rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ARC.read_text().splitlines()]


@pytest.mark.skipif(not ARC.is_file(), reason="../shared/data is not here")
@pytest.mark.parametrize("form", ["{letter}", "({letter})", "{letter}) {text}", "\\text{{{text}}}"])
def test_the_right_choice_is_accepted_and_no_other(form: str) -> None:
    wrong = []
    for row in _rows():
        for index, text in enumerate(row["choices"]):
            answer = form.format(letter=LETTERS[index], text=text)
            ruling = compare_choices(LETTERS[row["gold"]], tuple(row["choices"]), answer)
            right = text == row["choices"][row["gold"]]
            expected = Outcome.ACCEPT if index == row["gold"] else Outcome.REJECT
            # of two choices with one text, the text alone cannot tell
            doubtful = row["choices"].count(text) > 1 or len(text) == 1
            if ruling.outcome != expected and not (doubtful and ruling.outcome != Outcome.ACCEPT):
                wrong.append((row["choices"], answer, right, ruling))
    assert wrong == []


@pytest.mark.skipif(not ARC.is_file(), reason="../shared/data is not here")
def test_a_letter_with_another_choices_text_is_rejected() -> None:
    for row in _rows():
        choices, gold = tuple(row["choices"]), row["gold"]
        other = choices[(gold + 1) % len(choices)]
        if other != choices[gold]:
            ruling = compare_choices(LETTERS[gold], choices, f"{LETTERS[gold]}) {other}")
            assert ruling.outcome == Outcome.REJECT, (choices, ruling)


@given(
    st.text(alphabet="ABCDEabcde ()[]{}.,:;&$\\*-0123456789andor", max_size=40),
    st.lists(st.text(max_size=8), min_size=0, max_size=5),
)
def test_any_answer_is_ruled_on(answer: str, choices: list[str]) -> None:
    assert compare_choices("B", tuple(choices), answer).outcome in set(Outcome)


@pytest.mark.skipif(not ARC.is_file(), reason="../shared/data is not here")
@pytest.mark.parametrize("remark", ["is wrong", "all of these", "not {text}", "{text} or {other}"])
def test_a_letter_with_a_remark_that_takes_it_back_is_not_accepted(remark: str) -> None:
    for row in _rows()[::5]:
        choices, gold = tuple(row["choices"]), row["gold"]
        said = remark.format(text=choices[gold], other=choices[gold - 1])
        ruling = compare_choices(LETTERS[gold], choices, f"{LETTERS[gold]}) {said}")
        assert ruling.outcome != Outcome.ACCEPT, (choices, said, ruling)
