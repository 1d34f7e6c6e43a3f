"""Duplicates and contamination: what counts as the same, and how fast it is found."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.decontaminate import find_hits, grams, words
from prompts.dedup import deduplicate
from prompts.record import Prompt, prompt_id

LONG = "one two three four five six seven eight nine ten eleven twelve"
DATA = Path(__file__).parent.parent.parent / "shared" / "data"


def asked(question: str, reference: str = "7", code: bool = False) -> Prompt:
    kind = "unit_tests" if code else "math_answer"
    one = prompt_id("math", question)
    return Prompt(one, "math", "s", "l", "train", question, kind, reference)  # type: ignore[arg-type]


def test_ten_words_in_a_row_are_a_hit_and_nine_are_none() -> None:
    ten, nine = " ".join(LONG.split()[:10]), " ".join(LONG.split()[:9])
    (hit,) = find_hits([asked(f"Before {ten} after.")], [asked(f"Now {ten}, so?")])
    assert (hit.kind, hit.text) == ("ngram", ten)
    assert hit.matched_id == asked(f"Now {ten}, so?").prompt_id
    assert find_hits([asked(f"Before {nine} after.")], [asked(f"Now {nine}, so?")]) == []


def test_case_punctuation_and_spaces_do_not_hide_a_hit() -> None:
    shouted = LONG.upper().replace(" ", ",\n ")
    assert find_hits([asked(f"Well: {shouted}!")], [asked(LONG)])


def test_short_questions_are_compared_whole_with_their_signs() -> None:
    test = [asked("What is 3 + 4?")]
    (hit,) = find_hits([asked("what is  3 + 4?")], test)
    assert (hit.kind, hit.text) == ("exact", "what is 3 + 4?")
    assert find_hits([asked("What is 3 - 4?"), asked("What is 3 + 4? Say why.")], test) == []


def test_a_copied_solution_is_a_hit_though_the_question_is_new() -> None:
    solution = "def f(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n"
    train = asked("Give the nth Fibonacci number.", solution + "    return a", code=True)
    test = asked("How do rabbits multiply?", solution + "    return a  # rabbits", code=True)
    (hit,) = find_hits([train], [test])
    assert (hit.field, hit.matched_field, hit.kind) == ("solution", "solution", "ngram")


def test_text_without_blanks_is_taken_character_by_character() -> None:
    text = "一個三角形的三條邊長分別是三四五"
    assert len(words(text)) == 16
    assert find_hits([asked(f"求面積：{text}")], [asked(f"求周長：{text}")])


@given(
    st.lists(st.sampled_from("abcd"), max_size=30), st.lists(st.sampled_from("abcd"), max_size=30)
)
def test_a_hit_is_found_exactly_when_a_window_is_shared(
    first: list[str], second: list[str]
) -> None:
    train, test = " ".join(first), " ".join(second)
    shared = {tuple(first[i : i + 4]) for i in range(len(first) - 3)} & {
        tuple(second[i : i + 4]) for i in range(len(second) - 3)
    }
    assert bool(find_hits([asked(train)], [asked(test)], 4)) == (bool(shared) or train == test)


def test_grams_of_a_text_shorter_than_n_are_none() -> None:
    assert list(grams("a b c", 4)) == []
    assert list(grams("a b c d", 4)) == [("a", "b", "c", "d")]


def test_duplicates_keep_the_first_and_the_order() -> None:
    first, second, again = asked("Is it?"), asked("Why?"), asked("  is   IT? ")
    assert deduplicate([first, second, again]) == ([first, second], [again])


def test_a_million_words_take_seconds() -> None:
    train = [asked(f"{' '.join(f'w{i + j}' for j in range(100))}") for i in range(0, 500_000, 100)]
    test = [asked(f"{' '.join(f'v{i + j}' for j in range(100))}") for i in range(0, 500_000, 100)]
    start = time.perf_counter()
    assert find_hits(train, test) == []
    assert time.perf_counter() - start < 10, "linear: about 0.7 s alone on one core"


def test_a_benchmark_verbatim_in_training_data_is_found() -> None:
    path = DATA / "math" / "gsm8k_test.jsonl"
    if not path.exists():
        pytest.skip(f"no {path}")
    lines = path.read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines]
    copied = [asked(f"Here is a puzzle. {q} Think.") for q in questions[:100]]
    assert len(find_hits(copied, [asked(q) for q in questions])) == 100
