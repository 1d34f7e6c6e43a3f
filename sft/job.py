"""The TrainJob: everything `python -m sft.train` needs, in one JSON file."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from filters.sandbox.settings import BUBBLEWRAP, SandboxSettings
from prompts.errors import PrerequisiteError
from sft.student import StudentRecipe

# In the trained model's folder: {"fingerprint": …, "summary": {…}} of the training that made it.
RECORD = "training.json"
# What trackers file all curves under.
PROJECT = "stillhouse"


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
    held_out: Path | None = Field(
        default=None, description="Parquet of Prompt rows; some are answered while it trains"
    )
    template: str = Field(
        default="zero-shot", description="how those are put: a file in prompts/templates"
    )
    answer_tokens: int | None = Field(
        default=None, ge=1, description="their token limit, where below student.eval_max_tokens"
    )
    sandbox: SandboxSettings = Field(
        default=BUBBLEWRAP, description="where programs among their answers run"
    )

    @property
    def checkpoints(self) -> Path:
        """The checkpoint folder: as named, else beside the output."""
        beside = self.output_dir.with_name(f".{self.output_dir.name}.checkpoints")
        return self.checkpoint_dir or beside

    @property
    def stop_file(self) -> Path:
        """Whoever makes this file asks the training to stop, as a batch system does."""
        return self.checkpoints.with_name(f"{self.checkpoints.name}.stop")

    @property
    def try_tokens(self) -> int:
        """Token limit of an answer while training: an evaluation's, or the student's own below."""
        own = self.student.eval_max_tokens
        return own if self.answer_tokens is None else min(own, self.answer_tokens)

    @property
    def tracker_folder(self) -> Path:
        """Where a tracker keeps its files: beside the output."""
        return self.output_dir.with_name("tracker")


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


def write_job(path: Path, job: TrainJob) -> None:
    """Write a job as JSON for `python -m sft.train`."""
    path.write_text(job.model_dump_json(indent=2) + "\n", encoding="utf-8")
