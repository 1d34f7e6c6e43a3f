"""The distill flow: the whole line, stage after stage."""

from pathlib import Path

from prefect import flow

from flows.curate import curate
from flows.evaluate import evaluate
from flows.generate import generate
from flows.overview import summary_text
from flows.progress import say
from flows.publish import publish
from flows.recipe import Recipe
from flows.run_folder import open_run
from flows.runs import RUNS
from flows.stage import artifact, resolve
from flows.train import train
from flows.verify import verify


@flow(name="distill")
def distill(recipe: Recipe | str = "default", runs: Path = RUNS, edition: str = "") -> str:
    """Curate prompts, sample the teacher, verify, publish, train, evaluate; returns the run.

    `edition` makes a new run of an unchanged recipe; `today` stands for the date.
    """
    recipe = resolve(recipe, edition)
    run = open_run(recipe, runs)
    say(f"run       {run.path}")
    curate(recipe, runs)
    generate(recipe, runs)
    verify(recipe, runs)
    publish(recipe, runs)
    train(recipe, runs)
    evaluate(recipe, runs)
    summary = summary_text(run.path)
    say(summary)
    artifact(run, "summary", f"```\n{summary}\n```\n")
    return str(run.path)
