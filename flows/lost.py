"""What of the sampling went wrong or was in vain, in one line."""

from collections.abc import Mapping
from typing import Any


def lost_line(facts: Mapping[str, Any]) -> str:
    """From a manifest's facts of sampling; empty where all went well.

    `requests  faults: 12 reset, 3 stalled; 4 completions continued; 1,234 tokens wasted`
    """
    words = []
    if faults := facts.get("faults"):
        most_first = sorted(faults.items(), key=lambda fault: (-fault[1], fault[0]))
        words.append("faults: " + ", ".join(f"{count:,} {kind}" for kind, count in most_first))
    said = {
        "continued": "completions continued",
        "wasted_tokens": "tokens wasted",
        "cancelled": "requests cancelled",
    }
    words += [f"{facts[name]:,} {what}" for name, what in said.items() if facts.get(name)]
    return f"requests  {'; '.join(words)}" if words else ""
