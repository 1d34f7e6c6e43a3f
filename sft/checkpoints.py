"""Checkpoints that can be trusted: one counts only when its last write, a marker, is there."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from sft.messages import Encoded
from sft.student import StudentRecipe

MARKER = "whole"
OWNER = "training.json"


class MarkWhole(TrainerCallback):
    """Writes the marker once everything else of a checkpoint is on disk; saves none at the end.

    A checkpoint after the last step would be 14 bytes a parameter written for nothing: the
    finished student is saved next.
    """

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """No checkpoint after the last step."""
        if state.global_step >= state.max_steps:
            control.should_save = False

    on_epoch_end = on_step_end

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by the trainer after a checkpoint's last file."""
        if state.is_world_process_zero:
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / MARKER).touch()


def training_fingerprint(student: StudentRecipe, encoded: Encoded) -> str:
    """Names one training: same recipe and same token rows, so that its checkpoints fit."""
    digest = hashlib.blake2b(student.model_dump_json().encode(), digest_size=16)
    for row in encoded.rows:
        digest.update(json.dumps(row.input_ids).encode())
    return digest.hexdigest()


def open_checkpoints(folder: Path, fingerprint: str, resume: bool) -> Path | None:
    """The newest whole checkpoint of this very training, or None; all others are removed."""
    owner = folder / OWNER
    if not (resume and owner.is_file() and owner.read_text(encoding="utf-8") == fingerprint):
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    owner.write_text(fingerprint, encoding="utf-8")
    newest: Path | None = None
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=_step_of):
        if not (checkpoint / MARKER).is_file():
            shutil.rmtree(checkpoint)
            continue
        newest = checkpoint
    return newest


def _step_of(checkpoint: Path) -> int:
    """The step in `checkpoint-120`."""
    return int(checkpoint.name.rpartition("-")[2])
