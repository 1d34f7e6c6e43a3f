"""`stillhouse train RUN --slurm`: the training as a batch job, and its student taken up later."""

import json
import sys
from pathlib import Path
from typing import Any

from flows.handed_over import HANDED, LOG, SCRIPT
from flows.run_folder import RunFolder, write_text
from flows.serving import model_folder
from flows.student_preflight import recipe_problems
from prompts.errors import PrerequisiteError
from sft.job import RECORD, TrainJob, write_job
from sft.slurm import slurm_script


def hand_run_to_slurm(run: RunFolder, again: bool = False) -> list[str]:
    """Write the training's job and its batch script into the run; returns what to type next.

    Nothing is started, and the stage stays unfinished until its student is taken up. With `again`
    a student that is there is not taken up: the job's will take its place. PrerequisiteError where
    there is no dataset yet, the student is trained, or the training could work on no machine.
    """
    with run.locked():
        run.need("publish")
        if problems := list(recipe_problems(run.recipe.student)):
            raise PrerequisiteError(
                "\n  - ".join(["the training cannot be handed over:", *problems])
            )
        if run.is_done("train") and not again:
            raise PrerequisiteError(
                f"the student of {run.path} is trained; --again hands it over once more"
            )
        from flows.train import JOB, train_anew, training_job  # loads Prefect, which takes seconds

        if again:
            run.begin("train", again=True)  # what is measured of the former student is out of date
            train_anew(run)
            run.stop("train")
        return _hand_over(run, training_job(run), run.folder("train").absolute() / JOB)


def _hand_over(run: RunFolder, job: TrainJob, job_file: Path) -> list[str]:
    """The files of a job, and the lines that say so."""
    folder = job_file.parent
    script, log = folder / SCRIPT, run.log(LOG).absolute()
    log.parent.mkdir(parents=True, exist_ok=True)
    write_job(job_file, job)
    write_text(script, slurm_script(job, job_file, script, log, sys.executable))
    write_text(folder / HANDED, json.dumps(_identity(run, job)) + "\n")
    each = job.student.checkpoint_every_steps
    kept = f"every {each} steps" if each else "once an epoch (student.checkpoint_every_steps)"
    return [
        f"slurm     {script}",
        f"submit    sbatch {script}   (log: {log}; checkpoints {kept} and before the time limit)",
        f"then      stillhouse train {run.path}   takes the finished student up",
    ]


def is_taken_up(run: RunFolder) -> bool:
    """Whether a batch job's student lies in the run already: then nothing is trained here."""
    folder = run.folder("train")
    return (folder / HANDED).is_file() and (model_folder(run) / RECORD).is_file()


def taken_up(run: RunFolder, job: TrainJob, folder: Path) -> dict[str, Any] | None:
    """The summary of a student that a batch job has finished for this very job; else None."""
    try:
        handed = json.loads((folder / HANDED).read_text(encoding="utf-8"))
        record = json.loads((job.output_dir / RECORD).read_text(encoding="utf-8"))
        return dict(record["summary"]) if handed == _identity(run, job) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _identity(run: RunFolder, job: TrainJob) -> dict[str, Any]:
    """The job and the datasets it reads: a dataset published again is another one."""
    former = run.former_datasets()
    of_run = {"job": job.model_dump(mode="json"), "dataset": run.identity("publish")}
    return {**of_run, "former": former} if former else of_run
