"""A completion that begins with text of ours: only the rest is generated, stored and paid for."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from simulated_teacher import SimulatedTeacher
from simulated_teacher import serving as serving_simply
from test_teacher_continue import PROMPTS, RECIPE, SETTINGS, all_right, generated
from test_teacher_sampling import QUICK, asks, stored
from thinking_server import ThinkingServer, tokens_of
from thinking_server import serving as serving_thinker

from bench.completions import TOKEN_CHARACTERS
from bench.simulated_teacher import RunningTeacher, serving
from teacher.ask import Ask
from teacher.canary import CANARY_TOKENS, Replica
from teacher.completion import Partial
from teacher.progress import SamplingProgress, SamplingSummary
from teacher.sample import Sample
from teacher.sampling import open_pool, sample_prompts
from teacher.settings import SamplingRecipe
from teacher.shards import Shards


def sample_led(
    led: list[Ask],
    teachers: list[RunningTeacher] | list[SimulatedTeacher] | list[ThinkingServer],
    folder: Path,
    recipe: SamplingRecipe = RECIPE,
    kill_first: bool = False,
) -> tuple[SamplingSummary, list[Sample]]:
    """The asks' samples, in their order; with `kill_first` a server is killed at work."""
    killed: list[int] = []

    def on_progress(progress: SamplingProgress) -> None:
        if kill_first and not killed and progress.completion_tokens > 2_000:
            killed.append(progress.completion_tokens)
            teachers[0].kill()

    async def go(shards: Shards) -> SamplingSummary:
        replicas = [Replica(teacher.url, "sim") for teacher in teachers]
        async with open_pool(replicas, recipe) as pool:
            return await sample_prompts(led, pool, shards, recipe, all_right, on_progress)

    with Shards(folder) as shards:
        summary = asyncio.run(go(shards))
        found = {sample.prompt_id: sample for sample in stored(shards)}
    assert bool(killed) == kill_first
    return summary, [found[ask.prompt.prompt_id] for ask in led]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """The completions without a lead."""
    with serving(SETTINGS) as teacher:
        folder = tmp_path_factory.mktemp("whole")
        return sample_led(asks(PROMPTS), [teacher], folder)[1]


def with_leads(whole: list[Sample]) -> list[Ask]:
    """Each prompt with the first half of its completion as lead."""
    halves = [sample.completion_tokens // 2 for sample in whole]
    return [
        replace(ask, lead=Partial(sample.completion[: half * TOKEN_CHARACTERS], half))
        for ask, sample, half in zip(asks(len(whole)), whole, halves, strict=True)
    ]


@pytest.mark.parametrize("kill_first", [False, True])
def test_a_lead_is_gone_on_with_and_is_no_part_of_what_was_generated(
    tmp_path: Path, whole: list[Sample], kill_first: bool
) -> None:
    led = with_leads(whole)
    with serving(SETTINGS) as first, serving(SETTINGS) as second:
        summary, rests = sample_led(led, [first, second], tmp_path, kill_first=kill_first)
        paid = generated(first, second)
    for ask, rest, all_of_it in zip(led, rests, whole, strict=True):
        assert ask.lead.text + rest.completion == all_of_it.completion
        assert ask.lead.tokens + rest.completion_tokens == all_of_it.completion_tokens
        assert rest.prompt_tokens > ask.lead.tokens
        assert rest.wasted_tokens == 0
        assert rest.finish_reason == "stop"
    assert (summary.continued > 0) == kill_first
    kept = sum(rest.completion_tokens for rest in rests)
    if not kill_first:  # a killed server takes a little with it
        assert kept <= paid <= kept + 2 * CANARY_TOKENS


def test_a_lead_counts_against_the_limit_of_tokens(tmp_path: Path) -> None:
    def mind(text: str) -> str:
        return " word" * 50

    lead = Partial(" led" * 30, 30)
    led = [replace(ask, lead=lead) for ask in asks(2)]
    with serving_thinker(ThinkingServer(mind)) as server:
        recipe = QUICK.model_copy(update={"max_tokens": 40, "n_max": 1, "stream": False})
        _, samples = sample_led(led, [server], tmp_path, recipe)
        assert server.chats == []
        assert all(text.endswith("assistant:\n" + lead.text) for text in server.begun)
    for sample in samples:
        assert sample.completion == " word" * 10
        assert (sample.completion_tokens, sample.finish_reason) == (10, "length")


def test_a_template_that_opens_the_block_does_not_get_the_tag_twice(tmp_path: Path) -> None:
    led = [replace(ask, lead=Partial("<think>\nso far", 3)) for ask in asks(1)]
    server = ThinkingServer(lambda text: " done", generation_prompt="<think>\n")
    with serving_thinker(server):
        recipe = QUICK.model_copy(update={"think_prefilled": True, "n_max": 1, "stream": False})
        sample_led(led, [server], tmp_path, recipe)
    assert [text.partition("assistant:\n")[2] for text in server.begun] == ["<think>\nso far"]


def test_a_server_that_takes_no_lead_is_asked_no_more_often_than_any_request(
    tmp_path: Path,
) -> None:
    led = [replace(ask, lead=Partial("so far", 2)) for ask in asks(3)]
    recipe = QUICK.model_copy(update={"n_max": 1, "request_attempts": 3})
    with serving_simply(SimulatedTeacher()) as teacher:
        summary, samples = sample_led(led, [teacher], tmp_path, recipe)
    assert summary.errors == 3
    assert teacher.log == []
    for sample in samples:
        assert sample.attempts == 3
        assert sample.error is not None
        assert sample.error.startswith("not_continued")


def test_tokens_of_the_test_server_are_words_and_lose_nothing() -> None:
    text = "<think>\n one two </think>\n\n<b \\boxed{1}"
    assert "".join(tokens_of(text)) == text
    assert tokens_of("<think> one two") == ["<think>", " one", " two"]
