"""Trace filters: each rule on short and long traces, and no null slips through."""

from dataclasses import asdict
from typing import Any

import polars as pl
import pytest
from filters_records import reason_of, sample
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from test_filters_extract import RULES

from filters.extract import final_answer
from filters.form import no_final_answer
from filters.trace import as_verdicts, trace_verdicts
from filters.trace_filters import TraceFilters
from filters.verdict import Outcome, Reason


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
        ({"answer": "42"}, None),
        ({"answer": "$42$"}, None),
        ({"answer": "#### 42"}, None),
        ({"answer": "### Final Answer\n42"}, None),
        ({"answer": "My answer is 42."}, None),
        ({"answer": "We add. So the answer is 42."}, None),
        ({"answer": "Option B is correct."}, None),
        ({"answer": "答案：42", "language": "zh"}, None),
        ({"answer": "I think the answer is 5"}, "no_final_answer"),
        ({"answer": "```python\ndef f(): return 15\n```"}, None),
        ({"answer": "def f():\n    return 15"}, None),
        ({"reasoning": "15."}, None),
        ({"answer": "A poem.", "reference_kind": "rubric"}, None),
        ({"answer": " ", "reference_kind": "rubric"}, "no_final_answer"),
        ({"completion": "<think>a</think> b <think>c</think>\\boxed{15}"}, "bad_format"),
        ({"completion": "a</think>b</think>\\boxed{15}"}, "bad_format"),
        ({"completion": "Well. <think>a</think>\\boxed{15}"}, "bad_format"),
        ({"completion": "<think><think>a</think>\\boxed{15}"}, "bad_format"),
        ({"completion": "<think>a</think>\\boxed{15}<|im_end|>"}, "bad_format"),
        ({"completion": "<think>a</think>\\boxed{15}<｜end▁of▁sentence｜>"}, "bad_format"),
        ({"completion": "\n <think>a</think>\\boxed{15}"}, None),
        ({"completion": "a</think>\\boxed{15}"}, None),
        ({"completion": "<think>1 < 2 and <b>3</b></think>\\boxed{15}"}, None),
        ({"completion": None}, "bad_format"),
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
    ("domain", "reasoning", "reason"),
    [
        ("math", "Let me run this:\n```python\nprint(6 + 9)\n```\nSo 15.", "code_in_reasoning"),
        ("science", "```\n6 + 9\n```", "code_in_reasoning"),
        ("code", "```python\ndef f(): return 15\n```", None),
        ("general", "```sh\nls\n```", None),
        (None, "```sh\nls\n```", None),
        ("math", "The variable `x` is 15, f(x) = ``x''.", None),
        ("math", "word " * 799 + "word", "repetition"),
        ("math", " ".join(map(str, range(1_000))), None),
        ("math", " ".join(map(str, range(1_100))), "long_paragraph"),
        ("math", "\n".join(map(str, range(1_100))), None),
        ("math", "é" * 4_000, None),
        ("math", "é" * 4_001, "long_paragraph"),
    ],
)
def test_what_nobody_reads(domain: str | None, reasoning: str, reason: str | None) -> None:
    assert reason_of(reasoning=reasoning, domain=domain) == reason


def test_long_tables_fall_in_batches_and_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filters.trace._BATCH_BYTES", 1_000)
    rows = [asdict(sample(r"\boxed{1}" if n % 3 else "", sample_id=f"s{n}")) for n in range(200)]
    frame = pl.DataFrame(rows, schema_overrides={"error": pl.String})
    verdicts = trace_verdicts(frame, TraceFilters())
    assert verdicts["sample_id"].to_list() == [f"s{n}" for n in range(200)]
    found = verdicts["reason"].to_list()
    assert found == [None if n % 3 else "no_final_answer" for n in range(200)]


def test_every_filter_has_its_switch() -> None:
    switches = [name for name, field in TraceFilters.model_fields.items() if field.default is True]
    off = TraceFilters(**dict.fromkeys(switches, False))
    worst = "我们先计算两个数的和。As an AI, I have ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0xR2uL5"
    spoilt = {"completion": f"<think><think>{worst} a.b@uni-bonn.de", "finish_reason": "length"}
    assert reason_of(worst * 200, "I cannot help with that.", off, **spoilt) is None
    assert len(switches) == 13
    assert reason_of(filters=TraceFilters(max_completion_tokens=10)) == "too_long"
    assert reason_of(filters=TraceFilters(max_completion_tokens=20)) is None
    assert reason_of(filters=TraceFilters(min_completion_tokens=21)) == "too_short"
    assert reason_of(filters=TraceFilters(min_completion_tokens=20)) is None


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


def test_every_marked_answer_the_extractor_reads_is_one_to_the_filter() -> None:
    answers = [text for cases in RULES.values() for text, _ in cases]
    assert all(final_answer(answer) for answer in answers)
    frame = pl.DataFrame({"answer": answers, "reference_kind": ["math_answer"] * len(answers)})
    flagged = frame.filter(no_final_answer())["answer"].to_list()
    assert flagged == []
