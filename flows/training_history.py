"""What a training said while it ran, read back: its losses and its tries."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data_cards.model_card import TryFacts

LOSSES = "losses.jsonl"  # in the train stage's folder


def read_losses(file: Path) -> list[tuple[int, float]]:
    """(step, loss) of every step, in order.

    A step made again takes back what came after it: a kill, or a training from the start.
    """
    losses: list[tuple[int, float]] = []
    for line in _lines(file):
        if "step" in line:
            while losses and losses[-1][0] >= line["step"]:
                losses.pop()
            losses.append((line["step"], line["loss"]))
    return losses


def read_tries(file: Path) -> list[TryFacts]:
    """The tries on held-out prompts, in order, with the same rule."""
    tries: list[TryFacts] = []
    for line in _lines(file):
        # A step is said after the try made in it.
        first_gone = line.get("tried", line.get("step", sys.maxsize - 1) + 1)
        while tries and tries[-1].step >= first_gone:
            tries.pop()
        if "tried" in line:
            counts = (line[name] for name in ("prompts", "accepted", "ended", "mean_tokens"))
            tries.append(TryFacts(line["tried"], *counts))
    return tries


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The JSON lines of a file; a line that a kill cut short is none."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value
