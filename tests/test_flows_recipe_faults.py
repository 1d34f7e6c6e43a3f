"""A wrong recipe is told in words: the key, what came, the known values, the nearest of them."""

from pathlib import Path

import pytest

from flows.compare import read_measured
from flows.recipe import load_recipe, recipe_of_run
from flows.run_folder import read_manifest
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


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b"name: a\nprompts: {sources: [\nteacher: {}\n", ", line 4, column 1: "),
        (b"name: a\n\tb: 1\n", ", line 2, column 1: "),
        (b"- a\n", " is not a mapping of sections"),
        (b"\xd0\x28", ": it is no text in UTF-8"),
    ],
)
def test_a_file_that_is_no_recipe_is_told_with_its_line(
    tmp_path: Path, text: bytes, where: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text)
    with pytest.raises(PrerequisiteError) as refused:
        load_recipe(str(path))
    assert f"{path}{where}" in str(refused.value)
    assert "flows/recipes/default.yaml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_not_taken_for_a_name(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match=r"there is no file .*gone\.yaml"):
        load_recipe(str(tmp_path / "gone.yaml"))


def test_a_section_that_is_missing_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: a\nprompts: {sources: [{name: starter-math}]}\nsampling: {}\n")
    with pytest.raises(PrerequisiteError, match="teacher: this section is missing"):
        load_recipe(str(path))


def test_a_run_that_is_not_there_is_said_not_to_be(tmp_path: Path) -> None:
    for look in (read_manifest, recipe_of_run):
        with pytest.raises(PrerequisiteError, match=r"gone is not there \(see `stillhouse runs`\)"):
            look(tmp_path / "gone")
    with pytest.raises(PrerequisiteError, match=r"there is no .*gone"):
        read_measured(tmp_path / "gone")
