"""What is said to make a training fit: planned as it is said, it fits and takes that much."""

import re

import pytest

from flows.plan import make_plan
from flows.recipe import Recipe, load_recipe
from flows.student_preflight import MIB, size_problem
from flows.training_plan import longest_row
from sft.memory_plan import GIB, memory_plan

LONG = ["student.max_length=8192", "student.batch_size=64", "student.micro_batch_size=64"]
TOO_LARGE = [
    ("smol-135m", LONG),
    ("smol-135m", [*LONG, "sampling.max_tokens=4000"]),
    ("smol-135m", [*LONG, "student.packing=false"]),
    ("qwen-32b", ["student.gpus=8"]),
    ("qwen-7b", ["student.gpus=1", "sampling.max_tokens=10000"]),
    ("llama-70b", ["student.gpus=8"]),
]


@pytest.fixture(params=[True, False], ids=["bfloat16", "float32"], autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A processor with or without bfloat16, and 24 GiB beside it."""
    monkeypatch.setattr("sft.student.computes_bfloat16", lambda: request.param)
    monkeypatch.setattr("sft.memory_plan.machine_bytes", lambda: 24 * GIB)


def followed(ways: list[str], model: str, overrides: list[str]) -> list[tuple[Recipe, str]]:
    """For each way the recipe that it makes, and the figure it names."""
    return [
        (load_recipe(model=model, overrides=[*overrides, *re.findall(r"--set (\S+)", way)]), size)
        for way in ways
        for size in re.findall(r"\(([\d.]+) GiB\)", way)
    ]


@pytest.mark.parametrize(("model", "overrides"), TOO_LARGE)
def test_what_the_plan_says_would_fit_does_and_takes_that_much(
    model: str, overrides: list[str]
) -> None:
    student = make_plan(load_recipe(model=model, overrides=overrides))["student"]
    assert not student["fits"]
    assert student["would_fit"]
    planned = followed(student["would_fit"], model, overrides)
    assert len(planned) == len(student["would_fit"])
    for recipe, said in planned:
        again = make_plan(recipe)["student"]
        assert (again["fits"], f"{again['gib_per_process']:.1f}") == (True, said)


def test_the_plan_and_the_refusal_of_a_run_say_the_same_would_fit() -> None:
    recipe = load_recipe(overrides=LONG)
    refused = size_problem(recipe, [])
    assert refused is not None
    said = [line.partition("would fit: ")[2] for line in refused.splitlines()[1:]]
    assert said == make_plan(recipe)["student"]["would_fit"]


@pytest.mark.parametrize(("model", "gpus", "each_mib"), [
    ("qwen-7b", 4, 81_559),
    ("qwen-7b", 3, 81_559),  # 64 rows a step: not over 3 GPUs
    ("qwen-1.5b", 5, 81_559),
    ("qwen-1.5b", 1, 24_564),
    ("qwen-1.5b", 2, 24_564),
    ("qwen-7b", 2, 81_559),
])  # fmt: skip
def test_what_would_fit_the_gpus_found_takes_no_more_of_them_and_that_much(
    model: str, gpus: int, each_mib: int
) -> None:
    refused = size_problem(load_recipe(model=model), [each_mib] * gpus)
    assert refused is not None
    ways = [line for line in refused.splitlines() if "would fit" in line]
    planned = followed(ways, model, [])
    assert len(planned) == len(ways)
    assert planned or "nothing in the recipe makes it fit" in refused
    for recipe, said in planned:
        assert recipe.student.gpus <= gpus
        plan = memory_plan(recipe.student, each_mib * MIB, longest_row(recipe))
        assert (plan.fits, f"{plan.total_bytes / GIB:.1f}") == (True, said)


@pytest.mark.parametrize(("gpus", "said"), [
    (4, "4 GPUs (fsdp)"),
    (8, "8 GPUs (fsdp); 4 would do"),
    (2, "2 GPUs (fsdp); 4 would do"),
])  # fmt: skip
def test_how_many_gpus_would_do_is_said_where_it_is_another_number(gpus: int, said: str) -> None:
    student = make_plan(load_recipe(model="qwen-7b", overrides=[f"student.gpus={gpus}"]))
    assert said in student["student"]["lines"]
