"""Short answers: wordings, dates and names, and real references that are never mistaken."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from cpu_time import at_most_cpu_s
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.verdict import Outcome
from filters.verifiers.calendar_date import Date, read_date, same_date
from filters.verifiers.choice import compare_choices
from filters.verifiers.clock_time import Time, read_time, same_time
from filters.verifiers.opposites import only_difference, other_symbol
from filters.verifiers.person_name import same_person
from filters.verifiers.short_answer import compare_phrases
from filters.verifiers.wording import wording

SCIENCE = Path(__file__).parent.parent.parent / "shared" / "data" / "science"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The  Mitochondria.", "mitochondrion"),
        ("\\text{mitochondria}", "mitochondrion"),
        ("São Paulo", "sao paulo"),
        ("X-rays", "x ray"),
        ("Newton's law", "newton law"),
        ("twenty-one", "21"),
        ("one hundred and five", "105"),
        ("two thousand five hundred and one", "2501"),
        ("twenty-first century", "21th century"),
        ("the 3rd planet", "3th planet"),
        ("bread and butter", "bread and butter"),
        ("five and ten", "5 and 10"),
        ("[0, 4]", "0 4"),
        ("1, 2, 3", "1 2 3"),
        ("-5", "- 5"),
        ("glasses", "glass"),
        ("가나다", "가나다"),
        ("−5", "- 5"),
        ("10⁶", "10 ^ 6"),
        ("3½", "3 1 / 2"),
        ("p ∧ ¬q", "p ∧ ¬ q"),
        ("A → B", "a → b"),
        ("a cell", "cell"),
        ("$5$", "5"),
        ("£5", "£ 5"),
        ("x-y", "x - y"),
        ("30 seconds", "30 second"),
        ("twenty seconds", "20 second"),
        ("thirty-second", "32th"),
        ("Mars", "mars"),
        ("ﬁsh", "fish"),
    ],
)
def test_words_are_folded(text: str, words: str) -> None:
    assert wording(text) == words


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("July 4, 1776", Date(1776, 7, 4)),
        ("4 July 1776", Date(1776, 7, 4)),
        ("1776-07-04", Date(1776, 7, 4)),
        ("Sept. 3, 1939", Date(1939, 9, 3)),
        ("July 1776", Date(1776, 7, None)),
        ("July 4", Date(None, 7, 4)),
        ("44 BC", Date(-44, None, None)),
        ("AD 79", Date(79, None, None)),
        ("25/12/2000", Date(2000, 12, 25)),
        ("12/25/2000", Date(2000, 12, 25)),
        ("05/05/2000", Date(2000, 5, 5)),
        ("05/06/2000", None),
        ("1776-13-04", None),
        ("42", None),
        ("May", None),
        ("march of time", None),
    ],
)
def test_dates_are_read(text: str, date: Date | None) -> None:
    assert read_date(text) == date


def test_a_date_that_says_less_is_neither_the_same_nor_another() -> None:
    assert same_date(Date(1776, 7, 4), Date(1776, 7, None)) is None
    assert same_date(Date(1776, 7, 4), Date(1776, 8, None)) is False


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("12:30 pm", Time(750, True)),
        ("12:30 a.m.", Time(30, True)),
        ("17:00", Time(1020, True)),
        ("5:00", Time(300, False)),
        ("5 o'clock", Time(300, False)),
        ("noon", Time(720, True)),
        ("5", None),
        ("25:00", None),
        ("5:75", None),
        ("13 pm", None),
        ("1.5", None),
    ],
)
def test_times_of_day_are_read(text: str, time: Time | None) -> None:
    assert read_time(text) == time


def test_half_a_day_apart_is_another_time_where_both_halves_are_said() -> None:
    assert same_time(Time(30, True), Time(750, True)) is False
    assert same_time(Time(30, False), Time(750, True)) is None


@pytest.mark.parametrize(
    ("wanted", "got", "same"),
    [
        ("type a", "type b", False),
        ("henry viii", "henry 8", True),
        ("henry viii", "henry vii", False),
        ("exothermic", "endothermic", False),
        ("thermal energy", "heat energy", None),
        ("c", "b", None),
        ("group 1 a", "group 2 b", None),
        ("mars", "venus", False),
        ("red blood cell", "white blood cell", False),
        ("mercury", "gold", False),
        ("car", "automobile", None),
        ("5th", "6th", False),
        ("v t", "5 t", None),
    ],
)
def test_one_different_word_tells_two_phrases_apart(
    wanted: str, got: str, same: bool | None
) -> None:
    assert only_difference(wanted, got) is same


@pytest.mark.parametrize(
    ("wanted", "got", "same"),
    [
        ("Albert Einstein", "A. Einstein", True),
        ("Albert Einstein", "Einstein, Albert", True),
        ("John F. Kennedy", "John Fitzgerald Kennedy", True),
        ("John F. Kennedy", "John Kennedy", False),
        ("Albert Einstein", "A Einstein", False),
        ("carbon dioxide", "c. dioxide", False),
        ("Plato", "P.", False),
    ],
)
def test_names_of_persons_agree_where_it_is_safe(wanted: str, got: str, same: bool) -> None:
    assert same_person(wanted, got) is same


@pytest.mark.parametrize(
    ("wanted", "got", "other"),
    [
        ("Na", "K", True),
        ("x", "y", True),
        ("Co", "CO", False),
        ("H2O", "CO2", False),
        ("X", "x", False),
    ],
)
def test_symbols_of_elements_and_letters_are_told_apart(wanted: str, got: str, other: bool) -> None:
    assert other_symbol(wanted, got) is other


SIGNS = "+-<>=%°#!/|*~¬−–≤≥≠√∪∩∧∨→←♯♭±×÷∈∀∃∂∇€£¥⁻²³¹₂′"


@settings(deadline=None, max_examples=300)
@given(
    st.text(alphabet="Bx5 2", min_size=1, max_size=4).filter(str.strip),
    st.integers(0, 6),
    st.sampled_from(SIGNS.replace("₂", "")),
    st.sampled_from(["", *SIGNS]),
)
def test_texts_that_differ_in_a_sign_are_never_the_same(
    text: str, at: int, sign: str, other: str
) -> None:
    """But where the sign makes no other number of it (`5*` is not read, `+5` is 5)."""
    one, two = (text[:at] + each + text[at:] for each in (sign, other))
    if _sign_of(sign) == _sign_of(other) or {sign, other} & {*"+°%~¹×*"}:
        return
    if not text[at:].strip() or re.search("[A-Za-z]", text[:at]):
        return  # a sign that nothing follows, or one within a word or a unit
    assert compare_phrases((one,), two).outcome != Outcome.ACCEPT, (one, two)


def _sign_of(sign: str) -> str:
    return {"−": "-", "–": "-", "⁻": "-", "×": "*", "÷": "/"}.get(sign, sign)


@settings(deadline=None)  # pint's registry is made once, in half a second
@given(st.text(max_size=80), st.text(max_size=80))
def test_any_two_texts_are_ruled_on(wanted: str, got: str) -> None:
    assert compare_phrases((wanted, "or"), got, got).outcome in set(Outcome)


@pytest.mark.skipif(not SCIENCE.is_dir(), reason="../shared/data is not here")
def test_real_references_meet_themselves_and_no_other() -> None:
    answers = _references()
    draw = random.Random(5)
    others = draw.sample(answers, len(answers))
    assert [a for a in answers if compare_phrases((a,), a).outcome != Outcome.ACCEPT] == []
    taken = {
        (a, b)
        for a, b in zip(answers, others, strict=True)
        if a != b and compare_phrases((a,), b).outcome == Outcome.ACCEPT
    }
    assert [pair for pair in taken if not _same_number(*pair)] == []


def _references() -> list[str]:
    theorems: list[dict[str, Any]] = json.loads((SCIENCE / "theoremqa_test.json").read_text())
    lines = (SCIENCE / "arc_challenge.jsonl").read_text().splitlines()
    choices = [(row["choices"], row["gold"]) for row in map(json.loads, lines)]
    return [str(row["Answer"]) for row in theorems] + [texts[gold] for texts, gold in choices]


def _same_number(one: str, other: str) -> bool:
    try:
        return abs(float(one) - float(other)) <= 0.005
    except ValueError:
        return False


@pytest.mark.parametrize(
    "hostile",
    [
        "A" + " " * 1_998 + "B",
        "; " * 1_000,
        "½" * 2_000,
        "é" * 2_000,
        "one hundred " * 160,
        "é-" * 999,
    ],
    ids=lambda text: text[:6],
)
def test_hostile_phrases_are_decided_in_no_time(hostile: str) -> None:
    compare_phrases(("12 m/s",), "43.2 km/h")  # pint's registry is made once, in half a second
    with at_most_cpu_s(1):
        compare_phrases(("Albert Einstein", "x or y"), hostile, "which planet " * 50)
        compare_phrases((hostile,), "Albert Einstein")
        compare_choices("B", ("ice", "water", "5 cm", "A and B"), hostile)


def test_a_reference_without_words_decides_nothing() -> None:
    assert compare_phrases((" ",), "Mars").outcome == Outcome.UNDECIDED
