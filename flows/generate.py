"""The generate flow: the teacher answers every prompt until it has enough accepted samples."""

import asyncio
import signal
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import polars as pl
from prefect import flow, task

from data_cards.funnel import FunnelRow
from filters.final import final_verdict, judge_traces
from filters.grader import Grader
from filters.verdict import Outcome, Reason, Verdict
from flows.curate import train_prompts
from flows.progress import Progress
from flows.recipe import Recipe
from flows.run_folder import RUNS, RunFolder, open_run
from flows.serving import Served, teacher_served
from flows.stage import resolve, show, staged, unless_hopeless
from prompts.errors import RunError
from prompts.parquet import read_rows, write_rows
from prompts.record import Prompt
from prompts.template import render
from teacher.journal import Journal
from teacher.sample import Sample
from teacher.sampling import (
    Ask,
    SamplingProgress,
    SamplingRecipe,
    SamplingSummary,
    open_pool,
    sample_prompts,
)

# Above this share of failed requests the stage is not called done.
MOST_FAILED = 0.01


@flow(name="generate")
def generate(recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False) -> str:
    """Sample the teacher for every curated prompt; returns the run's folder.

    `again` grades and counts anew what is stored; nothing that came back is sampled twice.
    """
    run = open_run(resolve(recipe), runs)
    with staged(run, "generate", again) as stage:
        if stage.wanted:
            summary = sample_teacher(run)
            stage.finish(_funnel_rows(summary, stage.seconds()), **_facts(summary))
            show(run, "generate")
    return str(run.path)


# One task for the whole stage: the engine has no barrier between shards, and what it has paid
# for is in the journal, so a retry goes on where the last try stopped.
@task(name="sample-teacher", retries=2, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def sample_teacher(run: RunFolder) -> SamplingSummary:
    """Serve the teacher and run the sampling engine over all prompts, into Parquet."""
    asks = asks_for(train_prompts(run), run.recipe.teacher.template)
    with teacher_served(run) as served:
        return sample_to_parquet(
            asks, served, run.recipe.sampling, run.folder("generate"), run.recipe, "generate"
        )


def sample_to_parquet(
    asks: list[Ask],
    served: Served,
    sampling: SamplingRecipe,
    folder: Path,
    recipe: Recipe,
    name: str,
    grades: bool = True,
) -> SamplingSummary:
    """Sample the asks into `folder/samples-00000.parquet`, resuming the journal beside it.

    Without `grades` every sample counts as undecided: for a fixed number of samples a prompt that
    are graded later, so that the grader does not compete with the server for the cores.
    Raises RunError when more than 1 % of the requests failed for good: the journal stays open, so
    the same command asks for them again.
    """
    closed = folder / "samples-00000.parquet"
    journal = Journal(folder / "samples.sqlite", closed=[closed])
    try:
        sampling_run = _sample(asks, served, sampling, journal, recipe, name, grades)
        summary = asyncio.run(_until_terminated(sampling_run))
        if summary.errors > MOST_FAILED * summary.samples:
            raise RunError(
                f"{summary.errors} of {summary.samples} requests failed for good "
                f"({dict(summary.faults)}); what came back is kept, the rest is asked for again"
            )
        journal.close_to_parquet(closed)
    finally:
        journal.close()
    _set_strays_aside(closed, {ask.prompt.prompt_id for ask in asks})
    return summary


async def _until_terminated(work: Coroutine[Any, Any, SamplingSummary]) -> SamplingSummary:
    """The work, ended in order by SIGTERM: an exception raised by a handler could get lost in the
    event loop's callbacks."""
    task = asyncio.ensure_future(work)
    if threading.current_thread() is not threading.main_thread():
        return await task
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)
    terminated = False

    def terminate() -> None:
        nonlocal terminated
        terminated = True
        task.cancel()

    loop.add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await task
    except asyncio.CancelledError:
        if terminated:
            raise KeyboardInterrupt from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, before)


def _set_strays_aside(closed: Path, asked: set[str]) -> None:
    """Move samples of prompts that are asked no more (prompts were curated again) to a file of
    their own: paid for, so kept, but no part of the run."""
    samples = read_rows(closed, Sample)
    strays = [sample for sample in samples if sample.prompt_id not in asked]
    if strays:
        write_rows(closed.with_name("strays.parquet"), strays, Sample)
        write_rows(closed, [s for s in samples if s.prompt_id in asked], Sample)


async def _sample(
    asks: list[Ask],
    served: Served,
    sampling: SamplingRecipe,
    journal: Journal,
    recipe: Recipe,
    name: str,
    grades: bool,
) -> SamplingSummary:
    verification = recipe.verification
    with (
        Grader(verification.workers, verification.time_limit_s) as grader,
        Progress(name, len(asks), "prompts") as bar,
    ):

        async def accept(prompt: Prompt, sample: Sample) -> bool | None:
            if not grades:
                return None
            verdict = stop_without_sandbox(await grader.grade_async(prompt, sample))
            if verdict.outcome is Outcome.ACCEPT:
                (trace,) = judge_traces([prompt], [sample], recipe.filters)
                verdict = final_verdict(verdict, trace)
            return {Outcome.ACCEPT: True, Outcome.REJECT: False}.get(verdict.outcome)

        def on_progress(progress: SamplingProgress) -> None:
            served.check()
            _show(bar, progress)

        async with open_pool(served.replicas, sampling) as pool:
            return await sample_prompts(asks, pool, journal, sampling, accept, on_progress)


def stop_without_sandbox(verdict: Verdict) -> Verdict:
    """The verdict, or RunError: without a sandbox every code answer would come out undecided."""
    if verdict.reason is Reason.SANDBOX_UNAVAILABLE:
        raise RunError(f"the sandbox does not run any more: {verdict.detail}")
    return verdict


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
    note = f"{progress.samples:,} samples  "
    if progress.accepted:
        note += f"{progress.accepted:,} accepted  "
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
