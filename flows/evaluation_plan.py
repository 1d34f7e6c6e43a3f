"""What measuring takes, before anything is curated: prompts, samples, tokens at most."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evals.benchmarks import KNOWN, EvalBenchmark
from evals.scores import HELD_OUT
from flows.expected_sources import rows_in
from flows.recipe import Recipe
from prompts.counted import counted

# Of a window of LiveCodeBench, and of Codeforces' changing set, the number is not known before.
_ITEMS = {"aime-2024": 30, "aime-2025": 30, "math-500": 500, "gpqa-diamond": 198}


def evaluation_facts(recipe: Recipe, held_out: int) -> dict[str, Any]:
    """Who is measured on what, and what it takes for each of them; `prompts` null: not known."""
    evals = recipe.evals
    samples = {HELD_OUT: evals.k, **{one.label: one.samples(evals.k) for one in evals.benchmarks}}
    prompts = {HELD_OUT: held_out, **{one.label: expected_items(one) for one in evals.benchmarks}}
    each = sum((prompts[name] or 0) * k for name, k in samples.items())
    return {
        "subjects": list(evals.subjects),
        "k": samples,
        "prompts": prompts,
        "samples_each": each,
        "most_tokens_each": each * evals.max_tokens,
    }


def evaluation_lines(evaluation: Mapping[str, Any]) -> list[str]:
    """The same as people read it."""
    samples = ", ".join(f"{name} {k}" for name, k in evaluation["k"].items())
    each, tokens = evaluation["samples_each"], evaluation["most_tokens_each"]
    unknown = [name for name, count in evaluation["prompts"].items() if count is None]
    also = f", and those of {', '.join(unknown)}, whose prompts are not counted" if unknown else ""
    return [
        f"6 evaluate  {', '.join(evaluation['subjects'])}; samples a prompt: {samples}",
        f"              about {counted(each, 'sample')} of each, {tokens:,} tokens at most{also}",
    ]


def expected_items(choice: EvalBenchmark) -> int | None:
    """The prompts of a benchmark; None where nobody knows before it is read."""
    local = Path(choice.where) if choice.where and not choice.is_protected else None
    if local is not None and local.exists() and choice.name not in KNOWN:
        count: int | None = rows_in(local)
    else:
        count = _ITEMS.get(choice.name)
    return min(count, choice.limit) if count and choice.limit else count
