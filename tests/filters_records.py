"""Prompts and samples for the filters' tests, with only what a test is about spelled out."""

import shutil
from datetime import UTC, datetime
from typing import Any

import pytest

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


def boxed(answer: str) -> Sample:
    return sample(f"So the answer is \\boxed{{{answer}}}.")
