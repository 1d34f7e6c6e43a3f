"""The training part of a plan: memory, GPUs, speed, hours, and what would make it fit."""

from typing import Any

from flows.progress import clock
from flows.recipe import Recipe
from prompts.counted import counted
from sft.fitting import what_would_fit
from sft.memory_plan import GIB, memory_plan
from sft.student import StudentRecipe
from sft.training_time import TrainingTime, training_time

# A long question and the template around it.
PROMPT_TOKENS = 256


def longest_row(recipe: Recipe) -> int:
    """Tokens of the longest row there can be: a whole completion and its prompt."""
    return min(recipe.student.max_length, recipe.sampling.max_tokens + PROMPT_TOKENS)


def training_facts(recipe: Recipe, tokens_per_epoch: int, rows: int) -> dict[str, Any]:
    """Memory and hours of training on so many tokens, as values and as the lines people read."""
    student, longest = recipe.student, longest_row(recipe)
    memory = memory_plan(student, longest_row=longest)
    time = training_time(student, tokens_per_epoch, tokens_per_epoch / max(1, rows))
    advice = [] if memory.fits else what_would_fit(student, memory.available_bytes, longest)
    facts: dict[str, Any] = {
        "tokens_per_epoch": tokens_per_epoch,
        "gpus": student.gpus,
        "gib_per_process": memory.total_bytes / GIB,
        "gib_available": memory.available_bytes / GIB,
        "fits": memory.fits,
        "gpus_needed": memory.ranks_needed,
        "tokens_per_s": list(time.tokens_per_s),
        "gpu_hours": list(time.gpu_hours),
        "wall_s": list(time.wall_s),
        "would_fit": advice,
    }
    lines = [
        _what(student, tokens_per_epoch),
        *memory.lines(),
        *_needs(student, memory.ranks_needed),
    ]
    lines += [f"would fit: {way}" for way in advice]
    return {**facts, "lines": [*lines, *_hours(time)]}


def _what(student: StudentRecipe, tokens_per_epoch: int) -> str:
    return (
        f"at most {tokens_per_epoch:,} tokens, {counted(student.epochs, 'epoch')}, batch "
        f"{student.batch_size}, learning rate {student.learning_rate:g}, rows up to "
        f"{student.max_length:,} tokens"
    )


def _needs(student: StudentRecipe, needed: int | None) -> list[str]:
    """On how many GPUs it is planned, and how many would do where that is another number."""
    if not student.gpus:
        return []
    shared = f", {student.sequence_parallel} share a row" if student.sequence_parallel > 1 else ""
    planned = f"{counted(student.gpus, 'GPU')} ({student.launch}{shared})"
    if needed == student.gpus:
        return [planned]
    least = f"{needed} would do" if needed else "no number of them would do as the recipe is"
    return [f"{planned}; {least}"]


def _hours(time: TrainingTime) -> list[str]:
    """Tokens a second assumed, and the time they make."""
    slow, expected, fast = time.tokens_per_s
    best, usual, worst = time.wall_s
    hours = time.gpu_hours
    spent = f", {hours[1]:,.0f} GPU-hours ({hours[0]:,.0f} to {hours[2]:,.0f})" if hours[1] else ""
    return [
        f"assuming {expected:,.0f} tokens/s ({slow:,.0f} to {fast:,.0f}): {clock(usual)} "
        f"({clock(best)} to {clock(worst)}){spent}"
    ]
