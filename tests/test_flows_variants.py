"""One recipe in variants: what they have in common is done once and taken over, never mixed."""

import json
import os
import shutil
from datetime import date
from pathlib import Path

import pytest
from compared_runs import finish, made_run, measured_run
from data_cards_records import make_prompt, make_sample
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from flows.cli import app
from flows.evaluate import begun
from flows.overview import summary_text
from flows.recipe import Recipe, load_recipe
from flows.run_folder import STAGES, RunFolder, open_run, run_path
from flows.shared_stages import alike, begin_sharing, take_over
from flows.stage import resolve
from flows.variants import (
    MOST_VARIANTS,
    make_variants,
    plan_variants,
    read_switch,
    variants_plan,
    variants_text,
)
from prompts.errors import PrerequisiteError, RunError
from prompts.parquet import write_rows
from prompts.record import Prompt
from teacher.sample import Sample


def varied(*texts: str, overrides: tuple[str, ...] = ()) -> list[Recipe]:
    return make_variants([read_switch(text) for text in texts], overrides=overrides)


@given(st.lists(st.integers() | st.booleans() | st.none(), min_size=2, unique=True))
def test_any_list_of_values_is_read_back(values: list[object]) -> None:
    listed = ",".join(json.dumps(value) for value in values)
    assert [json.loads(value) for value in read_switch(f"a.b={listed}").values] == values


def test_a_value_may_hold_commas_of_its_own() -> None:
    assert read_switch("evals.subjects=[base, student],[student]").values == (
        '["base", "student"]',
        '["student"]',
    )


@pytest.mark.parametrize("text", ["a", "a=", "a=b", "=b,c", "a=b,b", "a=[b,c", "a=b]: {c"])
def test_what_is_no_switch_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(PrerequisiteError, match=r"--vary selection\.trace=journey,shortcut"):
        varied(text)


def test_a_wrong_key_is_named_like_any_other() -> None:
    with pytest.raises(PrerequisiteError, match=r"selection\.trase: no such key"):
        varied("selection.trase=journey,shortcut")


def test_variants_are_all_combinations_each_a_run_of_its_own() -> None:
    found = varied("selection.order=shortest,longest", "student.epochs=1,2")
    assert [(r.selection.order, r.student.epochs) for r in found] == [
        ("shortest", 1),
        ("shortest", 2),
        ("longest", 1),
        ("longest", 2),
    ]
    assert len({run_path(recipe, Path("runs")) for recipe in found}) == 4
    assert found[0].name == "default-order-shortest-epochs-1"


def test_an_edition_of_today_is_the_date_before_anything_is_shared() -> None:
    for recipe in varied("selection.keep=1,2", overrides=("edition=today",)):
        assert date.fromisoformat(recipe.edition)
        assert resolve(recipe) == recipe, "the flow works in the very folder that was planned"


def test_long_and_odd_values_still_make_names() -> None:
    values = ["x" * 70, "y" * 70, "a/b c", "{a: 1}"]
    found = varied(f"dataset.pretty_name={','.join(map(json.dumps, values))}")
    assert len({recipe.name for recipe in found}) == 4
    assert all(Recipe.model_validate(recipe.model_dump()).name for recipe in found)


def test_more_variants_than_anybody_means_are_refused() -> None:
    values = ",".join(map(str, range(1, MOST_VARIANTS + 2)))
    with pytest.raises(PrerequisiteError, match="17 variants"):
        varied(f"student.seed={values}")


def test_a_variant_is_pushed_nowhere() -> None:
    (one, _) = varied("student.seed=1,2", overrides=("dataset.repo_id=ada/traces",))
    assert one.dataset.repo_id is None


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ("name=other", 6),
        ("evals.k=9", 5),
        ("student.epochs=9", 4),
        ("dataset.template=few-shot", 3),
        ("selection.order=longest", 3),
        ("filters.repetition=false", 2),
        ("sampling.n_max=9", 1),
        ("teacher.template=zero-shot", 1),
        ("edition=second", 0),
        ("prompts.seed=9", 0),
        ("teacher.urls=[http://127.0.0.1:9]", 6),
    ],
)
def test_stages_are_alike_up_to_the_first_that_a_change_decides(change: str, same: int) -> None:
    assert alike(load_recipe(), load_recipe(overrides=[change])) == list(STAGES)[:same]


def test_a_finished_runs_stages_are_taken_over_whole(tmp_path: Path) -> None:
    donor = made_run(load_recipe(), tmp_path)
    run = begin_sharing(varied("selection.order=longest,first")[0], tmp_path)
    assert [stage for stage in STAGES if run.is_done(stage)] == ["curate", "generate", "verify"]
    entry = run.manifest()["stages"]["generate"]
    assert entry["shared_from"] == donor.name
    assert f"shared    curate, generate, verify from {donor.name}" in summary_text(run.path)
    assert run.identity("generate") == donor.identity("generate")
    ours, theirs = (r.folder("generate") / "samples-00000.parquet" for r in (run, donor))
    assert os.path.samefile(ours, theirs)
    assert not (run.folder("generate") / "samples.lock").exists()


def test_what_the_taker_writes_leaves_the_donor_as_it_was(tmp_path: Path) -> None:
    donor = made_run(load_recipe(), tmp_path)
    run = begin_sharing(varied("selection.order=longest,first")[0], tmp_path)
    before = (donor.folder("generate") / "samples-00000.parquet").read_bytes()
    write_rows(run.folder("generate") / "samples-00000.parquet", [], Sample)
    assert (donor.folder("generate") / "samples-00000.parquet").read_bytes() == before
    shutil.rmtree(donor.path)
    assert run.is_done("verify")


def test_files_that_grow_are_copied_and_not_linked(tmp_path: Path) -> None:
    donor = made_run(load_recipe(), tmp_path, 5)
    (donor.folder("train") / "losses.jsonl").write_text("{}\n")
    (donor.folder("train") / "checkpoints").mkdir()
    run = begin_sharing(varied("evals.k=5,6")[0], tmp_path)
    with (run.folder("train") / "losses.jsonl").open("a") as file:
        file.write("{}\n")
    assert (donor.folder("train") / "losses.jsonl").read_text() == "{}\n"
    assert not (run.folder("train") / "checkpoints").exists()


def test_an_unfinished_stage_is_not_taken_over_nor_what_follows(tmp_path: Path) -> None:
    donor = made_run(load_recipe(), tmp_path)
    donor.begin("generate")
    run = begin_sharing(varied("selection.order=longest,first")[0], tmp_path)
    assert [stage for stage in STAGES if run.is_done(stage)] == ["curate"]


def test_a_run_that_has_begun_itself_keeps_what_it_paid_for(tmp_path: Path) -> None:
    made_run(load_recipe(), tmp_path)
    variant = varied("selection.order=longest,first")[0]
    own = open_run(variant, tmp_path)
    finish(own, "curate")
    own.begin("generate")
    run = begin_sharing(variant, tmp_path)
    assert run.manifest()["stages"]["generate"]["status"] == "running"
    assert "shared_from" not in run.manifest()["stages"]["curate"]


def test_all_stages_come_from_one_run(tmp_path: Path) -> None:
    made_run(load_recipe(overrides=["selection.keep=2"]), tmp_path, 2)
    donor = made_run(load_recipe(), tmp_path, 3)
    run = begin_sharing(varied("selection.order=longest,first")[0], tmp_path)
    entries = run.manifest()["stages"]
    assert {entry["shared_from"] for entry in entries.values()} == {donor.name}


def test_a_taking_over_that_was_killed_goes_on_from_the_same_run(tmp_path: Path) -> None:
    donor = made_run(load_recipe(), tmp_path, 3)
    variant = varied("selection.order=longest,first")[0]
    run = open_run(variant, tmp_path)
    take_over(run, donor, ["curate"])
    (run.path / "2-samples").mkdir()  # the kill came between the folder and its note
    (run.path / "2-samples" / "half").touch()
    made_run(load_recipe(overrides=["name=newer"]), tmp_path, 4)
    run = begin_sharing(variant, tmp_path)
    entries = run.manifest()["stages"]
    assert {entry["shared_from"] for entry in entries.values()} == {donor.name}
    assert run.is_done("verify")
    assert not (run.path / "2-samples" / "half").exists()


def test_a_donor_that_changes_meanwhile_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    donor = made_run(load_recipe(), tmp_path)
    run = open_run(varied("selection.order=longest,first")[0], tmp_path)

    def changed(source: Path, target: Path) -> None:
        donor.begin("curate")

    monkeypatch.setattr("flows.shared_stages.copy_stage", changed)
    with pytest.raises(RunError, match="again meanwhile"):
        take_over(run, donor, ["curate"])
    assert not run.is_done("curate")


def test_the_plan_says_that_sampling_is_paid_once(tmp_path: Path) -> None:
    planned = plan_variants(varied("selection.order=shortest,longest"), tmp_path)
    assert planned[0].own == tuple(STAGES)
    assert planned[1].shared == ("curate", "generate", "verify")
    assert planned[1].donor == planned[0].path
    plan = variants_plan(planned)
    assert plan["sampled_tokens"] == plan["variants"][0]["sampled_tokens"] > 0
    assert plan["trainings"] == 2
    assert "publish, train, evaluate" in variants_text(plan)


def test_the_plan_knows_the_runs_there_are(tmp_path: Path) -> None:
    donor = made_run(load_recipe(), tmp_path)
    planned = plan_variants(varied("selection.order=shortest,longest"), tmp_path)
    assert [one.donor for one in planned] == [donor.path, donor.path]
    assert planned[0].shared == ("curate", "generate", "verify", "publish")
    assert variants_plan(planned)["sampled_tokens"] == 0


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    words = ["compare", "--vary", "selection.trace=journey,shortcut", "--dry-run"]
    done = CliRunner().invoke(app, [*words, "--json", "--runs", str(tmp_path)])
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)["variants"]) == 2
    assert not list(tmp_path.iterdir())


def test_a_date_is_a_value_like_any_other() -> None:
    assert [one.edition for one in varied("edition=2026-01-01,2026-01-02")] == [
        "2026-01-01",
        "2026-01-02",
    ]


@pytest.mark.parametrize(("n_min", "said"), [(1, True), (3, False)])
def test_an_order_with_nothing_to_choose_from_is_remarked_on(
    tmp_path: Path, n_min: int, said: bool
) -> None:
    overrides = (f"sampling.n_min={n_min}",)
    variants = varied("selection.order=shortest,longest", overrides=overrides)
    text = variants_text(variants_plan(plan_variants(variants, tmp_path)))
    assert ("--set sampling.n_min=3 draws" in text) is said


def test_a_traces_form_needs_no_remark(tmp_path: Path) -> None:
    planned = plan_variants(varied("selection.trace=journey,shortcut"), tmp_path)
    assert variants_plan(planned)["remarks"] == []


def measured_base(tmp_path: Path, *overrides: str) -> RunFolder:
    donor = made_run(load_recipe(overrides=overrides), tmp_path, 5)
    held_out = donor.folder("evaluate") / "base" / "held-out"
    write_rows(held_out / "samples-00000.parquet", [], Sample)
    finish(donor, "evaluate")
    return donor


def test_what_the_same_base_answered_is_taken_over(tmp_path: Path) -> None:
    donor = measured_base(tmp_path)
    run = begin_sharing(varied("student.seed=1,2")[0], tmp_path)
    assert not run.is_done("train")
    assert (run.path / "6-evals" / "base" / "held-out" / "samples-00000.parquet").exists()
    assert run.manifest()["measured_from"] == {"base": donor.name}
    assert not (run.path / "6-evals" / "student").exists()


@pytest.mark.parametrize(
    "change", ["student.chat_template=null", "student.revision=main", "evals.subjects=[student]"]
)
def test_what_another_base_answered_is_not(tmp_path: Path, change: str) -> None:
    measured_base(tmp_path, "student.base=HuggingFaceTB/SmolLM2-135M-Instruct")
    variant = varied(
        "student.seed=1,2", overrides=("student.base=HuggingFaceTB/SmolLM2-135M-Instruct", change)
    )[0]
    run = begin_sharing(variant, tmp_path)
    assert run.is_done("publish")
    assert not (run.path / "6-evals").exists()


def test_answers_to_other_held_out_prompts_are_not_taken_over(tmp_path: Path) -> None:
    donor = measured_base(tmp_path)
    curated_anew = donor.manifest()
    curated_anew["stages"]["curate"]["ended_at"] = "2026-01-01T00:00:00+00:00"
    run = open_run(varied("student.seed=1,2")[0], tmp_path)
    run.adopt("curate", curated_anew["stages"]["curate"], donor.name)
    (run.path / "1-prompts").mkdir()
    begin_sharing(run.recipe, tmp_path)
    assert run.is_done("publish")
    assert not (run.path / "6-evals").exists()


@pytest.mark.parametrize("as_json", [True, False])
def test_one_command_runs_the_variants_and_prints_their_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    begun: dict[str, list[str]] = {}

    def distill(recipe: Recipe, runs: Path) -> str:
        """A finished run; what it found finished is noted."""
        there = open_run(recipe, runs)
        begun[recipe.name] = [stage for stage in STAGES if there.is_done(stage)]
        right = 2 if recipe.selection.trace == "shortcut" else 1
        run = measured_run(recipe, runs, {f"question {n}": right for n in range(6)})
        print("a line of progress")
        return str(run.path)

    monkeypatch.setattr("flows.distill.distill", distill)
    monkeypatch.setattr("flows.preflight.require", lambda recipe, runs, stages: None)
    words = ["compare", "--vary", "selection.trace=journey,shortcut", "--runs", str(tmp_path)]
    done = CliRunner().invoke(app, [*words, *(["--json"] if as_json else [])])
    assert done.exit_code == 0, done.output
    assert begun == {
        "default-trace-journey": [],
        "default-trace-shortcut": ["curate", "generate", "verify"],
    }
    (report,) = tmp_path.glob("comparison-*/comparison.json")
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["changes"][-1]["change"] == 0.5
    if as_json:
        assert json.loads(done.stdout) == found
    else:
        assert "default-trace-shortcut − default-trace-journey" in done.stdout


def test_answers_taken_over_are_asked_for_no_more_while_they_fit(tmp_path: Path) -> None:
    base = "student.base=HuggingFaceTB/SmolLM2-135M-Instruct"
    donor = made_run(load_recipe(overrides=[base, "evals.k=1"]), tmp_path, 5)
    prompt = make_prompt("a", split="test")
    write_rows(donor.folder("curate") / "test.parquet", [prompt], Prompt)
    folder = begun(donor, "base", None)
    write_rows(folder.path / "samples-00000.parquet", [make_sample(prompt)], Sample)
    finish(donor, "evaluate")
    overrides = (base, "evals.k=1")
    run = begin_sharing(varied("student.seed=1,2", overrides=overrides)[0], tmp_path)
    assert begun(run, "base", None).is_sampled(1)
    warmer = varied("student.seed=3,4", overrides=(*overrides, "evals.temperature=0.9"))[0]
    assert not begun(begin_sharing(warmer, tmp_path), "base", None).is_sampled(1)
    assert folder.is_sampled(1)


def test_the_plan_counts_what_measuring_takes_and_what_it_need_not_ask_again(
    tmp_path: Path,
) -> None:
    planned = plan_variants(varied("selection.order=shortest,longest"), tmp_path)
    plan = variants_plan(planned)
    first, second = plan["variants"]
    each = 144 * 3
    assert first["evaluation_samples"] == 3 * each
    assert second["evaluation_samples"] == each
    assert plan["evaluation_most_tokens"] == 4 * each * 96
    text = variants_text(plan)
    assert "evaluation of base, teacher, student: about 1,296 samples" in text
    assert "evaluation of student: about 432 samples, 41,472 tokens at most" in text
    assert "about 1,728 samples to measure with, 165,888 tokens at most" in text


@pytest.mark.parametrize(
    "switch", ["evals.temperature=0.1,0.2", "prompts.seed=1,2", "dataset.template=r1,zero-shot"]
)
def test_answers_to_other_questions_are_planned_anew(tmp_path: Path, switch: str) -> None:
    plan = variants_plan(plan_variants(varied(switch), tmp_path))
    assert "base" in plan["variants"][1]["costs"][-1]


def test_a_finished_variant_measures_nothing(tmp_path: Path) -> None:
    variants = varied("selection.order=shortest,longest")
    for recipe in variants:
        measured_run(recipe, tmp_path, {"question": 1})
    assert variants_plan(plan_variants(variants, tmp_path))["evaluation_samples"] == 0
