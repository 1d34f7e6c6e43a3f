"""What a plan says is what the run would ask, at the speed of the machine it is made on."""

import re

import pytest

from flows.plan import make_plan, plan_text
from flows.recipe import load_recipe
from prompts.errors import PrerequisiteError


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


@pytest.mark.parametrize(("overrides", "said"), [
    ((), ["teacher.cluster: embedded is", "--set teacher.cluster=null",
          "teacher.serve.max_model_len is 32,768", "8,192 positions",
          "--set teacher.serve.max_model_len=8192"]),
    (("teacher.cluster=null",), ["--set teacher.serve.max_model_len=8192"]),
    (("teacher.cluster={gpus: 8}", "teacher.serve.max_model_len=8192"),
     ["--set teacher.cluster=null"]),
])  # fmt: skip
def test_the_embedded_teacher_is_planned_for_cores_and_its_own_positions(
    overrides: tuple[str, ...], said: list[str]
) -> None:
    recipe = load_recipe(model="qwen-7b", overrides=["teacher.model=embedded", *overrides])
    with pytest.raises(PrerequisiteError) as refused:
        make_plan(recipe)
    text = str(refused.value)
    assert [words for words in said if words not in text] == []
    assert len(text.splitlines()) == text.count("--set")


def test_the_refused_teacher_is_planned_as_the_refusal_says() -> None:
    changes = ["teacher.model=embedded", "teacher.cluster=null", "teacher.serve.max_model_len=8192"]
    text = plan_text(make_plan(load_recipe(model="qwen-7b", overrides=changes)))
    assert "one vLLM replica on this machine's cores" in text
    assert "$" not in text


def test_a_teacher_of_gpus_is_not_planned_for_cores() -> None:
    recipe = load_recipe(model="qwen-7b", overrides=["teacher.cluster=null"])
    with pytest.raises(PrerequisiteError, match="needs GPUs for its"):
        make_plan(recipe)
    given = recipe.teacher.model_copy(update={"urls": ("http://h:8000",)})
    text = plan_text(make_plan(recipe.model_copy(update={"teacher": given})))
    assert "the endpoints http://h:8000" in text


def test_dollars_are_said_with_the_price_they_are_of() -> None:
    plan = make_plan(load_recipe(model="qwen-7b"))
    low, expected, high = plan["sampling"]["dollars"]
    said = f"${expected:,.0f} (${low:,.0f} to ${high:,.0f}) at $3 a GPU-hour ($2 to $5)"
    assert said in plan_text(plan)


def test_a_price_of_tokens_stands_in_place_of_rented_gpus() -> None:
    changes = ["teacher.dollars_per_million_tokens=2.5", "sampling.n_max=1", "sampling.keep=1"]
    changes += ["prompts.sources=[{name: starter-math, limit: 20}]"]
    recipe = load_recipe(model="qwen-7b", overrides=changes, teacher_urls=["http://h:8000"])
    plan = make_plan(recipe)
    tokens = plan["sampling"]["expected_tokens"]
    assert plan["sampling"]["dollars"] == [pytest.approx(tokens * 2.5 / 1e6)] * 3
    text = plan_text(plan)
    assert f"${tokens * 2.5 / 1e6:.2f} at $2.5 a million completion tokens" in text
    assert "a GPU-hour" not in text


@pytest.mark.parametrize("urls", [[], ["http://h:8000"]])
def test_wall_time_says_that_it_leaves_out_a_server_s_start(urls: list[str]) -> None:
    text = plan_text(make_plan(load_recipe(teacher_urls=urls)))
    (line,) = [line for line in text.splitlines() if "wall time" in line]
    assert line.endswith(", without loading the model") == (not urls)
