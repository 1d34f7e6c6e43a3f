"""Verifying with a judge: votes over HTTP, paid once, and every verdict kept beside the others."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from filters_records import prompt
from judged_run import (
    JUDGE,
    answered,
    done,
    funnel,
    given,
    judged_recipe,
    open_answer,
    plain_functions,
    quoted_answer,
    reasons,
    river,
    river_run,
    sampled_run,
    says,
    verified,
)
from simulated_teacher import SimulatedTeacher, serving
from test_flows_publish import no_plots

from data_cards import card
from filters import judge as asked
from flows import judge
from flows import publish as publishing
from flows.recipe import JudgeRecipe
from flows.run_folder import RunFolder, existing_run
from prompts.errors import RunError
from teacher.ask import Ask
from teacher.settings import SamplingRecipe
from teacher.shards import Shards

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _without_prefect(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_functions(monkeypatch.setattr)


@pytest.fixture
def judging() -> Iterator[SimulatedTeacher]:
    with serving(SimulatedTeacher(model=JUDGE, answer=says)) as server:
        yield server


def test_the_judge_decides_what_rules_cannot(tmp_path: Path, judging: SimulatedTeacher) -> None:
    run = verified(river_run(tmp_path, judging.url))
    ruled = reasons(run, "short_answer")
    assert ruled["right"] == "match"
    assert ruled["wrong"] == "answer_mismatch"
    assert {ruled[name] for name in ("same", "other", "split")} == {"ambiguous_answer"}
    assert reasons(run, "judge") == {
        "same": "judge_agrees",
        "same again": "judge_agrees",
        "other": "judge_disagrees",
        "split": "judge_split",
        "unreadable": "judge_unreadable",
    }
    assert funnel(run)["judge"] == {"accept": 2, "reject": 1, "undecided": 2}
    assert funnel(run)["verify"] == {"accept": 3, "reject": 2, "undecided": 2}


def test_both_orders_are_asked_and_equal_answers_share_their_votes(
    tmp_path: Path, judging: SimulatedTeacher
) -> None:
    verified(river_run(tmp_path, judging.url))
    questions = [question for question, _ in judging.log]
    assert len(questions) == len(set(questions)) == 8  # four different answers, twice each
    pairs = Counter(
        tuple(sorted((quoted_answer(q, "A"), quoted_answer(q, "B")))) for q in questions
    )
    assert pairs["Nile of Egypt", "North Nile"] == 2
    firsts = {quoted_answer(q, "A") for q in questions if "Nile of Egypt" in q}
    assert firsts == {"North Nile", "Nile of Egypt"}
    assert {body["temperature"] for body in judging.bodies} == {0.0}


def test_the_verdict_names_model_and_prompt(tmp_path: Path, judging: SimulatedTeacher) -> None:
    run = verified(river_run(tmp_path, judging.url))
    (verdict,) = [v for v in given(run)["river-002"] if v.verifier == "judge"]
    assert verdict.verifier_version == "judge-model answer-2"
    assert verdict.detail == "votes SAME, SAME"


def test_votes_and_their_tokens_are_told(tmp_path: Path, judging: SimulatedTeacher) -> None:
    facts = verified(river_run(tmp_path, judging.url)).manifest()["stages"]["verify"]
    assert facts["judge_votes"] == 8
    assert facts["judge_tokens"] == sum(7 + max(1, len(says(q)) // 4) for q, _ in judging.log)


def test_a_sample_that_is_there_twice_ends_the_stage(tmp_path: Path) -> None:
    twice = answered("river", ["Nile"]) * 2
    run = sampled_run(tmp_path, judged_recipe(None), [river()], twice)
    with pytest.raises(ValueError, match="2 in but 1 out"):
        verified(run)
    assert not run.is_done("verify")


def test_without_a_judge_nobody_is_asked(tmp_path: Path) -> None:
    run = verified(river_run(tmp_path, None))
    assert reasons(run, "judge") == {}
    assert funnel(run)["verify"]["undecided"] == 5
    assert "judge" not in funnel(run)


def test_nobody_is_asked_about_an_unfit_trace(tmp_path: Path, judging: SimulatedTeacher) -> None:
    looping = replace(answered("river", ["Nile of Egypt"])[0], reasoning="", completion="x")
    run = sampled_run(tmp_path, judged_recipe(judging.url), [river()], [looping])
    verified(run)
    assert judging.log == []
    assert funnel(run)["verify"] == {"accept": 0, "reject": 1, "undecided": 0}


@pytest.mark.parametrize("overrules", [False, True])
def test_a_reject_is_overruled_only_where_the_recipe_says_so(
    tmp_path: Path, judging: SimulatedTeacher, overrules: bool
) -> None:
    run = verified(river_run(tmp_path, judging.url, overrules_rejects=overrules))
    assert ("wrong" in reasons(run, "judge")) is overrules
    assert reasons(run, "short_answer")["wrong"] == "answer_mismatch"
    assert funnel(run)["verify"]["reject"] == (1 if overrules else 2)


def test_open_answers_are_scored_against_the_threshold(
    tmp_path: Path, judging: SimulatedTeacher
) -> None:
    names = {"good": "Drip, drop.\nWill it stop?", "bad": "This is prose."}
    prompts = [replace(prompt("rubric", "It rhymes."), prompt_id=name) for name in names]
    samples = [open_answer(name, text) for name, text in names.items()]
    run = verified(sampled_run(tmp_path, judged_recipe(judging.url), prompts, samples))
    said = {name: next(v for v in vs if v.verifier == "judge") for name, vs in given(run).items()}
    assert said["good-000"].reason == "rubric_met"
    assert said["good-000"].detail == "scores 9 and 9, asked for 7"
    assert said["bad-000"].reason == "rubric_not_met"
    assert funnel(run)["verify"] == {"accept": 1, "reject": 1, "undecided": 0}


def test_a_vote_that_keeps_no_form_is_unreadable(tmp_path: Path, judging: SimulatedTeacher) -> None:
    judging.answer = lambda q, seed: "Yes." if "Nile of" in q else says(q)
    run = verified(river_run(tmp_path, judging.url))
    assert reasons(run, "judge")["same"] == "judge_unreadable"


@pytest.mark.parametrize("cut", [True, False])
def test_a_judge_that_cannot_be_read_ends_the_stage(
    tmp_path: Path, judging: SimulatedTeacher, cut: bool
) -> None:
    judging.finish_reason = "length" if cut else "stop"
    judging.answer = lambda q, seed: says(q) if cut else "They are the same."
    run = river_run(tmp_path, judging.url)
    fault = rf"8 of 8 votes.*\({8 if cut else 0} were cut at judge\.max_tokens = 1,024\)"
    with pytest.raises(RunError, match=fault):
        verified(run)
    assert not run.is_done("verify")


def test_votes_that_failed_are_no_unreadable_ones(
    tmp_path: Path, judging: SimulatedTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = judge.read_replies
    monkeypatch.setattr(
        judge,
        "read_replies",
        lambda folder, asks: {
            name: reply for name, reply in real(folder, asks).items() if not lost(asks[name])
        },
    )
    run = verified(river_run(tmp_path, judging.url))
    assert reasons(run, "judge")["same"] == "sample_failed"
    assert reasons(run, "judge")["other"] == "judge_disagrees"
    (verdict,) = [v for v in given(run)["river-002"] if v.verifier == "judge"]
    assert (verdict.outcome, verdict.detail) == ("undecided", "the judge did not reply")


def lost(ask: Ask) -> bool:
    text = ask.messages[0]["content"]
    return "Nile of Egypt" in text and "Answer B is the reference" in text


def test_an_answer_too_long_to_be_shown_whole_is_not_judged(
    tmp_path: Path, judging: SimulatedTeacher
) -> None:
    mouths = " ".join(f"mouth {n} of the delta," for n in range(100))
    long = [f"Nile, {mouths} {end}" for end in ("north", "south")]
    run = sampled_run(tmp_path, judged_recipe(judging.url), [river()], answered("river", long))
    verified(run)
    assert judging.log == []
    assert funnel(run)["verify"]["undecided"] == 2


def test_a_judge_that_thinks_first_is_read_after_its_thinking(
    tmp_path: Path, judging: SimulatedTeacher
) -> None:
    judging.answer = lambda q, seed: f"<think>\nVERDICT: DIFFERENT\n</think>\n\n{says(q)}"
    run = verified(river_run(tmp_path, judging.url))
    assert reasons(run, "judge")["same"] == "judge_agrees"


# --- again, and after a stop ---------------------------------------------------------------------


def test_again_regrades_without_asking_and_outdates_what_follows(
    tmp_path: Path, judging: SimulatedTeacher
) -> None:
    run = verified(river_run(tmp_path, judging.url))
    before = (reasons(run, "judge"), funnel(run)["verify"], len(judging.bodies))
    for name in ("publish", "train", "evaluate"):
        done(run, name)
    verified(run)
    assert run.is_done("evaluate")
    verified(run, again=True)
    assert (reasons(run, "judge"), funnel(run)["verify"], len(judging.bodies)) == before
    assert run.is_done("verify")
    assert not any(map(run.is_done, ("publish", "train", "evaluate")))
    stages = run.manifest()["stages"]
    assert {stages[name]["status"] for name in ("publish", "train", "evaluate")} == {"outdated"}


def test_votes_that_are_not_needed_for_a_while_are_not_paid_again(
    tmp_path: Path, judging: SimulatedTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = verified(river_run(tmp_path, judging.url))
    with monkeypatch.context() as patched:
        patched.setattr(
            asked, "candidate", lambda _, s: "Nile lake" if s.sample_index == 2 else "Nile delta"
        )
        verified(run, again=True)
    assert len(judging.log) == 10  # Nile lake, twice
    verified(run, again=True)
    assert len(judging.log) == 10
    assert reasons(run, "judge")["same"] == "judge_agrees"


def test_a_judge_that_is_lost_leaves_the_stage_open(
    tmp_path: Path, judging: SimulatedTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = SamplingRecipe(n_max=1, temperature=0.0, request_attempts=1, max_tokens=64)
    monkeypatch.setattr(JudgeRecipe, "sampling", lambda _: once)
    judging.fault = lambda question, seed, nth: "html" if "delta" in question else None
    run = river_run(tmp_path, judging.url)
    with pytest.raises(RunError, match="2 of 8 requests failed for good"):
        verified(run)
    assert not run.is_done("verify")
    assert run.manifest()["stages"]["verify"]["status"] == "stopped"
    judging.fault = lambda question, seed, nth: None
    before = len(judging.log)
    verified(run)
    assert len(judging.log) - before == 2
    assert funnel(run)["verify"] == {"accept": 3, "reject": 2, "undecided": 2}


@pytest.mark.slow
def test_a_killed_judge_stage_pays_only_for_what_was_in_flight(
    tmp_path: Path, judging: SimulatedTeacher
) -> None:
    prompts = [river(f"river{n}", aliases=(f"stream {n}",)) for n in range(20)]
    samples = [answered(p.prompt_id, ["Nile of Egypt"])[0] for p in prompts]
    recipe = judged_recipe(judging.url)
    run = sampled_run(tmp_path, recipe, prompts, samples)
    judging.fault = lambda question, seed, nth: "hang" if len(judging.log) > 15 else None
    client = subprocess.Popen([sys.executable, __file__, str(run.path)], env=paths())
    votes = run.folder("verify") / judge.FOLDER
    # All are on their way at once: none is still to arrive when the client is dead.
    wait_for(client, lambda: len(judging.sent) == 15 and len(judging.log) == 40)
    client.kill()
    client.wait()
    with Shards(votes) as shards:
        stored = {found.prompt_id for found in shards.restore()}
    judging.fault = lambda question, seed, nth: None
    asked_before = len(judging.log)
    verified(run)
    assert len(stored) <= 15
    assert len(judging.log) - asked_before == 40 - len(stored)
    assert funnel(run)["judge"] == {"accept": 20, "reject": 0, "undecided": 0}


def paths() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}


def wait_for(client: subprocess.Popen[bytes], done: Any) -> None:
    deadline = time.monotonic() + 300
    while not done():
        assert client.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


# --- published -----------------------------------------------------------------------------------


def test_published_traces_carry_every_verdict(
    tmp_path: Path, judging: SimulatedTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("write_shards", "write_run_card", "push_dataset"):
        monkeypatch.setattr(publishing, name, getattr(publishing, name).fn)
    for name in ("artifact", "show"):
        monkeypatch.setattr(publishing, name, lambda *_: None)
    monkeypatch.setattr(card, "draw_plots", no_plots)
    model = "/srv/models/Judge-70B"
    judging.model = model
    run = verified(river_run(tmp_path, judging.url, model=model, overrules_rejects=True))
    run = RunFolder(run.path, run.recipe)
    publishing.publish.fn(run.recipe, run.path.parent)
    rows = [
        r for f in run.folder("publish").rglob("*.parquet") for r in pq.read_table(f).to_pylist()
    ]
    by_id = {row["sample_id"]: row for row in rows}
    kept = next(row for row in rows if row["outcome"] == "accept")
    assert kept["prompt_id"] == "river"
    split = by_id["river-004"]
    assert split["reason"] == "judge_split"
    assert [v["verifier"] for v in split["verdicts"]] == ["short_answer", "trace", "judge"]
    assert split["verifier_version"] == "Judge-70B answer-2"
    text = (run.folder("publish") / "README.md").read_text(encoding="utf-8")
    assert "| judge | `Judge-70B` |" in text
    assert "| judge | 6 |" in text
    assert "/srv/models" not in text + repr(rows)
    assert judging.url.rsplit(":", 1)[1] not in text


if __name__ == "__main__":
    plain_functions(setattr)
    verified(existing_run(Path(sys.argv[1])))
