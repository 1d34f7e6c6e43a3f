"""Prompts and samples for the filters' tests, with only what a test is about spelled out."""

import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from filters.trace import trace_verdicts
from filters.trace_filters import TraceFilters
from prompts.record import Prompt, ReferenceKind
from teacher.sample import Sample

_NOW = datetime(2026, 1, 1, tzinfo=UTC)

needs_bwrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is missing")


def prompt(kind: ReferenceKind, reference: str, **fields: Any) -> Prompt:
    fields.setdefault("question", "?")
    for name in ("tests", "choices", "aliases"):
        fields[name] = tuple(fields.get(name, ()))
    return Prompt(
        prompt_id="p",
        domain="math",
        source="test",
        license="Apache-2.0",
        split="train",
        reference_kind=kind,
        reference=reference,
        **fields,
    )


def sample(answer: str, **fields: Any) -> Sample:
    given: dict[str, Any] = {
        "sample_id": "p-000",
        "prompt_id": "p",
        "sample_index": 0,
        "teacher": "t",
        "teacher_revision": "r",
        "template": "few-shot",
        "temperature": 0.7,
        "top_p": 1.0,
        "max_tokens": 512,
        "seed": 0,
        "completion": f"<think>so it is</think>{answer}",
        "reasoning": "so it is",
        "answer": answer,
        "finish_reason": "stop",
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "reasoning_tokens": 10,
        "answer_tokens": 10,
        "replica": "r0",
        "started_at": _NOW,
        "ended_at": _NOW,
        "attempts": 1,
    }
    return Sample(**{**given, **fields})


ARITHMETIC = "6 + 9 is the same as 5 + 10, and 5 + 10 = 15. So 6 + 9 = 15."


def reason_of(
    reasoning: str | None = ARITHMETIC,
    answer: str | None = r"\boxed{15}",
    filters: TraceFilters | None = None,
    **fields: Any,
) -> str | None:
    """Why the trace filters reject a sample; None where they do not."""
    row = {
        **asdict(sample("")),
        "completion": f"<think>{reasoning}</think>{answer}",
        "reasoning": reasoning,
        "answer": answer,
        **fields,
    }
    texts = ("error", "completion", "reasoning", "answer", "domain")
    frame = pl.DataFrame([row], schema_overrides=dict.fromkeys(texts, pl.String))
    reason: str | None = trace_verdicts(frame, filters or TraceFilters())["reason"].item()
    return reason


def boxed(answer: str) -> Sample:
    return sample(f"So the answer is \\boxed{{{answer}}}.")
