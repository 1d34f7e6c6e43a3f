r"""AIME and MATH-500: a problem and its answer.

{"id": 60, "problem": "…", "answer": "204", "url": "…/2024_AIME_I_Problems/Problem_1"}
{"problem": "…", "answer": "\\frac{1}{2}", "subject": "Algebra", "level": 3, "unique_id": "…"}
"""

from collections.abc import Mapping
from typing import Any

from evals.sources.reading import Reading
from prompts.sources.draft import Draft, text_if_any, text_of


def read_aime(row: Mapping[str, Any]) -> Reading:
    """A problem of AIME; its answer is a whole number from 000 to 999, written without zeros."""
    answer = text_of(row, "answer")
    plain = answer.lstrip("0") or "0" if answer.isdecimal() else answer
    return Reading(Draft(text_of(row, "problem"), "math_answer", plain), text_if_any(row, "id"))


def read_math_500(row: Mapping[str, Any]) -> Reading:
    """A problem of MATH-500, its group the level from 1 to 5."""
    level = text_if_any(row, "level")
    draft = Draft(text_of(row, "problem"), "math_answer", text_of(row, "answer"), difficulty=level)
    return Reading(draft, text_if_any(row, "unique_id"), f"level {level}" if level else "")
