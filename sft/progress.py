"""What training says while it runs: one JSON line per optimiser step on standard output."""

import json
import math
import sys
import time
from typing import Any, TextIO

from transformers import TrainerCallback

from prompts.errors import RunError


class JsonLines(TrainerCallback):
    """Prints {"step", "of", "loss", "tokens", "seconds"} per step; stops on a loss that is NaN.

    `tokens` are those trained on so far in this process, prompts included; `seconds` count from
    the start of training.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.started = time.monotonic()
        self.tokens = 0
        self.final_loss: float | None = None

    def count(self, tokens: int) -> None:
        """Add a micro-batch's real tokens."""
        self.tokens += tokens

    def say(self, **values: Any) -> None:
        """One line, flushed: the reader is another process."""
        print(json.dumps(values), file=self.out, flush=True)

    def warn(self, text: str, step: int) -> None:
        """Something a person should see while training goes on; in the log too."""
        print(f"warning: {text}", file=sys.stderr, flush=True)
        self.say(warning=text, at=step)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report a step, and refuse to go on from a loss or gradient that is no number."""
        logs: dict[str, float] = kwargs.get("logs") or {}
        if "loss" not in logs:
            return
        loss, norm = float(logs["loss"]), float(logs.get("grad_norm", 0.0))
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise RunError(
                f"the loss became {loss} and the gradient norm {norm} at step "
                f"{state.global_step} of {state.max_steps}; the last checkpoint is whole. "
                "Lower student.learning_rate or use dtype float32"
            )
        self.final_loss = loss
        if state.is_world_process_zero:
            self.say(
                step=state.global_step,
                of=state.max_steps,
                loss=round(loss, 5),
                tokens=self.tokens,
                seconds=round(time.monotonic() - self.started, 2),
            )
