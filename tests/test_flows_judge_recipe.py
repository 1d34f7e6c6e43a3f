"""The judge in recipe and plan: what it lacks is said before anything is spent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filters_records import prompt
from judged_run import JUDGE, judged_recipe, river_run, sampled_run, says
from simulated_teacher import SimulatedTeacher, serving

from flows.generate import sample_teacher
from flows.plan import make_plan, plan_text
from flows.preflight import missing
from flows.recipe import load_recipe, recipe_yaml, run_fingerprint
from prompts.errors import PrerequisiteError


@pytest.fixture
def judging() -> Iterator[SimulatedTeacher]:
    with serving(SimulatedTeacher(model=JUDGE, answer=says)) as server:
        yield server


def problems(tmp_path: Path, url: str, **fields: Any) -> str:
    run = river_run(tmp_path, url, **fields)
    return "\n".join(missing(run.recipe, run.path.parent, ["verify"]))


def test_what_the_judge_lacks_is_said_before_anything_is_spent(
    tmp_path: Path, judging: SimulatedTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    assert "the judge" not in problems(tmp_path, judging.url)
    lost = problems(tmp_path, "http://127.0.0.1:9")
    assert "the judge: no endpoint at http://127.0.0.1:9/v1" in lost
    assert lost.endswith("judge.urls")
    assert "NO_SUCH_KEY is not set" in problems(tmp_path, judging.url, key_env="NO_SUCH_KEY")
    other = problems(tmp_path, judging.url, model="another")
    assert "does not serve 'another'; it serves judge-model" in other
    assert other.endswith("judge.model")


def test_open_questions_without_a_judge_are_not_sampled(tmp_path: Path) -> None:
    run = sampled_run(tmp_path, judged_recipe(None), [prompt("rubric", "It rhymes.")])
    with pytest.raises(PrerequisiteError, match=r"open questions.*: 1 prompt, .*judge\.model"):
        sample_teacher.fn(run)


@pytest.mark.parametrize(
    ("judge_section", "fault"),
    [
        ("{model: j}", r"judge\.urls: this key is missing"),
        ("{model: j, urls: []}", r"judge\.urls"),
        ("{urls: [http://h]}", r"judge\.model: this key is missing"),
        (
            "{model: j, urls: [http://h], key: x}",
            r"judge\.key: no such key; did you mean 'key_env'",
        ),
        ("{model: j, urls: [http://h], rubric_threshold: 11}", r"judge\.rubric_threshold"),
    ],
)
def test_an_incomplete_judge_is_refused_with_its_key(judge_section: str, fault: str) -> None:
    with pytest.raises(PrerequisiteError, match=fault):
        load_recipe(overrides=[f"judge={judge_section}"])


def test_the_plan_names_the_judge() -> None:
    assert "undecided:" not in plan_text(make_plan(load_recipe()))
    recipe = load_recipe(overrides=["judge={model: j-70b, urls: [http://h:8000]}"])
    assert "what rules leave undecided: j-70b at http://h:8000" in plan_text(make_plan(recipe))


def test_the_plan_says_whether_references_can_be_doubted() -> None:
    few, enough = make_plan(load_recipe()), make_plan(load_recipe("r1"))
    assert (few["sampling"]["n_max"], few["gold_check"]["possible"]) == (3, False)
    assert (
        "not checked: this takes 4 decided samples a prompt; without an accepted one it gets 3"
        in plan_text(few)
    )
    assert (enough["sampling"]["n_max"], enough["gold_check"]["possible"]) == (4, True)
    text = plan_text(enough)
    assert "references in doubt: where 4 samples of a prompt all agree on another answer" in text
    assert "or 60 % of 8" not in text
    soon = make_plan(load_recipe("r1", overrides=["sampling.give_up_after=2"]))
    assert soon["gold_check"] == {"samples": 2, "possible": False}
    assert "4 decided samples a prompt; without an accepted one it gets 2" in plan_text(soon)
    many = make_plan(load_recipe("r1", overrides=["sampling.n_max=8"]))
    assert "all agree on another answer, or 60 % of 8 or more" in plan_text(many)


def test_a_judge_is_another_run_and_its_address_is_not() -> None:
    plain = load_recipe()
    judged = load_recipe(overrides=["judge={model: j, urls: [http://a]}"])
    moved = load_recipe(overrides=["judge={model: j, urls: [http://b], key_env: K}"])
    assert run_fingerprint(plain) != run_fingerprint(judged) == run_fingerprint(moved)


def test_one_key_of_the_judge_can_be_set_in_a_resolved_recipe(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(recipe_yaml(load_recipe()), encoding="utf-8")
    recipe = load_recipe(str(file), overrides=["judge.model=j", "judge.urls=[http://h]"])
    assert recipe.judge is not None
    assert recipe.judge.model == "j"
