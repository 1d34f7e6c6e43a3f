"""The sample store: each sample once, completed wins, nothing committed is lost, come what may."""

import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
import shard_process
from hypothesis import given, settings
from hypothesis import strategies as st
from shard_process import failed, made

import teacher.shards
from prompts.errors import PrerequisiteError, RunError
from prompts.parquet import read_rows
from teacher.closed_shard import read_grades
from teacher.open_shard import storable
from teacher.sample import Sample, sample_id
from teacher.shards import Shards

SMALL = 2_000


def stored_ids(shards: Shards) -> list[str]:
    return [stored.sample_id for stored in shards.restore()]


def whole(shards: Shards) -> list[Sample]:
    return sorted(shards.read(stored_ids(shards)), key=lambda sample: sample.sample_id)


def closed(folder: Path) -> list[Sample]:
    samples = read_rows(sorted(folder.glob("samples-*.parquet")), Sample)
    return sorted(samples, key=lambda sample: sample.sample_id)


def grades_of(shards: Shards) -> dict[str, bool | None]:
    return {stored.sample_id: stored.accepted for stored in shards.restore() if stored.graded}


@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=20), st.booleans())
@settings(max_examples=20, deadline=None)
def test_samples_come_back_exactly_as_they_went_in(texts: list[str], in_parts: bool) -> None:
    samples = [
        replace(made(i, f"<think>{text}</think>{text}"), reasoning=text, answer=text)
        if in_parts
        else made(i, text)
        for i, text in enumerate(texts)
    ]
    samples.append(failed(len(samples)))
    with TemporaryDirectory() as name:
        with Shards(Path(name)) as shards:
            for sample in samples:
                shards.append(sample)
            assert whole(shards) == samples
            shards.finish()
            assert whole(shards) == samples
        assert closed(Path(name)) == samples
        assert [path.name for path in Path(name).iterdir()] == ["samples-00000.parquet"]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 9)),
        st.tuples(st.just("fail"), st.integers(0, 9)),
        st.tuples(st.just("grade"), st.integers(0, 9), st.sampled_from([True, False, None])),
        st.tuples(st.sampled_from(["close", "finish", "flush"])),
    ),
    max_size=40,
)


@given(steps, st.sampled_from([1, 1_500, 10**9]))
@settings(max_examples=40, deadline=None)
def test_after_any_sequence_of_steps_each_sample_is_there_once_with_its_last_grade(
    sequence: list[tuple[Any, ...]], shard_bytes: int
) -> None:
    expected: dict[str, Sample] = {}
    grades: dict[str, bool | None] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        shards = Shards(folder, shard_bytes)
        for count, (step, *arguments) in enumerate(sequence):
            if step in ("append", "fail"):
                new = (
                    failed(arguments[0], f"fault {count}")
                    if step == "fail"
                    else made(arguments[0], f"{count} " + "x" * 700)
                )
                shards.append(new)
                if expected.get(new.sample_id, failed()).error:
                    expected[new.sample_id] = new
            elif step == "grade":
                identity = sample_id("p", arguments[0])
                if identity in expected and not expected[identity].error:
                    shards.grade(identity, arguments[1])
                    grades[identity] = arguments[1]
            elif step == "flush":
                shards.flush()
            else:
                if step == "finish":
                    shards.finish()
                    assert closed(folder) == sorted(
                        expected.values(), key=lambda sample: sample.sample_id
                    )
                shards.close()
                shards = Shards(folder, shard_bytes)
                found = shards.restore()
                assert len({stored.sample_id for stored in found}) == len(found)
                assert {stored.sample_id for stored in found} == set(expected)
                assert grades_of(shards) == grades
        assert whole(shards) == sorted(expected.values(), key=lambda sample: sample.sample_id)
        shards.finish()
        shards.close()
        assert closed(folder) == sorted(expected.values(), key=lambda sample: sample.sample_id)


def test_a_full_journal_is_closed_while_the_next_takes_samples_and_errors_move_on(
    tmp_path: Path,
) -> None:
    with Shards(tmp_path, SMALL) as shards:
        shards.append(failed(0))
        for index in range(1, 9):
            shards.append(made(index, "x" * 1_000))
            shards.flush()
        assert len(stored_ids(shards)) == 9
    assert [s.error for s in closed(tmp_path)] == [None] * len(closed(tmp_path))
    assert len(list(tmp_path.glob("samples-*.parquet"))) >= 2
    with Shards(tmp_path, SMALL) as shards:
        shards.finish()
    assert [s.error is None for s in closed(tmp_path)] == [False] + [True] * 8


def test_a_failed_request_of_a_finished_run_gives_way_in_its_shard(tmp_path: Path) -> None:
    with Shards(tmp_path) as shards:
        shards.append(made(0))
        shards.append(failed(1))
        shards.finish()
    with Shards(tmp_path) as shards:
        shards.append(made(1, "later"))
        assert [sample.error for sample in whole(shards)] == [None, None]
        shards.finish()
    assert len(read_rows(tmp_path / "samples-00000.parquet", Sample)) == 1
    assert [sample.completion for sample in closed(tmp_path)] == [made(0).completion, "later"]


def test_a_shard_whose_rows_all_gave_way_is_gone(tmp_path: Path) -> None:
    for sample in (failed(0), made(0)):
        with Shards(tmp_path) as shards:
            shards.append(sample)
            shards.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["samples-00001.parquet"]


def test_grades_of_closed_shards_lie_beside_them_and_the_last_one_counts(tmp_path: Path) -> None:
    with Shards(tmp_path) as shards:
        for index in range(3):
            shards.append(made(index))
        shards.grade("p-000", None)
        shards.grade("p-001", None)
        shards.grade("p-001", False)
        shards.finish()
    assert read_grades(tmp_path / "graded-00000.parquet") == {"p-000": None, "p-001": False}
    with Shards(tmp_path) as shards:
        shards.grade("p-000", True)
        assert grades_of(shards) == {"p-000": True, "p-001": False}
        shards.finish()
        assert grades_of(shards) == {"p-000": True, "p-001": False}
    assert pl.read_parquet(tmp_path / "graded-00000.parquet").schema["accepted"] == pl.Boolean
    with Shards(tmp_path) as shards:
        assert grades_of(shards) == {"p-000": True, "p-001": False}


def test_what_prompts_cost_beside_their_samples_survives_closing_and_the_last_account_counts(
    tmp_path: Path,
) -> None:
    with Shards(tmp_path, SMALL) as shards:
        for index in range(9):
            shards.append(made(index, "x" * 700))
            shards.spend("p", 10 * index)
            shards.flush()
        shards.spend("q", 5)
        assert shards.spent() == {"p": 80, "q": 5}
    with Shards(tmp_path) as shards:
        shards.spend("q", 6)
        shards.finish()
        assert shards.spent() == {"p": 80, "q": 6}
    assert len(list(tmp_path.glob("spent-*.parquet"))) > 1
    with Shards(tmp_path) as shards:
        assert shards.spent() == {"p": 80, "q": 6}
        shards.spend("p", 99)
    with Shards(tmp_path) as shards:
        assert shards.spent() == {"p": 99, "q": 6}


def test_only_the_samples_asked_for_are_read(tmp_path: Path) -> None:
    with Shards(tmp_path, SMALL) as shards:
        for index in range(9):
            shards.append(made(index, "x" * 700))
            shards.flush()
        ids = ["p-001", "p-008", "p-never"]
        assert sorted(sample.sample_id for sample in shards.read(ids)) == ["p-001", "p-008"]


def test_a_run_without_samples_leaves_one_file_without_rows(tmp_path: Path) -> None:
    with Shards(tmp_path) as shards:
        shards.finish()
    assert closed(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["samples-00000.parquet"]


def test_reading_goes_on_while_the_journal_is_closed_and_removed(tmp_path: Path) -> None:
    with Shards(tmp_path) as shards:
        for index in range(50):
            shards.append(made(index, "x" * 50_000))
        reading = shards.read(stored_ids(shards))
        first = next(reading)
        shards.finish()
        assert len({first, *reading}) == 50


def test_row_groups_are_bounded_by_their_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teacher.closed_shard.GROUP_CHARACTERS", 10_000)
    with Shards(tmp_path) as shards:
        for index in range(30):
            shards.append(made(index, "x" * 1_000))
        shards.finish()
    assert pq.ParquetFile(tmp_path / "samples-00000.parquet").num_row_groups == 3


@given(st.text(st.characters()))
def test_any_text_becomes_storable_and_good_text_stays(text: str) -> None:
    encoded = storable(text).encode()
    assert storable(encoded.decode()) == encoded.decode()


def test_half_a_surrogate_pair_is_replaced_and_two_halves_are_joined(tmp_path: Path) -> None:
    with Shards(tmp_path) as shards:
        shards.append(made(0, "a\ud83db"))
        shards.append(made(1, "a\ud83d" + "\ude00b"))
        assert [sample.completion for sample in whole(shards)] == ["a\ufffdb", "a😀b"]


def test_a_second_writer_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    refused = pytest.raises(PrerequisiteError, match=f"another process .pid {os.getpid()}")
    with Shards(tmp_path), refused:
        Shards(tmp_path)
    Shards(tmp_path).close()
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "samples-00000.sqlite").write_bytes(b"something else entirely" * 100)
    for _ in range(2):
        with pytest.raises(PrerequisiteError, match="no journal of ours"):
            Shards(tmp_path)


def test_appending_after_the_end_is_a_bug_that_shows(tmp_path: Path) -> None:
    shards = Shards(tmp_path)
    shards.finish()
    with pytest.raises(ValueError, match="closed"):
        shards.append(made())
    shards.close()
    shards.close()


def test_a_sample_that_cannot_be_stored_fails_the_flush_and_never_hangs_it(tmp_path: Path) -> None:
    shards = Shards(tmp_path)
    shards.append(made(0))
    shards.flush()
    shards.append(replace(made(1), completion_tokens=2**70))
    for step in (shards.flush, lambda: shards.append(made(2)), shards.close):
        with pytest.raises(RunError, match="too large"):
            step()
    with Shards(tmp_path) as again:
        assert whole(again) == [made(0)]


def full(*arguments: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("step", ["write_samples", "write_grades", "write_spent", "drop_fallen"])
def test_a_full_disk_while_closing_is_an_error_and_the_next_run_closes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    shards = Shards(tmp_path)
    shards.append(made(0))
    shards.grade("p-000", True)
    shards.spend("p", 1)
    with monkeypatch.context() as patched:
        patched.setattr(teacher.shards, step, full)
        with pytest.raises(RunError, match="No space left"):
            shards.finish()
        with pytest.raises(RunError, match="No space left"):
            shards.close()
    with Shards(tmp_path) as shards:
        assert whole(shards) == [made(0)]
        assert grades_of(shards) == {"p-000": True}
        shards.finish()
    assert closed(tmp_path) == [made(0)]


def test_a_shard_that_cannot_be_closed_in_the_background_stops_the_appends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()

    def full_and_told(*arguments: object) -> None:
        tried.set()
        full()

    monkeypatch.setattr(teacher.shards, "write_samples", full_and_told)
    shards = Shards(tmp_path, 1)
    shards.append(made(0))
    assert tried.wait(10)
    with pytest.raises(RunError, match="No space left"):
        shards.close()
    monkeypatch.undo()
    with Shards(tmp_path) as shards:
        assert whole(shards) == [made(0)]


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, shard_process.__file__, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )


def check_all_there(folder: Path, last: int, killed: bool = True) -> int:
    """Every sample up to the last one committed is there, right and graded; the next index."""
    with Shards(folder, 10**9) as shards:
        found = {stored.sample_id: stored for stored in shards.restore()}
        assert len(shards.restore()) == len(found)
        for index in range(last + 1):
            stored = found[sample_id("p", index)]
            assert stored.graded == (index % 7 != 3)
            assert stored.accepted == (index % 2 == 0 if stored.graded else None)
        samples = whole(shards)
        assert len(samples) == len(found)
        for sample in samples:
            text = f"{sample.sample_index} " * 500
            assert sample.completion == ("" if sample.error else text)
        return len(found)


@pytest.mark.slow
def test_sigkill_at_any_moment_of_appending_and_closing_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    """Shards of a few samples each, so that one is being closed nearly all the time."""
    count, chance = 0, random.Random(5)
    for _ in range(4):
        child = start("append", tmp_path, count, 10_000)
        assert child.stdout
        last = -1
        for _ in range(chance.randrange(2, 20)):
            last = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
        assert child.wait() == -signal.SIGKILL
        child.stdout.close()
        count = check_all_there(tmp_path, max(last, *map(int, rest), last))
    with Shards(tmp_path) as shards:
        shards.finish()
    assert len({s.sample_id for s in closed(tmp_path)}) == len(closed(tmp_path)) == count
    assert all(path.suffix == ".parquet" for path in tmp_path.iterdir())


CLOSING = [
    "teacher.shards.write_samples",
    "teacher.shards.write_grades",
    "teacher.shards.write_spent",
    "teacher.open_shard.OpenShard.remove",
    "teacher.shards.drop_fallen",
]


@pytest.mark.parametrize("before", ["before", "after"])
@pytest.mark.parametrize("step", CLOSING)
def test_sigkill_at_each_step_of_closing_loses_and_doubles_nothing(
    tmp_path: Path, step: str, before: str
) -> None:
    with Shards(tmp_path) as shards:
        shards.append(made(0))
        shards.append(failed(1))
        shards.grade("p-000", False)
        shards.spend("p", 10)
        shards.finish()
    child = start("finish", tmp_path, step, before)
    assert child.communicate()[0] == ""
    assert child.returncode == -signal.SIGKILL
    with Shards(tmp_path) as shards:
        assert whole(shards) == [made(0), made(1, "later")]
        assert grades_of(shards) == {"p-000": False, "p-001": True}
        assert shards.spent() == {"p": 20}
        shards.finish()
    assert closed(tmp_path) == [made(0), made(1, "later")]
    assert all(path.suffix == ".parquet" for path in tmp_path.iterdir())


def test_a_full_disk_is_a_clean_error_and_what_was_committed_is_whole(tmp_path: Path) -> None:
    out = start("full", tmp_path).communicate(timeout=300)[0]
    *committed, error = out.splitlines()
    assert len(committed) > 3, out
    assert error.startswith("RunError cannot write"), out
    with Shards(tmp_path) as shards:
        samples = whole(shards)
    assert len(samples) >= len(committed)
    assert {len(sample.completion) for sample in samples} == {20_000}
