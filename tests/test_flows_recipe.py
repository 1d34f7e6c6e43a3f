"""Recipes: complete, strict, and clear about what is wrong with them."""

from pathlib import Path

import pytest
import yaml

from flows.pins import check_pins
from flows.recipe import (
    Recipe,
    known_recipes,
    load_recipe,
    recipe_of_run,
    recipe_yaml,
    run_fingerprint,
    stage_fingerprint,
)
from prompts.errors import PrerequisiteError
from sft.student import known_students


@pytest.mark.parametrize("name", known_recipes())
def test_every_shipped_recipe_loads(name: str) -> None:
    assert load_recipe(name).name == name


@pytest.mark.parametrize("student", known_students())
def test_every_student_has_a_recipe(student: str) -> None:
    assert load_recipe(model=student).student.name == student


def test_a_misspelt_key_is_named_with_the_nearest_right_one() -> None:
    with pytest.raises(PrerequisiteError, match=r"sampling\.temprature.*'temperature'"):
        load_recipe(overrides=["sampling.temprature=1"])


def test_a_misspelt_section_is_named_with_the_nearest_right_one() -> None:
    with pytest.raises(PrerequisiteError, match=r"smapling.*'sampling'"):
        load_recipe(overrides=["smapling.temperature=1"])


def test_a_misspelt_key_of_a_source_is_named_with_its_place() -> None:
    with pytest.raises(PrerequisiteError, match=r"prompts\.sources\.0\.nmae.*'name'"):
        load_recipe(overrides=["prompts.sources=[{nmae: starter-math}]"])


def test_a_wrong_type_says_what_was_expected_and_what_came() -> None:
    with pytest.raises(PrerequisiteError, match=r"sampling\.n_max: .*integer.*'many'"):
        load_recipe(overrides=["sampling.n_max=many"])


def test_a_value_out_of_bounds_is_refused() -> None:
    with pytest.raises(PrerequisiteError, match=r"sampling\.temperature.*less than or equal to 2"):
        load_recipe(overrides=["sampling.temperature=9"])


def test_an_unknown_student_lists_the_known_ones() -> None:
    with pytest.raises(PrerequisiteError, match=r"nonesuch.*qwen-7b"):
        load_recipe(model="nonesuch")


def test_an_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(PrerequisiteError, match=r"no recipe 'defualt'.*'default'"):
        load_recipe("defualt")


@pytest.mark.parametrize("text", ["sampling.temperature", "=3", "a..b=1", ".a=1"])
def test_an_override_that_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(PrerequisiteError, match="is not key=value"):
        load_recipe(overrides=[text])


def test_an_override_reaches_a_nested_key() -> None:
    recipe = load_recipe(overrides=["teacher.serve.max_num_seqs=7", "student.epochs=1"])
    assert (recipe.teacher.serve.max_num_seqs, recipe.student.epochs) == (7, 1)


def test_a_value_cannot_be_overridden_as_if_it_had_keys() -> None:
    with pytest.raises(PrerequisiteError, match="it has no keys"):
        load_recipe(overrides=["name.first=1"])


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: [", encoding="utf-8")
    with pytest.raises(PrerequisiteError, match=r"mine\.yaml"):
        load_recipe(str(path))


def test_a_resolved_recipe_reads_back_as_itself(tmp_path: Path) -> None:
    recipe = load_recipe()
    (tmp_path / "recipe.yaml").write_text(recipe_yaml(recipe), encoding="utf-8")
    assert recipe_of_run(tmp_path) == recipe


@pytest.mark.parametrize(
    "override",
    ["sampling.temperature=0.9", "prompts.seed=3", "filters.repetition=false", "edition=b"],
)
def test_what_changes_the_data_changes_the_fingerprint(override: str) -> None:
    assert run_fingerprint(load_recipe(overrides=[override])) != run_fingerprint(load_recipe())


@pytest.mark.parametrize(
    "override",
    [
        "teacher.urls=[http://127.0.0.1:9]",
        "sampling.in_flight=7",
        "verification.workers=5",
        "dataset.repo_id=me/data",
        "student.epochs=1",
        "evals.k=2",
    ],
)
def test_what_does_not_change_the_data_keeps_the_run(override: str) -> None:
    assert run_fingerprint(load_recipe(overrides=[override])) == run_fingerprint(load_recipe())


def test_another_student_outdates_training_but_not_the_dataset() -> None:
    one, other = load_recipe(), load_recipe(overrides=["student.epochs=1"])
    assert stage_fingerprint(one, "publish") == stage_fingerprint(other, "publish")
    assert stage_fingerprint(one, "train") != stage_fingerprint(other, "train")
    assert stage_fingerprint(one, "evaluate") != stage_fingerprint(other, "evaluate")


def own_prompts(tmp_path: Path, question: str) -> Recipe:
    file = tmp_path / "mine.jsonl"
    row = f'{{"question": "{question}", "reference_kind": "math_answer", "reference": "4"}}\n'
    file.write_text(row, encoding="utf-8")
    sources = yaml.safe_dump([{"path": str(file), "domain": "math"}], default_flow_style=True)
    return load_recipe(overrides=[f"prompts.sources={sources}"])


def test_an_edited_prompt_file_is_another_run(tmp_path: Path) -> None:
    one = own_prompts(tmp_path, "2 + 2")
    other = own_prompts(tmp_path, "1 + 3")
    assert run_fingerprint(one) != run_fingerprint(other)


def test_a_prompt_file_edited_after_the_run_was_made_is_refused(tmp_path: Path) -> None:
    one = own_prompts(tmp_path, "2 + 2")
    check_pins(one)
    own_prompts(tmp_path, "1 + 3")
    with pytest.raises(PrerequisiteError, match=r"mine\.jsonl changed"):
        check_pins(one)


def test_every_benchmark_in_a_file_or_folder_is_pinned_though_names_be_the_same(
    tmp_path: Path,
) -> None:
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "test.jsonl").write_text('{"question": "Why so?"}\n')
    where = [str(tmp_path / place) for place in ("a/test.jsonl", "b/test.jsonl", "c")]
    one = load_recipe(overrides=[f"prompts.decontaminate.benchmarks={yaml.safe_dump(where)}"])
    check_pins(one)
    for place in ("a", "b", "c"):
        (tmp_path / place / "test.jsonl").write_text('{"question": "Why not?"}\n')
        with pytest.raises(PrerequisiteError, match=r"benchmark . .* changed"):
            check_pins(one)
        one = load_recipe(overrides=[f"prompts.decontaminate.benchmarks={yaml.safe_dump(where)}"])
