"""Against two real vLLM servers: one is killed at work, and its completions go on at the other."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from test_teacher_sampling import asks, stored
from test_teacher_serve_vllm import real_vllm

from prompts.record import Prompt
from teacher.canary import Replica
from teacher.embedded import embedded_model_dir
from teacher.progress import SamplingProgress, SamplingSummary
from teacher.sample import Sample
from teacher.sampling import open_pool, sample_prompts
from teacher.serve import ServeRecipe, serving
from teacher.settings import SamplingRecipe
from teacher.shards import Shards

PROMPTS = 16
RECIPE = SamplingRecipe(
    n_max=1,
    temperature=1.0,
    top_p=1.0,
    max_tokens=160,
    send_seed=False,
    in_flight=8,
    stream_interval=8,
    retry_wait_s=0.1,
    progress_s=0.1,
)


@pytest.mark.slow
def test_what_a_killed_vllm_was_writing_is_ended_by_another(tmp_path: Path) -> None:
    """About two minutes on two cores."""
    real_vllm()
    model, settings, seen = (
        embedded_model_dir(),
        ServeRecipe(kv_cache_gib=1),
        list[SamplingProgress](),
    )
    with (
        serving(model, "smollm2", settings, tmp_path / "first.log") as first,
        serving(model, "smollm2", settings, tmp_path / "second.log") as second,
    ):
        killed: list[int] = []

        def kill_first(progress: SamplingProgress) -> None:
            seen.append(progress)
            writing = progress.replicas[0]
            if not killed and writing.completion_tokens > 80:
                os.kill(first.pid, signal.SIGKILL)
                killed.append(writing.in_flight)

        with Shards(tmp_path / "samples") as shards:
            summary = asyncio.run(sample([first.url, second.url], shards, kill_first))
            samples = stored(shards)
    assert killed
    assert summary.samples == summary.accepted == len(samples) == PROMPTS
    continued = [sample for sample in samples if sample.earlier_replicas]
    assert summary.continued == len(continued) > 0
    for sample_ in continued:
        assert sample_.earlier_replicas == first.url
        assert sample_.replica == second.url
        assert 0 < sample_.completion_tokens <= RECIPE.max_tokens
        assert (sample_.finish_reason == "length") == (
            sample_.completion_tokens == RECIPE.max_tokens
        )
        assert sample_.wasted_tokens == 0
        assert "<|im_" not in sample_.completion
    assert any(replica.queued is not None for progress in seen for replica in progress.replicas)


async def sample(
    urls: list[str], shards: Shards, on_progress: Callable[[SamplingProgress], None]
) -> SamplingSummary:
    async def accept(prompt: Prompt, sample: Sample) -> bool:
        return True

    async with open_pool([Replica(url, "smollm2") for url in urls], RECIPE) as pool:
        return await sample_prompts(asks(PROMPTS), pool, shards, RECIPE, accept, on_progress)
