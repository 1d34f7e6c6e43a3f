"""The train flow: the student is fine-tuned on the published traces, in a process of its own."""

import contextlib
import shlex
import shutil
from pathlib import Path
from typing import Any

from prefect import flow, task

from data_cards.funnel import FunnelRow
from flows.dataset_files import dataset_files
from flows.progress import say
from flows.recipe import Recipe
from flows.run_folder import RunFolder, open_run
from flows.runs import RUNS
from flows.serving import base_weights, model_folder
from flows.slurm_training import taken_up
from flows.stage import resolve, show, staged, unless_hopeless
from flows.student_card import write_student_card
from flows.training_history import LOSSES
from flows.training_process import TrainingStoppedError, watch_training
from sft.job import PROJECT, RECORD, TrainJob, write_job
from sft.launch_command import launch_command
from sft.saved_student import put_in_place

JOB, CHECKPOINTS, TRACKER = "job.json", "checkpoints", "tracker"


@flow(name="train")
def train(recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False) -> str:
    """Fine-tune the student on the run's dataset; returns the run's folder."""
    run = open_run(resolve(recipe), runs)
    with staged(run, "train", again) as stage:
        if stage.wanted:
            if again:
                train_anew(run)
            summary = train_student(run)
            stage.finish([_funnel_row(summary, stage.seconds())], **_facts(summary))
            show(run, "train")
            if (line := curves_line(run)) is not None:
                say(line)
            write_student_card(run)
    return str(run.path)


def curves_line(run: RunFolder) -> str | None:
    """The command that shows the curves that trackio keeps in the run; None where it keeps none."""
    folder = run.folder("train").absolute() / TRACKER / "trackio"
    if run.recipe.student.tracker != "trackio" or not folder.is_dir():
        return None
    return f"curves    TRACKIO_DIR={shlex.quote(str(folder))} trackio show --project {PROJECT}"


def train_anew(run: RunFolder) -> None:
    """Let nothing be continued or taken up: losses, curves and checkpoints are removed.

    The former student stays where it is until a new one is whole; it has lost its record only, by
    which a training knows its own work.
    """
    folder, model = run.folder("train"), model_folder(run)
    put_in_place(model)
    (model / RECORD).unlink(missing_ok=True)
    for name in (CHECKPOINTS, TRACKER):
        # Renamed first: a kill in the midst of removing leaves nothing that looks whole.
        gone = folder / f".{name}.gone"
        shutil.rmtree(gone, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            (folder / name).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
    (folder / LOSSES).unlink(missing_ok=True)
    if model.is_dir():
        say(f"train     anew; the former student stays in {model} until this one is whole")


def unless_stopped(task: object, task_run: object, state: Any) -> bool:
    """Whether a failed training is worth another try: not where it ended itself."""
    stopped = isinstance(state.result(raise_on_failure=False), TrainingStoppedError)
    return not stopped and unless_hopeless(task, task_run, state)


# A retry continues from the last checkpoint.
@task(name="train-student", retries=1, retry_delay_seconds=5, retry_condition_fn=unless_stopped)
def train_student(run: RunFolder) -> dict[str, Any]:
    """Run `python -m sft.train` (under accelerate for several processes); returns its summary.

    A student that a batch job has trained meanwhile is taken up as it is.
    """
    folder, job = run.folder("train").absolute(), training_job(run)
    if (summary := taken_up(run, job, folder)) is not None:
        return summary
    write_job(folder / JOB, job)
    command = launch_command(run.recipe.student, folder / JOB)
    return watch_training(command, run.log("train"), folder / LOSSES)


def training_job(run: RunFolder) -> TrainJob:
    """What the training of a run's student is given."""
    return TrainJob(
        data=tuple(path.absolute() for path in dataset_files(run)),
        student=run.recipe.student,
        model_dir=base_weights(run).model,
        output_dir=model_folder(run).absolute(),
        checkpoint_dir=(run.folder("train") / CHECKPOINTS).absolute(),
        held_out=(run.folder("curate") / "test.parquet").absolute(),
        template=run.recipe.dataset.template,
        answer_tokens=run.recipe.evals.max_tokens,
        sandbox=run.recipe.verification.sandbox,
    )


def _funnel_row(summary: dict[str, Any], seconds: float) -> FunnelRow:
    dropped = {f"dropped: {reason}": count for reason, count in summary["dropped"].items()}
    rows = summary["rows"] + sum(dropped.values())
    return FunnelRow("train", rows, {"train": summary["rows"], **dropped}, seconds)


def _facts(summary: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "tokens",
        "tokens_per_epoch",
        "steps",
        "resumed_from",
        "final_loss",
        "peak_memory_bytes",
    )
    return {name: summary.get(name) for name in kept} | {"training_s": summary.get("seconds")}
