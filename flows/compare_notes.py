"""What makes two scores on a benchmark no like ones: asked otherwise, or graded otherwise."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evals.scores import Scores

# As in flows/evaluation_folder.py, which needs the sampling engine.
ABOUT = "evaluation.json"
_SETTINGS = ("template", "temperature", "top_p", "max_tokens", "think_prefilled")


def asked_with(scores: Path) -> dict[str, Any]:
    """How the samples of a scores.json were asked for; empty where nothing beside it says so."""
    try:
        about = json.loads(scores.with_name(ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    choice = about.get("choice") or {}
    settings = {name: about.get(name) for name in _SETTINGS}
    return {**settings, "limit": choice.get("limit") or "none", "file": about.get("origin")}


def unlike(
    names: str, one: Scores, other: Scores, asked: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> Iterator[str]:
    """The notes on two models' scores on one benchmark, a sentence each."""
    if one.k != other.k:
        yield f"{names}: {one.benchmark} was sampled {one.k} and {other.k} times a prompt"
    first, second = asked
    differ = [name for name in first if second and first[name] != second[name]]
    if differ:
        said = ", ".join(
            "of another file" if name == "file" else f"{name} {first[name]} and {second[name]}"
            for name in differ
        )
        yield f"{names}: {one.benchmark} was asked otherwise: {said}"
    common = one.verifiers.keys() & other.verifiers.keys()
    changed = sorted(name for name in common if one.verifiers[name] != other.verifiers[name])
    if changed:
        said = ", ".join(f"{n} {one.verifiers[n]} and {other.verifiers[n]}" for n in changed)
        yield (
            f"{names}: {one.benchmark} was graded by other versions of verifiers ({said}); "
            "`stillhouse evaluate --again` grades what is stored anew"
        )
