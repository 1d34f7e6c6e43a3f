"""The project's own row format: the shipped starter sets and users' files are read by it.

One JSON object a line:
`{"question": "What is 3 + 4?", "reference_kind": "math_answer", "reference": "7",
  "difficulty": "easy", "split": "train"}`, with `tests`, `choices`, `aliases` where they apply.
The reference of a `rubric` says what a good answer has, and may be left out.
"""

import re
from collections.abc import Mapping
from typing import Any

from prompts.errors import nearest
from prompts.record import DOMAINS, Domain
from prompts.sources.draft import Draft, RowError, json_of, text_if_any, text_of, texts_of
from prompts.sources.source import Source

# `de`, `zh-cn`; of a language by any other name the question itself tells.
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]{2,4})?")

COLUMNS = ("question", "reference_kind", "reference")
ALSO = (
    *("tests", "choices", "aliases", "starter_code", "solution"),
    *("difficulty", "language", "split", "domain"),
)


def to_draft(row: Mapping[str, Any]) -> Draft:
    """A row in our own format as a draft; raises RowError with the field that is wrong."""
    domain = text_if_any(row, "domain")
    if domain and domain not in DOMAINS:
        raise RowError(f"unknown domain; {nearest(domain, DOMAINS)}")
    kind = text_of(row, "reference_kind")
    if isinstance(row.get("reference"), Mapping):
        # A problem or a puzzle may stand as the object it is.
        row = {**row, "reference": json_of(row["reference"], "reference")}
    code, language = row.get("starter_code"), text_if_any(row, "language").lower()
    has_rubric = kind != "rubric" or bool(row.get("reference"))
    return Draft(
        question=text_of(row, "question"),
        reference_kind=kind,
        reference=text_of(row, "reference") if has_rubric else "",
        tests=texts_of(row, "tests"),
        choices=texts_of(row, "choices"),
        aliases=texts_of(row, "aliases"),
        difficulty=text_if_any(row, "difficulty"),
        language=language if _LANGUAGE.fullmatch(language) else "",
        starter_code=code if isinstance(code, str) else "",
        solution=text_if_any(row, "solution"),
        split=text_if_any(row, "split"),
        domain=domain,
    )


def _shipped(domain: Domain, rows: int, checked_by: str) -> Source:
    """Rows written for this project, read from the package."""
    return Source(
        "", "Apache-2.0", domain, COLUMNS, rows, to_draft, checked_by, ALSO, shipped=domain
    )


MATH = _shipped("math", 300, "the answer's value")
CODE = _shipped("code", 190, "asserts")
SCIENCE = _shipped("science", 218, "a number with its unit, a letter, or a word")
