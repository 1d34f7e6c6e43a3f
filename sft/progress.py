"""What training says while it runs: one JSON line per optimiser step on standard output."""

import json
import math
import sys
import time
from typing import Any, TextIO

from transformers import TrainerCallback

from prompts.errors import RunError

TOKENS, SECONDS = "tokens_so_far", "seconds_so_far"


class JsonLines(TrainerCallback):
    """Prints {"step", "of", "loss", "tokens", "seconds"} per step; stops on a loss that is NaN.

    `tokens` are those trained on so far, prompts included, `seconds` what that took; a training
    that goes on from a checkpoint counts on from what stands there.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.started = time.monotonic()
        self.earlier_s = 0.0
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

    def so_far(self) -> dict[str, float]:
        """What a checkpoint keeps of it, beside each step's loss (`trainer_state.json`)."""
        return {TOKENS: self.tokens, SECONDS: self.earlier_s + time.monotonic() - self.started}

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock, or go on from the checkpoint's."""
        kept = [logs for logs in state.log_history if TOKENS in logs]
        last: dict[str, float] = kept[-1] if kept else {}
        self.tokens, self.earlier_s = int(last.get(TOKENS, 0)), last.get(SECONDS, 0.0)
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
                f"{state.global_step} of {state.max_steps}; what was saved before is whole. "
                "Lower student.learning_rate or use dtype float32"
            )
        self.final_loss = loss
        if state.is_world_process_zero:
            self.say(
                step=state.global_step,
                of=state.max_steps,
                loss=round(loss, 5),
                tokens=self.tokens,
                seconds=round(self.so_far()[SECONDS], 2),
            )
