"""Checkpoints that can be trusted: one counts only when its last write, a marker, is there.

The marker names every file with its bytes: where a machine fell over, a file may be shorter.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from prompts.errors import PrerequisiteError
from sft.student import StudentRecipe

MARKER = "whole"
OWNER = "training.json"
PIECE_BYTES = 2**16
TRYING = "trying.rank-"  # begins the name of a file that is there while a rank makes a try
# Keys of a student that change nothing in its weights.
_NOT_WEIGHTS = {
    *("tracker", "repo_id", "reference_scores", "architecture", "loss_spike"),
    *("eval_prompts", "eval_every_steps", "eval_max_tokens"),
    # When it saves, and what it computes twice or keeps elsewhere to need less memory.
    *("checkpoint_every_steps", "gradient_checkpointing", "activation_offloading"),
    # How a step's rows are laid, and over how many ranks: its gradient is theirs (sft/steps.py).
    *("launch", "gpus", "processes", "sequence_parallel", "micro_batch_size", "packing"),
}
# What a checkpoint is made of: copies of the whole, or parts that any number of ranks takes up.
_FORMATS = {"single": "whole", "ddp": "whole", "fsdp": "sharded"}


class MarkWhole(TrainerCallback):
    """Writes the marker once every rank's files of a checkpoint are there; saves none at the end.

    A checkpoint after the last step would be 14 bytes a parameter written for nothing: the
    finished student is saved next.
    """

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """No checkpoint after the last step."""
        if state.global_step >= state.max_steps:
            control.should_save = False

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by the trainer, on every rank, after that rank's last file of a checkpoint."""
        _wait_for_all_ranks()
        if state.is_world_process_zero:
            mark_whole(Path(args.output_dir) / f"checkpoint-{state.global_step}")


def mark_whole(checkpoint: Path) -> None:
    """Write the marker, once all that it names is on the disk."""
    sizes = {}
    for file in sorted(path for path in checkpoint.rglob("*") if path.is_file()):
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
        sizes[str(file.relative_to(checkpoint))] = file.stat().st_size
    (checkpoint / MARKER).write_text(json.dumps(sizes), encoding="utf-8")


def is_whole(checkpoint: Path) -> bool:
    """Whether every file that the marker names has the bytes that were written."""
    try:
        sizes = json.loads((checkpoint / MARKER).read_text(encoding="utf-8"))
        return all((checkpoint / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def training_fingerprint(student: StudentRecipe, model_dir: str, rows_key: str) -> str:
    """Names one training: same recipe, base and token rows, so that what it left behind fits.

    Another tracker, other tries on the way, more checkpoints, less memory or another number of GPUs
    make no other student: what was trained with them goes on. DeepSpeed's checkpoints are of as
    many GPUs as wrote them, and a processor without bfloat16 writes others than one with it.
    """
    recipe = student.model_dump_json(exclude=_NOT_WEIGHTS)
    form = _FORMATS.get(student.launch, f"{student.launch} of {student.gpus}")
    if student.arithmetic != student.dtype:
        form = f"{form}, in {student.arithmetic}"
    parts = json.dumps([recipe, form, _weights_of(model_dir), rows_key])
    return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()


def _weights_of(model_dir: str) -> str:
    """What tells a base from another: a folder's weights by pieces of each file, a Hub id as it is.

    Other weights may come to lie where the base was, and the same ones elsewhere.
    """
    digest = hashlib.blake2b(digest_size=16)
    files = sorted(Path(model_dir).glob("*.safetensors")) if Path(model_dir).is_dir() else []
    for path in files:
        size = path.stat().st_size
        digest.update(f"{path.name} {size}".encode())
        with path.open("rb") as file:
            for place in (0, size // 2, max(0, size - PIECE_BYTES)):
                file.seek(place)
                digest.update(file.read(PIECE_BYTES))
    return digest.hexdigest() if files else model_dir


def open_checkpoints(
    folder: Path, fingerprint: str, resume: bool, warn: Callable[[str], None] = lambda _: None
) -> Path | None:
    """The newest whole checkpoint of this very training, or None; rank 0 removes all others.

    It warns of those that it removes although they could have been continued, or may have.

    Raises PrerequisiteError, and removes nothing, when the file that names the owner is broken.
    Ranks agree even before they can wait for each other: the owner changes only after the other
    training's checkpoints are gone, and without the right owner there is nothing to continue.
    """
    ours = resume and _owner(folder / OWNER) == fingerprint
    if _is_first_rank():
        if not ours:
            if resume and (lost := sorted(folder.glob(f"checkpoint-*/{MARKER}"))):
                names = ", ".join(marker.parent.name for marker in lost)
                warn(f"{names} in {folder} came of another recipe, base or rows: removed")
            _start_afresh(folder, fingerprint)
        for checkpoint in folder.glob("checkpoint-*"):
            if not is_whole(checkpoint):
                if (checkpoint / MARKER).exists():
                    warn(f"{checkpoint} lost a part of what was written to it: removed")
                shutil.rmtree(checkpoint)
    _wait_for_all_ranks()
    if not ours:
        return None
    return max(filter(is_whole, folder.glob("checkpoint-*")), key=_step_of, default=None)


def first_ranks_choice(checkpoint: Path | None) -> Path | None:
    """The first rank's checkpoint, on every rank that is connected.

    Another node may see what lay in a shared folder a minute ago: ranks that go on from other
    steps than the first one would mix their gradients without a word.
    """
    import torch.distributed as ranks

    said = [checkpoint]
    if ranks.is_available() and ranks.is_initialized():
        ranks.broadcast_object_list(said, src=0)
    return said[0]


def _owner(path: Path) -> str | None:
    """The fingerprint of the training that the folder belongs to, None if it is nobody's."""
    if not path.exists():
        return None
    found = path.read_bytes().decode(errors="replace")
    if not re.fullmatch("[0-9a-f]{32}", found):
        raise PrerequisiteError(
            f"{path} is broken: it holds {found[:40]!r} instead of a training's fingerprint. The "
            "checkpoints beside it are untouched; remove the folder to train from the start"
        )
    return found


def _start_afresh(folder: Path, fingerprint: str) -> None:
    """Remove what other trainings left, then put our name on the folder, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for checkpoint in folder.glob("checkpoint-*"):
        (checkpoint / MARKER).unlink(missing_ok=True)  # half of one, left by a kill, is not whole
        shutil.rmtree(checkpoint)
    for left in folder.glob(f"{TRYING}*"):
        left.unlink()
    temporary = folder / f".{OWNER}.tmp"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(fingerprint)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, folder / OWNER)


def _is_first_rank() -> bool:
    import torch.distributed as ranks

    if ranks.is_available() and ranks.is_initialized():
        return bool(ranks.get_rank() == 0)
    return os.environ.get("RANK", "0") == "0"


def _wait_for_all_ranks() -> None:
    """A barrier, where there is more than one rank and they are connected."""
    import torch.distributed as ranks

    if ranks.is_available() and ranks.is_initialized():
        ranks.barrier()


def _step_of(checkpoint: Path) -> int:
    """The step in `checkpoint-120`."""
    return int(checkpoint.name.rpartition("-")[2])
