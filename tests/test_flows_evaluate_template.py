"""Whose chat template a subject is asked and read with: the teacher's own, or the student's."""

from pathlib import Path

import pytest

from flows.evaluate import _by_weights, sampling_of
from flows.recipe import load_recipe
from flows.run_folder import open_run

OPENS = "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"


@pytest.mark.parametrize("teacher", [True, False])
@pytest.mark.parametrize(("template", "opens"), [("chatml", False), ("r1-distill", True)])
def test_base_and_student_are_read_by_the_students_template_and_not_the_teachers(
    tmp_path: Path, teacher: bool, template: str, opens: bool
) -> None:
    # A completion without tags of a model whose prompt opened no block would be all reasoning.
    sets = [f"sampling.think_prefilled={teacher}", f"student.chat_template={template}"]
    sets.append("student.base=HuggingFaceTB/SmolLM2-135M-Instruct")
    run = open_run(load_recipe(overrides=sets), tmp_path)
    found = {who: sampling_of(run, who, None) for who in ("teacher", "base", "student")}
    assert {who: one.think_prefilled for who, one in found.items()} == {
        "teacher": teacher, "base": opens, "student": opens,
    }  # fmt: skip


def test_a_student_that_keeps_its_bases_template_is_read_by_that(tmp_path: Path) -> None:
    run = open_run(load_recipe(overrides=["student.chat_template=null"]), tmp_path)
    assert not sampling_of(run, "student", None).think_prefilled
    model = run.folder("train") / "model"
    model.mkdir()
    (model / "chat_template.jinja").write_text(OPENS, encoding="utf-8")
    assert sampling_of(run, "student", None).think_prefilled


def test_the_embedded_base_is_served_with_its_own_template_and_read_by_it(tmp_path: Path) -> None:
    run = open_run(load_recipe(overrides=["student.chat_template=r1-distill"]), tmp_path)
    assert not sampling_of(run, "base", None).think_prefilled
    assert sampling_of(run, "student", None).think_prefilled


@pytest.mark.parametrize(
    ("sets", "groups"),
    [
        ([], [["base", "teacher"], ["student"]]),
        # Served so, the same weights are the base before its training, and not the teacher.
        (["student.max_position_embeddings=4096"], [["base"], ["teacher"], ["student"]]),
    ],
)
def test_a_teacher_is_not_measured_with_what_only_the_base_is_given(
    tmp_path: Path, sets: list[str], groups: list[list[str]]
) -> None:
    run = open_run(load_recipe(overrides=sets), tmp_path)
    assert _by_weights(run, ("base", "teacher", "student")) == groups
