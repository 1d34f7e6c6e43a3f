"""The verify flow: every sample gets its verdict, right answers in unfit traces included."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from prefect import flow, task

from data_cards.funnel import FunnelRow
from filters.final import final_verdicts, judge_traces
from filters.grader import Grader
from filters.verdict import Outcome, Verdict
from flows.curate import train_prompts
from flows.progress import Progress
from flows.recipe import Recipe, VerificationRecipe
from flows.run_folder import RUNS, RunFolder, open_run
from flows.sample_folder import sample_files, stop_without_sandbox
from flows.stage import resolve, show, staged, unless_hopeless
from prompts.parquet import read_rows, write_rows
from prompts.record import Prompt
from teacher.sample import Sample


@flow(name="verify")
def verify(recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False) -> str:
    """Grade every stored sample, a task a shard; returns the run's folder."""
    run = open_run(resolve(recipe), runs)
    with staged(run, "verify", again) as stage:
        if stage.wanted:
            for old in verdict_files(run):
                old.unlink()
            for shard in sample_files(run.folder("generate")):
                verify_shard(run, shard)
            verdicts = read_verdicts(run)
            outcomes = {str(o): sum(v.outcome is o for v in verdicts) for o in Outcome}
            stage.finish([FunnelRow("verify", len(verdicts), outcomes, stage.seconds())])
            show(run, "verify")
    return str(run.path)


@task(name="verify-shard", retries=2, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def verify_shard(run: RunFolder, shard: Path) -> None:
    """Grade one shard of samples into the verdict shard of the same number."""
    prompts, samples = train_prompts(run), read_rows(shard, Sample)
    verdicts = grade_all(prompts, samples, run.recipe.verification, "verify")
    verdicts += judge_traces(prompts, samples, run.recipe.filters)
    name = shard.name.replace("samples", "verdicts")
    write_rows(run.folder("verify") / name, verdicts, Verdict)


def grade_all(
    prompts: Sequence[Prompt], samples: Sequence[Sample], recipe: VerificationRecipe, name: str
) -> list[Verdict]:
    """The verifiers' verdicts on the samples, in their order."""
    by_id = {prompt.prompt_id: prompt for prompt in prompts}
    with (
        Grader(recipe.workers, recipe.time_limit_s) as grader,
        ThreadPoolExecutor(2 * recipe.workers) as threads,
        Progress(name, len(samples), "samples") as bar,
    ):
        graded: list[Verdict] = []
        for verdict in threads.map(lambda s: grader.grade(by_id[s.prompt_id], s), samples):
            graded.append(stop_without_sandbox(verdict))
            bar.update(len(graded))
    return graded


def verdict_files(run: RunFolder) -> list[Path]:
    """The verdict shards, in order."""
    return sorted(run.folder("verify").glob("verdicts-*.parquet"))


def read_verdicts(run: RunFolder) -> list[Verdict]:
    """The final verdict of every sample."""
    return final_verdicts(read_rows(verdict_files(run), Verdict))
