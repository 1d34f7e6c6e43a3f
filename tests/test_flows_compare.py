"""stillhouse compare: students side by side, with differences paired by prompt."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from compared_runs import made_run, measured_run, scores_of, write_scores
from typer.testing import CliRunner

from data_cards.comparison import comparison_dict, comparison_html, comparison_markdown
from evals.stats import paired_difference
from flows.cli import app
from flows.compare import compare_paths, write_comparison
from flows.evaluation_folder import ABOUT
from flows.recipe import load_recipe
from flows.score_rows import score_row
from prompts.errors import PrerequisiteError

BEFORE = {f"question {n}": n % 3 for n in range(12)}
AFTER = {f"question {n}": min(2, n % 3 + n % 2) for n in range(2, 14)}


def two(tmp_path: Path) -> list[Path]:
    return [
        write_scores(tmp_path / "before", scores_of(BEFORE)),
        write_scores(tmp_path / "after", scores_of(AFTER)),
    ]


def test_differences_are_paired_on_the_prompts_both_were_asked(tmp_path: Path) -> None:
    found = compare_paths(two(tmp_path))
    overall = next(row for row in found.changes if row.domain == "overall")
    common = sorted(set(BEFORE) & set(AFTER))
    expected = [(AFTER[q] - BEFORE[q]) / 2 for q in common]
    assert overall.change == pytest.approx(sum(expected) / len(expected))
    assert (overall.prompts, overall.unpaired) == (10, 4)
    # The interval does not depend on the prompts' order but through the draws: near, not equal.
    interval = paired_difference([BEFORE[q] / 2 for q in common], [AFTER[q] / 2 for q in common])
    assert overall.low == pytest.approx(interval.low, abs=0.06)
    assert overall.high == pytest.approx(interval.high, abs=0.06)


def test_a_model_compared_with_itself_shows_no_difference(tmp_path: Path) -> None:
    file = two(tmp_path)[0]
    found = compare_paths([file, file.parent])
    assert {(row.change, row.verdict) for row in found.changes} == {(0.0, "no difference shown")}


def test_every_benchmark_both_have_is_compared_and_the_others_are_named(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_scores(tmp_path / name / "aime", scores_of(BEFORE, benchmark="aime-2024"))
        write_scores(tmp_path / name / "own", scores_of(AFTER))
    write_scores(tmp_path / "two" / "math", scores_of(AFTER, benchmark="math-500"))
    found = compare_paths([tmp_path / "one", tmp_path / "two"])
    assert {row.benchmark for row in found.changes} == {"aime-2024", "held-out"}
    (note,) = found.notes
    assert note.endswith("only one was measured on math-500")


def test_other_numbers_of_samples_are_noted(tmp_path: Path) -> None:
    one = write_scores(tmp_path / "one", scores_of(BEFORE))
    four = write_scores(tmp_path / "four", scores_of(BEFORE, k=4))
    (note,) = compare_paths([one, four]).notes
    assert note.endswith("held-out was sampled 2 and 4 times a prompt")


def asked(folder: Path, **changed: Any) -> Path:
    """Scores of a folder of an evaluation that was asked so."""
    about = {
        "template": "r1",
        "temperature": 0.6,
        "top_p": 0.95,
        "max_tokens": 32_768,
        "think_prefilled": False,
        "origin": "3f2a",
        "choice": {"limit": None},
        "model": "m",
    }
    file = write_scores(folder, scores_of(BEFORE))
    (folder / ABOUT).write_text(json.dumps(about | changed), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"temperature": 0.0, "max_tokens": 2_048}, "temperature 0.6 and 0.0, max_tokens 32768"),
        ({"template": "zero-shot"}, "template r1 and zero-shot"),
        ({"origin": "9c1d"}, "of another file"),
        ({"choice": {"limit": 10}}, "limit none and 10"),
    ],
)
def test_scores_that_were_asked_for_otherwise_are_noted(
    tmp_path: Path, changed: dict[str, Any], says: str
) -> None:
    pair = [asked(tmp_path / "one"), asked(tmp_path / "two", model="n", **changed)]
    (note,) = compare_paths(pair).notes
    assert "held-out was asked otherwise: " in note
    assert says in note


def test_scores_asked_for_alike_or_nobody_knows_how_need_no_note(tmp_path: Path) -> None:
    one, two = asked(tmp_path / "one"), asked(tmp_path / "two", model="another")
    assert not compare_paths([one, two]).notes
    assert not compare_paths([one, write_scores(tmp_path / "three", scores_of(BEFORE))]).notes


def test_scores_of_other_versions_of_a_verifier_are_noted(tmp_path: Path) -> None:
    found = scores_of(BEFORE)
    versions = [{"math_answer": "9", "old": "1"}, {"math_answer": "10"}]
    files = [
        write_scores(tmp_path / str(at), found.model_copy(update={"verifiers": verifiers}))
        for at, verifiers in enumerate(versions)
    ]
    (note,) = compare_paths(files).notes
    assert "graded by other versions of verifiers (math_answer 9 and 10)" in note
    older = write_scores(tmp_path / "older", found.model_copy(update={"verifiers": {}}))
    assert not compare_paths([files[0], older]).notes


def test_intervals_of_another_confidence_than_the_headers_are_noted(tmp_path: Path) -> None:
    found = scores_of(BEFORE)
    for name, confidence in (("one", 0.95), ("two", 0.9)):
        other = found.model_copy(update={"confidence": confidence})
        write_scores(tmp_path / name / "aime", other.model_copy(update={"benchmark": "aime-2024"}))
        write_scores(tmp_path / name / "own", found)
    (note,) = compare_paths([tmp_path / "one", tmp_path / "two"]).notes
    assert "two: the intervals of its aime-2024 scores hold for 90 %, those of the diff" in note
    turned = compare_paths([tmp_path / "two", tmp_path / "one"])
    assert turned.confidence == 0.9
    assert len(turned.notes) == 3  # the scores of its own other benchmark, and both of the other
    widths = {row.benchmark: row.high - row.low for row in turned.changes}
    assert widths["aime-2024"] == widths["held-out"]  # of the same scores, of one confidence


def test_a_score_has_the_interval_of_the_score_table(tmp_path: Path) -> None:
    for k in (1, 2):
        scores = scores_of({f"question {n}": min(k, n % 3) for n in range(12)}, k=k)
        file = write_scores(tmp_path / str(k), scores)
        for line in compare_paths([file, file.parent]).scores:
            shown = score_row("held-out", "student", scores.row(line.domain))
            assert (line.low, line.high) == (shown.low, shown.high)


def test_benchmarks_without_a_common_prompt_have_a_note_and_no_difference(tmp_path: Path) -> None:
    one = write_scores(tmp_path / "one", scores_of({"a": 1}))
    other = write_scores(tmp_path / "other", scores_of({"b": 1}))
    found = compare_paths([one, other])
    assert not found.changes
    assert found.notes[0].endswith("held-out has no prompt that both have a score for")


def test_runs_are_compared_by_their_students_with_what_they_were_made_from(tmp_path: Path) -> None:
    recipes = [load_recipe(overrides=[f"name={name}"]) for name in ("short", "long")]
    runs = [measured_run(r, tmp_path, q) for r, q in zip(recipes, (BEFORE, AFTER), strict=True)]
    found = compare_paths([run.path for run in runs])
    assert [one.name for one in found.models] == ["short", "long"]
    assert found.title == "long against short"
    assert {one.sampled_tokens for one in found.models} == {1_024}
    assert {one.traces for one in found.models} == {3}


def test_runs_of_one_name_go_by_their_folders(tmp_path: Path) -> None:
    recipes = [load_recipe(overrides=[f"selection.keep={keep}"]) for keep in (1, 2)]
    runs = [measured_run(recipe, tmp_path, BEFORE) for recipe in recipes]
    found = compare_paths([run.path for run in runs])
    assert [one.name for one in found.models] == [run.path.name for run in runs]


def test_the_base_of_a_run_can_be_compared_with_its_student(tmp_path: Path) -> None:
    run = measured_run(load_recipe(), tmp_path, AFTER)
    write_scores(run.path / "6-evals" / "base", scores_of(BEFORE))
    found = compare_paths([run.path / "6-evals" / "base", run.path])
    assert found.changes[-1].second == "default"


@pytest.mark.parametrize("stages", [3, 5])
def test_a_run_without_scores_says_which_command_makes_them(tmp_path: Path, stages: int) -> None:
    run = made_run(load_recipe(), tmp_path, stages)
    with pytest.raises(PrerequisiteError, match="stillhouse evaluate"):
        compare_paths([run.path, run.path])


def test_scores_of_a_student_that_is_trained_again_are_out_of_date(tmp_path: Path) -> None:
    run = measured_run(load_recipe(), tmp_path, AFTER)
    run.begin("train")
    with pytest.raises(PrerequisiteError, match="out of date"):
        compare_paths([run.path, run.path])


def test_what_cannot_be_compared_is_named(tmp_path: Path) -> None:
    one = write_scores(tmp_path / "one", scores_of(BEFORE))
    other = write_scores(tmp_path / "other", scores_of(BEFORE, benchmark="aime-2024"))
    with pytest.raises(PrerequisiteError, match=r"held-out, .* on aime-2024"):
        compare_paths([one, other])
    with pytest.raises(PrerequisiteError, match="takes two or more"):
        compare_paths([one])
    with pytest.raises(PrerequisiteError, match=r"there is no .*nowhere"):
        compare_paths([one, tmp_path / "nowhere"])
    (tmp_path / "bad.json").write_text('{"k": "many"}', encoding="utf-8")
    with pytest.raises(PrerequisiteError, match=r"bad\.json holds no scores"):
        compare_paths([one, tmp_path / "bad.json"])
    write_scores(tmp_path / "twice" / "a", scores_of(BEFORE))
    write_scores(tmp_path / "twice" / "b", scores_of(BEFORE))
    with pytest.raises(PrerequisiteError, match="there twice"):
        compare_paths([one, tmp_path / "twice"])


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["nonesuch"], "there is no nonesuch; `stillhouse runs` lists the runs; a comparison also"),
        (["none", "such"], "there is no none, such; `stillhouse runs` lists the runs"),
        ([], "a comparison takes two or more"),
    ],
)
def test_the_command_names_all_that_is_not_there(names: list[str], says: str) -> None:
    done = CliRunner().invoke(app, ["compare", *names])
    assert says in str(done.exception)


def test_each_number_stands_in_the_tables(tmp_path: Path) -> None:
    found = compare_paths(two(tmp_path))
    overall = found.changes[-1]
    text = comparison_markdown(found)
    assert f"{100 * overall.change:+.1f}" in text
    assert f"{100 * overall.low:+.1f} to {100 * overall.high:+.1f}" in text
    assert "10 (4 unpaired)" in text
    assert comparison_dict(found)["changes"][-1]["verdict"] == overall.verdict
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in lines)


def test_prompts_that_cannot_vote_are_said_with_the_scores(tmp_path: Path) -> None:
    found = compare_paths(two(tmp_path))
    assert "cons@k of" not in comparison_markdown(found)
    fewer = [replace(line, votes=line.votes - 2) for line in found.scores]
    text = comparison_markdown(replace(found, scores=fewer))
    assert "cons@k of held-out, overall, is over 10 of 12 prompts" in text


def test_a_hostile_name_stays_text(tmp_path: Path) -> None:
    folder = tmp_path / "<script>alert(1)"
    one = write_scores(folder, scores_of(BEFORE))
    found = compare_paths([one, two(tmp_path)[1]])
    assert "<script>" not in comparison_markdown(found)
    assert "<script>" not in comparison_html(found)


def test_the_command_prints_and_writes_the_comparison(tmp_path: Path) -> None:
    paths = [str(path) for path in two(tmp_path)]
    done = CliRunner().invoke(app, ["compare", *paths, "--json", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0
    printed = json.loads(done.stdout)
    assert printed == json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert "Differences" in (tmp_path / "out" / "comparison.md").read_text()
    assert "paired interval" in (tmp_path / "out" / "comparison.html").read_text()


def test_recipe_options_are_for_variants(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["compare", "a", "b", "--recipe", "default"])
    assert isinstance(done.exception, PrerequisiteError)
    done = CliRunner().invoke(app, ["compare", "a", "--vary", "selection.keep=1,2"])
    assert isinstance(done.exception, PrerequisiteError)


def test_a_comparison_is_replaced_whole(tmp_path: Path) -> None:
    found = compare_paths(two(tmp_path))
    write_comparison(found, tmp_path / "out")
    write_comparison(found, tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["comparison.html", "comparison.json", "comparison.md"]
