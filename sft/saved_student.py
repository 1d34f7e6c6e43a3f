"""The folder of a trained student: there whole, with the record of its training, or not at all.

It is saved beside, under another name, and takes its place by two renames. Its record is written
last: a student that has one is whole under either name, whatever was killed since.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prompts.errors import RunError
from sft.job import RECORD, TrainJob
from sft.template_safety import prove_saved


def save_student(trainer: Any, tokenizer: Any, folder: Path, record: Mapping[str, Any]) -> None:
    """Save weights, tokenizer, generation settings and the record of how they came about.

    They appear in `folder` all at once; what was there stays until then.
    """
    temporary = _beside(folder)
    if trainer.is_world_process_zero():
        shutil.rmtree(temporary, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    with saving(temporary, "the last checkpoint is kept"):
        trainer.save_model(str(temporary))
        if not trainer.is_world_process_zero():
            return
        tokenizer.save_pretrained(temporary)
        prove_saved(temporary, tokenizer, trainer.model.config)
        # A pickle of the trainer's settings, with the paths of this machine: nothing to publish.
        (temporary / "training_args.bin").unlink(missing_ok=True)
        (temporary / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    put_in_place(folder)


# In the words of the system, and of torch where it keeps them to itself.
_WRITING = (
    *("no space left", "quota", "file too large", "read-only", "permission denied"),
    *("i/o error", "input/output error", "pytorchstreamwriter", "inline_container"),
)


@contextmanager
def saving(folder: Path, kept: str) -> Iterator[None]:
    """RunError for whatever the libraries raise that cannot write: each has a kind of its own.

    Other faults, of a connection say, are raised as they are: those are worth another try.
    """
    from safetensors import SafetensorError
    from torch.distributed.checkpoint.api import CheckpointException

    try:
        yield
    except (OSError, RuntimeError, SafetensorError, CheckpointException) as error:
        if not _is_of_writing(error):
            raise
        there = next(path for path in (folder, *folder.parents) if path.is_dir())
        free = shutil.disk_usage(there).free / 1e9
        raise RunError(
            f"cannot save to {folder}, where {free:.1f} GB are free: {error}. Make room: {kept}, "
            "and the same command goes on from it"
        ) from error


def _is_of_writing(error: BaseException) -> bool:
    said = f"{error} {error.__cause__}".lower()
    files = isinstance(error, OSError) and not isinstance(error, ConnectionError)
    return files or any(words in said for words in _WRITING)


def put_in_place(folder: Path) -> None:
    """Let a student that was saved whole be the one in `folder`, as far as it is not yet."""
    temporary, former = _beside(folder), folder.with_name(f".{folder.name}.former")
    if _record(temporary) is not None:
        shutil.rmtree(former, ignore_errors=True)
        if folder.exists():
            folder.rename(former)
        temporary.rename(folder)
    elif former.exists() and not folder.exists():
        former.rename(folder)
    shutil.rmtree(former, ignore_errors=True)


def finished_summary(job: TrainJob, fingerprint: str) -> dict[str, Any] | None:
    """The summary of the training that made the job's student, if it was this very one.

    The student may not be in its place yet (`put_in_place`). Ranks find the same, also while the
    first one puts it there: they look where it comes from, then where it goes.
    """
    for folder in (_beside(job.output_dir), job.output_dir):
        found = _record(folder) or {}
        if job.resume and found.get("fingerprint") == fingerprint and "summary" in found:
            return dict(found["summary"])
    return None


def _beside(folder: Path) -> Path:
    """Where a student is saved that is to lie in `folder`."""
    return folder.with_name(f".{folder.name}.partial")


def _record(folder: Path) -> dict[str, Any] | None:
    """The record of a whole student; None where there is none, or half of it."""
    try:
        found: Any = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
