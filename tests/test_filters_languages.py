"""Language mixing: a sentence in a foreign script is found; a symbol, a name, a formula is not."""

import polars as pl
import pytest
from filters_records import reason_of
from hypothesis import given
from hypothesis import strategies as st

from filters.languages import is_mixed, may_be_mixed, own_scripts
from filters.text_bytes import text_bytes
from filters.trace_filters import TraceFilters

ENGLISH_SENTENCE = "so we have to add both of the numbers to get the answer"


@pytest.mark.parametrize(
    ("language", "reasoning", "reason"),
    [
        ("en", "Let α → β, then ∑ α² ≥ 0 ∀ x ∈ ℝ, by Erdős and Gödel.", None),
        ("en", "We add. 我们先计算两个数的和。 Then done.", "language_mixed"),
        ("en", "We add. 我不知道。 Then done.", "language_mixed"),
        ("en", "We add. Сначала сложим числа.", "language_mixed"),
        ("en", "We add. まず足し算をします。", "language_mixed"),
        ("en", "We add. 먼저 더합니다", "language_mixed"),
        ("en", "We add. نجمع العددين معا أولا", "language_mixed"),
        ("en", "We add. नमस्ते दुनिया कैसे हो", "language_mixed"),
        ("en", "We add. 先 done.", None),
        ("en", "The sign 中 has four strokes, and 日 has four too.", None),
        ("en", "The mathematician 华罗 found it, later Гаусс.", None),
        ("en", "The shoelace of A(1, 2) → B; “quoted” – 5 × 3 ≤ 16 ✓ 😀 ① Ⅳ ﬁ", None),
        (
            "en",
            "We 先 add 和 and 然后 then 所以 get 答案 as 我们 said 因为 it 是 so 吧 is 了 and 对.",
            "language_mixed",
        ),
        ("en-US", "Plain.", None),
        (None, "We add. 我们先计算两个数的和。", "language_mixed"),
        ("fr", "On ajoute les nombres : déjà trouvé, à côté.", None),
        ("fr", "On ajoute. 我们先计算两个数的和。", "language_mixed"),
        ("zh", "我们先计算 x + y = 3 的和。", None),
        (
            "zh",
            r"由 $\sin x + \cos y = \frac{1}{2}$ 得 \text{if } x > 0, 所以 f(x) = max(a, b)。",
            None,
        ),
        ("zh", "用 Cauchy Schwarz inequality 得到结论。", None),
        ("zh", "代码：\n```python\n# so we have to add both of the numbers to get it\n```", None),
        ("zh", f"我们先计算。{ENGLISH_SENTENCE}.", "language_mixed"),
        ("zh", "我们先计算。まず足し算をします。", "language_mixed"),
        ("zh-CN", "我们先计算。", None),
        ("zh-CN", f"{ENGLISH_SENTENCE}.", "language_mixed"),
        ("Chinese", "我们先计算。", None),
        ("ja", "まず足し算をします。漢字も使う。", None),
        ("ja", "먼저 더합니다 먼저", "language_mixed"),
        ("ru", "Сначала сложим числа: 2 + 3 = 5.", None),
        ("ru", f"Сначала сложим: {ENGLISH_SENTENCE}.", "language_mixed"),
    ],
)
def test_mixed_language(language: str | None, reasoning: str, reason: str | None) -> None:
    assert reason_of(reasoning=reasoning, language=language) == reason


def test_the_answer_is_read_too() -> None:
    assert reason_of(answer="所以答案是十五。 \\boxed{15}") == "language_mixed"


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("What does 你好 mean?", None),
        ("Translate 'we add' into Chinese.", None),
        ("Solve it by the Chinese remainder theorem.", "language_mixed"),
        ("What is 6 + 9?", "language_mixed"),
    ],
)
def test_what_the_question_has_or_asks_for_is_not_foreign(
    question: str, reason: str | None
) -> None:
    assert reason_of("We say 我们先把两个数相加。", question=question) == reason


def test_scripts_of_a_question() -> None:
    assert own_scripts("en", "What?") == {"Latin"}
    assert own_scripts("ko_KR", None) == {"Hangul", "Han"}
    assert own_scripts("zh", "Translate to English.") == {"Han", "Latin"}


SENTENCES = st.lists(st.text("ab é→²Жшд中文한かא.\n", max_size=24), max_size=6)


@given(SENTENCES)
def test_the_cheap_look_hides_no_foreign_letter(texts: list[str]) -> None:
    suspects = may_be_mixed(text_bytes(pl.Series(texts, dtype=pl.String)))
    filters = TraceFilters()
    for text, suspect in zip(texts, suspects, strict=True):
        mixed = is_mixed(text, {"Latin"}, filters.foreign_letters, filters.latin_words)
        assert suspect or not mixed
