"""`stillhouse contamination`: what is written and said of a file's rows."""

import json
import logging
from pathlib import Path

import polars as pl
import pytest
import typer
from gpqa_archive import SECRET, gpqa
from typer.testing import CliRunner

from flows.contamination_command import contamination
from flows.contamination_file import HITS, KEEPS, REJECTED, find_contamination
from prompts.chunks import CHUNK_ROWS
from prompts.contamination.benchmarks import BenchmarkChoice
from prompts.contamination.decontaminate import DecontaminationRecipe, Hit
from prompts.errors import PrerequisiteError
from prompts.parquet import read_rows


def lines(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def against(*benchmarks: str, **settings: float) -> DecontaminationRecipe:
    chosen = tuple(BenchmarkChoice.model_validate(one) for one in benchmarks)
    return DecontaminationRecipe(benchmarks=chosen, **settings)  # type: ignore[arg-type]


def test_no_file_and_no_log_ever_shows_a_question_of_gpqa(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    bench = gpqa(tmp_path / "dataset.zip")
    file = lines(tmp_path / "mine.jsonl", {"question": f"Tell me. {SECRET}"}, {"question": "Why?"})
    recipe = against(f"gpqa-diamond={bench}", reworded=0.3)
    out = tmp_path / "out"
    counts = find_contamination(str(file), (), recipe, out, 1)
    assert (counts.rows, counts.kept, counts.contaminated) == (2, 1, 1)
    (hit,) = read_rows(out / HITS, Hit)
    assert (hit.prompt_id, hit.benchmark, hit.item_id, hit.kind) == (
        "1",
        "gpqa-diamond",
        "recA",
        "ngram",
    )
    assert hit.text == ""
    written = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    shown = capfd.readouterr()
    for told in (written, shown.out.encode(), shown.err.encode(), caplog.text.encode()):
        assert b"quokka" not in told.lower()


def test_hits_and_kept_rows_are_written_and_counts_conserve(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bench = lines(tmp_path / "bench.jsonl", {"question": "What is 3 + 4?"}, {"question": SECRET})
    rows = [{"question": "what is 3 +  4?", "n": 1}, {"question": "Why?", "n": [2, None]}]
    file = lines(tmp_path / "mine.jsonl", *rows)
    with file.open("ab") as stream:
        stream.write(b"\xff\n{no json}\n")
    recipe = against(str(bench))
    counts = find_contamination(str(file), ("question",), recipe, tmp_path / "out", 1)
    assert (counts.rows, counts.kept, counts.contaminated, counts.rejected) == (4, 1, 1, 2)
    assert [json.loads(line) for line in (tmp_path / "out" / KEEPS).open()] == rows[1:]
    (hit,) = read_rows(tmp_path / "out" / HITS, Hit)
    assert (hit.prompt_id, hit.item_id, hit.kind) == ("1", "1", "exact")
    assert "4 rows = 1 kept + 1 contaminated + 2 unreadable" in capfd.readouterr().out
    with pytest.raises(PrerequisiteError, match="not empty"):
        find_contamination(str(file), (), recipe, tmp_path / "out", 1)


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    bench = lines(tmp_path / "bench.jsonl", {"question": SECRET})
    file = lines(tmp_path / "mine.jsonl", {"ask": "Why?"})
    recipe = against(str(bench))
    with pytest.raises(PrerequisiteError, match="has no column tale; it has ask"):
        find_contamination(str(file), ("tale",), recipe, tmp_path / "out", 1)
    with pytest.raises(PrerequisiteError, match="--column NAME"):
        find_contamination(str(file), (), recipe, tmp_path / "out", 1)


def test_every_text_in_a_column_is_looked_through(tmp_path: Path) -> None:
    bench = lines(tmp_path / "bench.jsonl", {"question": SECRET})
    rows: list[dict[str, object]] = [
        {"messages": [{"role": "user", "content": "Hello"}, {"role": "user", "content": SECRET}]},
        {"messages": ["Hello", SECRET]},
        {"messages": None},
        {"other": "Hello"},
    ]
    file = lines(tmp_path / "mine.jsonl", *rows)
    counts = find_contamination(str(file), ("messages",), against(str(bench)), None, 1)
    assert (counts.contaminated, counts.kept) == (2, 2)


def test_a_column_that_only_some_rows_have_is_no_error_later_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.contamination_file.CHUNK_ROWS", 2)
    bench = lines(tmp_path / "bench.jsonl", {"question": SECRET})
    asked: dict[str, object] = {"question": "Why?"}
    rows = [{**asked, "solution": "So."}, asked, asked, asked, {"question": SECRET}]
    counts = find_contamination(
        str(lines(tmp_path / "mine.jsonl", *rows)), (), against(str(bench)), None, 1
    )
    assert (counts.contaminated, counts.kept) == (1, 4)


def test_rows_nobody_can_read_are_counted_even_where_they_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.contamination_file.CHUNK_ROWS", 2)
    bench = lines(tmp_path / "bench.jsonl", {"question": SECRET})
    file = tmp_path / "mine.jsonl"
    file.write_text("{no\n" * 3 + json.dumps({"question": SECRET}) + "\n", encoding="utf-8")
    counts = find_contamination(str(file), ("question",), against(str(bench)), None, 1)
    assert (counts.rejected, counts.contaminated, counts.kept) == (3, 1, 0)


def test_many_chunks_in_two_workers_come_out_in_their_order(tmp_path: Path) -> None:
    rows = 2 * CHUNK_ROWS + 7
    asked = [f"Is {n} even?" if n % 1_000 else f"What is {n} + 4?" for n in range(rows)]
    pl.DataFrame({"problem": asked, "n": range(rows)}).write_parquet(tmp_path / "mine.parquet")
    bench = lines(tmp_path / "b.jsonl", *({"question": f"What is {n} + 4?"} for n in (0, 9_000)))
    out = tmp_path / "out"
    counts = find_contamination(
        str(tmp_path / "mine.parquet"), (), against(f"sums={bench}"), out, 2
    )
    assert (counts.rows, counts.contaminated) == (rows, 2)
    hits = read_rows(out / HITS, Hit)
    assert [(hit.prompt_id, hit.benchmark) for hit in hits] == [("1", "sums"), ("9001", "sums")]
    kept = [json.loads(line)["n"] for line in (out / KEEPS).open()]
    assert kept == [n for n in range(rows) if n not in (0, 9_000)]
    assert pl.read_parquet(out / REJECTED).height == 0


def test_the_command_counts_and_writes_nothing_unless_told(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(contamination)
    bench = lines(tmp_path / "bench.jsonl", {"question": SECRET})
    file = lines(tmp_path / "mine.jsonl", {"question": SECRET.upper()})
    before = sorted(tmp_path.iterdir())
    run = CliRunner().invoke(app, [str(file), "--against", str(bench), "--workers", "1"])
    assert run.exit_code == 0
    assert "1 row = 0 kept + 1 contaminated + 0 unreadable" in run.output
    assert sorted(tmp_path.iterdir()) == before
    refused = CliRunner().invoke(app, [str(file), "--against", str(bench), "--near", "0.1"])
    assert isinstance(refused.exception, PrerequisiteError)
    assert "--near" in str(refused.exception)
