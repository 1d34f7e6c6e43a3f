"""Samples for a store, and a process that stores them until it is killed or the disk is full.

It imports no more than the store needs, since tests start it many times. Modes: `append` forever;
`finish` and be gone at a named step; `full`: files end at 512 kB.
"""

import os
import resource
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import teacher.open_shard
import teacher.shards
from prompts.errors import RunError
from teacher.sample import Sample, sample_id
from teacher.shards import Shards

NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)


def made(index: int = 0, completion: str = "<think>a</think>b", prompt: str = "p") -> Sample:
    return Sample(
        sample_id=sample_id(prompt, index),
        prompt_id=prompt,
        sample_index=index,
        teacher="sim",
        teacher_revision="1",
        template="zero-shot",
        temperature=0.7,
        top_p=1.0,
        max_tokens=100,
        seed=2**31 - 1,
        completion=completion,
        reasoning="a",
        answer="b",
        finish_reason="stop",
        prompt_tokens=3,
        completion_tokens=4,
        reasoning_tokens=2,
        answer_tokens=2,
        replica="http://127.0.0.1/v1",
        started_at=NOON,
        ended_at=NOON,
        attempts=1,
        earlier_replicas="http://127.0.0.2/v1",
        wasted_tokens=7,
    )


def failed(index: int = 0, why: str = "reset: gone") -> Sample:
    return replace(made(index, ""), reasoning="", answer="", finish_reason="error", error=why)


def work(folder: Path, start: int, shard_bytes: int) -> None:
    """Append and grade, and print what is committed."""
    with Shards(folder, shard_bytes) as shards:
        for index in range(start, start + 100_000):
            shards.append(failed(index) if index % 7 == 3 else made(index, f"{index} " * 500))
            if index % 7 != 3:
                shards.grade(sample_id("p", index), index % 2 == 0)
            if index % 5 == 0:
                shards.flush()
                print(index, flush=True)


def write_until_full(folder: Path) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**19, 2**19))
    shards = Shards(folder)
    try:
        for index in range(10_000):
            shards.append(made(index, "x" * 20_000))
            shards.flush()
            print(index, flush=True)
    except RunError as error:
        print(f"RunError {error}", flush=True)


def kill_before_or_after(folder: Path, name: str, before: bool) -> None:
    """Finish, and be gone at the named step."""
    module, _, attribute = name.rpartition(".")
    owner = teacher.open_shard.OpenShard if "OpenShard" in module else teacher.shards
    real = getattr(owner, attribute)

    def dying(*arguments: object) -> None:
        if not before:
            real(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, attribute, dying)
    with Shards(folder) as shards:
        shards.append(made(1, "later"))
        shards.grade("p-001", True)
        shards.spend("p", 20)
        shards.finish()


if __name__ == "__main__":
    mode, where, *rest = sys.argv[1:]
    if mode == "append":
        work(Path(where), int(rest[0]), int(rest[1]))
    elif mode == "finish":
        kill_before_or_after(Path(where), rest[0], rest[1] == "before")
    else:
        write_until_full(Path(where))
