"""Replicas: what a canary proves, who takes the next request, when a circuit opens and closes."""

import asyncio
from typing import Any

import aiohttp
import pytest
from simulated_teacher import SimulatedTeacher, serving

from prompts.errors import PrerequisiteError, RunError
from teacher.canary import Replica, Wire
from teacher.client import Call, Endpoint
from teacher.completion import Completion, Fault, FaultKind, Heard
from teacher.replicas import Pool
from teacher.slot import Flight
from teacher.window import Gauges

GOOD = Completion("one two three", "stop", 5, 3, None)
BAD = Fault(FaultKind.SERVER_ERROR, "500")


class Scripted:
    """Stands in for the network: canaries fail while `healthy` says so."""

    def __init__(self) -> None:
        self.healthy = True
        self.canaries = 0
        self.said: Gauges | None = None

    async def complete(
        self, session: aiohttp.ClientSession, where: Endpoint, call: Call, heard: Heard
    ) -> Completion:
        self.canaries += 1
        if not self.healthy:
            raise BAD
        return GOOD

    async def served_models(
        self, session: aiohttp.ClientSession, where: Endpoint
    ) -> dict[str, str]:
        return {"sim": "vllm"}

    async def gauges(self, session: aiohttp.ClientSession, where: Endpoint) -> Gauges | None:
        return self.said

    def pool(self, replicas: int, window: int, **options: Any) -> Pool:
        return Pool(
            [Replica(f"http://r{number}/v1", "sim") for number in range(replicas)],
            in_flight=window,
            circuit_failures=2,
            probe_wait_s=0.001,
            wire=Wire(self.complete, self.served_models, self.gauges),
            **options,
        )


async def send_canary(url: str, **options: Any) -> None:
    async with Pool([Replica(url, "sim")], **options):
        pass


def test_a_replica_named_in_two_ways_is_one_with_one_window() -> None:
    urls = ("http://a", "http://b/v1", "http://a/v1/")
    pool = Pool([Replica(url, "sim") for url in urls], in_flight=4)
    assert [slot.endpoint.url for slot in pool.slots] == ["http://a/v1", "http://b/v1"]


def test_a_canary_that_comes_back_with_text_passes() -> None:
    with serving(SimulatedTeacher()) as teacher:
        asyncio.run(send_canary(teacher.url))
    assert teacher.canaries == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("html", "not_json: .*Bad gateway"),
        ("invalid_json", "invalid_json"),
        ("empty_choices", "empty_choices"),
        ("500", "answered 500"),
        ("reset", "reset"),
    ],
)
def test_a_canary_says_what_came_instead_of_an_answer(fault: str, said: str) -> None:
    with (
        serving(SimulatedTeacher(fault=lambda *request: fault)) as teacher,
        pytest.raises(RunError, match=f"does not generate: .*{said}"),
    ):
        asyncio.run(send_canary(teacher.url))


def test_a_canary_without_text_fails() -> None:
    with (
        serving(SimulatedTeacher(answer=lambda prompt, seed: " \n")) as teacher,
        pytest.raises(RunError, match="came back without text"),
    ):
        asyncio.run(send_canary(teacher.url))


def test_a_canary_that_hangs_fails_within_its_time() -> None:
    with (
        serving(SimulatedTeacher(fault=lambda *request: "hang")) as teacher,
        pytest.raises(RunError, match=r"no token for 0\.1 s"),
    ):
        asyncio.run(send_canary(teacher.url, canary_timeout_s=0.1))


def test_a_pool_whose_only_replica_talks_nonsense_does_not_open() -> None:
    async def go(url: str) -> None:
        async with Pool([Replica(url, "sim")]):
            raise AssertionError("it opened")

    with (
        serving(SimulatedTeacher(fault=lambda *request: "html")) as teacher,
        pytest.raises(RunError, match="not_json"),
    ):
        asyncio.run(go(teacher.url))


def test_a_pool_needs_a_replica() -> None:
    with pytest.raises(PrerequisiteError, match="no teacher"):
        Pool([])


def test_requests_go_where_the_tokens_outstanding_are_done_soonest() -> None:
    async def go() -> list[int]:
        async with Scripted().pool(2, 9) as pool:
            pool.slots[0].best_rate, pool.slots[1].best_rate = 100.0, 200.0
            for _ in range(9):
                await pool.acquire(expected=50.0)
            return [slot.outstanding for slot in pool.slots]

    assert asyncio.run(go()) == [3, 6]


def test_a_long_request_weighs_as_much_as_many_short_ones() -> None:
    async def go() -> list[int]:
        async with Scripted().pool(2, 9) as pool:
            for expected in (1_000.0, 100.0, 100.0, 100.0):
                await pool.acquire(expected=expected)
            return [slot.outstanding for slot in pool.slots]

    assert asyncio.run(go()) == [1, 3]


def test_tokens_that_have_come_weigh_no_more() -> None:
    async def go() -> None:
        async with Scripted().pool(1, 4) as pool:
            (slot,) = pool.slots
            flight = await pool.acquire(expected=100.0)
            flight.heard.take({"usage": {"completion_tokens": 60}}, "delta")
            slot.steer(1.0, None)
            assert (slot.tokens, slot.tokens_left) == (60, 40.0)
            flight.heard.take({"usage": {"completion_tokens": 150}}, "delta")
            slot.steer(2.0, None)
            assert (slot.tokens, slot.tokens_left) == (150, 25.0)
            pool.release(flight)
            assert (slot.outstanding, slot.tokens_left) == (0, 0.0)

    asyncio.run(go())


def test_a_retry_goes_to_another_replica_while_one_is_free() -> None:
    async def go() -> None:
        async with Scripted().pool(2, 4) as pool:
            first = await pool.acquire()
            pool.release(first)
            second = await pool.acquire({first.slot})
            assert second.slot is not first.slot

    asyncio.run(go())


def test_the_window_follows_what_the_server_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teacher.replicas.STEER_S", 0.001)

    async def go() -> None:
        network = Scripted()
        async with network.pool(1, 4) as pool:
            (slot,) = pool.slots
            flights = [await pool.acquire() for _ in range(4)]
            network.said = Gauges(running=4, queued=0, kv_usage=0.1, preemptions=0)
            flights.append(await asyncio.wait_for(pool.acquire(), 5))
            assert slot.window >= 5
            network.said = Gauges(running=2, queued=3, kv_usage=0.1, preemptions=0)
            while slot.window >= 4:
                await asyncio.sleep(0.001)
            assert pool.free() == 0

    asyncio.run(asyncio.wait_for(go(), 10))


async def hold(pool: Pool, ended: list[str]) -> None:
    """A request that only ends when its replica is drained."""
    flight: Flight = await pool.acquire()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        ended.append(flight.slot.replica.url)
        pool.give_up(flight)


def test_a_replica_that_leaves_is_drained_and_one_that_joins_is_asked() -> None:
    async def go() -> None:
        network, ended = Scripted(), list[str]()
        async with network.pool(1, 2) as pool:
            task = asyncio.create_task(hold(pool, ended))
            await asyncio.sleep(0)
            pool.join(Replica("http://new/v1", "sim"))
            pool.leave("http://r0/v1")
            await task
            assert ended == ["http://r0/v1"]
            flight = await asyncio.wait_for(pool.acquire(), 5)
            assert [slot.replica.url for slot in pool.slots] == ["http://new/v1"]
            assert flight.slot is pool.slots[0]
            assert pool.check() == ""

    asyncio.run(go())


def test_when_the_last_replica_has_left_the_pool_waits_for_another() -> None:
    async def go() -> None:
        async with Scripted().pool(1, 2) as pool:
            pool.leave("http://r0/v1")
            assert "no replica answers (no replica is listed)" in pool.check()
            pool.join(Replica("http://new/v1", "sim"))
            await asyncio.wait_for(pool.acquire(), 5)
            assert pool.check() == ""

    asyncio.run(go())


def test_a_circuit_opens_after_faults_in_a_row_and_closes_after_a_canary() -> None:
    async def go() -> None:
        network = Scripted()
        async with network.pool(1, 4) as pool:
            (slot,) = pool.slots
            opened = asyncio.Event()
            for fault in (BAD, None, BAD, BAD):
                flight = await pool.acquire()
                assert flight.slot is slot
                network.healthy = fault is None
                pool.release(flight, fault)
            assert not slot.usable
            assert "no replica answers" in pool.check()
            network.healthy = True
            pool.on_free = opened.set
            assert (await asyncio.wait_for(pool.acquire(), 5)).slot is slot
            assert opened.is_set()
            assert pool.check() == ""
            assert network.canaries >= 2

    asyncio.run(go())


def test_a_refused_request_does_not_count_against_its_replica() -> None:
    async def go() -> None:
        async with Scripted().pool(1, 4) as pool:
            (slot,) = pool.slots
            for _ in range(5):
                pool.release(await pool.acquire(), Fault(FaultKind.REFUSED_REQUEST, "too long"))
            assert slot.usable

    asyncio.run(go())


def test_a_replica_that_asks_for_patience_gets_it() -> None:
    async def go() -> None:
        async with Scripted().pool(1, 4) as pool:
            loop = asyncio.get_running_loop()
            flight = await pool.acquire()
            pool.release(flight, Fault(FaultKind.RATE_LIMITED, "429", retry_after_s=0.3))
            started_s = loop.time()
            assert pool.free() == 0
            assert (await pool.acquire()).slot is flight.slot
            assert loop.time() - started_s >= 0.2

    asyncio.run(go())


def test_replicas_that_all_ask_for_patience_are_reported_as_waiting() -> None:
    async def go() -> None:
        async with Scripted().pool(2, 1) as pool:
            for flight in (await pool.acquire(), await pool.acquire()):
                assert pool.check() == ""
                pool.release(flight, Fault(FaultKind.RATE_LIMITED, "429", retry_after_s=0.3))
            assert "asks to wait (rate_limited: 429)" in pool.check()
            await pool.acquire()
            assert pool.check() == ""

    asyncio.run(go())


def test_a_cancelled_wait_passes_its_turn_on() -> None:
    async def go() -> None:
        async with Scripted().pool(1, 1) as pool:
            flight = await pool.acquire()
            first, second = (asyncio.create_task(pool.acquire()) for _ in range(2))
            await asyncio.sleep(0)
            pool.release(flight)
            first.cancel()
            assert (await asyncio.wait_for(second, 5)).slot is flight.slot

    asyncio.run(go())


def test_the_wait_for_a_replica_ends_with_the_reason() -> None:
    async def go() -> None:
        network = Scripted()
        async with network.pool(1, 1, wait_for_replica_s=0.0) as pool:
            network.healthy = False
            for _ in range(2):
                pool.release(await pool.acquire(), BAD)
            with pytest.raises(RunError, match=r"no teacher replica has answered .*500"):
                pool.check()

    asyncio.run(go())
