"""A benchmark's items with the messages they are asked in.

Rows of a user's file that hold `prompt` or `messages` are sent as they stand, as `stillhouse
generate --prompts` sends them; all others are put into a template.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evals.benchmarks import KNOWN, EvalBenchmark, Item, LeftOut, benchmark_items
from evals.sources.own import BadRows
from flows.prompt_file import asks_in_file, has_reference
from prompts.errors import PrerequisiteError
from prompts.sources.load import rows_in_file
from prompts.template import render


@dataclass(frozen=True, slots=True)
class Asked:
    """An item and the messages that are sent for it."""

    item: Item
    messages: list[dict[str, str]]


def asked_items(choice: EvalBenchmark, template: str, left_out: LeftOut) -> Iterator[Asked]:
    """The items of a benchmark with their messages, in its order, read as it goes.

    Raises PrerequisiteError for what cannot be read, and for a row that nobody could grade.
    """
    if _is_of_messages(choice):
        yield from _as_they_stand(choice)
        return
    for item in benchmark_items(choice, left_out):
        yield Asked(item, render(item.prompt, template))


def _is_of_messages(choice: EvalBenchmark) -> bool:
    """Whether a user's file holds the texts that are sent."""
    path = Path(choice.where)
    if choice.name in KNOWN or choice.columns or not path.is_file():
        return False
    first = next(rows_in_file(path), None)
    return first is not None and not {"prompt", "messages"}.isdisjoint(first.values)


def _as_they_stand(choice: EvalBenchmark) -> Iterator[Asked]:
    asks, bad = asks_in_file(Path(choice.where))[: choice.limit], BadRows()
    for number, ask in enumerate(asks, start=1):
        if not has_reference(ask.prompt):
            bad.add(f"prompt {number}: no reference (or tests) to grade an answer by")
    if bad.count:
        raise PrerequisiteError(f"benchmark {choice.label!r}: {bad.told(choice.where)}")
    for ask in asks:
        yield Asked(Item(ask.prompt, ask.prompt.prompt_id, ask.prompt.domain), list(ask.messages))
