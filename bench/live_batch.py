"""A batch on the running loop's clock, turned faster: it wakes those who wait for tokens."""

import asyncio
from dataclasses import dataclass, field

from bench.batching import Batch, Job, ReplicaModel

# Events closer together are told of at once: a busy batch has thousands a second.
SHORTEST_TICK_S = 0.002


@dataclass(eq=False, slots=True)
class LiveJob(Job):
    """A sequence with somebody waiting for it."""

    told: asyncio.Event = field(default_factory=asyncio.Event)


class LiveBatch:
    """Simulated seconds are the wall's times `speed_up`; made inside the loop that it runs on."""

    def __init__(self, model: ReplicaModel, speed_up: float) -> None:
        self.batch = Batch(model)
        self._speed_up = speed_up
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    def now_s(self) -> float:
        """Simulated seconds since the start."""
        return (self._loop.time() - self._started) * self._speed_up

    def add(self, job: LiveJob) -> None:
        """A request has come."""
        self._advance()
        self.batch.add(job)
        self._schedule()

    def remove(self, job: LiveJob) -> int:
        """It is over; returns the tokens generated for it."""
        self._advance()
        tokens = self.batch.remove(job)
        self._schedule()
        return tokens

    def set_speed(self, speed: float) -> None:
        """From now on, a share of the model's speed; 0 hangs."""
        self._advance()
        self.batch.speed = speed
        self._schedule()

    def now(self) -> Batch:
        """The batch as it is at this moment."""
        self._advance()
        self._schedule()
        return self.batch

    def _advance(self) -> None:
        for job in self.batch.advance(self.now_s()):
            assert isinstance(job, LiveJob)
            job.told.set()

    def _schedule(self) -> None:
        """Wake at the next event; a timer that is already set early enough stays."""
        due_s = self.batch.next_event_s()
        if due_s is None:
            return
        at = self._started + due_s / self._speed_up
        at = max(at, self._loop.time() + SHORTEST_TICK_S)
        if self._timer and not self._timer.cancelled():
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._advance()
        self._schedule()
