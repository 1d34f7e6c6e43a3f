"""The generate flow: the teacher answers every prompt until it has enough accepted samples."""

from dataclasses import replace
from pathlib import Path

from prefect import flow, task

from data_cards.funnel import FunnelRow
from filters.rubric import KIND as RUBRIC
from flows.cost import price_of
from flows.curate import train_prompts
from flows.display import SamplingDisplay
from flows.program_runs import grader_for
from flows.recipe import Recipe
from flows.run_folder import RunFolder, open_run
from flows.runs import RUNS
from flows.sample_folder import asks_for, grade_with, sample_folder
from flows.sampled_totals import sampled_totals
from flows.serving import teacher_served
from flows.stage import resolve, show, staged, unless_hopeless
from prompts.counted import counted
from prompts.errors import PrerequisiteError
from prompts.record import Prompt
from teacher.progress import SamplingSummary


@flow(name="generate")
def generate(recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False) -> str:
    """Sample the teacher for every curated prompt; returns the run's folder.

    `again` grades and counts anew what is stored; nothing that came back is sampled twice.
    """
    run = open_run(resolve(recipe), runs)
    with staged(run, "generate", again) as stage:
        if stage.wanted:
            summary = sample_teacher(run, again)
            totals = sampled_totals(run.folder("generate"))
            stage.finish(_funnel_rows(summary, stage.seconds()), **{**_facts(summary), **totals})
            show(run, "generate")
    return str(run.path)


# One task for the whole stage: the engine has no barrier between shards, and what it has paid
# for is in the journal, so a retry goes on where the last try stopped.
@task(name="sample-teacher", retries=2, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def sample_teacher(run: RunFolder, again: bool = False) -> SamplingSummary:
    """Serve the teacher and run the sampling engine over all prompts, into Parquet."""
    recipe, folder = run.recipe, run.folder("generate")
    prompts = train_prompts(run)
    _check_can_be_judged(prompts, recipe)
    asks = asks_for(prompts, recipe.teacher.template)
    display = SamplingDisplay("generate", price_of(recipe.teacher))
    verification = recipe.verification
    with (
        teacher_served(run) as served,
        grader_for(verification) as grader,
    ):
        grade = grade_with(grader, recipe.filters)
        summary = sample_folder(asks, served, recipe.sampling, folder, grade, display, again)
    return replace(summary, outcomes=[])


def _check_can_be_judged(prompts: list[Prompt], recipe: Recipe) -> None:
    """PrerequisiteError where answers would be paid for that nobody can ever accept."""
    open_ended = sum(prompt.reference_kind == RUBRIC for prompt in prompts)
    if open_ended and recipe.judge is None:
        raise PrerequisiteError(
            f"open questions (reference_kind {RUBRIC}): {counted(open_ended, 'prompt')}, whose "
            "answers only a judge can accept: name one with judge.model and judge.urls, or leave "
            "them out"
        )


def _funnel_rows(summary: SamplingSummary, seconds: float) -> list[FunnelRow]:
    outcomes = {"answered": summary.prompts_kept, "unanswered": summary.prompts_exhausted}
    seldom = {
        "given up": summary.prompts_given_up,
        "refused": summary.prompts_refused,
        "over budget": summary.prompts_over_budget,
    }
    outcomes |= {name: count for name, count in seldom.items() if count}
    return [FunnelRow("generate", summary.prompts, outcomes, seconds)]


def _facts(summary: SamplingSummary) -> dict[str, object]:
    """Counts of the samples there are; `cancelled` and `faults` are those of the last go."""
    return {
        "samples": summary.samples,
        "errors": summary.errors,
        "truncated": summary.truncated,
        "cancelled": summary.cancelled,
        "resumed": summary.resumed,
        "prompts_exhausted": summary.prompts_exhausted,
        "prompts_given_up": summary.prompts_given_up,
        "prompts_refused": summary.prompts_refused,
        "prompts_over_budget": summary.prompts_over_budget,
        "faults": dict(summary.faults),
    }
