"""Stopping a training in order: a file appears, the step ends, a checkpoint is saved."""

from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from prompts.errors import RunError


class StopWhenAsked(TrainerCallback):
    """Saves a checkpoint at the end of the step in which the file appears, and ends with RunError.

    All ranks stop at the same step: the first one looks, the others are told.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stopped = False

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Look for the file; nothing to stop after the last step."""
        if state.global_step < state.max_steps and first_rank_says(self.path.exists(), args):
            self.stopped = control.should_save = control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The request is met: RunError says where training goes on."""
        if self.stopped:
            if state.is_world_process_zero:
                self.path.unlink(missing_ok=True)
            # The launcher ends all ranks once one has ended: none does before the first one, which
            # has curves on their way, is here.
            first_rank_says(True, args)
            raise RunError(
                f"stopped as asked after step {state.global_step} of {state.max_steps}; the same "
                "command goes on from there"
            )


def first_rank_says(value: bool, args: Any) -> bool:
    """Rank 0's value, on every rank."""
    import torch
    import torch.distributed as ranks

    if not (ranks.is_available() and ranks.is_initialized()):
        return value
    said = torch.tensor([int(value)], device=args.device)
    ranks.broadcast(said, src=0)
    return bool(said.item())
