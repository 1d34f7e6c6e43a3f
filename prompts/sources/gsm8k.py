"""openai/gsm8k: grade-school word problems whose answer follows `####`."""

from collections.abc import Mapping
from typing import Any

from prompts.sources.draft import Draft, RowError, text_of

COLUMNS = ("question", "answer")


def to_draft(row: Mapping[str, Any]) -> Draft:
    """`{"question": "…", "answer": "48/2 = <<48/2=24>>24 …\\n#### 72"}`: the reference is 72."""
    _, mark, final = text_of(row, "answer").rpartition("####")
    if not mark or not final.strip():
        raise RowError("no #### in answer")
    return Draft(text_of(row, "question"), "math_answer", final.strip().replace(",", ""))
