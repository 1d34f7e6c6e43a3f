"""Replicas: what a canary proves, who takes the next request, when a circuit opens and closes."""

import asyncio
from typing import Any

import aiohttp
import pytest
from simulated_teacher import SimulatedTeacher, serving

from prompts.errors import PrerequisiteError, RunError
from teacher.client import Call, Completion, Endpoint, Fault, FaultKind
from teacher.replicas import Pool, Replica, canary

GOOD = Completion("one two three", "stop", 5, 3, None)
BAD = Fault(FaultKind.SERVER_ERROR, "500")


class Scripted:
    """Stands in for the network: canaries fail while `healthy` says so."""

    def __init__(self) -> None:
        self.healthy = True
        self.canaries = 0

    async def complete(
        self, session: aiohttp.ClientSession, where: Endpoint, call: Call
    ) -> Completion:
        self.canaries += 1
        if not self.healthy:
            raise BAD
        return GOOD

    async def served_models(
        self, session: aiohttp.ClientSession, where: Endpoint
    ) -> dict[str, str]:
        return {"sim": "vllm"}

    def pool(self, *windows: int, **options: Any) -> Pool:
        replicas = [Replica(f"http://r{n}/v1", "sim", in_flight=w) for n, w in enumerate(windows)]
        return Pool(
            replicas,
            circuit_failures=2,
            probe_wait_s=0.001,
            complete=self.complete,
            served_models=self.served_models,
            **options,
        )


def test_a_canary_that_comes_back_with_text_passes() -> None:
    with serving(SimulatedTeacher()) as teacher:
        asyncio.run(canary(Replica(teacher.url, "sim")))
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
        asyncio.run(canary(Replica(teacher.url, "sim")))


def test_a_canary_without_text_fails() -> None:
    with (
        serving(SimulatedTeacher(answer=lambda prompt, seed: " \n")) as teacher,
        pytest.raises(RunError, match="came back without text"),
    ):
        asyncio.run(canary(Replica(teacher.url, "sim")))


def test_a_canary_that_hangs_fails_within_its_time() -> None:
    with (
        serving(SimulatedTeacher(fault=lambda *request: "hang")) as teacher,
        pytest.raises(RunError, match=r"no token for 0\.1 s"),
    ):
        asyncio.run(canary(Replica(teacher.url, "sim"), timeout_s=0.1))


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


def test_requests_go_where_the_share_in_use_is_smallest() -> None:
    async def go() -> list[int]:
        async with Scripted().pool(2, 4) as pool:
            for _ in range(6):
                await pool.acquire()
            assert pool.free() == 0
            return [slot.outstanding for slot in pool.slots]

    assert asyncio.run(go()) == [2, 4]


def test_a_retry_goes_to_another_replica_while_one_is_free() -> None:
    async def go() -> None:
        async with Scripted().pool(4, 4) as pool:
            first = await pool.acquire()
            pool.release(first)
            second = await pool.acquire({first})
            assert second is not first

    asyncio.run(go())


def test_a_circuit_opens_after_faults_in_a_row_and_closes_after_a_canary() -> None:
    async def go() -> None:
        network = Scripted()
        async with network.pool(4) as pool:
            (slot,) = pool.slots
            opened = asyncio.Event()
            for fault in (BAD, None, BAD, BAD):
                assert await pool.acquire() is slot
                network.healthy = fault is None
                pool.release(slot, fault)
            assert not slot.usable
            assert "no replica answers" in pool.check()
            network.healthy = True
            pool.on_free = opened.set
            assert await asyncio.wait_for(pool.acquire(), 5) is slot
            assert opened.is_set()
            assert pool.check() == ""
            assert network.canaries >= 2

    asyncio.run(go())


def test_a_refused_request_does_not_count_against_its_replica() -> None:
    async def go() -> None:
        async with Scripted().pool(4) as pool:
            (slot,) = pool.slots
            for _ in range(5):
                await pool.acquire()
                pool.release(slot, Fault(FaultKind.REFUSED_REQUEST, "too long"))
            assert slot.usable

    asyncio.run(go())


def test_a_replica_that_asks_for_patience_gets_it() -> None:
    async def go() -> None:
        async with Scripted().pool(4) as pool:
            loop = asyncio.get_running_loop()
            slot = await pool.acquire()
            pool.release(slot, Fault(FaultKind.RATE_LIMITED, "429", retry_after_s=0.05))
            started_s = loop.time()
            assert pool.free() == 0
            assert await pool.acquire() is slot
            assert loop.time() - started_s >= 0.045

    asyncio.run(go())


def test_replicas_that_all_ask_for_patience_are_reported_as_waiting() -> None:
    async def go() -> None:
        async with Scripted().pool(1, 1) as pool:
            for slot in (await pool.acquire(), await pool.acquire()):
                assert pool.check() == ""
                pool.release(slot, Fault(FaultKind.RATE_LIMITED, "429", retry_after_s=0.02))
            assert "asks to wait (rate_limited: 429)" in pool.check()
            await pool.acquire()
            assert pool.check() == ""

    asyncio.run(go())


def test_a_cancelled_wait_passes_its_turn_on() -> None:
    async def go() -> None:
        async with Scripted().pool(1) as pool:
            slot = await pool.acquire()
            first, second = (asyncio.create_task(pool.acquire()) for _ in range(2))
            await asyncio.sleep(0)
            pool.release(slot)
            first.cancel()
            assert await asyncio.wait_for(second, 5) is slot

    asyncio.run(go())


def test_the_wait_for_a_replica_ends_with_the_reason() -> None:
    async def go() -> None:
        network = Scripted()
        async with network.pool(1, wait_for_replica_s=0.0) as pool:
            network.healthy = False
            for _ in range(2):
                pool.release(await pool.acquire(), BAD)
            with pytest.raises(RunError, match=r"no teacher replica has answered .*500"):
                pool.check()

    asyncio.run(go())
