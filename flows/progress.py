"""What a person sees while a long step runs: a bar in a terminal, a line every few seconds else.

For machines (`--json`) standard output holds one JSON object a line and nothing else; what people
read then goes to standard error.
"""

import dataclasses
import json
import math
import sys
import time
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from flows.metrics import Metrics

LINE_EVERY_S = 5.0


@dataclass(slots=True)
class Output:
    """How this process reports: set by the command line before anything else is started."""

    as_json: bool = False
    metrics: "Metrics | None" = None


OUTPUT = Output()


def report_to(as_json: bool, metrics_port: int | None) -> None:
    """How this command reports, settled before it starts anything."""
    OUTPUT.as_json = as_json
    if metrics_port is not None:
        from flows.metrics import Metrics

        OUTPUT.metrics = Metrics(metrics_port)
        print(f"metrics   http://127.0.0.1:{OUTPUT.metrics.port}/metrics", file=sys.stderr)


def say(text: str) -> None:
    """One line for the person at the terminal (or the log of a schedule)."""
    print(text, flush=True, file=sys.stderr if OUTPUT.as_json else sys.stdout)


def say_json(facts: dict[str, Any]) -> None:
    """One JSON object, one line on standard output; what is no finite number becomes null."""
    print(json.dumps(_finite(facts), allow_nan=False), flush=True)


def plain(text: str, most: int) -> str:
    """Text from outside in one line without control characters, cut to `most` characters."""
    whole = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return whole if len(whole) <= most else whole[: most - 1] + "…"


def in_terminal() -> bool:
    """Whether a person watches a terminal that can be drawn on."""
    if OUTPUT.as_json or not sys.stdout.isatty():
        return False
    from rich.console import Console

    return not Console().is_dumb_terminal


class Progress:
    """Progress of one step: `with Progress("generate", 340, "prompts") as bar: bar.update(12)`.

    Shows how many are done, the rate and the time left; the caller may give its own estimate. A
    total of None is one that nobody knows: no time left is shown then. What was `begun` before is
    done without counting for the rate.
    """

    def __init__(self, name: str, total: int | None, unit: str, begun: int = 0) -> None:
        self.name, self.total, self.unit, self.begun = name, total, unit, begun
        self._started = self._said = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if in_terminal():
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
        elapsed_s, now_done = now - self._started, done - self.begun
        if seconds_left is None and now_done and elapsed_s and self.total is not None:
            seconds_left = max(0.0, (self.total - done) * elapsed_s / now_done)
        words = [note] if note else []
        if now_done and elapsed_s > 0:
            words.append(f"{now_done / elapsed_s:,.1f} {self.unit}/s")
        if seconds_left is not None:
            words.append(f"{clock(seconds_left)} left")
        text = "  ".join(words)
        if self._bar is not None:
            self._bar.update(self._task, completed=done, note=text)
        elif now - self._said >= LINE_EVERY_S:
            self._said = now
            self._say(done, text, seconds_left)

    def _say(self, done: int, text: str, seconds_left: float | None) -> None:
        if not OUTPUT.as_json:
            total = "" if self.total is None else f"/{self.total:,}"
            say(f"{self.name:9} {done:,}{total} {self.unit}  {text}")
            return
        counts = {"done": done, "total": self.total, "unit": self.unit}
        say_json({"event": "progress", "step": self.name, **counts, "seconds_left": seconds_left})


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


def _finite(value: Any) -> Any:
    """The value as strict JSON can hold it; dataclasses become objects."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, dict):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
