"""Students' recipes."""

import json

import pytest
from pydantic import ValidationError
from tiny_student import student_values

from flows.recipe import load_recipe
from flows.serving import base_arguments
from prompts.errors import PrerequisiteError
from sft.student import RECIPES, StudentRecipe, known_students, load_student
from sft.training_time import training_time

PUBLISHED_LEARNING_RATES = {
    "qwen-1.5b": 1e-4, "qwen-7b": 8e-5, "qwen-14b": 7e-5, "qwen-32b": 6e-5,
    "llama-8b": 5e-5, "llama-70b": 2e-5,
}  # fmt: skip


@pytest.mark.parametrize("name", known_students())
def test_every_recipe_loads_under_its_own_name(name):
    assert load_student(name).name == name


@pytest.mark.parametrize(("name", "rate"), PUBLISHED_LEARNING_RATES.items())
def test_the_big_students_train_as_published(name, rate):
    student = load_student(name)
    assert student.learning_rate == rate
    assert (student.batch_size, student.max_length, student.min_lr_ratio) == (64, 32_768, 0.1)
    assert 2 <= student.epochs <= 3


@pytest.mark.parametrize("name", PUBLISHED_LEARNING_RATES)
def test_no_more_than_hours_of_a_big_training_are_ever_lost(name):
    student = load_student(name)
    rows, mean_tokens = 804_745, 5_355
    time = training_time(student, rows * mean_tokens, mean_tokens)
    steps = student.epochs * rows / student.batch_size
    assert time.wall_s[1] * student.checkpoint_every_steps / steps < 3 * 3600


def test_math_bases_get_positions_beyond_4096():
    for name in ("qwen-1.5b", "qwen-7b"):
        student = load_student(name)
        assert student.rope_theta == 300_000
        assert student.max_position_embeddings >= student.max_length


def test_a_base_is_served_with_the_rope_its_student_is_trained_with():
    words = base_arguments(load_student("qwen-7b"))
    changed = json.loads(words[words.index("--hf-overrides") + 1])
    assert changed == {
        "rope_parameters": {"rope_type": "default", "rope_theta": 300_000.0},
        "max_position_embeddings": 32_768,
    }


def test_a_stretched_base_is_served_as_its_student_is_trained():
    yarn = {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 32_768}
    longer = {"max_position_embeddings": 65_536, "max_length": 65_536}
    values = {**student_values(), "base": "Qwen/Qwen2.5-7B-Instruct", "rope_scaling": yarn}
    del values["architecture"]
    words = base_arguments(StudentRecipe(**{**values, **longer}))
    changed = json.loads(words[words.index("--hf-overrides") + 1])
    assert changed == {
        "rope_parameters": {**yarn, "rope_theta": 1e6},
        "max_position_embeddings": 65_536,
    }


def test_a_student_without_a_scaling_is_the_one_it_was_before_there_were_any():
    assert "rope_scaling" not in load_student("qwen-7b").model_dump_json()


def test_llama_students_are_named_so():
    assert load_student("llama-8b").published_name.startswith("Llama")
    with pytest.raises(ValidationError, match="begin with"):
        StudentRecipe(**student_values(base="meta-llama/Llama-3.1-8B", published_name="Mine"))


def test_an_unknown_student_lists_the_known_and_the_nearest():
    with pytest.raises(PrerequisiteError, match=r"known: .*smol-135m.*'qwen-7b'\?"):
        load_student("qwen-8b")


def test_a_name_is_not_a_path():
    with pytest.raises(PrerequisiteError, match="unknown student"):
        load_student("../recipes/qwen-7b")


def test_what_is_known_of_a_base_is_filled_in():
    values = student_values(name="qwen-7b", base="Qwen/Qwen2.5-Math-7B")
    del values["architecture"]
    student = StudentRecipe(**values)
    assert student.architecture.parameters == 7_615_616_512
    assert student.reference_scores["math-500"] == 92.8


def test_another_base_has_its_own_shape():
    recipe = load_recipe(model="qwen-7b", overrides=["student.base=Qwen/Qwen2.5-14B"])
    assert recipe.student.architecture.layers == 48


def test_rows_beyond_the_bases_positions_are_refused_with_the_recipe():
    with pytest.raises(PrerequisiteError, match=r"made for 4096 positions.* set rope_theta above"):
        load_recipe(model="qwen-7b", overrides=["student.rope_theta=null"])
    with pytest.raises(PrerequisiteError, match="the base has 8192 positions"):
        load_recipe(overrides=["student.max_length=10000"])


def test_a_file_named_as_the_student_makes_a_recipe(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text((RECIPES / "qwen-1.5b.yaml").read_text())
    recipe = load_recipe(model=str(path), overrides=["student.epochs=1"])
    assert recipe.name == "r1-mine"
    assert (recipe.student.name, recipe.student.epochs) == ("mine", 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 6}, "not a multiple"),
        ({"max_position_embeddings": 128}, "beyond max_position_embeddings"),
        ({"sequence_parallel": 2, "packing": True}, "packing must be off"),
        ({"sequence_parallel": 2, "packing": False}, "needs launch fsdp"),
        ({"learning_rate": 1.0}, "learning_rate"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        StudentRecipe(**student_values(**changes))
