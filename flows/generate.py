"""The generate flow: the teacher answers every prompt until it has enough accepted samples."""

import asyncio
from pathlib import Path

import polars as pl
from prefect import flow, task

from data_cards.funnel import FunnelRow
from filters.final import final_verdict, judge_traces
from filters.grader import Grader
from filters.verdict import Outcome
from flows.curate import train_prompts
from flows.progress import Progress
from flows.recipe import Recipe
from flows.run_folder import RUNS, RunFolder, open_run
from flows.serving import teacher_replicas
from flows.stage import resolve, show, staged, unless_hopeless
from prompts.parquet import read_rows
from prompts.record import Prompt
from prompts.template import render
from teacher.journal import Journal
from teacher.replicas import Replica
from teacher.sample import Sample
from teacher.sampling import (
    Ask,
    SamplingProgress,
    SamplingRecipe,
    SamplingSummary,
    open_pool,
    sample_prompts,
)


@flow(name="generate")
def generate(recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False) -> str:
    """Sample the teacher for every curated prompt; returns the run's folder."""
    run = open_run(resolve(recipe), runs)
    with staged(run, "generate", again) as stage:
        if stage.wanted:
            with teacher_replicas(run) as replicas:
                summary = sample_teacher(run, replicas)
            stage.finish(_funnel_rows(summary, stage.seconds()), **_facts(summary))
            show(run, "generate")
    return str(run.path)


# One task for the whole stage: the engine has no barrier between shards, and what it has paid
# for is in the journal, so a retry goes on where the last try stopped.
@task(name="sample-teacher", retries=2, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def sample_teacher(run: RunFolder, replicas: list[Replica]) -> SamplingSummary:
    """Run the sampling engine over all prompts; the journal closes into Parquet."""
    recipe = run.recipe
    asks = asks_for(train_prompts(run), recipe.teacher.template)
    return sample_to_parquet(
        asks, replicas, recipe.sampling, run.folder("generate"), recipe, "generate"
    )


def sample_to_parquet(
    asks: list[Ask],
    replicas: list[Replica],
    sampling: SamplingRecipe,
    folder: Path,
    recipe: Recipe,
    name: str,
) -> SamplingSummary:
    """Sample the asks into `folder/samples-00000.parquet`, resuming the journal beside it."""
    closed = folder / "samples-00000.parquet"
    journal = Journal(folder / "samples.sqlite", closed=[closed])
    try:
        summary = asyncio.run(_sample(asks, replicas, sampling, journal, recipe, name))
        journal.close_to_parquet(closed)
    finally:
        journal.close()
    return summary


async def _sample(
    asks: list[Ask],
    replicas: list[Replica],
    sampling: SamplingRecipe,
    journal: Journal,
    recipe: Recipe,
    name: str,
) -> SamplingSummary:
    verification = recipe.verification
    with (
        Grader(verification.workers, verification.time_limit_s) as grader,
        Progress(name, len(asks), "prompts") as bar,
    ):

        async def accept(prompt: Prompt, sample: Sample) -> bool | None:
            verdict = await grader.grade_async(prompt, sample)
            if verdict.outcome is Outcome.ACCEPT:
                (trace,) = judge_traces([prompt], [sample], recipe.filters)
                verdict = final_verdict(verdict, trace)
            return {Outcome.ACCEPT: True, Outcome.REJECT: False}.get(verdict.outcome)

        async with open_pool(replicas, sampling) as pool:
            return await sample_prompts(
                asks, pool, journal, sampling, accept, lambda p: _show(bar, p)
            )


def asks_for(prompts: list[Prompt], template: str) -> list[Ask]:
    """Prompts as they are put to a model."""
    return [Ask(prompt, render(prompt, template), template) for prompt in prompts]


def sample_files(folder: Path) -> list[Path]:
    """The closed sample shards of a folder, in order."""
    return sorted(folder.glob("samples-*.parquet"))


def read_samples(folder: Path) -> list[Sample]:
    """All samples of a folder's closed shards."""
    return read_rows(sample_files(folder), Sample)


def samples_table(folder: Path) -> pl.DataFrame:
    """The same as a Polars table."""
    return pl.read_parquet(sample_files(folder))


def _show(bar: Progress, progress: SamplingProgress) -> None:
    note = f"{progress.samples:,} samples  {progress.accepted:,} accepted  "
    note += f"{progress.tokens_per_s:,.0f} tokens/s  {progress.in_flight} in flight"
    if progress.waiting:
        note += f"  {progress.waiting}"
    bar.update(progress.prompts_done, note, progress.seconds_left)


def _funnel_rows(summary: SamplingSummary, seconds: float) -> list[FunnelRow]:
    outcomes = {
        "answered": summary.prompts_kept,
        "unanswered": summary.prompts - summary.prompts_kept,
    }
    return [FunnelRow("generate", summary.prompts, outcomes, seconds)]


def _facts(summary: SamplingSummary) -> dict[str, object]:
    return {
        "samples": summary.samples,
        "errors": summary.errors,
        "truncated": summary.truncated,
        "cancelled": summary.cancelled,
        "resumed": summary.resumed,
        "prompt_tokens": summary.prompt_tokens,
        "completion_tokens": summary.completion_tokens,
        "faults": dict(summary.faults),
    }
