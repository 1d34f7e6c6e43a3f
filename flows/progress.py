"""What a person sees while a long step runs: a bar in a terminal, a line every few seconds else."""

import sys
import time
from types import TracebackType
from typing import Any, Self

LINE_EVERY_S = 5.0


def say(text: str) -> None:
    """One line for the person at the terminal (or the log of a schedule)."""
    print(text, flush=True)


class Progress:
    """Progress of one step: `with Progress("generate", 340, "prompts") as bar: bar.update(12)`.

    Shows how many are done, the rate and the time left; the caller may give its own estimate.
    """

    def __init__(self, name: str, total: int, unit: str) -> None:
        self.name, self.total, self.unit = name, total, unit
        self._started = self._said = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stdout.isatty():
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
            from rich.progress import Progress as RichProgress

            self._bar = RichProgress(
                TextColumn("{task.description:9}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[note]}"),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self.name, total=self.total, note="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, done: int, note: str = "", seconds_left: float | None = None) -> None:
        """Say that `done` of the total are done; `note` is for figures such as tokens/s."""
        now = time.monotonic()
        elapsed_s = now - self._started
        if seconds_left is None and done and elapsed_s:
            seconds_left = (self.total - done) * elapsed_s / done
        words = [note] if note else []
        if done and elapsed_s > 0:
            words.append(f"{done / elapsed_s:,.1f} {self.unit}/s")
        if seconds_left is not None:
            words.append(f"{clock(seconds_left)} left")
        text = "  ".join(words)
        if self._bar is not None:
            self._bar.update(self._task, completed=done, note=text)
        elif now - self._said >= LINE_EVERY_S:
            self._said = now
            say(f"{self.name:9} {done:,}/{self.total:,} {self.unit}  {text}")


def clock(seconds: float) -> str:
    """Seconds as people read them: `48 s`, `3 min 05 s`, `7 h 12 min`, `13 d 4 h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 172_800:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"
