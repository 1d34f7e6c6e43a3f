"""SIGKILL while a run samples: typed again it goes on, and nothing is asked for twice."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from simulated_teacher import SimulatedTeacher, serving

from flows.recipe import load_recipe, recipe_of_run
from flows.run_folder import RunFolder, open_run
from prompts.parquet import read_rows
from teacher.sample import Sample

PROMPTS = 12


def number(prompt: str) -> int:
    """The number a question asks about; the canary asks about none."""
    first = prompt.split()[0]
    return int(first) if first.isdigit() else 0


def new_run(tmp_path: Path, url: str = "http://127.0.0.1:9") -> RunFolder:
    file = tmp_path / "mine.jsonl"
    lines = [
        f'{{"question": "{n} + 1", "reference_kind": "math_answer", "reference": "{n + 1}"}}'
        for n in range(PROMPTS)
    ]
    file.write_text("\n".join(lines) + "\nnot json\n", encoding="utf-8")
    sources = yaml.safe_dump([{"path": str(file), "domain": "math"}], default_flow_style=True)
    return open_run(
        load_recipe(
            overrides=[
                f"prompts.sources={sources}",
                "sampling.send_seed=true",
                "sampling.n_max=3",
                "sampling.in_flight=4",
                "teacher.template=zero-shot",
                "teacher.served_name=sim",
            ],
            teacher_urls=[url],
        ),
        tmp_path / "runs",
    )


def sample_in_this_process(folder: Path) -> None:
    """The process that is killed: curate, then sample."""
    from flows.curate import curate_and_write
    from flows.generate import sample_teacher

    run = RunFolder(folder, recipe_of_run(folder))
    curate_and_write.fn(run)
    sample_teacher.fn(run)


def start(run: RunFolder) -> "subprocess.Popen[bytes]":
    root = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root.parent), str(root)])}
    return subprocess.Popen(
        [sys.executable, __file__, str(run.path)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def await_rows(journal: Path, count: int) -> None:
    """Until so many samples are committed."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        with contextlib.suppress(sqlite3.OperationalError):
            db = sqlite3.connect(f"file:{journal}?mode=ro", uri=True)
            (found,) = db.execute("SELECT count(*) FROM samples").fetchone()
            db.close()
            if found >= count:
                return
        time.sleep(0.05)
    raise AssertionError(f"{journal} does not hold {count} samples after five minutes")


@pytest.mark.slow  # two whole runs
def test_a_killed_run_goes_on_and_asks_for_no_finished_sample_again(tmp_path: Path) -> None:

    # The first sample of a prompt is wrong, the second right; from the tenth request on, all hang.
    def answer(prompt: str, seed: int) -> str:
        n = number(prompt)
        right = len([1 for asked, _ in teacher.log if asked == prompt]) > 1
        return f"<think>\nhm\n</think>\n\n\\boxed{{{n + 1 if right else n + 7}}}"

    teacher = SimulatedTeacher(answer=answer)
    teacher.fault = lambda prompt, seed, nth: "hang" if len(teacher.log) > 10 else None
    with serving(teacher):
        run = new_run(tmp_path, teacher.url)
        first = start(run)
        await_rows(run.folder("generate") / "samples-00000.sqlite", 10)
        first.send_signal(signal.SIGKILL)
        first.wait()
        finished = set(teacher.sent)
        assert len(finished) == 10
        assert not (run.folder("generate") / "samples-00000.parquet").exists()
        asked_before = len(teacher.log)
        teacher.fault = lambda prompt, seed, nth: None
        second = start(run)
        assert second.wait(timeout=300) == 0, second.stderr.read() if second.stderr else ""
    assert not finished & set(teacher.log[asked_before:])
    samples = read_rows(run.folder("generate") / "samples-00000.parquet", Sample)
    assert len({s.sample_id for s in samples}) == len(samples) == len(set(teacher.sent))
    assert {s.prompt_id for s in samples} == {p.prompt_id for p in read_prompts(run)}


def read_prompts(run: RunFolder) -> list[object]:
    from flows.curate import train_prompts

    return list(train_prompts(run))


@pytest.mark.parametrize("name", ["train.parquet", "rejected.parquet"])
def test_curated_files_are_whole_or_absent(tmp_path: Path, name: str) -> None:
    from flows.curate import curate_and_write

    run = new_run(tmp_path)
    curated = curate_and_write.fn(run)
    assert (run.folder("curate") / name).stat().st_size > 0
    assert curated.total().rejected == 1
    assert not list(run.folder("curate").glob(".*"))


if __name__ == "__main__":
    sample_in_this_process(Path(sys.argv[1]))
