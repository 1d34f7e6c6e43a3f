"""Runs made by hand, with students that were graded so and so: for comparisons and rounds."""

import json
from pathlib import Path
from typing import Any

from data_cards_records import make_prompt, make_sample, make_verdict

from data_cards.funnel import FunnelRow
from evals.run import score
from evals.scores import Scores
from filters.verdict import Outcome, Reason
from flows.recipe import Recipe
from flows.run_folder import STAGES, RunFolder, open_run, write_text
from prompts.parquet import write_rows
from teacher.sample import Sample


def scores_of(right: dict[str, int], k: int = 2, benchmark: str = "held-out") -> Scores:
    """Scores of prompts by question, of whose k samples so many are right."""
    prompts = [make_prompt(question) for question in right]
    samples, verdicts = [], []
    for prompt in prompts:
        for index in range(k):
            sample = make_sample(prompt, index)
            accepted = index < right[prompt.question]
            samples.append(sample)
            verdicts.append(
                make_verdict(sample)
                if accepted
                else make_verdict(sample, Outcome.REJECT, Reason.ANSWER_MISMATCH)
            )
    return score(prompts, samples, verdicts, k).model_copy(update={"benchmark": benchmark})


def write_scores(folder: Path, scores: Scores) -> Path:
    """A scores.json in a folder."""
    write_text(folder / "scores.json", json.dumps(scores.to_dict()))
    return folder / "scores.json"


def finish(run: RunFolder, stage: str, **facts: Any) -> None:
    """Note a stage as done, its folder there."""
    run.folder(stage)
    run.finish(stage, run.begin(stage), [FunnelRow(stage, 3, {"train": 3}, 1.0)], **facts)


def made_run(recipe: Recipe, runs: Path, stages: int = 4) -> RunFolder:
    """A run whose first stages are done; `2-samples` holds a shard, and what a sampling leaves."""
    run = open_run(recipe, runs)
    samples = [make_sample(make_prompt("a"))]
    for stage in list(STAGES)[:stages]:
        if stage == "generate":
            write_rows(run.folder(stage) / "samples-00000.parquet", samples, Sample)
            write_text(run.folder(stage) / "samples.lock", "")
        finish(run, stage, completion_tokens=1_000, wasted_tokens=24, traces=3)
    return run


def measured_run(recipe: Recipe, runs: Path, right: dict[str, int]) -> RunFolder:
    """A finished run with a student that answers so well."""
    run = made_run(recipe, runs, 5)
    model = run.folder("train") / "model"
    write_text(model / "config.json", "{}")
    write_text(model / "training.json", json.dumps({"fingerprint": run.name}))
    write_scores(run.folder("evaluate") / "student", scores_of(right))
    finish(run, "evaluate")
    return run
