"""flows/score_rows.py: the manifest's scores as a table, and where a run shows it."""

from pathlib import Path

from test_evals_run import graded, make_prompt, scored

from data_cards.score_table import table_lines, table_notes
from evals.run import compare
from evals.scores import Rating
from evals.stats import Interval
from flows.overview import summary_text
from flows.recipe import load_recipe
from flows.report import write_run_report
from flows.run_folder import open_run
from flows.score_rows import run_score_table


def entry(k=2):
    """What the evaluate stage notes of a base and a better student."""
    prompts = [make_prompt(str(i)) for i in range(6)]
    worse = scored(*((p, graded(p, *["reject"] * k)) for p in prompts), k=k)
    better = scored(*((p, graded(p, "accept", *["reject"] * (k - 1))) for p in prompts), k=k)
    rows = {
        who: [row.model_dump(mode="json") for row in found.rows]
        for who, found in (("base", worse), ("student", better))
    }
    changes = [row.model_dump(mode="json") for row in compare(worse, better)]
    return {"scores": rows, "differences": {"student - base": changes}}


def test_held_out_scores_and_benchmarks_are_one_table():
    rating = Rating(
        rating=Interval(900.0, 850.0, 950.0, 3), attempts=8, participations=2,
        contests={"1": 900.0}, without_standings=0, unasked=0,
    ).model_dump(mode="json")  # fmt: skip
    found = {
        **entry(),
        "benchmarks": {"codeforces": {**entry(), "ratings": {"student": rating}}},
    }
    table = run_score_table(found, load_recipe(model="qwen-7b"))
    cells = [line.cells[:4] for line in table_lines(table)]
    assert cells[0] == ("held-out", "math", "base", "0.0")
    assert cells[-2:] == [
        ("codeforces", "rating", "student", "900"),
        ("codeforces", "rating", "DeepSeek-R1-Distill-Qwen-7B", "1,189"),
    ]
    assert [row.benchmark for row in table.changes] == ["held-out", "codeforces"]
    assert {row.most for row in table.rows} == {2}


def test_a_published_row_says_how_it_and_ours_were_asked_for():
    recipe = load_recipe(
        overrides=["evals.max_tokens=4096", "evals.temperature=0"], model="qwen-7b"
    )
    found = run_score_table({**entry(), "benchmarks": {"aime-2024": entry()}}, recipe)
    (note,) = [one for one in table_notes(found) if "Published without" in one]
    assert "table 5; T=0.6, top-p 0.95, 32,768 tokens; 64 samples for AIME" in note
    assert "ours are at T=0, top-p 0.95, 4,096 tokens, template r1, with the dates" in note


def test_one_sample_a_prompt_is_shown_with_wilsons_interval():
    table = run_score_table(entry(k=1), load_recipe())
    student = next(row for row in table.rows if row.who == "student")
    assert (student.pass_at_1, student.high) == (1.0, 1.0)
    assert student.low < 0.7  # six of six prove no more
    assert (student.pass_at_k, student.most) == (None, 0)


def test_what_is_missing_undecided_or_left_out_is_said_below_the_table():
    prompts = [make_prompt(str(i)) for i in range(3)]
    halves = [graded(prompts[0], "accept", "undecided"), graded(prompts[1], "undecided")]
    found = scored(*zip(prompts, [*halves, ([], [])], strict=True), k=2)
    rows = {"student": [row.model_dump(mode="json") for row in found.rows]}
    entry = {"scores": rows, "left_out": {"asked already": 7}}
    notes = table_notes(run_score_table(entry, load_recipe()))
    assert (
        "3 of 6 samples of student, held-out, are missing (failed, refused or not asked yet): "
        "pass@1 is over 2 of 3 prompts"
    ) in notes
    assert (
        "2 of 3 samples of student, held-out, nobody could grade, and they count as not right: "
        "2 unparsed; 1 of 3 prompts have no others"
    ) in notes
    assert "not asked of held-out: 7 rows: 7 asked already" in notes


def test_whole_scores_have_no_such_notes():
    notes = " ".join(table_notes(run_score_table(entry(), load_recipe())))
    assert "missing (" not in notes
    assert "nobody could grade" not in notes
    assert "not asked" not in notes


def test_an_evaluation_that_measured_nothing_has_no_table():
    assert run_score_table({}, load_recipe()).rows == []
    assert run_score_table({"scores": {}, "benchmarks": {}}, load_recipe()).rows == []


def test_a_run_shows_its_table_and_keeps_it_as_markdown(tmp_path: Path):
    run = open_run(load_recipe(), tmp_path / "runs")
    write_run_report(run)
    assert not (run.folder("evaluate") / "scores.md").exists()
    run.begin("evaluate")
    run.finish("evaluate", 0.0, [], **entry())
    write_run_report(run)
    text = (run.folder("evaluate") / "scores.md").read_text(encoding="utf-8")
    assert "| held-out | overall | student | 50.0 |" in text
    assert "student - base: +50.0 points overall" in summary_text(run.path)
    assert "50.0" in run.report.read_text(encoding="utf-8")
