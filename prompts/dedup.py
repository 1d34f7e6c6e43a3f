"""Exact duplicates: the first prompt with a question stays, later ones go."""

from collections.abc import Iterable

from prompts.record import Prompt, normalise_question


def deduplicate(prompts: Iterable[Prompt]) -> tuple[list[Prompt], list[Prompt]]:
    """Split prompts into (kept, duplicates), both in the order given; linear in their number.

    Two questions are the same when `normalise_question` makes them equal, whatever their
    source or domain.
    """
    seen: set[str] = set()
    kept: list[Prompt] = []
    duplicates: list[Prompt] = []
    for prompt in prompts:
        form = normalise_question(prompt.question)
        (duplicates if form in seen else kept).append(prompt)
        seen.add(form)
    return kept, duplicates
