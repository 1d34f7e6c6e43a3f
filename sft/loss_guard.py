"""The guard against losses that jump: one jump is worth a warning, one that lasts ends training."""

from collections import deque
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from transformers import TrainerCallback

from prompts.errors import RunError
from sft.progress import JsonLines

WINDOW = 16  # calm steps whose median is the running loss
FEWEST = 4  # calm steps before anything is called a spike: the first losses fall fast
LASTING = 5  # spiked steps in a row after which training will not find back by itself
# Three times a loss of 0.01 is noise; a rise below this many nats a token is never a spike.
SMALLEST_RISE = 0.5
ROWS_NAMED = 8


class Spikes:
    """Counts the spiked steps in a row; a spiked step does not move the running loss."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.calm: deque[float] = deque(maxlen=WINDOW)
        self.streak = 0

    def feed(self, loss: float) -> int:
        """How many steps in a row have spiked now, this one included; 0 for a calm one."""
        usual = self.usual
        if usual is not None and loss > max(self.limit * usual, usual + SMALLEST_RISE):
            self.streak += 1
        else:
            self.streak = 0
            self.calm.append(loss)
        return self.streak

    @property
    def usual(self) -> float | None:
        """The running loss: the median of the last calm steps, None before there are enough."""
        return median(self.calm) if len(self.calm) >= FEWEST else None


class LossGuard(TrainerCallback):
    """Warns of a step whose loss is `limit` times the running one; stops when that lasts.

    `rows_of` names the rows of a step, 1 being the first. A training that continues remembers the
    losses its checkpoint holds, so that it is judged as if it had not been interrupted.
    """

    def __init__(
        self, limit: float, report: JsonLines, rows_of: Callable[[int], Sequence[str]]
    ) -> None:
        self.spikes = Spikes(limit)
        self.report = report
        self.rows_of = rows_of

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Take up the losses before the checkpoint."""
        for entry in state.log_history:
            if "loss" in entry:
                self.spikes.feed(float(entry["loss"]))

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Judge a step; RunError at the last of a streak, on every rank, as losses are shared."""
        logs = kwargs.get("logs") or {}
        if "loss" not in logs:
            return
        usual, loss = self.spikes.usual, float(logs["loss"])
        streak = self.spikes.feed(loss)
        if not streak:
            return
        what = (
            f"step {state.global_step} of {state.max_steps}: loss {loss:.3g}, above "
            f"{self.spikes.limit:g} × the running {usual:.3g}; its rows: {self._rows(state)}"
        )
        if streak >= LASTING:
            raise RunError(
                f"the loss spiked {streak} steps in a row and training was stopped. {what}. "
                "The last checkpoint is whole. Look at the rows; lower student.learning_rate or "
                "student.max_grad_norm, or raise student.loss_spike"
            )
        if streak == 1 and state.is_world_process_zero:
            self.report.warn(f"the loss spiked at {what}", state.global_step)

    def _rows(self, state: Any) -> str:
        rows = self.rows_of(state.global_step)
        rest = f" and {len(rows) - ROWS_NAMED} more" if len(rows) > ROWS_NAMED else ""
        return (", ".join(rows[:ROWS_NAMED]) or "not known") + rest
