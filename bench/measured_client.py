"""A client in a process of its own, so that its CPU, memory and death are its own.

`python -m bench.measured_client JOB.json` samples what the job says, as Stillhouse or as the bare
gather, or stores as if it had; it prints one JSON line. CPU and time count from after the imports
and canaries.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MODEL = "sim"
STORED_BYTES = 23_000
# Reading /metrics costs CPU in wall time, however fast simulated time goes.
SHORTEST_STEER_S = 0.05


@dataclass(frozen=True, slots=True)
class ClientJob:
    """What a client is to do: `prompts` x n samples (n is n_min of the recipe for the peer)."""

    client: str  # ours, bare, or store: 23 kB completions go into the folder without a server
    places: list[tuple[str, int]]  # url and requests at once of each replica
    prompts: int
    recipe: dict[str, Any] = field(default_factory=dict)
    folder: str = ""
    speed_up: float = 1.0  # of the servers; the engine looks at them as much more often
    grades: bool = True


@dataclass(frozen=True, slots=True)
class ClientResult:
    """What it took, and what came of it."""

    cpu_s: float
    wall_s: float
    peak_rss_bytes: int
    samples: int
    accepted_prompts: int
    prompts_decided: int
    errors: int
    faults: dict[str, int]


def question(number: int) -> str:
    """The n-th prompt of every measurement."""
    return f"Question {number}: what is the number of this question's answer?"


def seeds_of(number: int, count: int) -> list[int]:
    """The seeds of a prompt's samples, as the engine derives them."""
    from prompts.record import prompt_id
    from teacher.ask import sample_seed

    identity = prompt_id("math", question(number))
    return [sample_seed(0, identity, index) for index in range(count)]


async def run_bare(job: ClientJob) -> ClientResult:
    """The peer's run."""
    from bench.bare_gather import Request, gather
    from bench.completions import is_right

    recipe = job.recipe
    count = recipe.get("n_min", 1)
    requests = [
        Request(question(number), seed)
        for number in range(job.prompts)
        for seed in seeds_of(number, count)
    ]
    interval = recipe.get("stream_interval", 256) if recipe.get("stream", True) else None
    most = recipe.get("max_tokens", 32_768)
    await gather([Request("warm up", None)], job.places, MODEL, 8, interval)
    clock = _Clock()
    texts = await gather(requests, job.places, MODEL, most, interval)
    took = clock.stop()
    right = {r.prompt for r, text in zip(requests, texts, strict=True) if is_right(r.prompt, text)}
    return ClientResult(*took, len(texts), len(right), job.prompts, 0, {})


async def run_ours(job: ClientJob) -> ClientResult:
    """Stillhouse's engine with everything on: shards with fsync, grading as completions come."""
    from bench.completions import is_right
    from prompts.record import Prompt
    from teacher import replicas as pool_module
    from teacher.canary import Replica
    from teacher.sample import Sample
    from teacher.sampling import open_pool, sample_prompts
    from teacher.settings import SamplingRecipe
    from teacher.shards import Shards

    recipe = SamplingRecipe(**job.recipe)
    pool_module.STEER_S = max(SHORTEST_STEER_S, pool_module.STEER_S / job.speed_up)
    accepted: set[str] = set()

    async def accept(prompt: Prompt, sample: Sample) -> bool:
        right = not job.grades or is_right(prompt.question, sample.completion)
        if right:
            accepted.add(prompt.prompt_id)
        return right

    replicas = [Replica(url, MODEL) for url, _ in job.places]  # the window is in the recipe
    asks = _asks(job.prompts)
    _warm_up()
    async with open_pool(replicas, recipe) as pool:
        clock = _Clock()
        with Shards(Path(job.folder)) as shards:
            summary = await sample_prompts(asks, pool, shards, recipe, accept)
            shards.finish()
        took = clock.stop()
    return ClientResult(
        *took,
        summary.samples,
        len(accepted),
        summary.prompts,
        summary.errors,
        dict(summary.faults),
    )


def run_store(job: ClientJob) -> ClientResult:
    """Put finished, graded samples into the folder, as a run before this one would have."""
    from bench.completions import of_size
    from teacher.shards import Shards

    count, clock = job.recipe["n_min"], _Clock()
    with Shards(Path(job.folder)) as shards:
        for number in range(job.prompts):
            for index in range(count):
                drawn = of_size(question(number), index, STORED_BYTES)
                sample = _stored(number, index, drawn.text(0, STORED_BYTES))
                shards.append(sample)
                shards.grade(sample.sample_id, index % 2 == 0)
        shards.flush()
    samples = job.prompts * count
    return ClientResult(*clock.stop(), samples, job.prompts, job.prompts, 0, {})


def _warm_up() -> None:
    """Import what only a closing shard needs: that is start-up, whenever it happens."""
    from teacher.shards import Shards

    with tempfile.TemporaryDirectory() as folder, Shards(Path(folder)) as shards:
        shards.append(_stored(0, 0, "text"))
        shards.finish()


def _stored(number: int, index: int, text: str) -> Any:
    from bench.completions import TOKEN_CHARACTERS
    from prompts.record import prompt_id
    from teacher.parse import split_completion
    from teacher.sample import Sample, sample_id

    identity = prompt_id("math", question(number))
    parts, now = split_completion(text), datetime.now(UTC)
    return Sample(
        sample_id=sample_id(identity, index),
        prompt_id=identity,
        sample_index=index,
        teacher=MODEL,
        teacher_revision="",
        template="",
        temperature=0.6,
        top_p=0.95,
        max_tokens=32_768,
        seed=index,
        completion=text,
        reasoning=parts.reasoning,
        answer=parts.answer,
        finish_reason="stop",
        prompt_tokens=20,
        completion_tokens=STORED_BYTES // TOKEN_CHARACTERS,
        reasoning_tokens=STORED_BYTES // TOKEN_CHARACTERS - 10,
        answer_tokens=10,
        replica="http://127.0.0.1:1/v1",
        started_at=now,
        ended_at=now,
        attempts=1,
    )


def _asks(count: int) -> Sequence[Any]:
    from prompts.record import Prompt, prompt_id
    from teacher.ask import Ask

    return [
        Ask(
            Prompt(
                prompt_id=prompt_id("math", text),
                domain="math",
                source="bench",
                license="CC0-1.0",
                split="train",
                question=text,
                reference_kind="math_answer",
                reference="",
            ),
            [{"role": "user", "content": text}],
        )
        for text in map(question, range(count))
    ]


class _Clock:
    """CPU seconds of all threads, seconds of the wall, and the most memory there was."""

    def __init__(self) -> None:
        self._cpu_s, self._wall_s = time.process_time(), time.monotonic()

    def stop(self) -> tuple[float, float, int]:
        """What has gone since."""
        cpu_s, wall_s = time.process_time() - self._cpu_s, time.monotonic() - self._wall_s
        return cpu_s, wall_s, 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Read the job, do it, print the result."""
    job = ClientJob(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    job = ClientJob(**{**asdict(job), "places": [(url, count) for url, count in job.places]})
    if job.client == "store":
        result = run_store(job)
    else:
        result = asyncio.run(run_ours(job) if job.client == "ours" else run_bare(job))
    print(json.dumps(asdict(result)), flush=True)


if __name__ == "__main__":
    main()
