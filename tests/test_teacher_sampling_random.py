"""The engine under random schedules of answers, verdicts and faults."""

import asyncio
import random
import selectors
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_teacher_sampling import asks

from prompts.errors import RunError
from prompts.record import Prompt
from teacher.client import Call, Completion, Endpoint, Fault, FaultKind
from teacher.journal import Journal
from teacher.replicas import Pool, Replica
from teacher.sample import Sample
from teacher.sampling import SamplingRecipe, SamplingSummary, sample_prompts


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__(selectors.DefaultSelector())
        self._skipped_s = 0.0
        select = self._selector.select  # type: ignore[attr-defined]

        def skip(timeout: float | None) -> Any:
            ready = select(0 if timeout else timeout)
            if timeout and not ready:
                self._skipped_s += timeout
            return ready

        self._selector.select = skip  # type: ignore[attr-defined]

    def time(self) -> float:
        return super().time() + self._skipped_s


@dataclass
class Fleet:
    """Replicas played by random numbers: slow, faulty, or down for a while."""

    dice: random.Random
    fault_rate: float
    outages: dict[str, list[tuple[float, float]]]
    sent: list[int] = field(default_factory=list)

    async def complete(
        self, session: aiohttp.ClientSession, where: Endpoint, call: Call
    ) -> Completion:
        now_s = asyncio.get_running_loop().time() - self.started_s
        if any(start <= now_s < end for start, end in self.outages.get(where.url, [])):
            raise Fault(FaultKind.UNREACHABLE, "down")
        await asyncio.sleep(self.dice.expovariate(1.0))
        if call.seed is not None and self.dice.random() < self.fault_rate:
            raise Fault(self.dice.choice(list(FaultKind)), "rolled", retry_after_s=0.5)
        if call.seed is not None:
            self.sent.append(call.seed)
        return Completion("<think>a</think>b", "stop", 5, 10, None)

    async def served_models(
        self, session: aiohttp.ClientSession, where: Endpoint
    ) -> dict[str, str]:
        return {"sim": "vllm"}

    started_s: float = 0.0


async def sample_once(
    fleet: Fleet, folder: Path, count: int, recipe: SamplingRecipe, accept_rate: float
) -> tuple[SamplingSummary | None, list[Sample]]:
    """One run; no summary when it ended for want of replicas."""
    fleet.started_s = asyncio.get_running_loop().time()

    async def accept(prompt: Prompt, sample: Sample) -> bool | None:
        await asyncio.sleep(sample.seed % 3)
        return None if sample.seed % 10 == 0 else (sample.seed % 100) < 100 * accept_rate

    replicas = [Replica(f"http://sim{number}/v1", "sim") for number in range(2)]
    pool = Pool(
        replicas,
        recipe.in_flight,
        wait_for_replica_s=recipe.wait_for_replica_s,
        complete=fleet.complete,
        served_models=fleet.served_models,
    )
    with Journal(folder / "open.sqlite") as journal:
        try:
            async with pool:
                summary = await sample_prompts(asks(count), pool, journal, recipe, accept)
        except RunError:
            return None, journal.read()
        return summary, journal.read()


recipes = st.builds(
    lambda keep, n_min, more, tail, in_flight, attempts: SamplingRecipe(
        keep=keep,
        n_min=n_min,
        n_max=max(keep, n_min) + more,
        tail_parallel=tail,
        in_flight=in_flight,
        request_attempts=attempts,
        wait_for_replica_s=30.0,
    ),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 4),
    st.integers(1, 3),
    st.integers(1, 6),
    st.integers(1, 4),
)
outages = st.dictionaries(
    st.sampled_from(["http://sim0/v1", "http://sim1/v1"]),
    st.lists(st.tuples(st.floats(0, 20), st.floats(0, 80)), max_size=2),
)


@given(
    recipe=recipes,
    count=st.integers(0, 12),
    seed=st.integers(0, 2**20),
    fault_rate=st.sampled_from([0.0, 0.1, 0.5]),
    accept_rate=st.sampled_from([0.0, 0.3, 1.0]),
    outages=outages,
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_prompt_ends_decided_and_counts_conserve(
    recipe: SamplingRecipe,
    count: int,
    seed: int,
    fault_rate: float,
    accept_rate: float,
    outages: dict[str, list[tuple[float, float]]],
) -> None:
    fleet = Fleet(random.Random(seed), fault_rate, outages)
    with TemporaryDirectory() as folder, asyncio.Runner(loop_factory=SkippingLoop) as runner:
        arguments = (Path(folder), count, recipe, accept_rate)
        summary, samples = runner.run(sample_once(fleet, *arguments))
        if summary is None:
            fleet.outages = {}
            before = {sample.seed for sample in samples if sample.finish_reason != "error"}
            fleet.sent.clear()
            summary, samples = runner.run(sample_once(fleet, *arguments))
            assert not before & set(fleet.sent)
    assert summary is not None
    assert summary.conserves()
    assert len(samples) == summary.samples == len({sample.sample_id for sample in samples})
    by_prompt = {ask.prompt.prompt_id: 0 for ask in asks(count)}
    for sample in samples:
        by_prompt[sample.prompt_id] += 1
    assert all(recipe.n_min <= tried <= recipe.n_max for tried in by_prompt.values())
    assert summary.prompts_kept == summary.prompts or min(by_prompt.values()) <= recipe.n_max
    full = sum(tried == recipe.n_max for tried in by_prompt.values())
    assert summary.prompts_kept + full >= count
    completed = [sample.seed for sample in samples if sample.finish_reason != "error"]
    assert len(completed) == len(set(completed))
