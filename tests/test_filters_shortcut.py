"""The shortcut: what is cut, and above all what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.shortcut import shortcut

QUESTION = "A bag holds 3 red and 4 blue balls, a box 12 more. How many balls are there?"
FALSE_START = "There are 3 red and 4 blue balls, so 3 * 4 = 12 and 12 + 25 = 37."
PATH = (
    "The bag holds 3 red and 4 blue balls, which is 3 + 4 = 7 balls in the bag. The box holds 12 "
    "more, so all together there are 7 + 12 = 19 balls."
)


@pytest.mark.parametrize(
    "opening",
    [
        "Wait, ",
        "Wait. ",
        "Hmm, wait, ",
        "But wait, ",
        "Let me start over. ",
        "Okay, let me start over from the question. ",
        "Let's try a different approach. ",
        "Alternatively, ",
        "Hold on, ",
        "Wait, let me start over: ",
    ],
)
def test_a_new_start_that_stands_alone_is_the_shortcut(opening: str) -> None:
    cased = PATH if opening.rstrip()[-1] in ".:" else PATH[0].lower() + PATH[1:]
    assert shortcut(f"{FALSE_START}\n\n{opening}{cased}", "19", QUESTION) == PATH


def test_the_last_of_several_starts_counts() -> None:
    reasoning = f"{FALSE_START}\n\nWait, 3 + 4 = 8.\n\nLet me start over.\n\n{PATH}\n\nSo it is 19."
    assert shortcut(reasoning, "19", QUESTION) == f"{PATH}\n\nSo it is 19."


@pytest.mark.parametrize(
    ("why", "reasoning"),
    [
        ("no correction", f"{FALSE_START}\n\n{PATH}"),
        ("it opens the reasoning", f"Wait, {PATH}"),
        ("a check only", f"{PATH}\n\nWait, let me check: 7 + 12 = 19. Yes."),
        ("another answer", f"{FALSE_START}\n\nWait, {PATH.replace('19', '18')}"),
        ("doubted later", f"{FALSE_START}\n\nWait, {PATH}\n\nHmm, is it 19? I think so."),
        ("doubted in a sentence", f"{FALSE_START}\n\nWait, {PATH} No, that is wrong, it is 19."),
        ("points back", f"{FALSE_START}\n\nWait, {PATH} That is the same result as before."),
        ("borrows a number", f"{FALSE_START}\n\nWait, 25 were counted twice. {PATH}"),
        (
            "borrows a name",
            f"Let k be the balls in the bag.\n\nWait, {PATH} Then k + 12 counts all of them.",
        ),
        ("another answer that has it", f"{FALSE_START}\n\nWait, {PATH.replace('19', '1.19')}"),
        ("wavers", f"{FALSE_START}\n\nWait, {PATH} I'm not sure, but I'll go with 19."),
        (
            "does not start from the question",
            f"{FALSE_START}\n\nWait, in the end all of them are to be counted, whatever their "
            "colour is. So the answer that has to be given to the question is 19.",
        ),
        ("an aside", f"{PATH}\n\nAlternatively, count them."),
        ("nothing", ""),
    ],
)
def test_what_cannot_be_cut_safely_stays_whole(why: str, reasoning: str) -> None:
    assert shortcut(reasoning, "19", QUESTION) is None, why


def test_a_name_introduced_in_the_path_is_not_borrowed() -> None:
    path = f"Let k be the balls in the bag, so k = 7. {PATH}"
    reasoning = f"Let k be 12.\n\nLet me start over. {path}"
    assert shortcut(reasoning, "19", QUESTION) == path


def test_without_a_final_answer_nothing_is_cut() -> None:
    assert shortcut(f"{FALSE_START}\n\nWait, {PATH}", "", QUESTION) is None


@given(st.text("Wait, no.\n37x=", max_size=200), st.text("37", max_size=2), st.text(max_size=9))
def test_a_shortcut_is_the_end_of_the_reasoning(reasoning: str, final: str, question: str) -> None:
    path = shortcut(reasoning, final, question)
    assert path is None or reasoning.rstrip().endswith(path[1:])
