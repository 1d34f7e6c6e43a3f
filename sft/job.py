"""The TrainJob: everything `python -m sft.train` needs, in one JSON file."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prompts.errors import PrerequisiteError
from sft.student import StudentRecipe

# In the trained model's folder: {"fingerprint": …, "summary": {…}} of the training that made it.
RECORD = "training.json"


class TrainJob(BaseModel):
    """One training: which rows, which student, from which weights, to which folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: tuple[Path, ...] = Field(
        min_length=1, description="Parquet files with columns messages and reasoning"
    )
    student: StudentRecipe
    model_dir: str = Field(description="folder or Hub id of the weights to start from")
    output_dir: Path = Field(description="where the trained model lands, whole or not at all")
    checkpoint_dir: Path | None = Field(
        default=None, description="where checkpoints lie; beside output_dir if none"
    )
    resume: bool = Field(
        default=True,
        description="keep an output of this very training; continue from its newest checkpoint",
    )

    @property
    def checkpoints(self) -> Path:
        """The checkpoint folder: as named, else beside the output."""
        beside = self.output_dir.with_name(f".{self.output_dir.name}.checkpoints")
        return self.checkpoint_dir or beside


def read_job(path: Path) -> TrainJob:
    """The job of a JSON file; PrerequisiteError says which key is wrong."""
    try:
        return TrainJob.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError) as error:
        raise PrerequisiteError(f"cannot read the training job {path}: {error}") from None
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors()
        )
        raise PrerequisiteError(f"{path} is not a training job: {faults}") from None


def finished_summary(job: TrainJob, fingerprint: str) -> dict[str, Any] | None:
    """The summary of the training that made the output folder, if it was this very one."""
    try:
        record = json.loads((job.output_dir / RECORD).read_text(encoding="utf-8"))
        same = record["fingerprint"] == fingerprint
        return dict(record["summary"]) if same and job.resume else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_job(path: Path, job: TrainJob) -> None:
    """Write a job as JSON for `python -m sft.train`."""
    path.write_text(job.model_dump_json(indent=2) + "\n", encoding="utf-8")
