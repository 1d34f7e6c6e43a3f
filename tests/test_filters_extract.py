"""The final answer is found by its mark or not at all."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.extract import MAX_ANSWER_CHARS, final_answer, too_wild


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (r"so \boxed{12}.", "12"),
        (r"\boxed{\frac{1}{\sqrt{2}}}", r"\frac{1}{\sqrt{2}}"),
        (r"first \boxed{1}, then \boxed{2}", "2"),
        (r"\boxed{3} and put it into \boxed{}", "3"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\fbox{7}", "7"),
        (r"\boxed 5.", "5"),
        (r"**Answer:** 12", "12"),
        (r"**Final Answer**: $x = 3$", "x = 3"),
        ("Work.\nFinal answer: 12 m/s.", "12 m/s"),
        ("The answer is 42.", "42"),
        ("Therefore, the final answer is $42$.", "42"),
        (r"The answer is \(42\)", "42"),
        ("<answer> 42 </answer>", "42"),
        ("<answer>1</answer> no: <answer>2</answer>", "2"),
        ("Answer: 1\nAnswer: 2", "2"),
        (r"Answer: 1 but \boxed{2}", "2"),
    ],
)
def test_a_marked_answer_is_found(answer: str, found: str) -> None:
    extracted = final_answer(answer)
    assert extracted is not None
    assert extracted.text == found


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "We add 2 and 3 and get 5.",
        "5",
        r"\boxed{}",
        r"\boxed{\frac{1}{2}",
        r"\boxed{1} and then \boxed{2",
        "I think the answer is 5, more or less",
        "<answer></answer>",
        "answers: 5",
    ],
)
def test_nothing_is_guessed(answer: str) -> None:
    assert final_answer(answer) is None


@given(st.text(max_size=300))
def test_any_text_has_an_answer_or_none(text: str) -> None:
    found = final_answer(text)
    assert found is None or found.text


@given(st.text(alphabet=st.characters(exclude_characters="{}\\"), min_size=1, max_size=80))
def test_what_is_boxed_comes_back(text: str) -> None:
    found = final_answer(f"\\boxed{{{text}}}")
    assert (found.text if found else "") == text.strip()


@pytest.mark.parametrize(
    "hostile",
    [
        r"\boxed{" * 100_000,
        r"\boxed{}" * 100_000,
        r"\boxed{" + "{" * 10_000 + "}" * 10_001,
        "<answer>" * 100_000,
        "Answer:" + " " * 1_000_000,
        "answer " * 200_000,
        "Answer:\n" * 100_000,
        "*" * 1_000_000 + "answer",
        "\\" * 1_000_000 + "boxed{1}",
    ],
    ids=lambda text: text[:12],
)
def test_hostile_answers_take_linear_time(hostile: str) -> None:
    started = time.perf_counter()
    final_answer(hostile)
    assert time.perf_counter() - started < 3


def test_what_no_parser_should_see_is_named() -> None:
    assert "characters" in (too_wild("1" * (MAX_ANSWER_CHARS + 1)) or "")
    assert "nested" in (too_wild("(" * 50 + ")" * 50) or "")
    assert "surrogates" in (too_wild("1\ud800") or "")
    assert "null" in (too_wild("1\x00") or "")
    assert too_wild(r"\frac{1}{2}") is None
