"""A wrong recipe is told in words: the key, what came, the known values, the nearest of them."""

import pytest

from flows.recipe import load_recipe
from prompts.errors import PrerequisiteError


def refusal(*overrides: str) -> str:
    with pytest.raises(PrerequisiteError) as refused:
        load_recipe(overrides=overrides)
    return str(refused.value)


@pytest.mark.parametrize(
    ("override", "key", "near"),
    [
        (
            "prompts.sources=[{path: mine.jsonl, reference_kind: maths}]",
            "prompts.sources.0.reference_kind",
            "math_answer",
        ),
        (
            "evals.benchmarks=[{where: mine.jsonl, reference_kind: chioce}]",
            "evals.benchmarks.0.reference_kind",
            "choice",
        ),
        ("evals.subjects=[studnt]", "evals.subjects.0", "student"),
        ("selection.order=shortst", "selection.order", "shortest"),
    ],
)
def test_a_misspelt_value_is_named_with_the_known_ones_and_the_nearest(
    override: str, key: str, near: str
) -> None:
    said = refusal(override)
    assert f"{key}: no '" in said
    assert f"did you mean {near!r}?" in said
    assert "known: " in said


def test_a_list_is_not_called_too_short_for_a_fault_in_it() -> None:
    assert "at least 1" not in refusal("prompts.sources=[{name: gsm8k, split: tst}]")


def test_a_list_that_is_too_short_is_called_so() -> None:
    assert "at least 1" in refusal("prompts.sources=[]")


def test_a_value_where_keys_belong_says_which_there_are() -> None:
    said = refusal("sampling=0.8")
    assert "sampling: takes keys" in said
    assert "temperature" in said


def test_a_value_where_a_list_belongs_shows_one() -> None:
    assert "takes a list, as in [a, b]; got 'student'" in refusal("evals.subjects=student")


@pytest.mark.parametrize(
    "override",
    [
        "evals.benchmarks=[mth-500]",
        "sampling.n_max=many",
        "sampling.n_max=0",
        "teacher.model=r1",
        "name=a b",
        "verification.sandbox={kind: bwrap}",
    ],
)
def test_no_words_of_the_library_that_reads_recipes_are_left(override: str) -> None:
    said = refusal(override)
    for word in ("value error", "input should", "tuple", "dictionary", "pydantic"):
        assert word not in said.lower(), said
