"""The train flow: the student is fine-tuned on the published traces, in a process of its own."""

import shutil
from pathlib import Path
from typing import Any

from prefect import flow, task

from data_cards.funnel import FunnelRow
from flows.publish import dataset_files
from flows.recipe import Recipe
from flows.run_folder import RUNS, RunFolder, open_run
from flows.serving import base_weights, model_folder
from flows.stage import resolve, show, staged, unless_hopeless
from flows.training_process import watch_training
from sft.job import TrainJob, write_job
from sft.launch_command import launch_command

CHECKPOINTS, LOSSES = "checkpoints", "losses.jsonl"


@flow(name="train")
def train(recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False) -> str:
    """Fine-tune the student on the run's dataset; returns the run's folder."""
    run = open_run(resolve(recipe), runs)
    with staged(run, "train", again) as stage:
        if stage.wanted:
            if again:
                forget_student(run)
            summary = train_student(run)
            stage.finish([_funnel_row(summary, stage.seconds())], **_facts(summary))
            show(run, "train")
    return str(run.path)


def forget_student(run: RunFolder) -> None:
    """Remove the trained student, its checkpoints and its losses."""
    shutil.rmtree(model_folder(run), ignore_errors=True)
    shutil.rmtree(run.folder("train") / CHECKPOINTS, ignore_errors=True)
    (run.folder("train") / LOSSES).unlink(missing_ok=True)


# A retry continues from the last checkpoint.
@task(name="train-student", retries=1, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def train_student(run: RunFolder) -> dict[str, Any]:
    """Run `python -m sft.train` (under accelerate for several GPUs); returns its summary."""
    folder = run.folder("train")
    job = TrainJob(
        data=tuple(path.absolute() for path in dataset_files(run)),
        student=run.recipe.student,
        model_dir=base_weights(run).model,
        output_dir=model_folder(run).absolute(),
        checkpoint_dir=(folder / CHECKPOINTS).absolute(),
    )
    write_job(folder / "job.json", job)
    command = launch_command(run.recipe.student, (folder / "job.json").absolute())
    return watch_training(command, run.log("train"), folder / LOSSES)


def _funnel_row(summary: dict[str, Any], seconds: float) -> FunnelRow:
    dropped = {f"dropped: {reason}": count for reason, count in summary["dropped"].items()}
    rows = summary["rows"] + sum(dropped.values())
    return FunnelRow("train", rows, {"train": summary["rows"], **dropped}, seconds)


def _facts(summary: dict[str, Any]) -> dict[str, Any]:
    kept = ("tokens", "tokens_per_epoch", "steps", "resumed_from", "final_loss")
    return {name: summary.get(name) for name in kept} | {"training_s": summary.get("seconds")}
