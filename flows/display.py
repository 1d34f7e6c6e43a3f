"""Sampling shown while it runs: in a terminal, a log, as JSON, to Prometheus, on Prefect's page."""

import time
from dataclasses import fields
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from flows import panel
from flows.artifact import ProgressArtifact
from flows.cost import Cost, Price, cost_of
from flows.progress import LINE_EVERY_S, OUTPUT, in_terminal, say, say_json
from teacher.progress import SamplingProgress

PANEL_EVERY_S = 0.25


class SamplingDisplay:
    """The display of one step: `with SamplingDisplay("generate", price) as shown:` and then
    `shown.update(progress)` as often as there is news.

    In a terminal one live panel, gone at the end; else a line every few seconds, or with `--json`
    an object. Also the metrics port, if the command line has opened one, and Prefect's progress
    artifact inside of a flow run.
    """

    def __init__(self, name: str, price: Price | None = None) -> None:
        self._name, self._price = name, price
        self._artifact = ProgressArtifact(name)
        self._live: Any = None
        self._shown_s = time.monotonic()
        self._last: SamplingProgress | None = None

    def __enter__(self) -> Self:
        if in_terminal():
            from rich.live import Live

            self._live = Live(transient=True, auto_refresh=False)
            self._live.start()
            self._shown_s -= PANEL_EVERY_S
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if self._last is not None:
            if OUTPUT.as_json:
                self._say_json(self._last, self._cost(self._last), "ended")
            self._artifact.close(_percent(self._last), self._text(self._last))

    def update(self, progress: SamplingProgress) -> None:
        """Show the newest progress; what comes faster than it can be read is passed over."""
        self._last, cost, now_s = progress, self._cost(progress), time.monotonic()
        if OUTPUT.metrics is not None:
            OUTPUT.metrics.show(self._name, progress, cost)
        self._artifact.update(_percent(progress), self._text(progress))
        if now_s - self._shown_s < (PANEL_EVERY_S if self._live else LINE_EVERY_S):
            return
        self._shown_s = now_s
        if self._live is not None:
            size = self._live.console.size
            shown = panel.panel(self._name, progress, cost, size.width, size.height)
            self._live.update(shown, refresh=True)
        elif OUTPUT.as_json:
            self._say_json(progress, cost, "sampling")
        else:
            say(panel.line(self._name, progress, cost))

    def _cost(self, progress: SamplingProgress) -> Cost | None:
        return cost_of(progress, self._price)

    def _text(self, progress: SamplingProgress) -> str:
        return panel.line(self._name, progress, self._cost(progress))

    def _say_json(self, progress: SamplingProgress, cost: Cost | None, event: str) -> None:
        said = {"event": event, "step": self._name, "at": datetime.now(UTC).isoformat()}
        facts = {field.name: getattr(progress, field.name) for field in fields(progress)}
        rates = {
            "acceptance_rate": panel.acceptance_rate(progress),
            "cost_dollars": cost.so_far if cost else None,
            "cost_projected_dollars": cost.projected if cost else None,
        }
        say_json({**said, **facts, **rates})


def _percent(progress: SamplingProgress) -> float:
    return 100 * progress.prompts_done / max(1, progress.prompts_total)
