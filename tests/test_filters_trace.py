"""Trace filters: each rule on short and long traces, and no null slips through."""

from dataclasses import asdict
from typing import Any

import polars as pl
import pytest
from filters_records import sample
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from filters.extract import final_answer
from filters.form import no_final_answer
from filters.trace import as_verdicts, trace_verdicts
from filters.trace_filters import TraceFilters
from filters.verdict import Outcome, Reason

ARITHMETIC = "6 + 9 is the same as 5 + 10, and 5 + 10 = 15. So 6 + 9 = 15."


def reason_of(
    reasoning: str | None = ARITHMETIC,
    answer: str | None = r"\boxed{15}",
    filters: TraceFilters | None = None,
    **fields: Any,
) -> str | None:
    language = fields.pop("language", None)
    row = {
        **asdict(sample("")),
        "completion": f"<think>{reasoning}</think>{answer}",
        "reasoning": reasoning,
        "answer": answer,
        **fields,
    }
    frame = pl.DataFrame([row], schema_overrides={"error": pl.String, "reasoning": pl.String})
    if language:
        frame = frame.with_columns(pl.lit(language).alias("language"))
    reason: str | None = trace_verdicts(frame, filters or TraceFilters())["reason"].item()
    return reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, None),
        ({"error": "HTTP 500", "finish_reason": "error"}, "sample_failed"),
        ({"finish_reason": "length"}, "truncated"),
        ({"finish_reason": None}, "truncated"),
        ({"reasoning": ""}, "empty_reasoning"),
        ({"reasoning": " \n "}, "empty_reasoning"),
        ({"reasoning": None}, "empty_reasoning"),
        ({"answer": ""}, "no_final_answer"),
        ({"answer": None}, "no_final_answer"),
        ({"answer": "It is fifteen, I believe."}, "no_final_answer"),
        ({"answer": "The answer is 15."}, None),
        ({"answer": "```python\ndef f(): return 15\n```"}, None),
        ({"answer": "def f():\n    return 15"}, None),
        ({"reasoning": "15."}, None),
    ],
)
def test_form(fields: dict[str, Any], reason: str | None) -> None:
    assert reason_of(**fields) == reason


@pytest.mark.parametrize(
    ("reasoning", "reason"),
    [
        ("3 + 4 = 7 and 7 + 4 = 11. " * 6, "repetition"),
        ("Wait, let me check that once more.\n" * 6, "repetition"),
        ("We add two and three.\n" * 2, None),
        ("\n".join(f"Step {n}: {n} + {n} = {2 * n}" for n in range(200)), None),
        ("\n".join(f"\\begin{{align*}}\nx_{n} &= {n}\n\\end{{align*}}" for n in range(2)), None),
        ("one " * 20, None),
        ("one " * 40, "repetition"),
        (" ".join(str(n * 7919) for n in range(5_000)), None),
        (" ".join(str(n * 7919) for n in range(2_000)) * 2, None),
        (" ".join(str(n * 7919) for n in range(500)) * 8, "repetition"),
    ],
)
def test_loops_are_found_and_honest_work_is_not(reasoning: str, reason: str | None) -> None:
    loops_only = TraceFilters(long_paragraph=False)
    assert reason_of(reasoning=reasoning, filters=loops_only) == reason


@pytest.mark.parametrize(
    ("language", "reasoning", "reason"),
    [
        ("en", "Let α → β, then ∑ α² ≥ 0 ∀ x ∈ ℝ, by Erdős and Gödel.", None),
        ("en", "We add. 我们先计算两个数的和。 Then done.", "language_mixed"),
        ("en", "We add. Сначала сложим числа.", "language_mixed"),
        ("en", "We add. 先 done.", None),
        ("en", "We add. まず足し算をします。", "language_mixed"),
        ("en", "We add. 먼저 더합니다", "language_mixed"),
        ("zh", "我们先计算 x + y = 3 的和。", None),
        (
            "zh",
            "我们先计算。" + "then we add all of the numbers to get the sum of them " * 2,
            "language_mixed",
        ),
        ("ja", "まず足し算をします。漢字も使う。", None),
        ("ja", "먼저 더합니다 먼저", "language_mixed"),
        ("ru", "Сначала сложим числа: 2 + 3 = 5.", None),
    ],
)
def test_mixed_language(language: str, reasoning: str, reason: str | None) -> None:
    assert reason_of(reasoning=reasoning, language=language) == reason


def test_every_filter_has_its_switch() -> None:
    names = ["truncated", "empty_reasoning", "no_final_answer", "repetition", "language_mixed"]
    off = TraceFilters(**dict.fromkeys(names, False))
    mixed = "我们先计算两个数的和。" * 20
    assert reason_of(mixed, "", off, finish_reason="length") is None
    assert reason_of(filters=TraceFilters(max_completion_tokens=10)) == "too_long"
    assert reason_of(filters=TraceFilters(max_completion_tokens=20)) is None


def test_settings_are_strict() -> None:
    with pytest.raises(ValidationError):
        TraceFilters(repetitions=True)  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        TraceFilters(repeated_share=1.5)


def test_reasons_become_verdicts() -> None:
    reasons = pl.DataFrame(
        {"sample_id": ["a", "b", "c"], "reason": [None, "truncated", "sample_failed"]}
    )
    verdicts = as_verdicts(reasons)
    assert [v.outcome for v in verdicts] == [Outcome.ACCEPT, Outcome.REJECT, Outcome.UNDECIDED]
    assert [v.reason for v in verdicts] == [Reason.FIT, Reason.TRUNCATED, Reason.SAMPLE_FAILED]


def test_order_and_number_of_rows_stay() -> None:
    rows = [asdict(sample(r"\boxed{1}", sample_id=f"s{n}")) for n in (3, 1, 2)]
    frame = pl.DataFrame(rows, schema_overrides={"error": pl.String})
    assert trace_verdicts(frame, TraceFilters())["sample_id"].to_list() == ["s3", "s1", "s2"]
    assert trace_verdicts(frame.head(0), TraceFilters()).height == 0


@given(
    st.sampled_from(["Answer: {}", "\\boxed{{{}}}", "<answer>{}</answer>", "The answer is {}."]),
    st.from_regex(r"[0-9a-z]{1,6}", fullmatch=True),
)
def test_what_the_extractor_finds_the_filter_finds(mark: str, text: str) -> None:
    answer = mark.format(text)
    assert final_answer(answer) is not None
    frame = pl.DataFrame({"answer": [answer], "reference_kind": ["math_answer"]})
    assert frame.select(no_final_answer()).item() is False
