"""The plan of a run before anything is spent: prompts, teacher, tokens, GPU-hours, disk, time."""

from typing import Any

from filters.gold_check import ENOUGH_DECIDED, LEAST_AGREEMENT, LEAST_DECIDED
from flows.evaluation_plan import evaluation_facts, evaluation_lines
from flows.expected_sources import expected_sources
from flows.progress import clock
from flows.recipe import Recipe, run_fingerprint
from flows.teacher_plan import bill, cost_facts, teacher_facts, teacher_topology
from flows.training_plan import training_facts
from prompts.counted import counted
from prompts.record import DOMAINS
from teacher.settings import SamplingRecipe
from teacher.teachers import TEACHERS

# A trace in Parquet, text and columns, per completion token: measured on the default run's shards.
BYTES_PER_TOKEN = 6
# Weights, optimiser states and one older checkpoint of a student, per parameter.
CHECKPOINT_BYTES_PER_PARAMETER = 2 * 16
SMALLEST_RUN_GB = 2.0
# Of a row in the work folder, its signatures and the files that are kept: 5 kB with a solution.
BYTES_PER_PROMPT = 5_000


def make_plan(recipe: Recipe) -> dict[str, Any]:
    """The plan as plain values: JSON for machines, `plan_text` for people."""
    sources = expected_sources(recipe)
    topology = teacher_topology(recipe.teacher)
    tokens = _expected_tokens(recipe, sources)
    traces = sum(row["train"] for row in sources)
    training = _training_facts(recipe, sources)
    return {
        "recipe": recipe.name,
        "fingerprint": run_fingerprint(recipe),
        "sources": sources,
        "prompts": traces,
        "probe": _probe_facts(recipe, sources),
        "teacher": teacher_facts(recipe.teacher, topology),
        "sampling": {
            "keep": recipe.sampling.keep,
            "n_max": recipe.sampling.n_max,
            "expected_tokens": tokens,
            **cost_facts(recipe.teacher, topology, tokens),
        },
        "judge": _judge_facts(recipe),
        "gold_check": _gold_check_facts(recipe.sampling),
        "student": {"name": recipe.student.name, "base": recipe.student.base, **training},
        "evaluation": evaluation_facts(recipe, sum(row["held_out"] for row in sources)),
        "disk_gb": disk_gb(recipe),
    }


def disk_gb(recipe: Recipe) -> float:
    """Disk the run needs: samples (raw and published) and the student's checkpoints."""
    sources = expected_sources(recipe)
    samples = 3 * BYTES_PER_TOKEN * _expected_tokens(recipe, sources)
    student = CHECKPOINT_BYTES_PER_PARAMETER * recipe.student.architecture.parameters
    return round(max(SMALLEST_RUN_GB, (samples + student) / 1e9), 1)


def prompts_gb(recipe: Recipe) -> float:
    """Disk that curating alone needs: the prompts twice, with their solutions, while they are
    worked on."""
    rows: int = sum(row["rows"] for row in expected_sources(recipe))
    return round(max(SMALLEST_RUN_GB, BYTES_PER_PROMPT * rows / 1e9), 1)


def plan_text(plan: dict[str, Any]) -> str:
    """The plan as people read it."""
    sampling, student, teacher = plan["sampling"], plan["student"], plan["teacher"]
    low, expected, high = sampling["wall_s"]
    loading = ", without loading the model" if teacher["loads"] else ""
    lines = [f"plan of {plan['recipe']} ({plan['fingerprint'][:10]}); nothing is started"]
    lines += ["", "1 curate    prompts from"]
    for row in plan["sources"]:
        lines.append(
            f"              {row['name']:18} {row['domain']:8} about {row['rows']:>9,} rows, "
            f"at most {row['train']:>9,} asked{_kept_apart(row)}   {row['license']}   {row['from']}"
        )
        if row["why_none"]:
            lines.append(f"              {'':18} none asked: {row['why_none']}")
    if (probe := plan["probe"]) is not None:
        lines.append(
            f"              tried by {probe['model']} at {', '.join(probe['urls'])}, "
            f"{counted(probe['n'], 'sample')} each, at most {probe['most_tokens']:,} tokens"
        )
    lines += [
        f"2 generate  {counted(plan['prompts'], 'prompt')}, keep {sampling['keep']}, "
        f"at most {counted(sampling['n_max'], 'sample')} each; "
        f"about {sampling['expected_tokens']:,} tokens",
        f"              teacher {teacher['model']}: {teacher['layout']}",
        *(f"              {line}" for line in teacher["fit"]),
        f"              wall time {clock(expected)} ({clock(low)} to {clock(high)}){loading}",
        f"              assuming {_rate(sampling)}",
        *(f"              {line}" for line in bill(sampling)),
        *(f"              node {n} of a replica: {c}" for n, c in enumerate(teacher["commands"])),
        "3 verify    every sample, three outcomes; rejects are kept with their reason",
        *(f"              {line}" for line in _verify_lines(plan)),
        "4 publish   Parquet and card, one Hub commit where the recipe names a repository",
        f"5 train     {student['name']} from {student['base']}",
        *(f"              {line}" for line in student["lines"]),
        *evaluation_lines(plan["evaluation"]),
        "",
        f"disk        {plan['disk_gb']:,} GB",
    ]
    return "\n".join(lines)


def _kept_apart(source: dict[str, Any]) -> str:
    return f", {source['held_out']:,} held out" if source["held_out"] else ""


def _rate(sampling: dict[str, Any]) -> str:
    slow, expected, fast = sampling["tokens_per_s"]
    return f"{expected:,.0f} tokens/s ({slow:,.0f} to {fast:,.0f}), {sampling['rate_from']}"


def _probe_facts(recipe: Recipe, sources: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Who tries the prompts first; quotas come later, so that all within limits may be tried."""
    if (probe := recipe.prompts.difficulty.probe) is None:
        return None
    tried: int = sum(row["before_mix"] for row in sources if row["train"])
    most = tried * probe.n * probe.max_tokens
    return {"model": probe.model, "urls": list(probe.urls), "n": probe.n, "most_tokens": most}


def _judge_facts(recipe: Recipe) -> dict[str, Any] | None:
    if (judge := recipe.judge) is None:
        return None
    return {"model": judge.model, "urls": list(judge.urls), "most_tokens": 2 * judge.max_tokens}


def _verify_lines(plan: dict[str, Any]) -> list[str]:
    """Who judges (how much, nobody knows before the rules have spoken), and who is doubted."""
    judge, doubted = plan["judge"], _gold_check_line(plan["gold_check"]["samples"])
    if judge is None:
        return [doubted]
    return [
        f"what rules leave undecided: {judge['model']} at {', '.join(judge['urls'])}, "
        f"two votes a sample, {judge['most_tokens']:,} tokens at most",
        doubted,
    ]


def _gold_check_facts(sampling: SamplingRecipe) -> dict[str, Any]:
    """How many samples a prompt without an accepted one gets, and whether they can doubt it."""
    samples = sampling.stop_rule().patience
    return {"samples": samples, "possible": samples >= LEAST_DECIDED}


def _gold_check_line(samples: int) -> str:
    """Whether so many samples a prompt can bring its reference into doubt."""
    if samples < LEAST_DECIDED:
        return (
            f"references are not checked: this takes {LEAST_DECIDED} decided samples a prompt; "
            f"without an accepted one it gets {samples}"
        )
    of_many = f", or {100 * LEAST_AGREEMENT:g} % of {ENOUGH_DECIDED} or more"
    return (
        f"references in doubt: where {LEAST_DECIDED} samples of a prompt all agree on another "
        f"answer{of_many if samples >= ENOUGH_DECIDED else ''}"
    )


def _tokens_by_domain(recipe: Recipe) -> dict[str, int]:
    mean = TEACHERS[recipe.teacher.model].mean_completion_tokens
    given = recipe.teacher.cluster.tokens_per_prompt if recipe.teacher.cluster else {}
    return {domain: given.get(domain, mean) for domain in (*DOMAINS, "mixed")}


def _expected_tokens(recipe: Recipe, sources: list[dict[str, Any]]) -> int:
    each = _tokens_by_domain(recipe)
    cluster = recipe.teacher.cluster
    tried: float = cluster.samples_per_prompt if cluster else (1 + recipe.sampling.n_max) / 2
    kept: int = sum(row["train"] * each[row["domain"]] for row in sources)
    return round(tried * kept)


def _training_facts(recipe: Recipe, sources: list[dict[str, Any]]) -> dict[str, Any]:
    """Memory and hours of training on as many tokens as selection keeps at most."""
    each, keep = _tokens_by_domain(recipe), recipe.selection.keep
    tokens = keep * sum(row["train"] * each[row["domain"]] for row in sources)
    return training_facts(recipe, tokens, keep * sum(row["train"] for row in sources))
