"""What a plan says is what the run would ask, at the speed of the machine it is made on."""

import re

import pytest

from flows.plan import make_plan, plan_text
from flows.recipe import load_recipe


@pytest.mark.parametrize(("has_bfloat16", "rate", "said"), [
    (True, [160, 300, 390],
     "assuming 300 tokens/s (160 to 390), measured on two cores with bfloat16"),
    (False, [45, 70, 90],
     "assuming 70 tokens/s (45 to 90), measured on two cores without bfloat16"),
])  # fmt: skip
def test_the_embedded_teacher_is_as_fast_as_on_such_a_processor(
    monkeypatch: pytest.MonkeyPatch, has_bfloat16: bool, rate: list[int], said: str
) -> None:
    monkeypatch.setattr("teacher.topology.computes_bfloat16", lambda: has_bfloat16)
    plan = make_plan(load_recipe())
    sampling = plan["sampling"]
    assert sampling["tokens_per_s"] == rate
    assert sampling["wall_s"][1] == pytest.approx(sampling["expected_tokens"] / rate[1])
    assert said in plan_text(plan)


def test_no_processor_slows_a_teacher_on_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = []
    for has_bfloat16 in (True, False):
        monkeypatch.setattr("teacher.topology.computes_bfloat16", lambda has=has_bfloat16: has)
        plans.append(make_plan(load_recipe(model="qwen-7b"))["sampling"])
    assert plans[0] == plans[1]
    text = plan_text(make_plan(load_recipe(model="qwen-7b")))
    assert "assuming 4,000 tokens/s (1,200 to 8,000), from public reports" in text


def test_what_is_held_out_is_not_said_to_be_asked() -> None:
    plan = make_plan(load_recipe())
    assert plan["prompts"] == 564
    assert plan["sampling"]["expected_tokens"] == 564 * 2 * 60
    text = plan_text(plan)
    assert "about       300 rows, at most       252 asked, 48 held out" in text
    assert "2 generate  564 prompts" in text


@pytest.mark.parametrize("overrides", [
    ("student.epochs=1", "sampling.n_max=1", "prompts.sources=[{name: starter-math, limit: 1}]"),
    ("prompts.difficulty={probe: {model: m, urls: ['http://h:8000'], n: 1}}",),
    ("judge={model: m, urls: ['http://h:8000']}",),
])  # fmt: skip
def test_a_plan_says_one_of_a_thing_in_the_singular(overrides: tuple[str, ...]) -> None:
    text = plan_text(make_plan(load_recipe(overrides=list(overrides))))
    assert re.findall(r"(?<![\d,.])\b1 [a-z]+s\b", text) == []


def test_a_plan_says_one_replica_and_one_node_in_the_singular() -> None:
    text = plan_text(make_plan(load_recipe(model="qwen-7b", overrides=["teacher.cluster.gpus=16"])))
    assert "1 replica of TP8 × PP2 on 16 GPUs in 2 nodes" in text
