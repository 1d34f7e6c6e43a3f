"""`stillhouse check FILE`: rows in, the same rows with their verdicts out, whatever they hold."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows import row_checker
from flows.check_file import CheckerPool, check_file
from flows.checked_file import CHUNK_BYTES, Chunk, read_chunks
from flows.row_checker import Checked
from prompts.errors import PrerequisiteError

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "flows.cli", "check"]


def line(reference: Any, answer: str, **columns: Any) -> str:
    completion = f"<think>so</think>\\boxed{{{answer}}}"
    return json.dumps({"reference": reference, "completion": completion, **columns})


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [json.loads(each) for each in lines]


def test_rows_keep_their_order_and_columns_byte_for_byte(tmp_path: Path) -> None:
    odd = '{"id" :1e3,  "reference":"5","completion":"\\\\boxed{5}","é":"\\ud800", "n":[1 ,2]}'
    source = written(tmp_path / "in.jsonl", odd, "", line("5", "6", id="b"))
    check_file(source, tmp_path / "out.jsonl", "math", workers=1)
    first, second = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert first.startswith(odd[:-1] + ', "outcome": "accept", "reason": "match", "detail": ')
    assert json.loads(second)["outcome"] == "reject"
    assert list(json.loads(second))[-4:] == ["id", "outcome", "reason", "detail"]
    assert sorted(os.listdir(tmp_path)) == ["in.jsonl", "out.jsonl"]


def test_many_chunks_come_back_in_order(tmp_path: Path) -> None:
    lines = [line(n % 7, str(n % 5), id=n) for n in range(1_500)]
    source = written(tmp_path / "in.jsonl", *lines)
    check_file(source, tmp_path / "out.jsonl", "math", workers=3)
    rows = rows_of(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == list(range(1_500))
    right = ["accept" if n % 7 == n % 5 else "reject" for n in range(1_500)]
    assert [row["outcome"] for row in rows] == right


def test_a_checked_file_is_checked_again_into_the_same_columns(tmp_path: Path) -> None:
    source = written(tmp_path / "a.jsonl", line("5", "5", outcome="old", detail=7, z="kept"))
    check_file(source, source, "math", workers=1)
    (row,) = rows_of(source)
    assert (row["outcome"], row["reason"], row["z"]) == ("accept", "match", "kept")
    check_file(source, tmp_path / "b.jsonl", "math", workers=1)
    assert rows_of(tmp_path / "b.jsonl") == [row]


def test_each_row_may_name_its_domain_question_choices_and_aliases(tmp_path: Path) -> None:
    source = written(
        tmp_path / "in.jsonl.gz.plain",
        line("B", "B", domain="science"),
        line("2 kg", "2000 g", domain=None),
        line("A", "Mars", choices=["Mars", "Venus"]),
        line("Mars", "the red planet", aliases=["red planet"]),
        line("5", "5 apples", domain="math", question="How many apples?"),
        line("Mars", "Mars", domain="general", choices={"other": 1}, aliases="x"),
    )
    packed = tmp_path / "in.jsonl.gz"
    packed.write_bytes(gzip.compress(source.read_bytes()))
    check_file(packed, tmp_path / "out.jsonl.gz", "science", workers=1)
    assert [row["outcome"] for row in rows_of(tmp_path / "out.jsonl.gz")] == ["accept"] * 6


def test_parquet_goes_in_and_out_with_its_other_columns_types(tmp_path: Path) -> None:
    table = pa.table(
        {
            "reference": ["5"] * 600,
            "completion": [f"\\boxed{{{n % 10}}}" for n in range(600)],
            "score": pa.array(range(600), pa.float32()),
            "reason": ["old"] * 600,
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    check_file(tmp_path / "in.parquet", tmp_path / "out.parquet", "math", workers=2)
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.column_names == ["reference", "completion", "score", "outcome", "reason", "detail"]
    assert out["score"].equals(table["score"])
    assert out["outcome"].to_pylist().count("accept") == 60
    check_file(tmp_path / "in.parquet", tmp_path / "out.jsonl", "math", workers=2)
    assert [row["score"] for row in rows_of(tmp_path / "out.jsonl")] == list(range(600))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ('{"reference": "5"}', "in.jsonl:3: no column completion; the row has reference. Rename"),
        ('{"answer": "5"}', "in.jsonl:3: no column reference and no column completion"),
        ("{}", "in.jsonl:3: no column reference"),
        ("{broken", "in.jsonl:3: not JSON"),
        ("[1]", "in.jsonl:3: no object"),
        (line("5", "5", domain="chem"), "in.jsonl:3: unknown domain 'chem'; known: math"),
        (line("5", "5", domain=["math"]), "in.jsonl:3: unknown domain"),
        (line("5", "5", domain="code"), "in.jsonl:3: a reference in code is a JSON list"),
    ],
)
def test_a_row_that_cannot_be_checked_is_named_and_nothing_is_left(
    tmp_path: Path, bad: str, said: str
) -> None:
    source = written(tmp_path / "in.jsonl", line("5", "5"), "", bad)
    with pytest.raises(PrerequisiteError) as error:
        check_file(source, tmp_path / "out.jsonl", "math", workers=1)
    assert said in str(error.value)
    assert os.listdir(tmp_path) == ["in.jsonl"]


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b'{"reference": "\xff", "completion": "x"}\n')
    with pytest.raises(PrerequisiteError, match=r"in.jsonl:1: not UTF-8 at byte 15"):
        check_file(tmp_path / "in.jsonl", tmp_path / "o.jsonl", "math", workers=1)
    (tmp_path / "in.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(PrerequisiteError, match=r"cannot read .*in.jsonl.gz"):
        check_file(tmp_path / "in.jsonl.gz", tmp_path / "o.jsonl", "math", workers=1)
    (tmp_path / "in.parquet").write_bytes(b"no parquet")
    with pytest.raises(PrerequisiteError, match=r"cannot read .*in.parquet"):
        check_file(tmp_path / "in.parquet", tmp_path / "o.jsonl", "math", workers=1)


@pytest.mark.parametrize(
    ("source", "out", "domain", "said"),
    [
        ("none.jsonl", "o.jsonl", "math", "there is no such file"),
        ("in.csv", "o.jsonl", "math", "known are .jsonl, .jsonl.gz and .parquet"),
        ("in.jsonl", "o.csv", "math", "known are .jsonl, .jsonl.gz and .parquet"),
        ("in.jsonl", "o.parquet", "math", "are written as .jsonl"),
        ("in.jsonl", "no/folder/o.jsonl", "math", "there is no folder"),
        ("in.jsonl", "folder.jsonl", "math", "folder.jsonl: that is a folder; name a file in it"),
        ("in.jsonl", "o.jsonl", "chem", "--domain 'chem': known are math, code"),
    ],
)
def test_what_was_typed_wrong_is_said(
    tmp_path: Path, source: str, out: str, domain: str, said: str
) -> None:
    for name in ("in.jsonl", "in.csv"):
        written(tmp_path / name, line("5", "5"))
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(PrerequisiteError) as error:
        check_file(tmp_path / source, tmp_path / out, domain, workers=1)
    assert said in str(error.value)


def test_an_empty_file_is_no_rows(tmp_path: Path) -> None:
    check_file(written(tmp_path / "in.jsonl", ""), tmp_path / "out.jsonl", "math", workers=1)
    assert (tmp_path / "out.jsonl").read_bytes() == b""


def test_an_empty_parquet_keeps_its_columns(tmp_path: Path) -> None:
    empty = pa.table({"reference": pa.array([], pa.string()), "n": pa.array([], pa.int32())})
    pq.write_table(empty, tmp_path / "in.parquet")
    check_file(tmp_path / "in.parquet", tmp_path / "out.parquet", "math", workers=1)
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.column_names == ["reference", "n", "outcome", "reason", "detail"]
    assert (out.num_rows, out.schema.field("n").type) == (0, pa.int32())
    check_file(tmp_path / "in.parquet", tmp_path / "out.jsonl", "math", workers=1)
    assert (tmp_path / "out.jsonl").read_bytes() == b""


def test_a_long_integer_in_a_row_ends_nothing(tmp_path: Path) -> None:
    long = "9" * 5_000
    source = written(
        tmp_path / "in.jsonl",
        f'{{"reference": "5", "completion": "\\\\boxed{{5}}", "n": {long}}}',
        f'{{"reference": {long}, "completion": "\\\\boxed{{5}}", "outcome": "old"}}',
        line("5", "5"),
    )
    check_file(source, tmp_path / "out.jsonl", "math", workers=1)
    first, second, third = (tmp_path / "out.jsonl").read_text().splitlines()
    assert f'"n": {long}, "outcome": "accept"' in first
    assert json.loads(second)["outcome"] == "undecided"
    assert json.loads(third)["outcome"] == "accept"


def test_column_names_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    source = written(tmp_path / "in.jsonl", json.dumps({"\x1b[2J\x07é": 1, "reference": "5"}))
    with pytest.raises(PrerequisiteError) as error:
        check_file(source, tmp_path / "out.jsonl", "math", workers=1)
    assert "the row has [2J é, reference" in str(error.value)
    assert str(error.value).isprintable()


def test_a_row_that_kills_its_process_takes_no_other_row_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deadly = (
        "import flows.row_checker as rc, os; real = rc.check_row\n"
        "rc.check_row = lambda row, *a: os._exit(9) if b'deadly' in row else real(row, *a)\n"
        "rc.main()"
    )
    monkeypatch.setattr(row_checker, "_COMMAND", deadly)
    rows: list[row_checker.Row] = [line("5", "5", n=n).encode() for n in range(5)]
    rows[2] = line("5", "5", note="deadly").encode()
    with CheckerPool("math", 1) as pool:
        ((_, checked),) = pool.in_order(iter([Chunk(rows, list(range(5)))]))
    assert [row.outcome for row in checked] == ["accept", "accept", "undecided", "accept", "accept"]
    assert checked[2].reason == "grader_failed"
    assert "ended with code 9" in checked[2].detail


@pytest.mark.slow  # waits for a hang
def test_a_row_that_hangs_ends_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = (
        "import flows.row_checker as rc, time; rc.ROW_LIMIT_S = 5; real = rc.check_row\n"
        "rc.check_row = lambda row, *a: time.sleep(99) if b'slow' in row else real(row, *a)\n"
        "rc.main()"
    )
    monkeypatch.setattr(row_checker, "_COMMAND", hanging)
    rows: list[row_checker.Row] = [line("5", "5", s="slow").encode(), line("5", "5").encode()]
    with CheckerPool("math", 1) as pool:
        ((_, checked),) = pool.in_order(iter([Chunk(rows, [1, 2])]))
    assert [row.outcome for row in checked] == ["undecided", "accept"]


def test_a_lost_row_is_written_with_its_columns_once() -> None:
    from flows.checked_file import with_columns

    lost = Checked("undecided", "grader_failed", "x", checked_before=True)
    row = with_columns(line("5", "5", outcome="old").encode(), lost)
    assert row.count(b'"outcome"') == 1


def test_long_rows_make_small_chunks(tmp_path: Path) -> None:
    source = written(tmp_path / "in.jsonl", *[line("5", "5", pad="x" * 600_000)] * 5)
    assert [len(chunk.rows) for chunk in read_chunks(source)] == [2, 2, 1]


def test_long_rows_of_parquet_make_small_chunks(tmp_path: Path) -> None:
    pads = ["x" * 300_000 if n % 2 else "x" for n in range(130)]
    table = pa.table({"reference": ["5"] * 130, "completion": ["5"] * 130, "pad": pads})
    pq.write_table(table, tmp_path / "in.parquet")
    chunks = list(read_chunks(tmp_path / "in.parquet"))
    assert all(chunk.batch.nbytes <= CHUNK_BYTES for chunk in chunks)
    assert [n for chunk in chunks for n in chunk.numbers] == list(range(1, 131))
    assert [pad for chunk in chunks for pad in chunk.batch["pad"].to_pylist()] == pads
    pq.write_table(
        pa.table({"reference": ["5"], "pad": ["x" * 3_000_000]}), tmp_path / "one.parquet"
    )
    assert [len(chunk.rows) for chunk in read_chunks(tmp_path / "one.parquet")] == [1]


@pytest.mark.slow
def test_long_rows_of_parquet_take_little_memory(tmp_path: Path) -> None:
    schema = pa.schema([("reference", pa.string()), ("completion", pa.string())])
    rng = random.Random(1)
    with pq.ParquetWriter(tmp_path / "in.parquet", schema) as writer:
        for _ in range(8):
            said = [rng.randbytes(500_000).hex() + "\\boxed{5}" for _ in range(50)]
            writer.write_table(pa.table({"reference": ["5"] * 50, "completion": said}))
    code = (
        "import re, sys; from pathlib import Path; from flows.check_file import check_file\n"
        "check_file(Path('in.parquet'), Path(sys.argv[1]), 'math', 2)\n"
        "said = Path('/proc/self/status').read_text()\n"  # ru_maxrss would count our own parent
        "print(int(re.search(r'VmHWM:\\s*(\\d+)', said)[1]) // 1024)"
    )
    for out in ("out.parquet", "out.jsonl"):
        done = subprocess.run(
            [sys.executable, "-c", code, out],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert int(done.stdout) < 600, (out, done.stdout)  # MB, of a file of 400


def test_standard_input_and_output_and_the_summary_on_standard_error() -> None:
    text = f"{line('5', '5')}\n{line('5', '6')}\n{line('5', '6')}\n"
    done = subprocess.run(
        [*COMMAND, "-"], input=text, cwd=ROOT, capture_output=True, text=True, check=True
    )
    rows = [json.loads(each) for each in done.stdout.splitlines()]
    assert [row["outcome"] for row in rows] == ["accept", "reject", "reject"]
    assert "check     3 in = 1 accept + 2 reject + 0 undecided" in done.stderr
    assert "2 reject    answer_mismatch" in done.stderr


def test_files_where_the_user_stands_are_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "filters.py").write_text("raise SystemExit('the wrong filters')")
    source = written(tmp_path / "in.jsonl", line("5", "5"))
    done = subprocess.run(
        [sys.executable, "-P", *COMMAND[1:], source.name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["outcome"] == "accept"


def test_the_command_imports_nothing_heavy() -> None:
    heavy = ["prefect", "torch", "polars", "sympy", "pint", "datasets", "pyarrow"]
    code = (
        "import sys, flows.cli, flows.check_file, flows.row_checker\n"
        f"print(sorted(set({heavy!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_ctrl_c_ends_every_process_and_leaves_no_file(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "-", "--out", str(tmp_path / "out.jsonl"), "--workers", "2"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as running:
        assert running.stdin is not None
        running.stdin.write(("\n".join([line("5", "5")] * 1_000) + "\n").encode())
        running.stdin.flush()
        children = _until_children(running.pid)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=120)
    assert running.returncode == 130
    assert b"Traceback" not in said
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert not list(tmp_path.glob("*out.jsonl*"))


def _until_children(pid: int) -> list[str]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        threads = Path(f"/proc/{pid}/task").iterdir()
        listed = [c for t in threads for c in (t / "children").read_text().split()]
        if listed:
            return listed
        time.sleep(0.02)
    raise AssertionError("no process was started")
