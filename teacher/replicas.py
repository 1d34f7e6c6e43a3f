"""The replicas of a teacher: which one takes the next request, which are lost, when they return."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp

from prompts.errors import PrerequisiteError, RunError
from teacher.client import (
    Call,
    Completion,
    Endpoint,
    Fault,
    FaultKind,
    complete,
    endpoint,
    served_models,
    wrong_model,
)

CANARY = "Count from one to five."
CANARY_TOKENS = 16
# A replica that comes back is noticed within this time; a dead one is asked no more often.
LONGEST_PROBE_WAIT_S = 30.0
# For a 429 without Retry-After.
RATE_LIMIT_WAIT_S = 1.0

Complete = Callable[[aiohttp.ClientSession, Endpoint, Call], Awaitable[Completion]]
ServedModels = Callable[[aiohttp.ClientSession, Endpoint], Awaitable[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Replica:
    """One served copy of the teacher.

    `url` may leave `/v1` out. `key_env` names the environment variable with its API key.
    `in_flight` is its window, where it differs from the pool's.
    """

    url: str
    model: str
    revision: str = ""
    key_env: str | None = None
    in_flight: int | None = None

    def endpoint(self) -> Endpoint:
        """Its endpoint; raises PrerequisiteError for a bad URL or an unset key variable."""
        return endpoint(self.url, self.model, self.key_env)


async def canary(replica: Replica, timeout_s: float = 300.0) -> None:
    """Return when a short real generation has come back with text: the replica can be used.

    `/health` is not enough: an engine may pass it and die on its first request. Raises RunError
    that says what came instead.
    """
    async with _session() as session:
        try:
            await _canary(session, replica.endpoint(), timeout_s)
        except Fault as fault:
            raise RunError(f"the teacher at {replica.url} does not generate: {fault}") from fault


class Slot:
    """A replica in the pool, with what is known of its state."""

    def __init__(self, replica: Replica, window: int) -> None:
        self.replica = replica
        self.endpoint = replica.endpoint()
        self.window = replica.in_flight or window
        self.outstanding = 0
        self.failures = 0  # consecutive
        self.probe_wait_s = 0.0  # before the next canary; grows until a request succeeds
        self.usable = False  # a canary has come back and the circuit is closed
        self.pauses = 0  # times it asked us to wait (429) that are not over
        self.is_vllm = False
        self.last_error = ""

    def free(self) -> bool:
        """Whether it takes another request now."""
        return self.usable and not self.pauses and self.outstanding < self.window


class Pool:
    """Replicas behind one door: the one with the fewest requests outstanding takes the next.

    After `circuit_failures` faults in a row a replica gets nothing more until a canary comes
    back from it, asked for again and again at growing intervals. With no replica left for
    `wait_for_replica_s`, `check` raises RunError. Tests replace `complete` and `served_models`.
    """

    def __init__(
        self,
        replicas: Sequence[Replica],
        in_flight: int = 64,
        circuit_failures: int = 5,
        wait_for_replica_s: float = 600.0,
        probe_wait_s: float = 1.0,
        canary_timeout_s: float = 300.0,
        complete: Complete = complete,
        served_models: ServedModels = served_models,
    ) -> None:
        if not replicas:
            raise PrerequisiteError("no teacher replica is given; name at least one teacher URL")
        self.slots = [Slot(replica, in_flight) for replica in replicas]
        self.complete, self._served_models = complete, served_models
        self._circuit_failures = circuit_failures
        self._wait_for_replica_s = wait_for_replica_s
        self._probe_wait_s = probe_wait_s
        self._canary_timeout_s = canary_timeout_s
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._probes: set[asyncio.Task[None]] = set()
        self._gone_since_s: float | None = None
        self.on_free: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Self:
        """Send every replica its canary. Raises RunError when none passes and one of them
        answers nonsense; replicas that are merely out of reach are waited for."""
        self.session = _session()
        try:
            faults = await asyncio.gather(*(self._admit(slot) for slot in self.slots))
            none_usable = not any(slot.usable for slot in self.slots)
            self._gone_since_s = time_s() if none_usable else None
            for slot, fault in zip(self.slots, faults, strict=True):
                if isinstance(fault, RunError):
                    raise fault
                if fault and fault.kind is not FaultKind.UNREACHABLE and none_usable:
                    raise RunError(f"the teacher at {slot.replica.url} does not generate: {fault}")
                if fault:
                    self._start_probe(slot)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for probe in self._probes:
            probe.cancel()
        await asyncio.gather(*self._probes, return_exceptions=True)
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

    async def acquire(self, avoid: Collection[Slot] = ()) -> Slot:
        """Take a place on the least loaded replica, one to `avoid` only if no other is free;
        waits in line while there is none."""
        while not (slot := self._least_loaded(avoid)):
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place in self._waiting:
                    self._waiting.remove(place)
                else:
                    self._wake()  # it was our turn: pass it on
                raise
        slot.outstanding += 1
        return slot

    def release(self, slot: Slot, fault: Fault | None = None) -> None:
        """Give the place back and say how it went; a fault counts against the replica."""
        slot.outstanding -= 1
        if fault is None or fault.kind is FaultKind.REFUSED_REQUEST:
            slot.failures, slot.probe_wait_s = 0, 0.0
        elif fault.kind is FaultKind.RATE_LIMITED:
            self._pause(slot, fault)
        else:
            slot.failures += 1
            slot.last_error = str(fault)
            if slot.failures >= self._circuit_failures and slot.usable:
                self._open_circuit(slot)
        self._wake()

    def give_up(self, slot: Slot) -> None:
        """Give the place back with nothing learnt: the request was cancelled."""
        slot.outstanding -= 1
        self._wake()

    def check(self) -> str:
        """What is wrong with the pool, empty if nothing. Raises RunError when the wait is over."""
        lost = [slot for slot in self.slots if not slot.usable]
        if not lost or self._gone_since_s is None:
            said = [f"{len(lost)} of {len(self.slots)} replicas lost"] if lost else []
            return "; ".join([*said, *self._patience()])
        waited_s = time_s() - self._gone_since_s
        errors = "; ".join(dict.fromkeys(slot.last_error for slot in lost if slot.last_error))
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

    def _least_loaded(self, avoid: Collection[Slot]) -> Slot | None:
        free = [slot for slot in self.slots if slot.free()]
        return min(free, key=lambda s: (s in avoid, s.outstanding / s.window), default=None)

    def _wake(self) -> None:
        """Let the first in line look again, then the engine."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                break
        self.on_free()

    def _wake_all(self) -> None:
        for _ in range(len(self._waiting)):
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
        if not any(other.usable for other in self.slots):
            self._gone_since_s = time_s()
        self._start_probe(slot)

    def _start_probe(self, slot: Slot) -> None:
        probe = asyncio.create_task(self._probe(slot))
        self._probes.add(probe)
        probe.add_done_callback(self._probes.discard)

    async def _probe(self, slot: Slot) -> None:
        """Ask for a canary until one comes back."""
        while not slot.usable:
            slot.probe_wait_s = min(
                max(2 * slot.probe_wait_s, self._probe_wait_s), LONGEST_PROBE_WAIT_S
            )
            await asyncio.sleep(slot.probe_wait_s)
            await self._admit(slot)

    async def _admit(self, slot: Slot) -> Fault | RunError | None:
        """Send the canary; with its answer the replica is usable. Returns what went wrong."""
        try:
            slot.is_vllm = await _canary(
                self.session,
                slot.endpoint,
                self._canary_timeout_s,
                self.complete,
                self._served_models,
            )
        except (Fault, RunError) as error:
            slot.last_error = str(error)
            return error
        slot.failures, slot.usable, self._gone_since_s = 0, True, None
        self._wake_all()
        return None


def time_s() -> float:
    """The running loop's clock, which tests turn faster than the wall's."""
    return asyncio.get_running_loop().time()


async def _canary(
    session: aiohttp.ClientSession,
    where: Endpoint,
    timeout_s: float,
    complete: Complete = complete,
    served_models: ServedModels = served_models,
) -> bool:
    """One short generation; returns whether the server is vLLM. Raises Fault or RunError."""
    served = await served_models(session, where)
    if served and where.model not in served:
        raise wrong_model(where, served)
    call = Call(
        messages=[{"role": "user", "content": CANARY}],
        temperature=0.0,
        top_p=1.0,
        max_tokens=CANARY_TOKENS,
        stream=False,
        stall_timeout_s=timeout_s,
    )
    completion = await complete(session, where, call)
    if not completion.text.strip():
        raise Fault(FaultKind.EMPTY_CHOICES, f"{where.url}: its canary came back without text")
    return served.get(where.model) == "vllm"


def _session() -> aiohttp.ClientSession:
    """A session without limits of its own: windows are the pool's business."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
