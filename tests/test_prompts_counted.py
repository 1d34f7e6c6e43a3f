"""A number stands before the singular where it is one, and nowhere else."""

import pytest

from prompts.counted import counted


@pytest.mark.parametrize(("number", "words", "said"), [
    (0, ("row",), "0 rows"),
    (1, ("row",), "1 row"),
    (1_083, ("row",), "1,083 rows"),
    (1.0, ("epoch",), "1 epoch"),
    (0.5, ("epoch",), "0.5 epochs"),
    (1, ("process", "processes"), "1 process"),
    (2, ("process", "processes"), "2 processes"),
])  # fmt: skip
def test_numbers_stand_before_their_nouns(number: float, words: tuple[str, ...], said: str) -> None:
    assert counted(number, *words) == said
