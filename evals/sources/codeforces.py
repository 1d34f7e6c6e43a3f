"""open-r1/codeforces, as prompts/sources/codeforces.py reads it: the contests of its test split.

{"id": "2030/B", "aliases": ["2029/A"], "rating": 900, "description": "…", …}
"""

import re
from collections.abc import Mapping
from typing import Any

from evals.sources.reading import Reading
from prompts.sources import codeforces
from prompts.sources.draft import text_if_any

_ID = re.compile(r"\d+/\w+")
COLUMNS = ("id", "aliases", *codeforces.SOURCE.columns, *codeforces.SOURCE.also)


def read_codeforces(row: Mapping[str, Any]) -> Reading:
    """A problem with all tests the set has and its checker, its group the difficulty.

    Its id is that of the site. Two divisions of a round share problems, and the set has each once:
    where it stood in other contests too, its ids there follow behind blanks, `2030/B 2029/A`.
    """
    draft, aliases = codeforces.to_draft(row, all_tests=True), row.get("aliases")
    others = [name for name in aliases if _is_id(name)] if isinstance(aliases, list) else []
    return Reading(draft, " ".join([text_if_any(row, "id"), *others]), draft.difficulty)


def _is_id(name: object) -> bool:
    return isinstance(name, str) and _ID.fullmatch(name) is not None
