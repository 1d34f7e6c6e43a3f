"""Verification. `filters.check(reference, completion, domain)` is the whole of it in one call."""

from collections.abc import Sequence
from typing import Any

from filters.verdict import Verdict


def check(
    reference: Any,
    completion: Any,
    domain: str = "math",
    *,
    question: str = "",
    choices: Sequence[str] = (),
    aliases: Sequence[str] = (),
) -> Verdict:
    """The verdict on one completion; see `filters.checking.check`, which does it."""
    from filters import checking

    return checking.check(
        reference, completion, domain, question=question, choices=choices, aliases=aliases
    )
