"""sft/token_rows.py: rows are tokenized once, and only their lengths are kept in memory."""

import json
import os
import threading
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("transformers")

import pyarrow as pa
from tiny_student import make_row, make_tokenizer, student_values, write_dataset

from prompts.errors import PrerequisiteError, RunError
from sft import token_rows as made
from sft.job import TrainJob
from sft.messages import IGNORED, encode_rows, read_training_rows
from sft.steps import StepShape, plan_steps

ROWS = [make_row(i, "and so on " * (i % 7)) for i in range(40)]


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer()


@pytest.fixture(autouse=True)
def _one_rank(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)


def job_of(folder, rows=ROWS, **changes):
    folder.mkdir(exist_ok=True)
    data = write_dataset(folder / "train.parquet", rows)
    return TrainJob.model_validate(
        {
            "data": [data],
            "student": student_values(**changes),
            "model_dir": "base",
            "output_dir": folder / "student",
        }
    )


def rows_of(job, tokenizer):
    return made.token_rows(job, tokenizer, made.rows_key(job, tokenizer))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(made, "CHUNK_CHARS", 300)


def same_as_encoded(rows, job, tokenizer):
    wanted = encode_rows(read_training_rows(job.data), tokenizer, job.student.max_length)
    assert list(rows) == list(wanted.rows)
    assert rows.dropped == wanted.dropped
    assert rows.tokens == wanted.tokens
    assert rows.lengths.tolist() == [len(row.input_ids) for row in wanted.rows]
    learnt = [sum(label != IGNORED for label in row.labels) for row in wanted.rows]
    assert rows.scored.tolist() == learnt


def test_rows_come_back_as_they_were_encoded_whatever_the_chunks(tmp_path, tokenizer, small_chunks):
    odd = make_row(50) | {"reasoning": "not in the assistant's turn"}
    job = job_of(tmp_path, [make_row(51, "so " * 200), *ROWS, odd], max_length=160)
    rows = rows_of(job, tokenizer)
    assert rows.dropped == {"overlong": 1, "not_round_trip": 1}
    assert len(rows._batches) > 4
    same_as_encoded(rows, job, tokenizer)
    assert names(job.checkpoints) == [made.ROWS, made.FACTS]


@pytest.mark.slow
def test_several_processes_make_the_same_rows(tmp_path, tokenizer, small_chunks, monkeypatch):
    monkeypatch.setattr(made, "_workers", lambda paths: 2)
    job = job_of(tmp_path)
    same_as_encoded(rows_of(job, tokenizer), job, tokenizer)


def test_processes_are_started_for_large_files_only(tmp_path, monkeypatch):
    data = write_dataset(tmp_path / "x.parquet", ROWS)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    assert made._workers([data]) == 1
    monkeypatch.setattr(made, "BYTES_PER_WORKER", 1000)
    assert 1 < made._workers([data]) < 10
    monkeypatch.setattr(made, "BYTES_PER_WORKER", 1)
    assert made._workers([data]) == 64


def kept_and_highest_bytes(job, tokenizer):
    """What tokenizing, mapping and planning leave in memory, and the most they took."""
    tracemalloc.start()
    before, arrow = tracemalloc.get_traced_memory()[0], pa.total_allocated_bytes()
    rows = rows_of(job, tokenizer)
    plan = plan_steps(rows.lengths, StepShape(3, 16, 16, 4096, 2, 0))
    assert plan.steps[len(plan.steps) - 1]
    kept, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return kept - before + pa.total_allocated_bytes() - arrow, highest - before


def test_memory_grows_by_the_lengths_of_rows_not_by_their_tokens(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setattr(made, "CHUNK_CHARS", 5_000)
    rows = [make_row(i, "and so on " * 40) for i in range(450)]
    few, many = (
        job_of(tmp_path / "few", rows[:150], max_length=512),
        job_of(tmp_path / "many", rows, max_length=512),
    )
    rows_of(job_of(tmp_path / "first", rows[:9], max_length=512), tokenizer)  # what is loaded once
    less, more = (kept_and_highest_bytes(job, tokenizer) for job in (few, many))
    # A row has 470 tokens here: its labels alone would be 3,760 bytes in a list.
    assert more[0] - less[0] < 300 * 300
    assert more[1] - less[1] < 300 * 300


def test_what_is_there_is_taken_as_it_is(tmp_path, tokenizer, monkeypatch):
    job = job_of(tmp_path)
    first = rows_of(job, tokenizer)
    monkeypatch.setattr(made, "_make", None)
    assert list(rows_of(job, tokenizer)) == list(first)


def test_other_rows_another_limit_or_template_are_made_anew(tmp_path, tokenizer):
    keys = {made.rows_key(job_of(tmp_path), tokenizer)}
    keys.add(made.rows_key(job_of(tmp_path, max_length=128), tokenizer))
    keys.add(made.rows_key(job_of(tmp_path), make_tokenizer(tokenizer.chat_template + " ")))
    keys.add(made.rows_key(job_of(tmp_path), make_tokenizer(eos="<|endoftext|>", pad="<think>")))
    assert len(rows_of(job_of(tmp_path), tokenizer)) == 40
    fewer = job_of(tmp_path, ROWS[:30])
    keys.add(made.rows_key(fewer, tokenizer))
    assert len(keys) == 5
    assert len(rows_of(fewer, tokenizer)) == 30


@pytest.mark.parametrize("left", [{}, {made.FACTS: "{"}, {made.FACTS: '{"key": "other"}'}])
def test_what_a_killed_one_left_is_made_anew(tmp_path, tokenizer, left):
    job = job_of(tmp_path)
    job.checkpoints.mkdir()
    for name, text in {made.ROWS: "half", f".{made.ROWS}.tmp": "less", **left}.items():
        (job.checkpoints / name).write_text(text)
    same_as_encoded(rows_of(job, tokenizer), job, tokenizer)
    assert names(job.checkpoints) == [made.ROWS, made.FACTS]


@pytest.mark.parametrize("size", [None, 0, 1_000])
def test_rows_that_are_not_all_there_any_more_are_made_anew(tmp_path, tokenizer, size):
    job = job_of(tmp_path)
    rows_of(job, tokenizer)
    file = job.checkpoints / made.ROWS
    whole = file.read_bytes()
    file.unlink() if size is None else file.write_bytes(whole[:size])
    same_as_encoded(rows_of(job, tokenizer), job, tokenizer)
    assert file.read_bytes() == whole


def test_a_stop_on_the_way_leaves_nothing(tmp_path, tokenizer, small_chunks, monkeypatch):
    job = job_of(tmp_path)

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(made, "encode_chunk", stopped)
    with pytest.raises(KeyboardInterrupt):
        rows_of(job, tokenizer)
    assert not job.checkpoints.exists()


def test_a_disk_that_takes_no_more_is_a_fault_that_says_so(tmp_path, tokenizer, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(made.os, "fsync", full)
    with pytest.raises(RunError, match=r"token rows .*No space left"):
        rows_of(job_of(tmp_path), tokenizer)


def test_too_many_rows_without_their_reasoning_are_found_over_all_chunks(
    tmp_path, tokenizer, small_chunks
):
    odd = [row | {"reasoning": "not in the assistant's turn"} for row in ROWS[:25]]
    with pytest.raises(PrerequisiteError, match=r"25 of 40 rows: .* deletes the reasoning"):
        rows_of(job_of(tmp_path, [*ROWS[25:], *odd]), tokenizer)
    assert not job_of(tmp_path).checkpoints.exists()


def test_a_missing_file_is_named(tmp_path, tokenizer):
    job = job_of(tmp_path).model_copy(update={"data": (Path("nowhere.parquet"),)})
    with pytest.raises(PrerequisiteError, match=r"nowhere\.parquet"):
        made.rows_key(job, tokenizer)


def test_other_ranks_wait_for_the_first_ones_rows(tmp_path, tokenizer, monkeypatch):
    job = job_of(tmp_path / "ours")
    first = rows_of(job_of(tmp_path / "first"), tokenizer)
    monkeypatch.setattr(made, "POLL_S", 0.01)
    monkeypatch.setattr(made, "_make", None)
    monkeypatch.setenv("RANK", "1")
    found = []
    waiting = threading.Thread(target=lambda: found.append(rows_of(job, tokenizer)))
    waiting.start()
    there = tmp_path / "first" / ".student.checkpoints"
    job.checkpoints.mkdir()
    stale = {**json.loads((there / made.FACTS).read_text()), "key": "another"}
    (job.checkpoints / made.FACTS).write_text(json.dumps(stale))
    os.link(there / made.ROWS, job.checkpoints / made.ROWS)
    assert waiting.is_alive()
    os.replace(there / made.FACTS, job.checkpoints / made.FACTS)
    waiting.join(60)
    assert list(found[0]) == list(first)


def waiting(monkeypatch, then):
    """A clock on which each pause takes a minute; `then` is told in each which one it is."""
    passed = []

    def pause(_):
        passed.append(60.0)
        then(len(passed))

    clock = SimpleNamespace(monotonic=lambda: sum(passed), sleep=pause)
    monkeypatch.setattr(made, "time", clock)
    monkeypatch.setenv("RANK", "1")
    return passed


def test_a_rank_that_sees_nothing_of_the_rows_says_that_folders_are_shared(
    tmp_path, tokenizer, monkeypatch
):
    passed = waiting(monkeypatch, lambda _: None)
    with pytest.raises(RunError, match=r"(?s)no token rows in .*600 s.*share this folder"):
        rows_of(job_of(tmp_path), tokenizer)
    assert sum(passed) == 660


def test_a_rank_waits_as_long_as_rows_are_written(tmp_path, tokenizer, monkeypatch):
    job = job_of(tmp_path / "ours")
    job.checkpoints.mkdir()
    first = rows_of(job_of(tmp_path / "first"), tokenizer)
    there = tmp_path / "first" / ".student.checkpoints"

    def written(pause):
        if pause < 30:
            (job.checkpoints / ".rows.arrow.tmp").write_bytes(b"." * pause)
        else:
            for name in (made.ROWS, made.FACTS):
                os.link(there / name, job.checkpoints / name)

    assert len(waiting(monkeypatch, written)) == 0
    assert list(rows_of(job, tokenizer)) == list(first)
