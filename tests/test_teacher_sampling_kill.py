"""SIGKILL in the middle of sampling, told from the server's side: nothing is paid for twice."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from simulated_teacher import SimulatedTeacher, serving
from test_teacher_sampling import QUICK, asks, stored

from prompts.parquet import read_rows
from prompts.record import Prompt
from teacher.ask import sample_seed
from teacher.canary import Replica
from teacher.sample import Sample
from teacher.sampling import open_pool, sample_prompts
from teacher.shards import Shards

PROMPTS = 20
HUNG_FROM = 25


def is_right(sample: Sample) -> bool:
    return sample.seed % 3 == 0


def sample_in_this_process(url: str, folder: Path) -> None:
    """The client: prints a line when a sample is committed, and closes the run at its end."""

    async def go(shards: Shards) -> None:
        async def accept(prompt: Prompt, sample: Sample) -> bool:
            await asyncio.to_thread(shards.flush)
            print(sample.sample_id, flush=True)
            return is_right(sample)

        async with open_pool([Replica(url, "sim")], QUICK) as pool:
            await sample_prompts(asks(PROMPTS), pool, shards, QUICK, accept)

    with Shards(folder) as shards:
        asyncio.run(go(shards))
        shards.finish()


def start(url: str, folder: Path) -> subprocess.Popen[str]:
    paths = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
    return subprocess.Popen(
        [sys.executable, __file__, url, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )


def kill_after(client: subprocess.Popen[str], lines: int) -> None:
    assert client.stdout
    for _ in range(lines):
        assert client.stdout.readline()
    client.send_signal(signal.SIGKILL)
    client.stdout.close()
    assert client.wait() == -signal.SIGKILL


def finish(client: subprocess.Popen[str]) -> None:
    client.communicate(timeout=300)
    assert client.returncode == 0


def check_result(samples: list[Sample]) -> None:
    """Every prompt decided by exactly the samples it needed, none twice."""
    by_id = {sample.sample_id: sample for sample in samples}
    assert len(by_id) == len(samples)
    for ask in asks(PROMPTS):
        identity = ask.prompt.prompt_id
        seeds = [sample_seed(QUICK.seed, identity, index) for index in range(QUICK.n_max)]
        wanted = next((i + 1 for i, seed in enumerate(seeds) if seed % 3 == 0), QUICK.n_max)
        got = [sample for sample in samples if sample.prompt_id == identity]
        assert len(got) >= wanted
        assert any(map(is_right, got)) or len(got) == QUICK.n_max


def test_after_a_kill_no_completed_sample_is_asked_again_lost_or_doubled(tmp_path: Path) -> None:
    teacher = SimulatedTeacher()
    teacher.fault = lambda prompt, seed, nth: "hang" if len(teacher.log) > HUNG_FROM else None
    with serving(teacher):
        kill_after(start(teacher.url, tmp_path), HUNG_FROM)
        completed, asked = set(teacher.sent), len(teacher.log)
        assert len(completed) == HUNG_FROM < asked
        teacher.fault = lambda prompt, seed, nth: None
        finish(start(teacher.url, tmp_path))
    assert not completed & set(teacher.log[asked:])
    samples = read_rows(tmp_path / "samples-00000.parquet", Sample)
    assert completed <= {(prompt_of(sample), sample.seed) for sample in samples}
    check_result(samples)


@pytest.mark.slow  # many kills
def test_kills_at_any_moment_lose_nothing_that_was_committed(tmp_path: Path) -> None:
    teacher = SimulatedTeacher()
    with serving(teacher):
        for lines in (3, 12):
            kill_after(start(teacher.url, tmp_path), lines)
            with Shards(tmp_path) as shards:
                committed = {(prompt_of(sample), sample.seed) for sample in stored(shards)}
            asked = len(teacher.log)
            assert len(committed) >= lines
        finish(start(teacher.url, tmp_path))
    assert not committed & set(teacher.log[asked:])
    check_result(read_rows(tmp_path / "samples-00000.parquet", Sample))


def prompt_of(sample: Sample) -> str:
    return next(a.prompt.question for a in asks(PROMPTS) if a.prompt.prompt_id == sample.prompt_id)


if __name__ == "__main__":
    sample_in_this_process(sys.argv[1], Path(sys.argv[2]))
