"""TIGER-AI-Lab/TheoremQA: university questions with a number, a truth value or a list."""

from collections.abc import Mapping
from typing import Any

from prompts.sources.draft import Draft, RowError, text_of

COLUMNS = ("Question", "Answer", "Answer_type")


def to_draft(row: Mapping[str, Any]) -> Draft:
    """Numbers become math answers, truth values short answers; pictures and lists are rejected."""
    if row.get("Picture"):
        raise RowError("needs a picture")
    question, answer, kind = text_of(row, "Question"), row.get("Answer"), row.get("Answer_type")
    if kind == "bool":
        return Draft(f"{question} Answer True or False.", "short_answer", str(answer))
    if kind not in ("integer", "float"):
        raise RowError(f"answer of type {kind}")
    return Draft(question, "math_answer", text_of(row, "Answer"))
