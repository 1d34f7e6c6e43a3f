"""The journal: what is committed is whole, once, and survives anything."""

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.errors import PrerequisiteError, RunError
from prompts.parquet import read_rows, write_rows
from teacher.journal import Journal, storable
from teacher.sample import Sample, sample_id

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
    )


def failed(index: int = 0) -> Sample:
    return replace(made(index, ""), finish_reason="error", error="reset: gone")


@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=30))
@settings(max_examples=8, deadline=None)
def test_samples_come_back_exactly_as_they_went_in(completions: list[str]) -> None:
    samples = [made(index, completion) for index, completion in enumerate(completions)]
    samples.append(failed(len(samples)))
    with TemporaryDirectory() as name:
        folder = Path(name)
        with Journal(folder / "open.sqlite") as journal:
            for sample in samples:
                journal.append(sample)
            assert journal.read() == samples
            assert journal.close_to_parquet(folder / "closed.parquet") == len(samples)
        assert read_rows(folder / "closed.parquet", Sample) == samples
        assert [path.name for path in folder.iterdir()] == ["closed.parquet"]


def test_half_a_surrogate_pair_is_replaced_and_two_halves_are_joined(tmp_path: Path) -> None:
    with Journal(tmp_path / "open.sqlite") as journal:
        journal.append(made(0, "a\ud83db"))
        journal.append(made(1, "a\ud83d" + "\ude00b"))
        assert [sample.completion for sample in journal.read()] == ["a\ufffdb", "a😀b"]


@given(st.text(st.characters()))
def test_any_text_becomes_storable_and_good_text_stays(text: str) -> None:
    encoded = storable(text).encode()
    assert storable(encoded.decode()) == encoded.decode()


def test_the_same_sample_twice_is_one_row_and_the_first_one_stays(tmp_path: Path) -> None:
    with Journal(tmp_path / "open.sqlite") as journal:
        journal.append(made(0, "first"))
        journal.append(made(0, "second"))
        assert [sample.completion for sample in journal.read()] == ["first"]


def test_a_failed_request_gives_way_to_its_later_completion_and_never_back(tmp_path: Path) -> None:
    with Journal(tmp_path / "open.sqlite") as journal:
        journal.append(failed(0))
        journal.append(made(0, "at last"))
        journal.append(failed(0))
        assert [sample.completion for sample in journal.read()] == ["at last"]


def test_a_second_writer_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "open.sqlite"),
        pytest.raises(PrerequisiteError, match=f"another process .pid {os.getpid()}"),
    ):
        Journal(tmp_path / "open.sqlite")
    Journal(tmp_path / "open.sqlite").close()


def test_closed_parquet_files_are_read_too_and_a_completion_wins(tmp_path: Path) -> None:
    closed = tmp_path / "closed.parquet"
    with Journal(tmp_path / "open.sqlite") as journal:
        journal.append(made(0))
        journal.append(failed(1))
        journal.close_to_parquet(closed)
    with Journal(tmp_path / "open.sqlite", closed=[closed]) as journal:
        journal.append(made(1, "later"))
        assert [sample.completion for sample in journal.read()] == [made(0).completion, "later"]
        assert journal.close_to_parquet(closed) == 2
    assert [sample.error for sample in read_rows(closed, Sample)] == [None, None]


def test_a_stop_between_writing_parquet_and_removing_the_journal_doubles_nothing(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed.parquet"
    with Journal(tmp_path / "open.sqlite") as journal:
        journal.append(made(0))
        write_rows(closed, journal.read(), Sample)
    with Journal(tmp_path / "open.sqlite", closed=[closed]) as journal:
        assert journal.read() == [made(0)]
        assert journal.close_to_parquet(closed) == 1


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open.sqlite").write_bytes(b"something else entirely" * 100)
    with pytest.raises(PrerequisiteError, match="no journal of ours"):
        Journal(tmp_path / "open.sqlite")


def test_a_journal_with_other_columns_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "open.sqlite") as connection:
        connection.execute("CREATE TABLE samples (sample_id, colour)")
    with pytest.raises(PrerequisiteError, match=r"another version .*colour"):
        Journal(tmp_path / "open.sqlite")


def test_appending_to_a_closed_journal_is_a_bug_that_shows(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "open.sqlite")
    journal.close()
    journal.close()
    with pytest.raises(ValueError, match="closed"):
        journal.append(made())


def write_until_full(path: Path) -> None:
    """Run in a process of its own whose files may not grow past 1 MB."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**19, 2**19))
    journal = Journal(path)
    try:
        for index in range(10_000):
            journal.append(made(index, "x" * 20_000))
            journal.flush()
            print(index, flush=True)
    except RunError as error:
        print(f"RunError {error}", flush=True)


def test_a_full_disk_is_a_clean_error_and_what_was_committed_is_whole(tmp_path: Path) -> None:
    command = [sys.executable, __file__, str(tmp_path / "open.sqlite")]
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=path)
    *committed, error = out.stdout.splitlines()
    assert len(committed) > 3, out
    assert error.startswith("RunError cannot write"), out
    with Journal(tmp_path / "open.sqlite") as journal:
        samples = journal.read()
    assert len(samples) >= len(committed)
    assert {len(sample.completion) for sample in samples} == {20_000}


def test_parquet_on_a_full_disk_leaves_the_journal_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> int:
        raise OSError(28, "No space left on device")

    with Journal(tmp_path / "open.sqlite") as journal:
        journal.append(made(0))
        with monkeypatch.context() as patched:
            patched.setattr("teacher.journal.write_rows", full)
            with pytest.raises(RunError, match="No space left"):
                journal.close_to_parquet(tmp_path / "closed.parquet")
        assert journal.read() == [made(0)]
        assert journal.close_to_parquet(tmp_path / "closed.parquet") == 1


if __name__ == "__main__":
    write_until_full(Path(sys.argv[1]))


def test_a_sample_that_cannot_be_stored_fails_the_flush_and_never_hangs_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "open.sqlite")
    journal.append(made(0))
    journal.flush()
    journal.append(replace(made(1), completion_tokens=2**70))
    with pytest.raises(RunError, match="too large"):
        journal.flush()
    with pytest.raises(RunError, match="too large"):
        journal.append(made(2))
    with pytest.raises(RunError, match="too large"):
        journal.close()
    with Journal(tmp_path / "open.sqlite") as again:
        assert again.read() == [made(0)]


def test_the_folder_is_synced_before_the_journal_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, closed = tmp_path / "open.sqlite", tmp_path / "closed" / "0.parquet"
    folders: list[tuple[bool, bool]] = []
    sync = os.fsync

    def watched(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            folders.append((closed.exists(), path.exists()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    journal = Journal(path)
    journal.append(made())
    journal.close_to_parquet(closed)
    assert folders == [(True, True)]
    assert not path.exists()
