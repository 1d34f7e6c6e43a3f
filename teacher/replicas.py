"""The replicas of a teacher: which takes the next request, which are lost, which come and go."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self

from prompts.errors import PrerequisiteError, RunError
from teacher.canary import WIRE, Replica, Wire, generates, open_session
from teacher.completion import Fault, FaultKind
from teacher.progress import ReplicaProgress
from teacher.slot import Flight, Slot, least_loaded

# A replica that comes back is noticed within this time; a dead one is asked no more often.
LONGEST_PROBE_WAIT_S = 30.0
# For a 429 without Retry-After.
RATE_LIMIT_WAIT_S = 1.0
# Once one replica has passed its canary, the others are waited for so long before work begins.
CANARY_GRACE_S = 5.0
# Windows and rates follow the servers this often.
STEER_S = 1.0


class Pool:
    """Replicas behind one door: the one that would be done soonest takes the next request.

    After `circuit_failures` faults in a row a replica gets nothing more until a canary comes
    back from it, asked for again and again at growing intervals. With no replica left for
    `wait_for_replica_s`, `check` raises RunError. Replicas may `join` and `leave` at any time.
    Tests replace `wire`.
    """

    def __init__(
        self,
        replicas: Sequence[Replica],
        in_flight: int = 64,
        circuit_failures: int = 5,
        wait_for_replica_s: float = 600.0,
        probe_wait_s: float = 1.0,
        canary_timeout_s: float = 300.0,
        wire: Wire = WIRE,
        stream: bool = True,
    ) -> None:
        if not replicas:
            raise PrerequisiteError("no teacher replica is given; name at least one teacher URL")
        self._in_flight = in_flight
        # Two ways to write one endpoint are one replica, or it would be asked for twice its window.
        slots: dict[str, Slot] = {}
        for slot in (Slot(replica, in_flight, 0.0) for replica in replicas):
            slots.setdefault(slot.endpoint.url, slot)
        self.slots = list(slots.values())
        self.wire, self._stream = wire, stream
        self._circuit_failures = circuit_failures
        self._wait_for_replica_s = wait_for_replica_s
        self._probe_wait_s = probe_wait_s
        self._canary_timeout_s = canary_timeout_s
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._background: set[asyncio.Task[Any]] = set()
        self._gone_since_s: float | None = None
        self._bug: BaseException | None = None
        self._departed_tokens = 0
        self.on_free: Callable[[], None] = lambda: None
        self.note = ""  # what is wrong with the list of replicas, see membership.py

    async def __aenter__(self) -> Self:
        """Send every replica its canary; return when one has passed and the others have had a
        little longer. Raises RunError when a replica serves another model, or when none passes
        and one answers nonsense; replicas that are merely out of reach are waited for."""
        self.session = open_session()
        now_s = time_s()
        self.slots = [Slot(slot.replica, self._in_flight, now_s) for slot in self.slots]
        try:
            admitting = {asyncio.create_task(self._admit(slot)): slot for slot in self.slots}
            self._background |= admitting.keys()
            waiting: set[asyncio.Task[Fault | RunError | None]] = set(admitting)
            while waiting and not any(slot.usable for slot in self.slots):
                _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if waiting:
                await asyncio.wait(waiting, timeout=CANARY_GRACE_S)
            self._judge({s: task.result() for task, s in admitting.items() if task.done()})
            for task, slot in admitting.items():
                if not slot.usable:
                    self._start(self._probe(slot, task))
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        self._start(self._steer())
        return self

    def _judge(self, canaries: dict[Slot, Fault | RunError | None]) -> None:
        """Raise what makes it no use to begin."""
        self._note_if_gone()
        for fault in canaries.values():
            if isinstance(fault, RunError):
                raise fault
        for slot, came in canaries.items():
            is_nonsense = isinstance(came, Fault) and came.kind is not FaultKind.UNREACHABLE
            if is_nonsense and self._gone_since_s is not None:
                raise RunError(f"the teacher at {slot.replica.url} does not generate: {came}")

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.session.close()

    def free(self) -> int:
        """How many more requests may start now, those that wait in `acquire` among them."""
        return sum(slot.window - slot.outstanding for slot in self.slots if slot.free())

    def places(self) -> int:
        """Requests the replicas that are up take at once, free or not."""
        return sum(slot.window for slot in self.slots if slot.usable)

    def in_flight(self) -> int:
        """Requests outstanding on all replicas."""
        return sum(slot.outstanding for slot in self.slots)

    def tokens(self) -> int:
        """Completion tokens heard so far, of replicas that have left too."""
        return self._departed_tokens + sum(slot.tokens for slot in self.slots)

    def progress(self) -> tuple[ReplicaProgress, ...]:
        """How each replica stands."""
        return tuple(slot.progress() for slot in self.slots)

    async def acquire(self, avoid: Collection[Slot] = (), expected: float = 1.0) -> Flight:
        """Take a place for a request of `expected` tokens; waits in line while there is none.

        To be given back by `release` or `give_up`. Of several free replicas, see `least_loaded`.
        """
        while not (slot := least_loaded(self.slots, avoid, expected)):
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if not place.cancelled():
                    self._wake()  # it was our turn: pass it on
                raise
        return Flight(slot, expected)

    def release(self, flight: Flight, fault: Fault | None = None) -> None:
        """Give the place back and say how it went; a fault counts against the replica."""
        slot = flight.slot
        flight.land()
        if fault is None or fault.kind in _NOT_THE_REPLICAS:
            if fault is None:
                slot.failures, slot.probe_wait_s = 0, 0.0
        elif fault.kind is FaultKind.RATE_LIMITED:
            self._pause(slot, fault)
        else:
            slot.failures += 1
            slot.last_error = str(fault)
            is_barred = fault.kind is FaultKind.BARRED
            if (is_barred or slot.failures >= self._circuit_failures) and slot.usable:
                self._open_circuit(slot)
        self._settle(slot)

    def give_up(self, flight: Flight) -> None:
        """Give the place back with nothing learnt: the request was cancelled."""
        flight.land()
        self._settle(flight.slot)

    def join(self, replica: Replica) -> None:
        """Take a replica in; it gets requests once its canary has come back. Raises
        PrerequisiteError for a bad URL or an unset key variable."""
        slot = Slot(replica, self._in_flight, time_s())
        self.slots.append(slot)
        self._start(self._probe(slot))

    def leave(self, url: str) -> None:
        """Give a replica nothing more; what it works on goes on elsewhere."""
        for slot in list(self.slots):
            if slot.replica.url == url:
                slot.usable, slot.leaving = False, True
                for flight in slot.flights:
                    flight.drain()
                self._settle(slot)
        self._note_if_gone()

    def check(self) -> str:
        """What is wrong with the pool, empty if nothing. Raises RunError when the wait is over."""
        if self._bug:
            raise self._bug
        lost = [slot for slot in self.slots if not slot.usable and not slot.leaving]
        if self._gone_since_s is None:
            said = [f"{len(lost)} of {len(self.slots)} replicas lost"] if lost else []
            return "; ".join([*said, *self._patience(), *([self.note] if self.note else [])])
        waited_s = time_s() - self._gone_since_s
        errors = "; ".join(dict.fromkeys(slot.last_error for slot in lost if slot.last_error))
        errors = errors or self.note or "no replica is listed"
        if waited_s >= self._wait_for_replica_s:
            raise RunError(
                f"no teacher replica has answered for {waited_s:.0f} s ({errors}); all samples so "
                "far are kept: run the same command again once one is up"
            )
        return (
            f"no replica answers ({errors}); waited {waited_s:.0f} s of "
            f"{self._wait_for_replica_s:.0f} s for one to return"
        )

    def _patience(self) -> list[str]:
        """That every replica that is up has asked us to wait (429), so that nothing moves."""
        up = [slot for slot in self.slots if slot.usable]
        if not up or not all(slot.pauses for slot in up):
            return []
        errors = "; ".join(dict.fromkeys(slot.last_error for slot in up))
        return [f"every replica that is up asks to wait ({errors})"]

    def _settle(self, slot: Slot) -> None:
        """After a request has ended: a replica that leaves is gone with its last one."""
        if slot.leaving and not slot.flights and slot in self.slots:
            self.slots.remove(slot)
            self._departed_tokens += slot.tokens
        self._wake()

    def _wake(self) -> None:
        """Let the first in line look again, then the engine."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                break
        self.on_free()

    def _wake_all(self) -> None:
        for _ in range(min(len(self._waiting), self.free())):
            self._wake()
        self.on_free()

    def _pause(self, slot: Slot, fault: Fault) -> None:
        slot.pauses += 1
        slot.last_error = str(fault)
        wait_s = RATE_LIMIT_WAIT_S if fault.retry_after_s is None else fault.retry_after_s
        asyncio.get_running_loop().call_later(wait_s, self._unpause, slot)

    def _unpause(self, slot: Slot) -> None:
        slot.pauses -= 1
        self._wake_all()

    def _open_circuit(self, slot: Slot) -> None:
        slot.usable = False
        self._note_if_gone()
        if not slot.leaving:
            self._start(self._probe(slot))

    def _note_if_gone(self) -> None:
        """Remember since when there is no replica to ask, None while there is one."""
        if any(slot.usable for slot in self.slots):
            self._gone_since_s = None
        elif self._gone_since_s is None:
            self._gone_since_s = time_s()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and task.exception():
            self._bug = task.exception()

    async def _probe(self, slot: Slot, first: asyncio.Task[Any] | None = None) -> None:
        """Ask for a canary until one comes back or the replica leaves; `first` is under way."""
        if first:
            await first
        while not slot.usable and not slot.leaving:
            if slot.last_error:  # a replica that has just joined is asked at once
                slot.probe_wait_s = min(
                    max(2 * slot.probe_wait_s, self._probe_wait_s), LONGEST_PROBE_WAIT_S
                )
                await asyncio.sleep(slot.probe_wait_s)
            if not slot.leaving:
                await self._admit(slot)

    async def _admit(self, slot: Slot) -> Fault | RunError | None:
        """Send the canary; with its answer the replica is usable. Returns what went wrong."""
        try:
            slot.is_vllm = await generates(
                self.session, slot.endpoint, self._canary_timeout_s, self.wire, self._stream
            )
        except (Fault, RunError) as error:
            slot.last_error = str(error)
            return error
        slot.failures, slot.usable = 0, not slot.leaving
        self._note_if_gone()
        self._wake_all()
        return None

    async def _steer(self) -> None:
        """Follow what the servers say of themselves, now and then; one that is slow to say it
        holds up nobody else."""
        while True:
            await asyncio.sleep(STEER_S)
            for slot in self.slots:
                if not slot.steering:
                    self._start(self._steer_one(slot))
            self._wake_all()

    async def _steer_one(self, slot: Slot) -> None:
        slot.steering = True
        ask = slot.is_vllm and slot.usable
        gauges = await self.wire.gauges(self.session, slot.endpoint) if ask else None
        slot.steer(time_s(), gauges)
        slot.steering = False


# Faults of the request, or made by ourselves: the replica is as good as before.
_NOT_THE_REPLICAS = (FaultKind.NOT_CONTINUED, FaultKind.DRAINED)


def time_s() -> float:
    """The running loop's clock, which tests turn faster than the wall's."""
    return asyncio.get_running_loop().time()
