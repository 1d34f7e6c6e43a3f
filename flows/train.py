"""The train flow: the student is fine-tuned on the published traces, in a process of its own."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import flow, task

from data_cards.funnel import FunnelRow
from flows.progress import Progress
from flows.publish import dataset_files
from flows.recipe import Recipe
from flows.run_folder import RUNS, RunFolder, open_run
from flows.serving import base_weights, model_folder
from flows.stage import resolve, show, staged, unless_hopeless
from prompts.errors import PrerequisiteError, RunError
from sft.job import TrainJob, write_job
from sft.launch_command import launch_command


@flow(name="train")
def train(recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False) -> str:
    """Fine-tune the student on the run's dataset; returns the run's folder."""
    run = open_run(resolve(recipe), runs)
    with staged(run, "train", again) as stage:
        if stage.wanted:
            summary = train_student(run)
            stage.finish([_funnel_row(summary, stage.seconds())], **_facts(summary))
            show(run, "train")
    return str(run.path)


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
        checkpoint_dir=(folder / "checkpoints").absolute(),
    )
    write_job(folder / "job.json", job)
    command = launch_command(run.recipe.student, (folder / "job.json").absolute())
    return _watched(command, run.log("train"), folder / "losses.jsonl")


def _watched(command: Sequence[str], log: Path, losses: Path) -> dict[str, Any]:
    """Run the training process, show its steps, return its last line; raises what it died of."""
    log.parent.mkdir(parents=True, exist_ok=True)
    summary: dict[str, Any] = {}
    with (
        log.open("wb") as errors,
        losses.open("a", encoding="utf-8") as history,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            summary = _follow(process.stdout, history)
        except BaseException:
            process.terminate()
            raise
    if process.returncode == 0 and summary:
        return summary
    end = "\n".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-20:])
    if process.returncode == 2:
        raise PrerequisiteError(f"training did not start: {end}")
    raise RunError(f"training ended with code {process.returncode}; end of {log}:\n{end}")


def _follow(lines: Any, history: Any) -> dict[str, Any]:
    """Show each step as it comes and keep it; the summary is the last line."""
    bar: Progress | None = None
    for line in lines:
        history.write(line)
        step = json.loads(line)
        if step.get("done"):
            return dict(step)
        bar = bar or Progress("train", step["of"], "steps").__enter__()
        rate = step["tokens"] / step["seconds"] if step["seconds"] else 0
        bar.update(step["step"], f"loss {step['loss']:.3f}  {rate:,.0f} tokens/s")
    return {}


def _funnel_row(summary: dict[str, Any], seconds: float) -> FunnelRow:
    dropped = {f"dropped: {reason}": count for reason, count in summary["dropped"].items()}
    rows = summary["rows"] + sum(dropped.values())
    return FunnelRow("train", rows, {"train": summary["rows"], **dropped}, seconds)


def _facts(summary: dict[str, Any]) -> dict[str, Any]:
    kept = ("tokens", "tokens_per_epoch", "steps", "resumed_from", "final_loss")
    return {name: summary.get(name) for name in kept} | {"training_s": summary.get("seconds")}
