"""Loops and repeated lines: the exact measures, and that the cheap look never hides one."""

import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.written_traces import write_trace
from filters import lines, repetition
from filters.text_bytes import high_bytes, text_bytes

SHARE = 0.6


def may_loop(*texts: str) -> list[bool]:
    data = text_bytes(pl.Series(texts, dtype=pl.String))
    _, anchors = repetition.breaks_and_anchors(data)
    return [bool(held) for held in repetition.may_loop(data, anchors, SHARE)]


def lines_of(texts: list[str]) -> lines.Lines:
    data = text_bytes(pl.Series(texts, dtype=pl.String))
    breaks, _ = repetition.breaks_and_anchors(data)
    return lines.lines_of(data, breaks)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 0.0),
        ("one two three", 0.0),
        ("a b c d e f g h", 0.0),
        ("a b c d e f g h " * 4, 1 - 8 / 25),
        ("a " * 100, 1 - 1 / 93),
        (" ".join(map(str, range(500))), 0.0),
        ("二加三等于五。" * 30, 1 - 7 / 203),
    ],
)
def test_share_of_eight_word_runs_seen_before(text: str, share: float) -> None:
    assert repetition.repeated_share(text) == pytest.approx(share)


@given(st.lists(st.sampled_from(["a", "b", "c", "dd", "ee"]), max_size=60), st.floats(0.05, 0.95))
def test_different_words_never_hide_a_loop(words: list[str], share: float) -> None:
    text = " ".join(words)
    assert repetition.exceeds(text, share, 24) == (repetition.repeated_share(text, 24) > share)


WORDS = st.text("abcdefgh0123456789+-=\\{}é中", min_size=1, max_size=9)


@settings(max_examples=150, deadline=None)
@given(
    unit=st.lists(WORDS, min_size=1, max_size=120),
    rounds=st.integers(4, 400),
    seed=st.integers(0, 1_000),
    honest_share=st.floats(0, 0.35),
    blank=st.sampled_from([" ", "\n", "\n\n"]),
)
def test_a_loop_the_exact_measure_flags_is_always_suspicious(
    unit: list[str], rounds: int, seed: int, honest_share: float, blank: str
) -> None:
    """Loops of one word to 120, after an honest start of up to a third of the text's words."""
    loop = blank.join(unit * rounds)
    start = write_trace(random.Random(seed), None).reasoning
    cut = start[: int(len(loop) * honest_share)]
    for text in (cut + blank + loop, loop + blank + cut):
        if repetition.repeated_share(text, 24) > SHARE:
            assert may_loop("other", text, "text") == [True, True, True]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 60), st.integers(20, 400))
def test_passages_said_over_and_over_in_any_order_are_suspicious(
    seed: int, passages: int, said: int
) -> None:
    draw = random.Random(seed)
    source = write_trace(draw, None).reasoning.split("\n\n")[:passages]
    text = "\n\n".join(draw.choice(source) for _ in range(said))
    if repetition.repeated_share(text, 24) > SHARE:
        assert may_loop(text) == [True]


def test_few_honest_traces_are_suspicious() -> None:
    """Else the cheap look would save nothing."""
    draw = random.Random(0)
    texts = [write_trace(draw, None).reasoning for _ in range(100)]
    assert sum(may_loop(*texts)) <= 2


TEXTS = st.lists(st.text("ab \n\té中", max_size=60), max_size=6)


@given(TEXTS)
def test_lines_are_those_of_split(texts: list[str]) -> None:
    found = lines_of(texts)
    expected = [line for text in texts for line in text.split("\n")]
    assert found.sizes.tolist() == [len(line.encode()) for line in expected]
    longest = lines.longest_bytes(found, len(texts)).tolist()
    assert longest == [max(len(line.encode()) for line in text.split("\n")) for text in texts]


LINE = st.sampled_from(
    ["Wait, let me check.", "So x is four then.", "\n", "}", "一二三四五六七八九十一二"]
)


@given(st.lists(st.lists(LINE, max_size=30), max_size=4), st.integers(2, 6), st.floats(0.1, 1))
def test_no_repeated_line_is_hidden(drawn: list[list[str]], times: int, share: float) -> None:
    texts = ["\n".join(parts) for parts in drawn]
    suspects = lines.may_repeat_a_line(lines_of(texts), len(texts), times, share)
    for text, suspect in zip(texts, suspects, strict=True):
        assert suspect or not lines.repeats_a_line(text, times, share)


@given(TEXTS)
def test_bytes_outside_ascii_are_found(texts: list[str]) -> None:
    data = text_bytes(pl.Series(texts, dtype=pl.String)).data
    assert high_bytes(data).tolist() == [n for n, byte in enumerate(data.tolist()) if byte > 127]


def test_a_slice_of_a_column_is_read_from_its_start() -> None:
    column = pl.Series(["aa", None, "bb\ncc", "dddd"])[1:3]
    data = text_bytes(column)
    assert bytes(data.data) == b"bb\ncc"
    assert data.offsets.tolist() == [0, 0, 5]
