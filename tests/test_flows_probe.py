"""The probe: pass rates of a small model, measured once, whatever happens meanwhile."""

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from filters_records import prompt as prompt_of
from simulated_teacher import SimulatedTeacher, serving

from flows.plan import make_plan, plan_text
from flows.preflight import missing
from flows.probe import probe_folder, probe_pass_rates
from flows.recipe import Recipe, VerificationRecipe, load_recipe, run_fingerprint
from prompts.difficulty import DifficultyRecipe, ProbeRecipe
from prompts.errors import PrerequisiteError, RunError
from prompts.record import Prompt

ONE_WORKER = VerificationRecipe(workers=1)


def sums(count: int) -> list[Prompt]:
    """`What is 3 + 1?` and so on; each has its number as its id."""
    return [
        replace(
            prompt_of("math_answer", str(n + 1), question=f"What is {n} + 1?"), prompt_id=str(n)
        )
        for n in range(count)
    ]


def number(prompt: str) -> int:
    found = re.search(r"What is (\d+)", prompt)
    assert found
    return int(found[1])


def solves(times: int, prompt: str, nth: int) -> str:
    n = number(prompt)
    return f"<think>\nhm\n</think>\n\n\\boxed{{{n + 1 if nth < times else n + 7}}}"


def able(times_of: dict[int, int]) -> SimulatedTeacher:
    """It solves sum n `times_of[n]` times, then never again."""
    asked: dict[str, int] = {}

    def answer(prompt: str, seed: int) -> str:
        nth = asked[prompt] = asked.get(prompt, -1) + 1
        return solves(times_of.get(number(prompt), 0), prompt, nth)

    teacher = SimulatedTeacher()
    teacher.answer = lambda prompt, seed: answer(prompt, seed) if seed else "canary"
    return teacher


def probe(url: str, **settings: object) -> ProbeRecipe:
    return ProbeRecipe.model_validate(
        {"model": "sim", "urls": (url,), "max_tokens": 64, "in_flight": 4} | settings
    )


def test_each_prompt_is_tried_n_times_and_rated_by_what_was_right(tmp_path: Path) -> None:
    with serving(able({0: 4, 1: 3, 2: 1})) as teacher:
        rates = probe_pass_rates(tmp_path, sums(4), probe(teacher.url), ONE_WORKER)
    assert rates == {"0": 1.0, "1": 0.75, "2": 0.25, "3": 0.0}
    assert len(teacher.log) == 16
    recipe = DifficultyRecipe(probe=probe("http://x"))
    assert [recipe.difficulty("", rates[n]) for n in "0123"] == ["easy", "easy", "hard", "hard"]


def test_open_answers_are_not_probed_and_what_is_cut_off_is_not_solved(tmp_path: Path) -> None:
    teacher = able({0: 4})
    teacher.finish_reason = "length"
    poem = replace(prompt_of("rubric", "It rhymes."), prompt_id="poem")
    with serving(teacher):
        rates = probe_pass_rates(tmp_path, [*sums(1), poem], probe(teacher.url), ONE_WORKER)
    assert rates == {"0": 0.0}


def test_without_prompts_that_rules_can_grade_nobody_is_asked(tmp_path: Path) -> None:
    poem = prompt_of("rubric", "It rhymes.")
    assert probe_pass_rates(tmp_path, [poem], probe("http://127.0.0.1:9"), ONE_WORKER) == {}


def test_what_is_measured_needs_no_endpoint_any_more(tmp_path: Path) -> None:
    with serving(able({0: 4})) as teacher:
        first = probe_pass_rates(tmp_path, sums(3), probe(teacher.url), ONE_WORKER)
    gone = probe("http://127.0.0.1:9", in_flight=8)
    assert probe_pass_rates(tmp_path, sums(3), gone, ONE_WORKER) == first
    assert probe_pass_rates(tmp_path, sums(2), gone, ONE_WORKER) == {"0": 1.0, "1": 0.0}


def test_only_new_prompts_are_asked(tmp_path: Path) -> None:
    with serving(able({0: 4, 3: 2})) as teacher:
        probe_pass_rates(tmp_path, sums(3), probe(teacher.url), ONE_WORKER)
        rates = probe_pass_rates(tmp_path, sums(4), probe(teacher.url), ONE_WORKER)
        assert {number(prompt) for prompt, _ in teacher.log[12:]} == {3}
    assert rates == {"0": 1.0, "1": 0.0, "2": 0.0, "3": 0.5}


def test_graded_again_nothing_is_asked_again(tmp_path: Path) -> None:
    other = [replace(one, reference=str(number(one.question) + 7)) for one in sums(2)]
    with serving(able({0: 3})) as teacher:
        probe_pass_rates(tmp_path, sums(2), probe(teacher.url), ONE_WORKER)
        rates = probe_pass_rates(tmp_path, other, probe(teacher.url), ONE_WORKER, again=True)
    assert rates == {"0": 0.25, "1": 1.0}
    assert len(teacher.log) == 8


def test_what_decides_the_samples_decides_their_folder(tmp_path: Path) -> None:
    first = probe("http://a")
    assert probe_folder(tmp_path, first) == probe_folder(tmp_path, probe("http://b", in_flight=9))
    settings: dict[str, object] = {"n": 5, "template": "zero-shot", "model": "big", "seed": 1}
    changed = [probe("http://a", **{name: value}) for name, value in settings.items()]
    assert len({probe_folder(tmp_path, one) for one in (first, *changed)}) == 5


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"urls": ("http://127.0.0.1:9",)}, r"no endpoint at .*prompts\.difficulty\.probe\.urls"),
        ({"model": "other"}, r"does not serve 'other'.*prompts\.difficulty\.probe\.model"),
        ({"template": "r2"}, "no prompt template 'r2'"),
    ],
)
def test_nothing_is_sent_before_all_is_right(
    tmp_path: Path, settings: dict[str, object], said: str
) -> None:
    with serving(able({})) as teacher, pytest.raises(PrerequisiteError, match=said):
        probe_pass_rates(tmp_path, sums(1), probe(teacher.url, **settings), ONE_WORKER)
    assert not teacher.bodies


def test_a_probe_that_mostly_fails_says_so_and_goes_on_later(tmp_path: Path) -> None:
    teacher = able({0: 4, 1: 8})
    teacher.fault = lambda prompt, seed, nth: "400" if seed >= 0 and "1 +" in prompt else None
    with serving(teacher):
        with pytest.raises(RunError, match="failed for good"):
            probe_pass_rates(tmp_path, sums(2)[1:], probe(teacher.url), ONE_WORKER)
        teacher.fault = lambda prompt, seed, nth: None
        assert probe_pass_rates(tmp_path, sums(2), probe(teacher.url), ONE_WORKER) == {
            "0": 1.0,
            "1": 1.0,
        }


# --- in a recipe ---------------------------------------------------------------------------------


def recipe_with(url: str, **settings: object) -> Recipe:
    section = json.dumps({"model": "sim", "urls": [url], "max_tokens": 64} | settings)
    return load_recipe(overrides=[f"prompts.difficulty.probe={section}"])


def test_what_the_probe_lacks_is_said_before_anything_is_spent(tmp_path: Path) -> None:
    def said(recipe: Recipe) -> str:
        return "\n".join(missing(recipe, tmp_path, ["curate"]))

    with serving(able({})) as teacher:
        assert "the probe" not in said(recipe_with(teacher.url))
        assert "the probe: " in said(recipe_with(teacher.url, model="other"))
    assert "prompts.difficulty.probe.urls" in said(recipe_with("http://127.0.0.1:9"))


def test_the_plan_says_what_the_probe_may_cost() -> None:
    assert "tried by" not in plan_text(make_plan(load_recipe()))
    plan = make_plan(recipe_with("http://h:8000", n=5))
    asked = 564  # of 708, 144 are held out
    said = f"tried by sim at http://h:8000, 5 samples each, at most {asked * 5 * 64:,} tokens"
    assert said in plan_text(plan)


def test_a_probe_is_another_run_and_its_address_is_not() -> None:
    plain, probed = load_recipe(), recipe_with("http://a")
    assert run_fingerprint(plain) != run_fingerprint(probed)
    assert run_fingerprint(probed) == run_fingerprint(recipe_with("http://b", in_flight=9))
    assert run_fingerprint(probed) != run_fingerprint(recipe_with("http://a", n=8))
    assert "template cold-start" in recipe_with("http://a", template="cold-start").pins


def test_a_misspelt_setting_of_the_probe_is_named() -> None:
    with pytest.raises(
        PrerequisiteError, match=r"difficulty\.probe\.samples: no such key; known: "
    ):
        recipe_with("http://a", samples=4)
    with pytest.raises(PrerequisiteError, match="drop_never_solved needs a probe"):
        load_recipe(overrides=["prompts.difficulty.drop_never_solved=true"])


# --- killed --------------------------------------------------------------------------------------


def start(folder: Path, url: str) -> "subprocess.Popen[bytes]":
    root = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root.parent), str(root)])}
    command = [sys.executable, __file__, str(folder), url]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


def await_rows(journal: Path, count: int) -> None:
    """Until so many samples are committed."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        with contextlib.suppress(sqlite3.OperationalError):
            db = sqlite3.connect(f"file:{journal}?mode=ro", uri=True)
            (found,) = db.execute("SELECT count(*) FROM samples").fetchone()
            db.close()
            if found >= count:
                return
        time.sleep(0.05)
    raise AssertionError(f"{journal} does not hold {count} samples after five minutes")


def test_a_killed_probe_goes_on_and_asks_for_no_finished_sample_again(tmp_path: Path) -> None:
    teacher = able({n: n for n in range(5)})
    teacher.fault = lambda prompt, seed, nth: "hang" if len(teacher.log) > 9 else None
    with serving(teacher):
        first = start(tmp_path, teacher.url)
        place = probe_folder(tmp_path, probe(teacher.url))
        await_rows(place / "samples-00000.sqlite", 9)
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert not (place / "pass_rates.parquet").exists()
        finished, asked_before = set(teacher.sent), len(teacher.log)
        teacher.fault = lambda prompt, seed, nth: None
        rates = probe_pass_rates(tmp_path, sums(5), probe(teacher.url), ONE_WORKER)
    assert not finished & set(teacher.log[asked_before:])
    assert len(pl.read_parquet(place / "samples-*.parquet")) == len(set(teacher.sent)) == 20
    assert rates.keys() == set("01234")
    assert rates["0"] == 0.0


if __name__ == "__main__":
    probe_pass_rates(Path(sys.argv[1]), sums(5), probe(sys.argv[2]), ONE_WORKER)
