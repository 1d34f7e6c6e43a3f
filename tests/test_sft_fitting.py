"""What is said to make a student fit is a recipe that can be trained as it stands."""

import pytest
import yaml

from sft.fitting import what_would_fit
from sft.student import StudentRecipe, load_student
from sft.watching import watching_problems

GB = 10**9


def changes_of(way):
    """The settings that a suggestion spells out."""
    words = way.partition(" (")[0].split()
    pairs = (pair.removeprefix("student.").split("=") for pair in words[1::2])
    return {key: yaml.safe_load(text) for key, text in pairs}


@pytest.mark.parametrize(
    ("name", "gpu_bytes"),
    [
        ("bespoke-stratos-7b", 24 * GB),  # 96 rows a step: not over 64 GPUs
        ("s1-32b", 40 * GB),  # 16 rows a step: over more GPUs only where they share rows
        ("llama-70b", 40 * GB),
        ("qwen-1.5b", 8 * GB),
    ],
)
def test_every_suggestion_is_a_recipe(name, gpu_bytes):
    student = load_student(name)
    ways = what_would_fit(student, gpu_bytes, None)
    assert ways
    for way in ways:
        StudentRecipe.model_validate({**student.model_dump(), **changes_of(way)})


def test_a_batch_that_is_no_power_of_two_is_spread_over_whole_nodes():
    ways = what_would_fit(load_student("bespoke-stratos-7b"), 24 * GB, None)
    assert {"launch": "deepspeed", "gpus": 48} in map(changes_of, ways)


def test_rows_shared_by_gpus_are_suggested_without_tries():
    student = load_student("qwen-7b").model_copy(update={"eval_prompts": 4})
    shared = [
        changes
        for way in what_would_fit(student, 32 * GB, None)
        if "sequence_parallel" in (changes := changes_of(way))
    ]
    assert shared
    for changes in shared:
        assert not list(watching_problems(student.model_copy(update=changes)))
