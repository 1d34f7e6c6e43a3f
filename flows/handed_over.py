"""A training that was handed to Slurm, as far as the run's own files tell."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.run_folder import STAGES
from sft.job import RECORD

SCRIPT, HANDED, LOG = "train.sbatch", "handed-over.json", "slurm"


def handed_over(run: Path, stages: Mapping[str, Any]) -> dict[str, Any] | None:
    """The batch script, when it and its job's log (None: no log) were last written, and whether a
    student came of it; None where no training was handed over, or it is finished."""
    folder = run / STAGES["train"]
    if stages.get("train", {}).get("status") == "done" or not (folder / HANDED).is_file():
        return None
    return {
        "script": str(folder / SCRIPT),
        "written_at": _written_at(folder / HANDED),
        "log": str(run / "logs" / f"{LOG}.log"),
        "log_written_at": _written_at(run / "logs" / f"{LOG}.log"),
        "student_is_there": (folder / "model" / RECORD).is_file(),
    }


def handed_over_line(handed: Mapping[str, Any]) -> str:
    """The same as people read it."""
    line = f"slurm     {handed['script']} was written {handed['written_at']}; "
    if handed["student_is_there"]:
        return line + "its student is there: what goes on takes it up, if the dataset is the same"
    if handed["log_written_at"] is None:
        return line + "it has no log yet; whether it was submitted is not known here (see squeue)"
    return line + f"{handed['log']} was written last at {handed['log_written_at']} (see squeue)"


def _written_at(file: Path) -> str | None:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat(timespec="seconds")
    except FileNotFoundError:
        return None
