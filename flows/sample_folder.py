"""Sampling into a folder: the engine, its store, the replicas' list and what is shown meanwhile."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import polars as pl

from filters.final import final_verdict, grade_traces
from filters.grader import Grader
from filters.rubric import KIND as RUBRIC
from filters.trace_filters import TraceFilters
from filters.verdict import Outcome, Reason, Verdict
from flows.display import SamplingDisplay
from flows.progress import say
from flows.serving import Served
from prompts.counted import counted
from prompts.errors import RunError
from prompts.parquet import read_rows, write_rows
from prompts.record import Prompt
from prompts.template import render
from teacher.ask import Ask
from teacher.membership import follow, write_list
from teacher.pass_rate import PromptOutcome
from teacher.progress import SamplingProgress, SamplingSummary
from teacher.sample import Sample
from teacher.sampling import open_pool, sample_prompts
from teacher.settings import SamplingRecipe
from teacher.shards import Shards

Grade = Callable[[Prompt, Sample], Awaitable[bool | None]]

# Above this share of failed requests the work is not called done.
MOST_FAILED = 0.01


def sample_folder(
    asks: list[Ask],
    served: Served,
    sampling: SamplingRecipe,
    folder: Path,
    grade: Grade,
    display: SamplingDisplay,
    regrade: bool = False,
) -> SamplingSummary:
    """Sample the asks into `folder`: `samples-*.parquet`, `graded-*.parquet`, `pass_rates.parquet`.

    What is in the folder already is not asked for again. While it runs `replicas.txt` lists the
    replicas, and following it they join and leave. Raises RunError when more than 1 % of the
    requests failed for good, those aside that the teacher refuses (unless it refuses all): the last
    shard stays open, so the same command asks for them again.
    """
    with Shards(folder) as shards, display:
        work = _sample(asks, served, sampling, shards, grade, display, regrade)
        summary = asyncio.run(_until_terminated(work))
        failed = summary.errors - summary.refused
        if failed > MOST_FAILED * summary.samples or 0 < summary.refused == summary.samples:
            raise RunError(
                f"{summary.errors} of {summary.samples} requests failed for good "
                f"({dict(summary.faults)}); what came back is kept, the rest is asked for again"
            )
        shards.finish()
    write_rows(folder / "pass_rates.parquet", summary.outcomes, PromptOutcome)
    _set_strays_aside(folder, {ask.prompt.prompt_id for ask in asks})
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


def _set_strays_aside(folder: Path, asked: set[str]) -> None:
    """Move samples of prompts that are asked no more (prompts were curated again) to files of
    their own: paid for, so kept, but no part of the run."""
    for shard in sample_files(folder):
        is_asked = pl.col("prompt_id").is_in(asked)
        if pl.scan_parquet(shard).filter(~is_asked).limit(1).collect().is_empty():
            continue
        samples = read_rows(shard, Sample)
        strays = [sample for sample in samples if sample.prompt_id not in asked]
        aside = folder / shard.name.replace("samples", "strays")
        before = read_rows(aside, Sample) if aside.exists() else []
        # Some are there already after a kill between these two writes.
        write_rows(aside, list(dict.fromkeys([*before, *strays])), Sample)
        write_rows(shard, [s for s in samples if s.prompt_id in asked], Sample)


async def _sample(
    asks: list[Ask],
    served: Served,
    sampling: SamplingRecipe,
    shards: Shards,
    grade: Grade,
    display: SamplingDisplay,
    regrade: bool,
) -> SamplingSummary:
    def on_progress(progress: SamplingProgress) -> None:
        served.check()
        if following.done():
            following.result()  # raises what ended it: replicas would come and go unheard
        display.update(progress)

    listed = shards.folder / "replicas.txt"
    write_list(listed, served.replicas)
    async with open_pool(served.replicas, sampling) as pool:
        following = asyncio.create_task(follow(listed, pool, served.another))
        try:
            return await sample_prompts(
                asks, pool, shards, sampling, grade, on_progress, regrade, _say_kept
            )
        finally:
            following.cancel()
            listed.unlink(missing_ok=True)


def _say_kept(samples: int, prompts: int) -> None:
    """What an earlier go has left, which is not asked for again."""
    if samples:
        kept = f"{counted(samples, 'sample')} of {counted(prompts, 'prompt')}"
        say(f"going on  from {kept} that came before")


def grade_with(grader: Grader, filters: TraceFilters) -> Grade:
    """What the engine asks of every completion: is it right, and fit to be published?

    An open answer is accepted for its form alone: its judge comes later, and to ask until then as
    often as is allowed would be paid for in vain.
    """

    def judged(prompt: Prompt, sample: Sample) -> bool | None:
        verdict = stop_without_sandbox(grader.grade(prompt, sample))
        is_open = prompt.reference_kind == RUBRIC and verdict.reason is Reason.AMBIGUOUS_ANSWER
        if verdict.outcome is Outcome.ACCEPT or is_open:
            (trace,) = grade_traces([prompt], [sample], filters)
            verdict = trace if is_open else final_verdict([verdict, trace])
        return {Outcome.ACCEPT: True, Outcome.REJECT: False}.get(verdict.outcome)

    async def grade(prompt: Prompt, sample: Sample) -> bool | None:
        return await grader.off_the_loop(judged, prompt, sample)

    return grade


async def ungraded(prompt: Prompt, sample: Sample) -> None:
    """No grade: for a fixed number of samples a prompt that are graded later, so that the grader
    does not compete with the server for the cores."""


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
