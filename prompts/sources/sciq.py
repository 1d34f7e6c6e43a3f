"""allenai/sciq: science exam questions with one right and three wrong answers."""

import hashlib
from collections.abc import Mapping
from typing import Any

from prompts.sources.draft import LETTERS, Draft, RowError, text_of

COLUMNS = ("question", "correct_answer", "distractor1", "distractor2", "distractor3")


def to_draft(row: Mapping[str, Any]) -> Draft:
    """A four-way choice; the order of the options follows from the question's hash."""
    question = text_of(row, "question")
    right = text_of(row, "correct_answer")
    options = [right, *(text_of(row, f"distractor{i}") for i in (1, 2, 3))]
    if len({option.lower() for option in options}) < len(options):
        raise RowError("two options are the same")
    options.sort(key=lambda option: hashlib.blake2b(f"{question}\n{option}".encode()).digest())
    lines = [f"{letter}) {option}" for letter, option in zip(LETTERS, options, strict=False)]
    letter = LETTERS[options.index(right)]
    return Draft("\n".join([question, *lines]), "choice", letter, choices=tuple(options))
