"""A replica's place in the pool: what is known of its state, and the requests it works on."""

import asyncio
from collections.abc import Iterable

from teacher.canary import Replica
from teacher.completion import Heard
from teacher.progress import Meter, ReplicaProgress
from teacher.window import Gauges, next_window

# A request that is longer than expected is taken to have this share of the expectation left.
_LEAST_LEFT = 0.25
# How fast the best rate seen is forgotten, a steering step (1 s): half in a minute.
_FORGET = 0.99


class Slot:
    """A replica in the pool. Tokens are completion tokens."""

    def __init__(self, replica: Replica, window: int, now_s: float) -> None:
        self.replica = replica
        self.endpoint = replica.endpoint()
        self.window = window
        self.flights: set[Flight] = set()
        self.failures = 0  # consecutive
        self.probe_wait_s = 0.0  # before the next canary; grows until a request succeeds
        self.usable = False  # a canary has come back and the circuit is closed
        self.leaving = False
        self.steering = False  # its gauges are being read
        self.pauses = 0  # times it asked us to wait (429) that are not over
        self.is_vllm = False
        self.last_error = ""
        self.landed_tokens = 0  # of requests that are over
        self.tokens_left = 0.0  # expected of the requests in flight, as of the last steering
        self.best_rate = 0.0  # tokens/s it has shown itself able to
        self.gauges: Gauges | None = None
        self._meter = Meter(now_s)
        self._rate = 0.0

    @property
    def outstanding(self) -> int:
        """Requests in flight."""
        return len(self.flights)

    @property
    def tokens(self) -> int:
        """Completion tokens generated here, as far as heard."""
        return self.landed_tokens + sum(flight.heard.tokens for flight in self.flights)

    def free(self) -> bool:
        """Whether it takes another request now."""
        return self.usable and not self.pauses and self.outstanding < self.window

    def steer(self, now_s: float, gauges: Gauges | None) -> None:
        """Note the rate and, of a server that has them, the gauges; adjust the window."""
        for flight in self.flights:
            flight.look()
        self._rate = self._meter.per_s(now_s, self.tokens)
        self.best_rate = max(self.best_rate * _FORGET, self._rate)
        if gauges:
            self.window = next_window(self.window, self.outstanding, gauges, self.gauges)
        self.gauges = gauges

    def progress(self) -> ReplicaProgress:
        """How it stands, for people."""
        state = "leaving" if self.leaving else "waiting" if self.pauses else "up"
        return ReplicaProgress(
            url=self.replica.url,
            state=state if self.usable or self.leaving else "lost",
            in_flight=self.outstanding,
            window=self.window,
            queued=self.gauges.queued if self.gauges else None,
            kv_usage=self.gauges.kv_usage if self.gauges else None,
            completion_tokens=self.tokens,
            tokens_per_s=self._rate,
        )


class Flight:
    """One request on its way: what has been `heard` of it, and the tokens still expected."""

    __slots__ = ("_expected", "_left", "_task", "draining", "heard", "slot")

    def __init__(self, slot: Slot, expected: float) -> None:
        self.slot = slot
        self.heard = Heard()
        self.draining = False
        self._expected = self._left = max(1.0, expected)
        self._task = asyncio.current_task()
        slot.flights.add(self)
        slot.tokens_left += self._left

    def look(self) -> None:
        """Take what has come off what is expected."""
        left = max(self._expected - self.heard.tokens, self._expected * _LEAST_LEFT)
        self.slot.tokens_left += left - self._left
        self._left = left

    def drain(self) -> None:
        """Break the request off: its replica is leaving."""
        if self._task and not self.draining:
            self.draining = True
            self._task.cancel()

    def land(self) -> None:
        """It is over, however it ended."""
        self.slot.flights.discard(self)
        self.slot.tokens_left -= self._left
        self.slot.landed_tokens += self.heard.tokens


def least_loaded(slots: Iterable[Slot], avoid: Iterable[Slot], expected: float) -> Slot | None:
    """The free slot that would be done with all its tokens soonest, one to avoid only if no other
    is free.

    Outstanding tokens are divided by the best rate a replica has shown; one that has shown none
    yet is taken for an average one.
    """
    free = [slot for slot in slots if slot.free()]
    if len(free) < 2:
        return free[0] if free else None
    known = [slot.best_rate for slot in free if slot.best_rate > 0]
    usual = sum(known) / len(known) if known else 1.0
    avoided = set(avoid)

    def busy_s(slot: Slot) -> tuple[bool, float]:
        return slot in avoided, (slot.tokens_left + expected) / (slot.best_rate or usual)

    return min(free, key=busy_s)
