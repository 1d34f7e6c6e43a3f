"""Evaluations of runs and of any model: each sample asked for once, graded as often as wanted."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from gpqa_archive import archive
from simulated_teacher import SimulatedTeacher, serving
from typer.testing import CliRunner

import flows.evaluate
import flows.evaluation_scores
from data_cards.funnel import FunnelRow
from evals.benchmarks import EvalBenchmark, LeftOut
from evals.budget import budget_recipe
from filters.sandbox.bubblewrap import Bubblewrap
from flows import cli
from flows.benchmark_asks import asked_items
from flows.evaluate import begun, fixed_sampling, sample_subjects, score_subject
from flows.evaluate_model import Request, evaluate_model, grade_again
from flows.evaluate_settings import EvaluateSettings, fitted, settings_of
from flows.evaluated_model import Answering, to_be_served
from flows.evaluation_folder import EvaluationFolder
from flows.overview import summary_text
from flows.preflight import missing
from flows.progress import OUTPUT
from flows.recipe import load_recipe
from flows.run_folder import STAGES, RunFolder, open_run, write_text
from prompts.errors import PrerequisiteError, RunError
from prompts.parquet import read_rows, write_rows
from prompts.record import Prompt, prompt_id
from teacher.sample import Sample

SMALL = ("evals.max_tokens=64",)
SECRET = "Which of nine imaginary quokkas would juggle?"


@pytest.fixture(autouse=True)
def _own_output() -> Iterator[None]:
    yield
    OUTPUT.as_json, OUTPUT.metrics = False, None


def right_for_even(prompt: str, seed: int) -> str:
    """`\\boxed{n + 1}` where n is even; for odd ones n."""
    n = int(prompt.split()[0]) if prompt.split()[0].isdigit() else 0
    return f"<think>\nhm\n</think>\n\n\\boxed{{{n + 1 - n % 2}}}"


@pytest.fixture
def teacher() -> Iterator[SimulatedTeacher]:
    one = SimulatedTeacher(model="sim", answer=right_for_even)
    with serving(one):
        yield one


def sums(path: Path, count: int = 6) -> Path:
    rows = [
        {"problem": f"{n} + 1", "answer": str(n + 1), "level": 1 + n // 3, "unique_id": f"a/{n}"}
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def request(tmp_path: Path, url: str, bench: str = "", **more: Any) -> Request:
    bench = bench or f"math-500={sums(tmp_path / 'sums.jsonl')}"
    given = {"k": 2, "out": tmp_path / "out", "overrides": SMALL} | more
    return Request((bench,), urls=(url,), **given)


def scores(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    return {row["domain"]: row for row in found["rows"]}


# --- any model -----------------------------------------------------------------------------------


def test_a_model_at_an_endpoint_is_scored_by_group_and_overall(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate_model(request(tmp_path, teacher.url))
    found = scores(tmp_path / "out" / "math-500")
    assert found["overall"]["pass_at_1"]["value"] == 0.5
    assert found["overall"]["prompts"] == 6
    assert found["level 1"]["pass_at_1"]["value"] == pytest.approx(2 / 3)
    assert len(teacher.log) == 12
    assert teacher.bodies[-1]["temperature"] == 0.6
    assert teacher.bodies[-1]["top_p"] == 0.95
    table = capsys.readouterr().out
    assert "95 % interval" in table
    assert "6 × 2" in table


def test_a_model_is_called_what_it_is_served_as(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(SimulatedTeacher(model="my own model", answer=right_for_even)) as one:
        evaluate_model(request(tmp_path, one.url, k=1))
    assert "  my own model  " in capsys.readouterr().out


def test_a_wrong_column_is_named_in_a_dry_run(tmp_path: Path, teacher: SimulatedTeacher) -> None:
    bench = f"{{where: {sums(tmp_path / 'mine.jsonl')}, columns: {{question: problme}}}}"
    with pytest.raises(PrerequisiteError, match="no column problme, reference_kind"):
        evaluate_model(request(tmp_path, teacher.url, bench), dry_run=True)


def test_typed_again_it_asks_nothing_and_with_a_larger_k_only_what_is_missing(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    for k, asked in ((2, 12), (2, 12), (3, 18)):
        evaluate_model(request(tmp_path, teacher.url, k=k))
        assert len(teacher.log) == asked
    assert scores(tmp_path / "out" / "math-500")["overall"]["samples"] == 18
    evaluate_model(request(tmp_path, teacher.url, k=1))
    assert scores(tmp_path / "out" / "math-500")["overall"]["samples"] == 6
    evaluate_model(request(tmp_path, teacher.url, k=3), dry_run=True)
    assert (
        "6 questions, 18 samples, at most 1,152 tokens, all of them there"
        in capsys.readouterr().out
    )
    assert len(teacher.log) == 18


def test_a_dry_run_says_what_it_would_do_and_does_not(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate_model(request(tmp_path, teacher.url, limit=4), dry_run=True)
    said = capsys.readouterr().out
    assert "math-500 from" in said
    assert "first 4 items, k=2" in said
    assert teacher.log == []
    assert not (tmp_path / "out").exists()


OWN = {"question": "2 + 2", "reference_kind": "math_answer", "reference": "4"}
OPEN = {"question": "Why?", "reference_kind": "rubric", "domain": "general"}
SENT = {"prompt": "2 + 2", "reference": "4"}


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([OWN, OWN | {"reference_kind": "number"}], "row 2: unknown reference_kind 'number'"),
        ([OWN, OWN | {"question": " "}], "row 2: no question"),
        ([OWN, OPEN], "row 2: an open question has no answer"),
        ([{"question": "2 + 2"}], "has no column reference_kind"),
        ([SENT, SENT | {"prompt_id": "a"}, SENT | {"prompt_id": "a"}], "prompt_id 'a' came on"),
        ([SENT, {"prompt": "3 + 3"}], "prompt 2: no reference"),
        ([{"prompt": "2 + 2", "label": "4"}], r"no column reference \(or tests\).* label, prompt"),
        ([SENT, {"prompt": ""}], ":2: prompt is empty"),
    ],
)
def test_bad_rows_are_named_by_a_dry_run_as_before_a_real_one(
    tmp_path: Path, teacher: SimulatedTeacher, rows: list[dict[str, str]], why: str
) -> None:
    bench = tmp_path / "mine.jsonl"
    bench.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    said = []
    for dry_run in (True, False):
        with pytest.raises(PrerequisiteError, match=why) as raised:
            evaluate_model(request(tmp_path, teacher.url, str(bench)), dry_run)
        said.append(str(raised.value))
        assert not (tmp_path / "out" / "mine.jsonl" / "evaluation.json").exists()
    assert said[0] == said[1]
    assert teacher.log == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "mine.jsonl: 2 questions, 4 samples, at most 256 tokens"),
        ({"limit": 1, "k": 1}, "mine.jsonl: 1 question, 1 sample, at most 64 tokens"),
        ({"budgets": "16,32"}, "mine.jsonl: 2 questions, 4 samples, at most 8,384 tokens"),
    ],
)
def test_a_dry_run_says_what_will_be_asked(
    tmp_path: Path,
    teacher: SimulatedTeacher,
    capsys: pytest.CaptureFixture[str],
    more: dict[str, Any],
    said: str,
) -> None:
    bench = tmp_path / "mine.jsonl"
    rows = [OWN, OWN, OWN | {"question": "3 + 1"}]
    bench.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    evaluate_model(request(tmp_path, teacher.url, str(bench), **more), dry_run=True)
    shown = capsys.readouterr().out
    assert said in shown
    assert ("1 row left out: 1 asked already" in shown) is ("limit" not in more)


def test_a_dry_run_counts_what_is_known_of_the_hub(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    for bench, said in (
        ("math-500", "math-500: 500 questions, 1,000 samples, at most 64,000 tokens"),
        ("codeforces", "codeforces: how many questions it has is known when it is read"),
    ):
        evaluate_model(request(tmp_path, teacher.url, bench), dry_run=True)
        assert said in capsys.readouterr().out


def test_a_dry_run_names_samples_of_other_settings(
    tmp_path: Path, teacher: SimulatedTeacher
) -> None:
    evaluate_model(request(tmp_path, teacher.url, k=1))
    other = request(tmp_path, teacher.url, k=1, overrides=(*SMALL, "evals.temperature=1.0"))
    with pytest.raises(PrerequisiteError, match=r"temperature: 0\.6 there, 1\.0 now"):
        evaluate_model(other, dry_run=True)


@pytest.mark.parametrize("model", [None, "sim"])
def test_a_dry_run_reads_the_rows_though_no_server_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str | None
) -> None:
    asked = request(tmp_path, "http://127.0.0.1:9", model=model)
    evaluate_model(asked, dry_run=True)
    said = capsys.readouterr().out
    assert "note: no endpoint at http://127.0.0.1:9/v1: " in said
    assert f"evaluate  {model or 'MODEL'}, to be asked at http://127.0.0.1:9" in said
    assert "math-500: 6 questions, 12 samples, at most 768 tokens" in said
    assert not (tmp_path / "out").exists()
    bad = tmp_path / "mine.jsonl"
    bad.write_text(json.dumps(OWN | {"question": " "}) + "\n", encoding="utf-8")
    with pytest.raises(PrerequisiteError, match="row 1: no question"):
        evaluate_model(request(tmp_path, asked.urls[0], str(bad), model=model), dry_run=True)
    with pytest.raises(PrerequisiteError, match="no endpoint at"):
        evaluate_model(asked)


def test_a_dry_run_without_a_server_looks_at_the_samples_that_are_there(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate_model(request(tmp_path, teacher.url))
    down = "http://127.0.0.1:9"
    evaluate_model(request(tmp_path, down), dry_run=True)
    assert "all of them there already" in capsys.readouterr().out
    with pytest.raises(PrerequisiteError, match="model: sim sim there, other other now"):
        evaluate_model(request(tmp_path, down, model="other"), dry_run=True)
    hot = request(tmp_path, down, overrides=(*SMALL, "evals.temperature=1.0"))
    with pytest.raises(PrerequisiteError, match=r"temperature: 0\.6 there, 1\.0 now"):
        evaluate_model(hot, dry_run=True)


def test_a_dry_run_tells_machines_that_nobody_knows_the_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    OUTPUT.as_json = True
    evaluate_model(request(tmp_path, "http://127.0.0.1:9"), dry_run=True)
    said = capsys.readouterr()
    assert json.loads(said.out)["model"] is None
    assert "no endpoint at" in said.err


def test_a_dry_run_tells_machines_what_will_be_asked(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    OUTPUT.as_json = True
    evaluate_model(request(tmp_path, teacher.url), dry_run=True)
    (plan,) = map(json.loads, capsys.readouterr().out.splitlines())
    (bench,) = plan["benchmarks"]
    assert bench == {
        "benchmark": "math-500",
        "k": 2,
        "questions": 6,
        "samples": 12,
        "most_tokens": 12 * 64,
        "left_out": {},
    }


def test_what_is_stored_is_graded_again_without_asking(
    tmp_path: Path, teacher: SimulatedTeacher
) -> None:
    evaluate_model(request(tmp_path, teacher.url))
    folder = tmp_path / "out" / "math-500"
    before = (folder / "scores.json").read_text(encoding="utf-8")
    (folder / "scores.json").unlink()
    (folder / "verdicts-00000.parquet").unlink()
    (tmp_path / "sums.jsonl").unlink()
    teacher.down = True
    grade_again(tmp_path / "out")
    assert (folder / "scores.json").read_text(encoding="utf-8") == before
    assert len(teacher.log) == 12


def test_samples_of_other_settings_are_not_mixed(tmp_path: Path, teacher: SimulatedTeacher) -> None:
    evaluate_model(request(tmp_path, teacher.url))
    with pytest.raises(PrerequisiteError, match=r"temperature: 0\.6 there, 1\.0 now"):
        evaluate_model(request(tmp_path, teacher.url, overrides=(*SMALL, "evals.temperature=1.0")))
    bench = f"math-500={sums(tmp_path / 'sums.jsonl', 7)}"
    with pytest.raises(PrerequisiteError, match="origin: "):
        evaluate_model(request(tmp_path, teacher.url, bench))
    assert len(teacher.log) == 12


def test_a_folder_of_something_else_is_left_alone(
    tmp_path: Path, teacher: SimulatedTeacher
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(PrerequisiteError, match=r"holds mine\.txt"):
        evaluate_model(request(tmp_path, teacher.url))
    with pytest.raises(PrerequisiteError, match="holds no samples"):
        grade_again(tmp_path / "out")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"benches": ()}, "no benchmark is given"),
        ({"benches": ("math500", "aime")}, r"math500: .*Did you mean(.|\n)*aime: no benchmark"),
        ({"benches": ("nowhere.jsonl",)}, "there is no nowhere.jsonl"),
        ({"urls": ()}, "no model is given"),
        ({"urls": (), "model": "./nowhere"}, "no such folder"),
        ({"overrides": ("student.epochs=1",)}, "here there are only template, evals"),
        ({"overrides": ("evals.temprature=1",)}, "temprature"),
        ({"overrides": ("template=r2",)}, "there are .*r1"),
        ({"benches": ("math-500", "math-500")}, "'math-500' is there twice"),
        ({"waits": 2}, "give --budgets"),
        ({"budgets": "many"}, "budgets are thinking tokens"),
        ({"benches": ("{name: codeforces, standings: nowhere}",)}, "no folder of standings"),
        ({"benches": ("{name: math-500, split: test}",)}, "no key 'split'; there are name, where"),
        ({"benches": ("{where: my.csv, columns: {question: 3}}",)}, r"columns\.question: Input"),
        ({"benches": ("livecodebench@2024-08..2024-01",)}, "ends before it starts"),
    ],
)
def test_what_was_typed_wrong_is_named_before_anything_is_asked(
    tmp_path: Path, changed: dict[str, Any], says: str
) -> None:
    typed = {"benches": ("math-500",), "urls": ("http://127.0.0.1:9",), "out": tmp_path / "out"}
    with pytest.raises(PrerequisiteError, match=says):
        evaluate_model(Request(**(typed | changed)))
    assert not (tmp_path / "out").exists()


def test_a_folder_left_before_it_was_begun_is_gone_on_with(
    tmp_path: Path, teacher: SimulatedTeacher
) -> None:
    evaluate_model(request(tmp_path, teacher.url), dry_run=True)
    left = tmp_path / "out" / "math-500"
    left.mkdir(parents=True)
    (left / "prompts.parquet").write_bytes(b"half of it")
    (left / ".prompts.parquet.1.tmp").touch()
    evaluate_model(request(tmp_path, teacher.url, k=1))
    assert scores(left)["overall"]["samples"] == 6


def test_what_a_stopped_sampling_had_stored_is_graded_again_and_gone_on_with(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher.fault = lambda prompt, seed, nth: "500" if prompt.startswith("5 ") else None
    once = (*SMALL, "sampling.request_attempts=1")
    with pytest.raises(RunError, match="2 of 12 requests failed for good"):
        evaluate_model(request(tmp_path, teacher.url, overrides=once))
    folder = tmp_path / "out" / "math-500"
    assert not list(folder.glob("samples-*.parquet"))
    grade_again(tmp_path / "out")
    overall = scores(folder)["overall"]
    assert (overall["samples"], overall["missing"]) == (10, 2)
    assert overall["pass_at_1"]["value"] == 3 / 5
    said = "2 of 12 samples of sim, math-500, are missing (failed, refused or not asked yet)"
    assert said in capsys.readouterr().out
    teacher.fault, asked = (lambda prompt, seed, nth: None), len(teacher.log)
    evaluate_model(request(tmp_path, teacher.url, overrides=once))
    assert len(teacher.log) == asked + 2
    overall = scores(folder)["overall"]
    assert (overall["samples"], overall["pass_at_1"]["value"]) == (12, 0.5)


def test_a_benchmark_whose_samples_have_yet_to_come_is_not_silently_left_out(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate_model(request(tmp_path, teacher.url))
    with pytest.raises(PrerequisiteError, match="only vLLM"):
        evaluate_model(request(tmp_path, teacher.url, budgets="16"))
    capsys.readouterr()
    grade_again(tmp_path / "out")
    assert "math-500-budgets is left out: its samples have yet to come" in capsys.readouterr().out


def test_prompts_the_server_refuses_are_said_to_be_missing_from_the_score(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher.fault = lambda prompt, seed, nth: "400" if prompt[0] in "135" else None
    evaluate_model(request(tmp_path, teacher.url))
    assert scores(tmp_path / "out" / "math-500")["overall"]["pass_at_1"]["value"] == 1.0
    assert "pass@1 is over 3 of 6 prompts" in capsys.readouterr().out


def test_rows_that_are_not_asked_are_said_beside_every_score(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    path = sums(tmp_path / "sums.jsonl")
    path.write_text(path.read_text() + '{"problem": "9 + 1"}\n{"problem": "1 + 1", "answer": "2"}')
    evaluate_model(request(tmp_path, teacher.url, f"math-500={path}"))
    path.unlink()
    capsys.readouterr()
    grade_again(tmp_path / "out")
    said = "not asked of math-500: 2 rows: 1 no answer, 1 asked already"
    assert said in capsys.readouterr().out


def test_a_folder_of_another_version_is_named_and_not_guessed_at(
    tmp_path: Path, teacher: SimulatedTeacher
) -> None:
    evaluate_model(request(tmp_path, teacher.url))
    folder = tmp_path / "out" / "math-500"
    samples, about = folder / "samples-00000.parquet", folder / "evaluation.json"
    whole = pl.read_parquet(samples)
    whole.drop("attempts").write_parquet(samples)
    with pytest.raises(PrerequisiteError, match=r"samples-00000.* another version .* no attempts"):
        grade_again(tmp_path / "out")
    whole.write_parquet(samples)
    facts = json.loads(about.read_text())
    del facts["standings"]
    about.write_text(json.dumps(facts))
    with pytest.raises(PrerequisiteError, match=r"evaluation\.json .* no standings"):
        grade_again(tmp_path / "out")
    about.write_text("7")
    with pytest.raises(PrerequisiteError, match="is damaged"):
        grade_again(tmp_path / "out")


def test_a_folder_of_rows_that_changed_is_another_benchmark(
    tmp_path: Path, teacher: SimulatedTeacher
) -> None:
    (tmp_path / "rows").mkdir()
    for part, first in (("a", 0), ("b", 3)):
        rows = [{"problem": f"{n} + 1", "answer": str(n + 1)} for n in range(first, first + 3)]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / "rows" / f"{part}.jsonl").write_text(text)
    bench = f"math-500={tmp_path / 'rows'}"
    evaluate_model(request(tmp_path, teacher.url, bench))
    evaluate_model(request(tmp_path, teacher.url, bench))
    (tmp_path / "rows" / "b.jsonl").write_text('{"problem": "3 + 1", "answer": "5"}\n')
    with pytest.raises(PrerequisiteError, match="origin: "):
        evaluate_model(request(tmp_path, teacher.url, bench))


def test_forced_thinking_that_has_no_room_is_refused(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", PREFILLED, positions=2_048)
    typed = Request(
        ("math-500",), str(folder), budgets="512,4096", out=tmp_path / "out", overrides=SMALL
    )
    with pytest.raises(PrerequisiteError, match=r"--budgets: .*2,048 positions"):
        evaluate_model(typed)


def test_what_is_put_into_forced_text_can_be_set(tmp_path: Path, teacher: SimulatedTeacher) -> None:
    sets = (*SMALL, "forced.lead='So: \\boxed{'", "forced.answer_tokens=77")
    with pytest.raises(PrerequisiteError, match="only vLLM"):
        evaluate_model(request(tmp_path, teacher.url, budgets="16", overrides=sets))
    settings = settings_of(sets)
    recipe = budget_recipe("16", text=settings.forced)
    assert (recipe.lead, recipe.answer_tokens) == ("So: \\boxed{", 77)
    about = (tmp_path / "out" / "math-500-budgets" / "evaluation.json").read_text()
    assert json.loads(about)["max_tokens"] == recipe.most_tokens()
    with pytest.raises(PrerequisiteError, match=r"forced\.leed"):
        settings_of(("forced.leed=x",))


def test_forced_samples_have_a_folder_of_their_own(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate_model(request(tmp_path, teacher.url))
    assert [one.name for one in (tmp_path / "out").iterdir() if one.is_dir()] == ["math-500"]
    # The teacher here is no vLLM that goes on from texts: forcing says so, and harms nothing.
    with pytest.raises(PrerequisiteError, match="only vLLM"):
        evaluate_model(request(tmp_path, teacher.url, budgets="16,32", waits=1))
    assert (tmp_path / "out" / "math-500-budgets-waits-1" / "evaluation.json").exists()
    grade_again(tmp_path / "out")
    assert "thinking ended at 16, 32 tokens, 1 time told to wait" in capsys.readouterr().out


def test_programs_of_contests_have_a_rating(
    tmp_path: Path, teacher: SimulatedTeacher, sandbox: Bubblewrap
) -> None:
    problem = {
        "id": "2030/A", "description": "Print the sum of two numbers.", "rating": 800,
        "official_tests": [{"input": "1 2\n", "output": "3\n"}], "official_tests_complete": True,
    }  # fmt: skip
    path = tmp_path / "cf.jsonl"
    path.write_text(json.dumps(problem) + "\n", encoding="utf-8")
    rows = [
        {"party": {"members": [{"handle": name}]}, "points": points, "penalty": 0}
        for name, points in (("kim", 500), ("lee", 0))
    ]
    changes = [{"handle": "kim", "oldRating": 1500}, {"handle": "lee", "oldRating": 1500}]
    standings = {"problems": [{"index": "A", "points": 500.0}], "rows": rows}
    for what, result in (("standings", standings), ("ratingChanges", changes)):
        text = json.dumps({"status": "OK", "result": result})
        (tmp_path / f"2030.{what}.json").write_text(text, encoding="utf-8")
    program = "```python\na, b = map(int, input().split())\nprint(a + b)\n```"
    teacher.answer = lambda prompt, seed: f"<think>\nhm\n</think>\n{program}"
    bench = f"{{name: codeforces, where: {path}, standings: {tmp_path}}}"
    evaluate_model(request(tmp_path, teacher.url, bench))
    found = json.loads((tmp_path / "out" / "codeforces" / "scores.json").read_text())
    assert found["rows"][-1]["pass_at_1"]["value"] == 1
    assert found["rating"]["rating"]["value"] >= 1500
    assert "2030" in found["rating"]["contests"]
    (tmp_path / "2030.standings.json").write_text("{}", encoding="utf-8")
    asked = len(teacher.bodies)
    with pytest.raises(PrerequisiteError, match="no answer of Codeforces"):
        evaluate_model(request(tmp_path, teacher.url, bench, out=tmp_path / "other"))
    assert len(teacher.bodies) == asked


def test_a_protected_benchmark_leaves_no_text_but_the_samples(
    tmp_path: Path, teacher: SimulatedTeacher
) -> None:
    answers = ("5 quokkas", "11 lanterns", "12 lanterns", "13 lanterns")
    header = "Record ID,Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,"
    rows = [f"rec{n},{SECRET} {n}," + ",".join(answers) for n in range(24)]
    text = "\n".join([header + "Incorrect Answer 3", *rows]) + "\n"
    path = archive(tmp_path / "dataset.zip", "gpqa_diamond.csv", text.encode())
    # The second is a letter with another number than its option's, which a detail quotes.
    said = ("B", "B) 77 marbles")
    number = re.compile(re.escape(SECRET) + r" (\d+)")

    def answer(prompt: str, seed: int) -> str:
        asked = number.search(prompt)
        return f"<think>\nhm\n</think>\n\\boxed{{{said[int(asked[1]) % 2 if asked else 0]}}}"

    teacher.answer = answer
    evaluate_model(request(tmp_path, teacher.url, f"gpqa-diamond={path}", k=1))
    folder = tmp_path / "out" / "gpqa-diamond"
    asked = [body["messages"][-1]["content"] for body in teacher.bodies]
    assert any(SECRET in text and "quokka" in text for text in asked)
    for file in folder.iterdir():
        frame = pl.read_parquet(file) if file.suffix == ".parquet" else file.read_text()
        shown = frame.write_json() if isinstance(frame, pl.DataFrame) else frame
        assert "quokka" not in shown, file
        assert "lantern" not in shown, file
    (prompt,) = {p.question + p.reference for p in read_rows(folder / "prompts.parquet", Prompt)}
    assert prompt == ""
    share = scores(folder)["overall"]["pass_at_1"]["value"]
    assert 0 < share < 1
    grade_again(tmp_path / "out")
    assert scores(folder)["overall"]["pass_at_1"]["value"] == share
    more = text + rows[0].replace(" 0", " 24") + "\n"
    archive(path, "gpqa_diamond.csv", more.encode())
    grade_again(tmp_path / "out")
    assert scores(folder)["overall"]["prompts"] == 24, "what was not asked is not scored"
    archive(path, "gpqa_diamond.csv", text.replace(f"{SECRET} 7,", f"{SECRET} 77,").encode())
    before = (folder / "scores.json").read_bytes()
    with pytest.raises(PrerequisiteError, match="1 of 24 questions that were asked are not in"):
        grade_again(tmp_path / "out")
    assert (folder / "scores.json").read_bytes() == before
    path.unlink()
    with pytest.raises(PrerequisiteError, match="there is no"):
        grade_again(tmp_path / "out")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("embedded 0.1.2-b17-1 curate 2026-11-22T23:30:53+00:00", "embedded"),
        (
            "My-Student train 2026-11-23T00:08:21+00:00 curate 2026-11-22T23:30:53+00:00",
            "My-Student",
        ),
        ("My Student train 2026-11-23T00:08:21+00:00", "My Student"),
        ("a teacher 1f2e", "a teacher"),
        ("a teacher a teacher", "a teacher"),
        ("teacher", "teacher"),
    ],
)
def test_a_model_is_shown_by_its_name_without_what_it_is_known_by(model: str, name: str) -> None:
    assert flows.evaluation_scores._name_in(model) == name


def test_the_command_reports_in_json(
    tmp_path: Path, teacher: SimulatedTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        *("evaluate", "--url", teacher.url, "--bench", f"math-500={sums(tmp_path / 's.jsonl')}"),
        *("--k", "1", "--out", str(tmp_path / "out"), "--set", *SMALL, "--json"),
    ]
    done = CliRunner().invoke(cli.app, words)
    assert done.exception is None, done.output
    *_, ended, last = map(json.loads, done.stdout.strip().splitlines())
    assert (ended["event"], ended["samples"]) == ("ended", 6)
    assert (ended["undecided"], ended["ungraded"]) == (0, 6)  # nothing is graded while it samples
    assert last["event"] == "done"
    assert last["scores"]["math-500"]["rows"][-1]["prompts"] == 6
    assert "prompts" not in last["scores"]["math-500"]


@pytest.mark.parametrize(
    "words",
    [
        ["runs/some", "--bench", "math-500"],
        ["--again", "--bench", "math-500", "--out", "x"],
        ["--again", "--k", "4"],
    ],
)
def test_a_run_and_a_model_are_not_mixed(words: list[str]) -> None:
    done = CliRunner().invoke(cli.app, ["evaluate", *words])
    assert isinstance(done.exception, PrerequisiteError)


# --- the model -----------------------------------------------------------------------------------


def model_folder(path: Path, template: str = "", positions: int = 4096) -> Path:
    path.mkdir(parents=True)
    config = {"max_position_embeddings": positions}
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if template:
        (path / "chat_template.jinja").write_text(template, encoding="utf-8")
    return path


PREFILLED = "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
SWITCHED = "{% if add_generation_prompt %}A:{% if off %}<think>\n\n</think>{% endif %}{% endif %}"


# Some switch thinking off, others on; a server says nothing of either.
UNLESS = "{% if add_generation_prompt %}A:{% if off is defined %}<think></think>{% else %}<think>\n"
UNLESS += "{% endif %}{% endif %}"
ONLY_IF = "{% if add_generation_prompt %}A:{% if thinking %}<think>{% endif %}{% endif %}"
LEARNT = "{% generation %}{{ messages[0].content }}{% endgeneration %}"


@pytest.mark.parametrize(
    ("template", "opens"),
    [
        (PREFILLED, True),
        (SWITCHED, False),
        (UNLESS, True),
        (ONLY_IF, False),
        (LEARNT + PREFILLED, True),
        ("<think>\n</think>{{ messages[0].content }}", False),
        ("{{ raise_exception('no turns') }}<think>", False),
        ("{% if %}<think>", False),
    ],
)
def test_a_template_that_opens_the_thinking_is_noticed(
    tmp_path: Path, template: str, opens: bool
) -> None:
    answering = to_be_served(str(model_folder(tmp_path / "m", template)))
    assert answering.opens_thinking is opens
    assert fitted(EvaluateSettings(), answering, ()).sampling.think_prefilled is opens


def test_of_several_templates_the_default_one_counts(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    several = {"tools": "A:", "default": PREFILLED}
    named = [{"name": name, "template": template} for name, template in several.items()]
    settings = json.dumps({"chat_template": named})
    (folder / "tokenizer_config.json").write_text(settings, encoding="utf-8")
    assert to_be_served(str(folder)).opens_thinking


def test_a_model_without_a_chat_template_is_named_before_it_is_served(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="has no chat template"):
        to_be_served(str(model_folder(tmp_path / "m")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(PrerequisiteError, match="holds no model"):
        to_be_served(str(tmp_path / "empty"))


def test_a_runs_student_is_called_by_its_run(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "default-3f2a" / "5-student" / "model", PREFILLED)
    assert to_be_served(str(folder)).name == "default-3f2a"


@pytest.mark.parametrize(
    ("positions", "overrides", "tokens", "length"),
    [
        (131_072, (), 32_768, 34_816),
        (8_192, (), 6_144, 8_192),
        (2_048, (), 1_024, 2_048),
        (8_192, ("evals.max_tokens=512",), 512, 2_560),
        (None, (), 32_768, 34_816),
    ],
)
def test_completions_have_the_room_that_the_model_leaves(
    positions: int | None, overrides: tuple[str, ...], tokens: int, length: int
) -> None:
    settings = EvaluateSettings()
    if overrides:
        evals = settings.evals.model_copy(update={"max_tokens": tokens})
        settings = settings.model_copy(update={"evals": evals})
    found = fitted(settings, Answering("m", "m", "m", positions), overrides)
    assert found.evals.serve is not None
    assert (found.evals.max_tokens, found.evals.serve.max_model_len) == (tokens, length)


# --- runs ----------------------------------------------------------------------------------------


def run_of(tmp_path: Path, url: str) -> RunFolder:
    """A run that has been curated and trained, its teacher at an endpoint."""
    recipe = load_recipe(
        overrides=[
            f"evals.benchmarks=['math-500={sums(tmp_path / 'sums.jsonl')}']",
            "teacher.served_name=sim",
            "evals.subjects=[teacher]",
            "evals.max_tokens=64",
            "sampling.send_seed=true",
        ],
        teacher_urls=[url],
    )
    run = open_run(recipe, tmp_path / "runs")
    for stage in ("curate", "train"):
        run.folder(stage)
        run.finish(stage, run.begin(stage), [FunnelRow(stage, 1, {"keep": 1}, 0.1)])
    return run


def test_a_run_measures_on_benchmarks_with_their_own_k(
    tmp_path: Path, teacher: SimulatedTeacher
) -> None:
    run = run_of(tmp_path, teacher.url)
    (what,) = run.recipe.evals.benchmarks
    sample_subjects.fn(run, ["teacher"], [what])
    assert len(teacher.log) == 6 * 16
    found = score_subject.fn(run, "teacher", what)
    assert (found.benchmark, found.row().samples) == ("math-500", 96)
    sample_subjects.fn(run, ["teacher"], [what])
    assert len(teacher.log) == 6 * 16
    folder = run.path / "6-evals" / "teacher" / "math-500"
    assert len(read_rows(sorted(folder.glob("samples-*.parquet")), Sample)) == 96


def test_what_a_run_cannot_be_measured_on_is_said_before_it_starts(tmp_path: Path) -> None:
    sets = "evals.benchmarks=['math-500=nowhere.jsonl', gpqa-diamond]"
    found = "\n".join(missing(load_recipe(overrides=[sets]), tmp_path / "runs", ("evaluate",)))
    assert "there is no nowhere.jsonl" in found
    assert "protected archive alone" in found


def test_a_retrained_student_is_not_given_the_old_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of(tmp_path, "http://127.0.0.1:9")
    (what,) = run.recipe.evals.benchmarks
    for who in ("base", "student"):
        (begun(run, who, what).path / "samples-00000.parquet").touch()
    again = run.manifest()
    again["stages"]["train"]["ended_at"] = "later"
    write_text(run.path / "manifest.json", json.dumps(again))
    assert list(begun(run, "base", what).path.glob("samples-*"))
    assert "asked anew" not in capsys.readouterr().out
    assert not list(begun(run, "student", what).path.glob("samples-*"))
    assert "evaluate  student, math-500: asked anew; model: " in capsys.readouterr().out


def test_another_benchmark_leaves_the_samples_of_the_first(
    tmp_path: Path, teacher: SimulatedTeacher
) -> None:
    run = run_of(tmp_path, teacher.url)
    (what,) = run.recipe.evals.benchmarks
    sample_subjects.fn(run, ["teacher"], [what])
    more = what.model_copy(update={"name": "sums", "k": 1, "columns": {}, "limit": 2})
    evals = run.recipe.evals.model_copy(update={"benchmarks": (what, more)})
    wider = RunFolder(run.path, run.recipe.model_copy(update={"evals": evals}))
    assert begun(wider, "teacher", what).is_sampled(16)


def test_held_out_prompts_of_a_run_are_a_benchmark_like_any_file(tmp_path: Path) -> None:
    held_out = Prompt(
        *(prompt_id("math", "3 + 4?"), "math", "own", "mit", "test", "3 + 4?", "math_answer", "7")
    )
    write_rows(tmp_path / "test.parquet", [held_out], Prompt)
    choice = EvalBenchmark.model_validate(str(tmp_path / "test.parquet"))
    (asked,) = asked_items(choice, "zero-shot", LeftOut())
    assert asked.item.prompt.prompt_id == held_out.prompt_id
    assert asked.item.group == "math"


def test_held_out_prompts_that_only_a_judge_could_grade_lower_no_score(
    tmp_path: Path, teacher: SimulatedTeacher
) -> None:
    run = run_of(tmp_path, teacher.url)
    sum_ = Prompt(
        *(prompt_id("math", "2 + 1"), "math", "own", "mit", "test", "2 + 1", "math_answer", "3")
    )
    poem = Prompt(*(prompt_id("general", "A poem."), "general", "own", "mit", "test", "A poem."),
                  "rubric", "It rhymes.")  # fmt: skip
    write_rows(run.folder("curate") / "test.parquet", [sum_, poem], Prompt)
    sample_subjects.fn(run, ["teacher"], [None])
    found = score_subject.fn(run, "teacher", None)
    assert (found.row().prompts, found.row().pass_at_1.value) == (1, 1.0)
    assert found.left_out == {"open questions, which only a judge could grade": 1}
    write_rows(run.folder("curate") / "test.parquet", [poem], Prompt)
    assert flows.evaluate._measures(run) == list(run.recipe.evals.benchmarks)


@pytest.mark.slow
def test_the_flow_measures_on_held_out_prompts_and_benchmarks(
    tmp_path: Path, teacher: SimulatedTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.testing.utilities import prefect_test_harness

    monkeypatch.setattr(flows.evaluate, "finish_student", lambda run: None)  # there is no student
    run = run_of(tmp_path, teacher.url)
    for stage in list(STAGES)[:-1]:
        run.folder(stage)
        run.finish(stage, run.begin(stage), [FunnelRow(stage, 1, {"keep": 1}, 0.1)])
    prompts = [
        Prompt(*(prompt_id("math", q), "math", "own", "mit", "test", q, "math_answer", str(n + 1)))
        for n, q in ((n, f"{n} + 1") for n in range(5))
    ]
    write_rows(run.folder("curate") / "test.parquet", prompts, Prompt)
    old = run.folder("evaluate") / "teacher" / "aime-2024"  # of a recipe before
    write_text(old / "scores.json", "{}")
    write_rows(old / "samples-00000.parquet", [], Sample)
    with prefect_test_harness(server_startup_timeout=400):
        flows.evaluate.evaluate(run.recipe, tmp_path / "runs")
        entry = run.manifest()["stages"]["evaluate"]
        assert entry["scores"]["teacher"][-1]["pass_at_1"]["value"] == 0.6
        found = entry["benchmarks"]["math-500"]["scores"]["teacher"]
        assert [row["domain"] for row in found] == ["level 1", "level 2", "overall"]
        requests = len(teacher.log)
        flows.evaluate.evaluate(run.recipe, tmp_path / "runs", again=True)
    assert len(teacher.log) == requests == 5 * 3 + 6 * 16
    assert "math-500" in summary_text(run.path)
    assert [file.name for file in old.iterdir()] == ["samples-00000.parquet"]


def test_sampling_is_of_a_fixed_number_whatever_the_recipe_stops_at() -> None:
    recipe = load_recipe(overrides=["sampling.give_up_after=2"])
    found = fixed_sampling(recipe.sampling, recipe.evals, 8)
    assert (found.keep, found.n_min, found.n_max, found.give_up_after) == (8, 8, 8, None)


def test_a_folder_that_is_no_evaluation_says_so(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="holds no evaluation"):
        EvaluationFolder(tmp_path).about()


def test_a_model_that_the_hub_will_not_give_is_named_before_it_is_served(monkeypatch) -> None:
    monkeypatch.setattr("flows.evaluated_model.hub_problem", lambda: "no route")
    monkeypatch.setattr("flows.student_preflight.hub_token", lambda: None)
    for model, why in (("meta-llama/L-8B", "accept their licence"), ("me/mine", "no route")):
        with pytest.raises(PrerequisiteError, match=f"--model {model}: .*{why}"):
            to_be_served(model).need_weights()
    Answering("m", "m", "http://H", urls=("http://H",)).need_weights()
