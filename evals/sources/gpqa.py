"""GPQA: four options, of which the archive lists the right one first.

    {"Question": "…", "Correct Answer": "…", "Incorrect Answer 1": "…", "Record ID": "rec…",
     "High-level domain": "Physics"}

Options are put in the order of a hash of record and text: the same in every run and on every
machine, and the right one under each letter about as often.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from evals.sources.reading import Reading
from prompts.sources.draft import LETTERS, Draft, RowError, text_if_any, text_of

RIGHT = "Correct Answer"
WRONG = ("Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")


def read_gpqa(row: Mapping[str, Any]) -> Reading:
    """A question of GPQA, its group the subject; RowError where the right option stands twice.

    Wrong ones may be alike: published scores are over such questions too.
    """
    record, right = text_of(row, "Record ID"), text_of(row, RIGHT)
    options = [right, *(text_of(row, name) for name in WRONG)]
    if right in options[1:]:
        raise RowError("the right option stands twice")
    options.sort(key=lambda option: _order(record, option))
    draft = Draft(
        text_of(row, "Question"),
        "choice",
        LETTERS[options.index(right)],
        choices=tuple(options),
    )
    return Reading(draft, record, text_if_any(row, "High-level domain"))


def _order(record: str, option: str) -> bytes:
    return hashlib.blake2b(f"{record}\n{option}".encode(), digest_size=8).digest()
