"""`generate --prompts`: any prompts, any endpoints; nothing sent before all of it is right."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filters_records import sample as sample_of
from simulated_teacher import SimulatedTeacher, serving
from typer.testing import CliRunner

from filters.grader import Grader
from flows import cli
from flows.generate_file import Request, accepted, file_settings, generate_file, most_tokens
from flows.overview import show_run
from flows.progress import OUTPUT
from flows.prompt_file import ask_of, asks_in_file, has_reference
from prompts.errors import PrerequisiteError
from prompts.parquet import read_rows
from prompts.record import Prompt
from prompts.sources.draft import RowError
from teacher.parse import split_completion
from teacher.sample import Sample
from teacher.settings import SamplingRecipe

ROOT = Path(__file__).parent.parent
SMALL = ("sampling.max_tokens=256", "sampling.keep=1", "sampling.n_max=3")


@pytest.fixture(autouse=True)
def _own_output() -> Iterator[None]:
    yield
    OUTPUT.as_json, OUTPUT.metrics = False, None


def sums_to_seven(prompt: str, seed: int) -> str:
    """Right for every third sample or so; a sum it never gets is asked with 100."""
    right = seed % 3 == 0 and "100" not in prompt
    return f"<think>\nlet me see\n</think>\n\n\\boxed{{{7 if right else 8}}}"


def file_of(folder: Path, rows: list[Any], name: str = "mine.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows) + "\n")
    return path


def sums(count: int) -> list[dict[str, Any]]:
    return [
        {"prompt": f"What is {n} + {7 - n}?", "reference": "7", "domain": "math"}
        for n in range(count)
    ]


# --- rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "domain", "kind", "graded"),
    [
        ({"prompt": "Hi"}, "general", "short_answer", False),
        ({"prompt": "3+4?", "reference": 7, "domain": "math"}, "math", "math_answer", True),
        ({"prompt": "3+4?", "reference": "7"}, "general", "math_answer", True),
        ({"prompt": "Capital?", "reference": "Paris"}, "general", "short_answer", True),
        ({"prompt": "f?", "tests": ["assert f() == 1"]}, "code", "unit_tests", True),
        ({"prompt": "far?", "reference": "32 m", "domain": "science"}, "science", "quantity", True),
        (
            {"prompt": "A or B?", "reference": "B", "choices": ["x", "y"], "domain": "science"},
            *("science", "choice", True),
        ),
        (
            {"prompt": "x", "reference": "7", "reference_kind": "short_answer", "domain": "math"},
            *("math", "short_answer", True),
        ),
        ({"prompt": "Hi", "reference": None, "tests": None}, "general", "short_answer", False),
        (
            {"prompt": "How many?", "reference": "7 electrons", "domain": "science"},
            *("science", "short_answer", True),
        ),
        (
            {
                "prompt": "Make 6.",
                "reference": '{"kind": "countdown", "numbers": [2, 3], "target": 6}',
                "domain": "puzzle",
            },
            *("puzzle", "puzzle", True),
        ),
        (
            {
                "prompt": "Add.",
                "reference": '{"tests": [{"input": "1 2", "output": "3"}]}',
                "domain": "code",
            },
            *("code", "program", True),
        ),
    ],
)
def test_a_reference_is_taken_for_what_its_row_says(
    row: dict[str, Any], domain: str, kind: str, graded: bool
) -> None:
    ask = ask_of(row, "mine.jsonl")
    assert (ask.prompt.domain, ask.prompt.reference_kind) == (domain, kind)
    assert has_reference(ask.prompt) is graded
    assert ask.messages == [{"role": "user", "content": row["prompt"]}]


def test_messages_are_sent_as_they_are() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": " Hello "},
    ]
    ask = ask_of({"messages": messages, "prompt_id": 17}, "mine.jsonl")
    assert ask.messages == messages
    assert ask.prompt.question == " Hello "
    assert ask.prompt.prompt_id == "17"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"question": "Hi"}, "no prompt and no messages; columns: question"),
        ({"prompt": "Hi", "messages": []}, "give one of them"),
        ({"prompt": ["Hi"]}, "prompt is not text"),
        ({"prompt": "  "}, "prompt is empty"),
        ({"messages": "Hi"}, "not a list"),
        ({"messages": [{"role": "robot", "content": "Hi"}]}, r"messages\[0\] has no role"),
        ({"messages": [{"role": "user", "content": None}]}, r"messages\[0\].content"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, "not the user's"),
        ({"prompt": "Hi", "domain": "chem"}, "unknown domain 'chem'; known: math"),
        ({"prompt": "Hi", "reference": "6", "reference_kind": "puzzle"}, "puzzle is not a JSON"),
        ({"prompt": "Hi", "reference": "6", "reference_kind": "program"}, "reference: no object"),
        ({"prompt": "Hi", "reference": '{"x": 1}', "domain": "code"}, "program is not a JSON"),
        ({"prompt": "Hi", "reference_kind": "vibe"}, "unknown reference_kind 'vibe'"),
        ({"prompt": "f?", "reference": "x", "domain": "code"}, "needs `tests`"),
        ({"prompt": "f?", "tests": ["assert ("]}, "tests is not Python"),
        ({"prompt": "?", "reference": "C", "choices": ["x", "y"]}, "letter of a choice"),
        ({"prompt": "?", "reference": True}, "reference is not text"),
        ({"prompt": "?", "prompt_id": "a\nb"}, "printable"),
    ],
)
def test_a_row_that_cannot_be_asked_says_why(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(RowError, match=reason):
        ask_of(row, "mine.jsonl")


def test_every_bad_row_is_named_with_file_and_line(tmp_path: Path) -> None:
    file = file_of(tmp_path, [{"prompt": "a"}, "no json", "", {"messages": []}, {"prompt": "a"}])
    with pytest.raises(PrerequisiteError) as caught:
        asks_in_file(file)
    text = str(caught.value)
    assert f"{file}:2: not JSON" in text
    assert f"{file}:4: messages is not" in text
    assert f"{file}:5: prompt_id" in text
    assert "came on line 1 already" in text


def test_many_bad_rows_are_counted(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="and 15 more"):
        asks_in_file(file_of(tmp_path, ["no json"] * 25))


@pytest.mark.parametrize("name", ["none.jsonl", "empty.jsonl", "mine.txt"])
def test_a_file_without_prompts_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "mine.txt").write_text("prompt\nHi\n")
    with pytest.raises(PrerequisiteError, match=name):
        asks_in_file(tmp_path / name)


def test_parquet_says_the_same_as_jsonl(tmp_path: Path) -> None:
    rows = [
        {"messages": [{"role": "user", "content": "f?"}], "tests": ["assert f() == 1"]},
        {"messages": [{"role": "user", "content": "Hi"}], "tests": None},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "mine.parquet")
    from_parquet = asks_in_file(tmp_path / "mine.parquet")
    from_jsonl = asks_in_file(file_of(tmp_path, rows))
    assert [a.messages for a in from_parquet] == [a.messages for a in from_jsonl]
    assert [a.prompt.prompt_id for a in from_parquet] == [a.prompt.prompt_id for a in from_jsonl]


# --- settings ------------------------------------------------------------------------------------


def test_settings_are_the_recipes() -> None:
    made = file_settings(["sampling.n_max=8", "teacher.dollars_per_million_tokens=2.19"])
    assert made.sampling.n_max == 8
    assert made.teacher.dollars_per_million_tokens == 2.19
    assert made.sampling.keep == SamplingRecipe().keep


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("sampling.n_maxx=8", "sampling.n_maxx: no such key; did you mean 'n_max'"),
        ("student.epochs=2", r"--set student…: with --prompts there are only sampling\.\*"),
        ("sampling.n_max=0", "sampling.n_max: should be greater"),
        ("n_max", "is not key=value"),
    ],
)
def test_a_wrong_setting_is_named(override: str, says: str) -> None:
    with pytest.raises(PrerequisiteError, match=says):
        file_settings([override])


def test_budgets_bound_what_it_can_cost() -> None:
    sampling = SamplingRecipe(n_max=4, max_tokens=1_000)
    assert most_tokens(sampling, 10) == 40_000
    assert most_tokens(sampling.model_copy(update={"max_tokens_per_prompt": 1_500}), 10) == 15_000
    assert most_tokens(sampling.model_copy(update={"max_tokens_per_run": 7_000}), 10) == 7_000


# --- from file to folder -------------------------------------------------------------------------


@pytest.fixture
def teacher() -> Iterator[SimulatedTeacher]:
    with serving(SimulatedTeacher(answer=sums_to_seven)) as served:
        yield served


def test_prompts_become_samples_and_grades(tmp_path: Path, teacher: SimulatedTeacher) -> None:
    rows = [*sums(6), {"prompt": "What is 100 + 1?", "reference": "101"}, {"prompt": "Hello"}]
    out = tmp_path / "out"
    generate_file(Request(file_of(tmp_path, rows), (teacher.url,), out, overrides=SMALL))
    samples = pl.read_parquet(out / "samples-*.parquet")
    graded = pl.read_parquet(out / "graded-*.parquet")
    assert samples["sample_id"].n_unique() == len(samples) == len(graded)
    prompts = read_rows(out / "prompts.parquet", Prompt)
    assert [p.question for p in prompts] == [row["prompt"] for row in rows]
    assert len(pl.read_parquet(out / "pass_rates.parquet")) == len(rows)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["status"] == "done"
    assert manifest["decides"]["model"] == "sim"
    hello = next(p.prompt_id for p in prompts if p.question == "Hello")
    never = next(p.prompt_id for p in prompts if "100" in p.question)
    accepted_of = (
        graded.join(samples, on="sample_id")
        .group_by("prompt_id")
        .agg(pl.col("accepted").sum(), pl.len())
    )
    counts = {row["prompt_id"]: (row["accepted"], row["len"]) for row in accepted_of.to_dicts()}
    assert counts[hello] == (1, 1)  # without a reference: it ended by itself
    assert counts[never] == (0, 3)  # rejects are kept


def test_typed_again_it_asks_nothing_and_says_the_same(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = Request(file_of(tmp_path, sums(3)), (teacher.url,), tmp_path / "out", overrides=SMALL)
    generate_file(asked)
    first = capsys.readouterr().out.splitlines()
    requests = len(teacher.log)
    generate_file(asked)
    again = capsys.readouterr().out.splitlines()
    assert len(teacher.log) == requests
    assert "finished already" in again[0]
    assert again[-2:] == first[-2:]
    assert first[-2].startswith("generate  3 in = ")
    assert first[-1].startswith("samples  ")


def test_an_interrupted_one_goes_on_and_pays_nothing_twice(
    tmp_path: Path, teacher: SimulatedTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Request(file_of(tmp_path, sums(12)), (teacher.url,), tmp_path / "out", overrides=SMALL)
    graded = 0

    async def interrupted(grader: Grader, prompt: Prompt, sample: Sample) -> bool | None:
        nonlocal graded
        graded += 1
        if graded == 5:
            raise KeyboardInterrupt
        return await accepted(grader, prompt, sample)

    with monkeypatch.context() as patch:
        patch.setattr("flows.generate_file.accepted", interrupted)
        with pytest.raises(KeyboardInterrupt):
            generate_file(asked)
    assert json.loads((asked.out / "manifest.json").read_text())["status"] == "stopped"
    generate_file(asked)
    samples = pl.read_parquet(asked.out / "samples-*.parquet")
    assert samples["sample_id"].n_unique() == len(samples)
    assert samples["prompt_id"].n_unique() == 12
    facts = json.loads((asked.out / "manifest.json").read_text())["facts"]
    assert facts["resumed"] > 0
    for name in ("prompt_tokens", "completion_tokens"):
        assert facts[name] == samples[name].sum() > 0


@pytest.mark.parametrize(
    ("rows", "overrides", "says"),
    [
        (
            sums(3),
            (*SMALL, "sampling.temperature=0.9"),
            r"sampling.temperature: 0.6 there, 0.9 now",
        ),
        (sums(4), SMALL, r"prompts of .*mine.jsonl: 1 new \("),
        (sums(2), SMALL, r"1 gone \("),
        ([*sums(2), {**sums(3)[2], "reference": "9"}], SMALL, r"1 changed \("),
    ],
)
def test_other_settings_or_prompts_are_refused_with_what_differs(
    tmp_path: Path,
    teacher: SimulatedTeacher,
    rows: list[Any],
    overrides: tuple[str, ...],
    says: str,
) -> None:
    out = tmp_path / "out"
    generate_file(Request(file_of(tmp_path, sums(3)), (teacher.url,), out, overrides=SMALL))
    requests = len(teacher.log)
    with pytest.raises(PrerequisiteError, match=says) as caught:
        generate_file(Request(file_of(tmp_path, rows), (teacher.url,), out, overrides=overrides))
    assert "another --out" in str(caught.value)
    assert len(teacher.log) == requests


def test_what_does_not_decide_the_data_may_change(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, out = sums(3), tmp_path / "out"
    generate_file(Request(file_of(tmp_path, rows), (teacher.url,), out, overrides=SMALL))
    renamed = file_of(tmp_path, rows[::-1], "renamed.jsonl")
    others = (*SMALL, "sampling.in_flight=3", "verification.workers=1")
    generate_file(Request(renamed, ("http://127.0.0.1:9",), out, overrides=others))
    assert "finished already" in capsys.readouterr().out


def test_asking_for_more_goes_on_from_what_there_is(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = file_of(tmp_path, [{"prompt": f"Story {n}?"} for n in range(3)]), tmp_path / "out"
    generate_file(Request(file, (teacher.url,), out, overrides=SMALL))
    first = set(pl.read_parquet(out / "samples-*.parquet")["sample_id"])
    more = (SMALL[0], "sampling.keep=2", "sampling.n_max=3", "sampling.tail_parallel=1")
    generate_file(Request(file, (teacher.url,), out, overrides=more))
    assert "goes on with sampling.keep: 1 there, 2 now" in capsys.readouterr().out
    samples = pl.read_parquet(out / "samples-*.parquet")
    assert len(samples) == len(teacher.sent) == 6
    assert first < set(samples["sample_id"])


@pytest.mark.parametrize("name", ["notes.txt", "manifest.json"])
def test_a_folder_with_something_else_is_left_alone(
    tmp_path: Path, teacher: SimulatedTeacher, name: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text('{"stages": {}}')
    with pytest.raises(PrerequisiteError, match="--out"):
        generate_file(Request(file_of(tmp_path, sums(1)), (teacher.url,), tmp_path / "out"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]
    assert not teacher.log


def test_a_dry_run_sends_and_writes_nothing(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = Request(file_of(tmp_path, sums(3)), (teacher.url,), tmp_path / "out", overrides=SMALL)
    generate_file(asked, dry_run=True)
    assert "at most 3 samples of a prompt and 2,304 tokens in all" in capsys.readouterr().out
    assert not asked.out.exists()
    assert not teacher.log


def test_a_second_one_on_the_same_folder_is_refused_and_changes_nothing(
    tmp_path: Path, teacher: SimulatedTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = file_of(tmp_path, sums(4)), tmp_path / "out"
    words = ["generate", "--prompts", str(file), "--url", teacher.url, "--out", str(out)]
    words += [f"--set={setting}" for setting in (*SMALL[:2], "sampling.n_max=2")]
    seconds: list[subprocess.CompletedProcess[str]] = []
    manifests: list[bytes] = []

    async def meanwhile(grader: Grader, prompt: Prompt, sample: Sample) -> bool | None:
        if not seconds:
            manifests.append((out / "manifest.json").read_bytes())
            command = [sys.executable, "-m", "flows.cli", *words]
            seconds.append(subprocess.run(command, capture_output=True, text=True, cwd=ROOT))
            manifests.append((out / "manifest.json").read_bytes())
        return await accepted(grader, prompt, sample)

    monkeypatch.setattr("flows.generate_file.accepted", meanwhile)
    generate_file(Request(file, (teacher.url,), out, overrides=SMALL))
    assert seconds[0].returncode == cli.EXIT_USER
    assert f"is being written by another process (pid {os.getpid()})" in seconds[0].stderr
    assert manifests[0] == manifests[1]
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["status"], manifest["decides"]["sampling"]["n_max"]) == ("done", 3)


def test_one_that_is_refused_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="no endpoint"):
        generate_file(
            Request(file_of(tmp_path, sums(1)), ("http://127.0.0.1:9",), tmp_path / "a", "r1")
        )
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    asked = Request(file_of(tmp_path, sums(1)), ("http://127.0.0.1:9",), tmp_path / name)
    with pytest.raises(PrerequisiteError, match=f"--out .*{name}"):
        generate_file(asked)


@pytest.mark.parametrize(
    ("said", "finish_reason", "is_accepted"),
    [
        ("Once upon a time.", "stop", True),
        ("<think>\nWell.\n</think>\n\nHello.", "stop", True),
        ("", "stop", False),
        (" \n", "stop", False),
        ("<think>\n\n</think>\n\n", "stop", False),
        ("Once upon", "length", False),
        ("I may not say.", "content_filter", False),
        ("", "tool_calls", False),
    ],
)
def test_without_a_reference_it_must_say_something_and_end_by_itself(
    said: str, finish_reason: str, is_accepted: bool
) -> None:
    prompt, parts = ask_of({"prompt": "A story?"}, "mine.jsonl").prompt, split_completion(said)
    sample = sample_of(
        parts.answer, reasoning=parts.reasoning, completion=said, finish_reason=finish_reason
    )
    with Grader(1, 1.0) as grader:
        assert asyncio.run(accepted(grader, prompt, sample)) is is_accepted


def test_json_ends_with_the_counts(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["generate", "--prompts", str(file_of(tmp_path, sums(3))), "--url", teacher.url]
    words += ["--out", str(tmp_path / "out"), "--set", SMALL[0], "--json"]
    assert cli._guarded(lambda: cli.app(words, standalone_mode=False)) == 0
    objects = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert objects[0]["event"] == "plan"
    assert objects[-1]["event"] == "done"
    assert objects[-1]["funnel"][0]["n_in"] == 3


def test_what_was_lost_is_said_in_a_line(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher.fault = lambda prompt, seed, nth: "429" if seed >= 0 and nth == 0 else None
    asked = Request(file_of(tmp_path, sums(2)), (teacher.url,), tmp_path / "out", overrides=SMALL)
    generate_file(asked)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("requests  faults: ")
    assert "rate_limited" in last


# --- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["runs/a", "--prompts", "x.jsonl"], "not both"),
        (["--url", "http://h"], "--url: only with --prompts"),
        (["runs/a", "--set", "a.b=1", "--dry-run"], "--set, --dry-run: only with --prompts"),
        (["--prompts", "x.jsonl"], "--prompts needs --url"),
        (["--prompts", "x.jsonl", "--url", "http://h"], "and --out"),
    ],
)
def test_a_run_and_a_file_are_not_mixed(words: list[str], says: str) -> None:
    result = CliRunner().invoke(cli.app, ["generate", *words])
    assert isinstance(result.exception, PrerequisiteError)
    assert says in str(result.exception)


def test_help_says_what_counts_as_accepted() -> None:
    said = " ".join(CliRunner().invoke(cli.app, ["generate", "--help"]).output.split())
    assert "counts as accepted when it ended by itself" in said


@pytest.mark.parametrize(
    ("module", "banned"),
    [
        ("flows.cli", "prefect aiohttp rich polars pyarrow"),
        ("flows.generate_file", "prefect torch"),
    ],
)
def test_it_starts_without_what_it_does_not_need(module: str, banned: str) -> None:
    probe = f"import {module}, sys; print(*sorted(set(sys.modules) & set({banned.split()!r})))"
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []


def test_its_folder_is_no_run_and_show_says_so(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"status": "done"}')
    with pytest.raises(PrerequisiteError, match="a folder of `stillhouse generate --prompts`"):
        show_run(tmp_path, as_json=False)
