"""The two errors that end a command with a message and no traceback, and a phrase for them."""

from collections.abc import Sequence
from difflib import get_close_matches

_LONGEST_NAME = 60


class PrerequisiteError(Exception):
    """The user can mend this before anything is spent: what, where, and the fix. Exit 2."""


class RunError(Exception):
    """A run stopped on a fault outside our code; the run can be resumed. Exit 3."""


def nearest(word: str, known: Sequence[str]) -> str:
    """`did you mean 'choice'? known: math_answer, choice`; of names none of which is near, all."""
    near = get_close_matches(word[:_LONGEST_NAME], known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}known: {', '.join(known)}"
