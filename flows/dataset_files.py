"""Which files a run's published dataset lies in; read before Prefect is set up, so without it."""

from collections.abc import Sequence
from pathlib import Path

from flows.run_folder import STAGES, RunFolder, read_manifest
from prompts.errors import PrerequisiteError


def dataset_files(run: RunFolder, split: str = "train") -> list[Path]:
    """The published Parquet files of one split, those of earlier rounds first where its student
    learns from all."""
    rounds = run.recipe.rounds
    former = rounds.former if rounds and rounds.traces == "all" else ()
    files: list[Path] = []
    for name in (*former, run.name):
        found = sorted((run.path.parent / name / STAGES["publish"]).glob(f"data/{split}-*.parquet"))
        if name != run.name:
            _need_dataset(run.path.parent / name, found)
        if not found and split == "train":
            raise PrerequisiteError(
                f"{run.folder('publish')} holds no dataset to train on, or to describe: "
                f"`stillhouse publish {run.path} --again` makes it again"
            )
        files += found
    return files


def _need_dataset(earlier: Path, files: Sequence[Path]) -> None:
    """PrerequisiteError unless the dataset of an earlier round is there, and whole."""
    if not files:
        raise PrerequisiteError(f"the dataset of the earlier round {earlier.name} is gone")
    if read_manifest(earlier)["stages"].get("publish", {}).get("status") != "done":
        raise PrerequisiteError(
            f"the dataset of the earlier round {earlier.name} is not finished, or out of date: run "
            f"`stillhouse publish {earlier}` first"
        )
