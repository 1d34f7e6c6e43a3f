"""Families of starter prompts: candidates drawn into train and test, the same ones every time."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prompts.decontaminate import Gram, grams

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible prompt of a family.

    Candidates with the same `twin` ask the same thing in other words (3 + 4 and 4 + 3): they
    never stand on both sides of the split.
    """

    question: str
    reference: str
    twin: str = ""
    tests: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """Candidates of one kind and difficulty, and how many of them each split takes."""

    name: str
    reference_kind: str
    difficulty: str
    train: int
    test: int
    candidates: Sequence[Candidate]


def draw(family: Family) -> list[dict[str, Any]]:
    """The family's rows, test ones first; raises ValueError when it has too few candidates.

    No train row is the twin of a test row, or shares ten words in a row with one.
    """
    pool = list(dict.fromkeys(family.candidates))
    random.Random(family.name).shuffle(pool)
    test = pool[: family.test]
    twins = {_twin(candidate) for candidate in test}
    taken = set().union(*(_shared(family, candidate) for candidate in test))
    clean = [c for c in pool[family.test :] if _twin(c) not in twins]
    train = [c for c in clean if taken.isdisjoint(_shared(family, c))][: family.train]
    if len(test) < family.test or len(train) < family.train:
        raise ValueError(f"{family.name}: only {len(test)} test and {len(train)} train candidates")
    return [_row(family, c, "test") for c in test] + [_row(family, c, "train") for c in train]


def write(name: str, families: Sequence[Family], folder: Path = FOLDER) -> Path:
    """Write `<name>.jsonl` with all families' rows; the same bytes on every machine."""
    path = folder / f"{name}.jsonl"
    rows = [row for family in families for row in draw(family)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(lines, encoding="utf-8", newline="\n")
    return path


def _twin(candidate: Candidate) -> str:
    return candidate.twin or candidate.question


def _shared(family: Family, candidate: Candidate) -> set[Gram]:
    """The runs of words that must not stand in both splits."""
    found = set(grams(candidate.question))
    return (
        found | set(grams(candidate.reference)) if family.reference_kind == "unit_tests" else found
    )


def _row(family: Family, candidate: Candidate, split: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "question": candidate.question,
        "reference_kind": family.reference_kind,
        "reference": candidate.reference,
    }
    for key in ("tests", "choices", "aliases"):
        if getattr(candidate, key):
            row[key] = list(getattr(candidate, key))
    return row | {"difficulty": family.difficulty, "family": family.name, "split": split}
