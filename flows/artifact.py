"""A bar on Prefect's page of artifacts that follows a long step of a flow run."""

import contextvars
import re
import sys
import threading
import time
from uuid import UUID

from flows.progress import say

EVERY_S = 15.0
# At the end the last bar is waited for so long, and not longer when Prefect's server hangs.
LAST_WAIT_S = 5.0


class ProgressArtifact:
    """The progress artifact of one step; nothing at all outside of a flow run.

    Every request runs in a thread of its own, one at a time: the event loop never waits for
    Prefect's server, and its failure is said once and hurts nothing.
    """

    def __init__(self, name: str) -> None:
        self.key = "sampling-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        self._in_run = _in_flow_run()
        self._context = contextvars.copy_context()  # Prefect finds its flow run in it
        self._sent_s = -EVERY_S
        self._thread: threading.Thread | None = None
        self._id: UUID | None = None
        self._failed = False

    def update(self, percent: float, text: str) -> None:
        """Show `percent` (0 to 100) and a text, unless the last ones are less than 15 s old."""
        now_s = time.monotonic()
        if now_s - self._sent_s >= EVERY_S and not self._busy():
            self._sent_s = now_s
            self._start(percent, text)

    def close(self, percent: float, text: str) -> None:
        """Show how it ended, if the server answers within a few seconds."""
        if self._thread is None:
            return
        self._thread.join(LAST_WAIT_S)
        if not self._busy():
            self._start(percent, text)
            self._thread.join(LAST_WAIT_S)

    def _busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _start(self, percent: float, text: str) -> None:
        if self._in_run:
            work = (self._send, min(100.0, max(0.0, percent)), text)
            self._thread = threading.Thread(target=self._context.run, args=work, daemon=True)
            self._thread.start()

    def _send(self, percent: float, text: str) -> None:
        from prefect.artifacts import create_progress_artifact, update_progress_artifact

        try:
            if self._id is None:
                made = create_progress_artifact(percent, key=self.key, description=text)
                self._id = made if isinstance(made, UUID) else None
            else:
                update_progress_artifact(self._id, percent, description=text)
        except Exception as error:  # noqa: BLE001 (whatever Prefect raises, sampling goes on)
            if not self._failed:
                self._failed = True
                say(f"progress is not shown on Prefect's page: {type(error).__name__}: {error}")


def _in_flow_run() -> bool:
    """Whether this code runs inside a flow or task run; Prefect is not imported to find out."""
    if "prefect" not in sys.modules:
        return False
    from prefect.context import FlowRunContext, TaskRunContext

    return FlowRunContext.get() is not None or TaskRunContext.get() is not None
