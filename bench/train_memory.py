"""Peak memory of trainings on this machine's processor, beside what the plan says.

    python -m bench.train_memory            every setting (about ten minutes)
    python -m bench.train_memory checkpointing float32

Each setting trains in a process of its own on made-up rows, two optimiser steps on rows of one
length where nothing else is said, and the system's own count of that process's largest resident
memory (VmHWM) is compared with the plan for the largest step. The default run's rows differ in
length: so do its steps, and an allocator that keeps what they leave behind needs more with each.
"""

import json
import math
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sft.job import TrainJob, write_job
from sft.memory_plan import GIB, MemoryPlan, memory_plan
from sft.student import StudentRecipe, load_student
from teacher.embedded import embedded_model_dir

STEPS = 2
# Prompt and template of a made-up row in tokens of the embedded model.
FRAME_TOKENS = 24


@dataclass(frozen=True, slots=True)
class Setting:
    """One training to measure: its rows' lengths in tokens, and what of the recipe differs."""

    row_tokens: int
    changes: Mapping[str, Any]
    longest_tokens: int | None = None  # rows are between the two
    steps: int = STEPS


ONE = {"batch_size": 1, "micro_batch_size": 1}
FOUR = {"batch_size": 4, "micro_batch_size": 4}
SETTINGS: dict[str, Setting] = {
    "states": Setting(50, ONE),
    "default": Setting(100, {}),
    # As many steps as an epoch of the default run has, on rows as long as it has them.
    "default run": Setting(60, {}, longest_tokens=90, steps=24),
    "long row": Setting(1000, ONE),
    "checkpointing": Setting(1000, {**ONE, "gradient_checkpointing": True}),
    "padded": Setting(200, {**FOUR, "packing": False}),
    "float32": Setting(100, {**FOUR, "dtype": "float32"}),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a training took, and what was planned for it."""

    peak_bytes: int
    plan: MemoryPlan
    tokens_per_s: float

    @property
    def ratio(self) -> float:
        """Planned over measured."""
        return self.plan.total_bytes / self.peak_bytes


def measure(student: StudentRecipe, base: Path, setting: Setting, folder: Path) -> Measured:
    """Train as the setting says in a process of its own; RuntimeError with what it died of."""
    spread = (setting.longest_tokens or setting.row_tokens) - setting.row_tokens
    draw = random.Random(0)
    lengths = [
        setting.row_tokens + draw.randint(0, spread)
        for _ in range(setting.steps * student.batch_size)
    ]
    rows = [_row(number, tokens) for number, tokens in enumerate(lengths)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
    job = TrainJob(
        data=(folder / "rows.parquet",),
        student=student,
        model_dir=str(base),
        output_dir=folder / "model",
    )
    write_job(folder / "job.json", job)
    log = folder / "log"
    with log.open("wb") as errors, (folder / "out").open("wb") as out:
        command = [sys.executable, "-m", "sft.train", str(folder / "job.json")]
        done = subprocess.run(command, stdout=out, stderr=errors, check=False)
    if done.returncode:
        raise RuntimeError(log.read_text(errors="replace")[-2000:])
    said = [json.loads(line) for line in (folder / "out").read_text().splitlines()]
    steps = [line for line in said if "step" in line]
    tokens = [0, *(line["tokens"] for line in steps)]
    largest = max(after - before for before, after in pairwise(tokens))
    last = tokens[-1] - tokens[-2]
    return Measured(
        peak_bytes=said[-1]["peak_memory_bytes"],
        plan=memory_plan(student, longest_row=math.ceil(largest / student.batch_size)),
        tokens_per_s=last / (steps[-1]["seconds"] - steps[-2]["seconds"]),
    )


def _row(number: int, tokens: int) -> dict[str, Any]:
    """A row of about that many tokens: most tokenizers here give each digit one."""
    reasoning = "".join(str((number + i) % 10) for i in range(tokens - FRAME_TOKENS))
    return {
        "sample_id": f"row-{number}",
        "reasoning": reasoning,
        "messages": [
            {"role": "user", "content": "Count."},
            {"role": "assistant", "content": f"<think>\n{reasoning}\n</think>\n\n{number}"},
        ],
    }


def main(names: list[str]) -> None:
    """Print planned and measured peak of each setting."""
    smol = load_student("smol-135m").model_dump()
    print(f"{'setting':14} {'planned':>8} {'measured':>9} {'ratio':>6}  GiB, tokens/s")
    for name in names or SETTINGS:
        setting = SETTINGS[name]
        only = {"epochs": 1, "tracker": "none", "eval_prompts": 0}
        student = StudentRecipe(**{**smol, **only, **setting.changes})
        with tempfile.TemporaryDirectory() as folder:
            found = measure(student, embedded_model_dir(), setting, Path(folder))
        print(
            f"{name:14} {found.plan.total_bytes / GIB:8.2f} {found.peak_bytes / GIB:9.2f} "
            f"{found.ratio:6.2f}  {found.tokens_per_s:,.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
