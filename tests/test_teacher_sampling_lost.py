"""What was paid and lost, with budgets, on resuming, and when a replica leaves at a bad moment."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiohttp
from skipping_loop import SkippingLoop
from test_teacher_sampling import asks, stored

from prompts.record import Prompt
from teacher.canary import CANARY, Replica, Wire
from teacher.client import Call, Endpoint
from teacher.completion import Completion, Fault, FaultKind, Heard
from teacher.progress import SamplingSummary
from teacher.replicas import Pool
from teacher.sample import Sample
from teacher.sampling import sample_prompts
from teacher.settings import SamplingRecipe
from teacher.shards import Shards

RECIPE = SamplingRecipe(max_tokens=10, n_max=3, request_attempts=3, in_flight=1)
URLS = ("http://one/v1", "http://two/v1")
# Says something of a request, by its number, and returns or raises what ends it.
Answer = Callable[[int, Heard], None]


def say(heard: Heard, tokens: int, finish_reason: str | None = None) -> None:
    choice = {"delta": {"content": "abc " * tokens}, "finish_reason": finish_reason}
    heard.take({"choices": [choice], "usage": {"completion_tokens": tokens}}, "delta")


def run(
    folder: Path, answer: Answer, recipe: SamplingRecipe, prompts: int = 1, owner: str = "other"
) -> tuple[SamplingSummary, list[Sample]]:
    """Sample from one replica; a second one joins after a minute, when the first leaves."""
    requests = [0]

    async def complete(
        session: aiohttp.ClientSession, where: Endpoint, call: Call, heard: Heard
    ) -> Completion:
        if call.messages[0]["content"] != CANARY:
            requests[0] += 1
            try:
                answer(requests[0], heard)
            except Fault as fault:
                fault.partial = heard.partial()
                raise
            await asyncio.sleep(0 if heard.finish_reason != "abort" else 1_000)
        else:
            say(heard, 5, "stop")
        return heard.completion(whole=False)

    async def served_models(session: aiohttp.ClientSession, where: Endpoint) -> dict[str, str]:
        return {"sim": owner}

    async def gauges(session: aiohttp.ClientSession, where: Endpoint) -> None:
        return None

    async def accept(prompt: Prompt, sample: Sample) -> bool:
        return sample.sample_index == 1

    async def swap(pool: Pool) -> None:
        await asyncio.sleep(60.0)
        pool.join(Replica(URLS[1], "sim"))
        pool.leave(URLS[0])

    async def go(shards: Shards) -> SamplingSummary:
        wire = Wire(complete, served_models, gauges)
        async with Pool([Replica(URLS[0], "sim")], recipe.in_flight, wire=wire) as pool:
            swapping = asyncio.create_task(swap(pool))
            try:
                return await sample_prompts(asks(prompts), pool, shards, recipe, accept)
            finally:
                swapping.cancel()

    with Shards(folder) as shards, asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(go(shards)), stored(shards)


def breaks(number: int, heard: Heard) -> None:
    say(heard, 9)
    raise Fault(FaultKind.RESET, "broken")


def answers(number: int, heard: Heard) -> None:
    say(heard, 10, "stop")


def test_a_sample_that_lost_too_much_of_the_budget_fails_and_says_so(tmp_path: Path) -> None:
    within = RECIPE.model_copy(update={"max_tokens_per_prompt": 25})
    summary, samples = run(tmp_path, breaks, within)
    assert [(sample.attempts, sample.wasted_tokens) for sample in samples] == [(2, 18)]
    assert "the token budget does not cover a new attempt" in str(samples[0].error)
    assert (summary.prompts_over_budget, summary.wasted_tokens) == (1, 18)
    assert summary.outcomes[0].completion_tokens == 18


def test_without_a_budget_a_loss_changes_nothing(tmp_path: Path) -> None:
    summary, samples = run(tmp_path, breaks, RECIPE)
    assert [(sample.attempts, sample.wasted_tokens) for sample in samples] == [(3, 27)] * 3
    assert summary.prompts_exhausted == 1


def test_what_a_failed_sample_cost_counts_in_the_next_run_too(tmp_path: Path) -> None:
    within = RECIPE.model_copy(update={"max_tokens_per_prompt": 25})
    run(tmp_path, breaks, within)
    summary, samples = run(tmp_path, answers, within)
    assert (len(samples), samples[0].wasted_tokens) == (1, 18)
    assert summary.prompts_over_budget == 1


def test_what_superseded_samples_cost_counts_in_every_later_run(tmp_path: Path) -> None:
    """Once, a resumed run knew only the cost of the rows that stand."""
    within = RECIPE.model_copy(update={"max_tokens_per_prompt": 60, "request_attempts": 1})
    for index in range(2):
        summary, _ = run(tmp_path, breaks, within)
        assert summary.outcomes[0].completion_tokens == 27 * (index + 1)
    summary, samples = run(tmp_path, answers, within)
    assert (len(samples), summary.prompts_over_budget) == (3, 1)
    assert summary.outcomes[0].completion_tokens == 54


def test_what_cancelled_siblings_cost_counts_in_the_next_run_too(tmp_path: Path) -> None:
    def third_hangs(number: int, heard: Heard) -> None:
        say(heard, 4 if number == 3 else 10, "abort" if number == 3 else "stop")

    wide = RECIPE.model_copy(update={"in_flight": 2})
    for cancelled in (1, 0):
        summary, samples = run(tmp_path, third_hangs, wide)
        assert (len(samples), summary.cancelled) == (2, cancelled)
        assert summary.outcomes[0].completion_tokens == 24


def test_a_prompts_row_is_the_same_when_the_run_is_typed_again(tmp_path: Path) -> None:
    """Once, a failed sample left a gap, and what came after it no longer counted."""

    def first_breaks(number: int, heard: Heard) -> None:
        (breaks if number == 1 else answers)(number, heard)

    once = RECIPE.model_copy(update={"request_attempts": 1})
    first, _ = run(tmp_path, first_breaks, once)
    second, _ = run(tmp_path, answers, once)
    assert (first.errors, second.errors, second.resumed) == (1, 0, 1)
    assert (first.outcomes[0].tried, first.outcomes[0].pass_rate) == (2, 1.0)
    assert second.outcomes == first.outcomes


def test_a_prompt_that_was_kept_stays_so_when_the_budget_is_lowered(tmp_path: Path) -> None:
    run(tmp_path, answers, RECIPE, prompts=3)
    lower = RECIPE.model_copy(update={"max_tokens_per_run": 15, "max_tokens_per_prompt": 10})
    summary, samples = run(tmp_path, answers, lower, prompts=3)
    assert len(samples) == 6
    assert (summary.prompts_kept, summary.prompts_over_budget) == (3, 0)


def test_a_server_that_has_aborted_when_its_replica_leaves_ends_no_run(tmp_path: Path) -> None:
    """Once, the abort was taken for the end of the completion, and its fault for a bug."""

    def abort_first(number: int, heard: Heard) -> None:
        say(heard, 4, "abort" if number == 1 else "stop")

    summary, samples = run(tmp_path, abort_first, RECIPE)
    assert summary.faults == {"drained": 1}
    assert (samples[0].wasted_tokens, samples[0].replica) == (4, URLS[1])
