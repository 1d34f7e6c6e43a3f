"""Splitting completions: every shape a teacher is known to produce."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teacher.parse import CLOSE, OPEN, Parts, split_completion

pieces = st.lists(st.one_of(st.text(max_size=20), st.sampled_from([OPEN, CLOSE, "\n", "<th"])))


@pytest.mark.parametrize(
    ("completion", "parts"),
    [
        ("<think>\na\n</think>\n\n\\boxed{4}", Parts("a", "\\boxed{4}", True)),
        ("a\n</think>\nb", Parts("a", "b", True)),
        ("<think>\n\n</think>\n\nb", Parts("", "b", True)),
        ("<think>a</think>b<think>c</think>d", Parts("abc", "d", True)),
        ("Sure. <think>a</think>b", Parts("Sure. a", "b", True)),
        ("<think>a</think>", Parts("a", "", True)),
        ("<think>cut off", Parts("cut off", "", False)),
        ("<think>a</think>b <think>again", Parts("ab again", "", False)),
        ("just an answer", Parts("", "just an answer", False)),
        ("", Parts("", "", False)),
        ("<thinking>a</thinking>b", Parts("a", "b", True)),
        ("\n<thought>\na\n</thought>\nb", Parts("a", "b", True)),
        ("<reasoning>cut off", Parts("cut off", "", False)),
        ("<|begin_of_thought|>\na<|end_of_thought|>\n\nb", Parts("a", "b", True)),
        ("<thinking>a</thinking>b<thinking>again", Parts("abagain", "", False)),
        ("Use <thinking> tags", Parts("", "Use <thinking> tags", False)),
        ("<think>$1.\\end{think}\nb", Parts("$1.", "b", True)),
        ("<think>$1\\end{think>\nb", Parts("$1", "b", True)),
        ("<think>\\end{think} is no tag</think>b", Parts("\\end{think} is no tag", "b", True)),
        ("a \\end{think} b", Parts("", "a \\end{think} b", False)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_completion_splits_at_its_last_closing_tag(completion: str, parts: Parts) -> None:
    assert split_completion(completion) == parts


def test_untagged_text_is_open_reasoning_when_the_block_was_prefilled() -> None:
    assert split_completion("cut off", think_prefilled=True) == Parts("cut off", "", False)
    assert split_completion("a</think>b", think_prefilled=True) == Parts("a", "b", True)


@given(pieces, st.booleans())
def test_any_text_splits_without_losing_a_character(text: list[str], prefilled: bool) -> None:
    completion = "".join(text)
    parts = split_completion(completion, prefilled)
    assert not (parts.answer and CLOSE in completion and not parts.closed)
    without_tags = completion.replace(CLOSE, "\0").replace(OPEN, "\0").replace("\0", "")
    if "\0" not in completion:
        assert "".join((parts.reasoning + parts.answer).split()) == "".join(without_tags.split())
