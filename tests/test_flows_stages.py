"""The stage flows in a real Prefect: each does its work once, counts conserve, artifacts appear."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from simulated_teacher import SimulatedTeacher, serving

from data_cards.validate import validate_card
from flows.overview import summary_text
from flows.recipe import Recipe, load_recipe
from flows.rounds import next_round
from flows.run_folder import open_run, write_text
from flows.serving import Served, Weights
from flows.shared_stages import begin_sharing
from flows.variants import make_variants, read_switch
from prompts.errors import PrerequisiteError
from teacher.canary import Replica

PROMPTS = 30


def number(prompt: str) -> int:
    """The number a question asks about; the canary asks about none."""
    first = prompt.split()[0]
    return int(first) if first.isdigit() else 0


@pytest.fixture(scope="module", autouse=True)
def prefect() -> Iterator[None]:
    """One Prefect server for this file: its start is the dear part."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=400):
        yield


def answer(prompt: str, seed: int) -> str:
    """Right for even questions; for odd ones wrong, or right in a trace that goes round. Of the
    river rules cannot say whether it is right; asked as the judge, it says so."""
    if "VERDICT" in prompt:
        return "VERDICT: SAME"
    if "longest river" in prompt:
        return "<think>\nit is in Africa\n</think>\n\n\\boxed{Nile of Egypt}"
    n = number(prompt)
    if n % 2 == 0:
        return f"<think>\n{n} and one more\n</think>\n\n\\boxed{{{n + 1}}}"
    if n % 4 == 1:
        return f"<think>\n{n}\n</think>\n\n\\boxed{{{n}}}"
    return "<think>\n" + "I think of it once more. " * 40 + f"\n</think>\n\n\\boxed{{{n + 1}}}"


def own_recipe(tmp_path: Path, url: str) -> Recipe:
    return load_recipe(overrides=own_settings(tmp_path, url))


def own_settings(tmp_path: Path, url: str) -> list[str]:
    file = tmp_path / "mine.jsonl"
    rows = [
        f'{{"question": "{n} + 1", "reference_kind": "math_answer", "reference": "{n + 1}"}}'
        for n in range(PROMPTS)
    ]
    river = (
        '{"question": "The longest river?", "reference_kind": "short_answer", "reference": "Nile"}'
    )
    rows += [river, "not json", rows[0]]
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    sources = yaml.safe_dump([{"path": str(file), "domain": "math"}], default_flow_style=True)
    return [
        f"prompts.sources={sources}",
        f"teacher.urls=[{url!r}]",
        "sampling.n_max=2",
        "dataset.test_fraction=0.2",
        f"judge={{model: smollm2-135m, urls: [{url!r}]}}",
    ]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A run of the first four stages against the simulated teacher."""
    from flows.curate import curate
    from flows.generate import generate
    from flows.publish import publish
    from flows.verify import verify

    folder = tmp_path_factory.mktemp("run")
    teacher = SimulatedTeacher(model="smollm2-135m", answer=answer)
    with serving(teacher):
        recipe = own_recipe(folder, teacher.url)
        for stage in (curate, generate, verify, publish):
            stage(recipe, folder / "runs")
        requests = len(teacher.bodies)
        for stage in (curate, generate, verify, publish):
            stage(recipe, folder / "runs")
        run = open_run(recipe, folder / "runs")
        again = len(teacher.bodies) - requests
        yield {
            "run": run,
            "asked_again": again,
            "teacher": teacher,
            "overrides": own_settings(folder, teacher.url),
        }


def test_a_finished_run_is_not_done_again(finished: dict[str, Any]) -> None:
    assert finished["asked_again"] == 0


def test_the_funnel_conserves_and_names_its_outcomes(finished: dict[str, Any]) -> None:
    rows = {row.stage: row for row in finished["run"].funnel()}
    assert rows["curate"].outcomes["keep"] == PROMPTS + 1
    assert rows["curate"].outcomes["rejected"] == 1
    assert rows["curate"].outcomes["duplicates"] == 1
    assert rows["generate"].outcomes == {"answered": 15, "unanswered": 16}
    assert rows["judge"].outcomes == {"accept": 2, "reject": 0, "undecided": 0}
    assert rows["verify"].outcomes == {"accept": 17, "reject": 30, "undecided": 0}
    assert rows["publish"].outcomes == {"publish": 16, "surplus": 1}


def test_a_right_answer_in_a_looping_trace_is_rejected_as_a_trace(finished: dict[str, Any]) -> None:
    verdicts = pl.read_parquet(finished["run"].folder("verify") / "verdicts-00000.parquet")
    looping = verdicts.filter(pl.col("reason") == "repetition")
    assert set(looping["verifier"]) == {"trace"}
    both = verdicts.filter(pl.col("sample_id").is_in(looping["sample_id"].to_list()))
    assert set(both["outcome"]) == {"accept", "reject"}


def test_the_dataset_matches_its_card(finished: dict[str, Any]) -> None:
    folder = finished["run"].folder("publish")
    assert validate_card(folder) == []
    assert "16 reasoning traces" in (folder / "README.md").read_text(encoding="utf-8")


def test_published_messages_are_what_a_student_sees(finished: dict[str, Any]) -> None:
    shards = finished["run"].folder("publish") / "data"
    trace = pl.read_parquet(list(shards.glob("train-*.parquet"))).row(0, named=True)
    assert [turn["role"] for turn in trace["messages"]] == ["user", "assistant"]
    assert trace["reasoning"] in trace["messages"][1]["content"]


def test_the_summary_says_what_comes_next(finished: dict[str, Any]) -> None:
    assert "4 of 6 stages finished, next: train" in summary_text(finished["run"].path)


def test_a_stage_out_of_turn_says_which_is_missing(tmp_path: Path) -> None:
    from flows.verify import verify

    with pytest.raises(PrerequisiteError, match="'curate' is not finished"):
        verify(own_recipe(tmp_path, "http://127.0.0.1:9"), tmp_path / "runs")


def test_funnel_and_card_are_artifacts(finished: dict[str, Any]) -> None:
    from prefect.artifacts import Artifact

    assert Artifact.get("funnel-verify", _sync=True) is not None
    assert Artifact.get("card", _sync=True) is not None


def test_a_variant_asks_the_teacher_nothing_and_publishes_its_own_choice(
    finished: dict[str, Any],
) -> None:
    from flows.publish import publish

    run, asked = finished["run"], len(finished["teacher"].bodies)
    (variant, _) = make_variants(
        [read_switch("selection.keep=2,3")], overrides=finished["overrides"]
    )
    other = begin_sharing(variant, run.path.parent)
    publish(variant, run.path.parent)
    rows = {row.stage: row for row in other.funnel()}
    assert rows["verify"].outcomes == {"accept": 17, "reject": 30, "undecided": 0}
    assert rows["publish"].outcomes == {"publish": 17, "surplus": 0}
    assert validate_card(other.folder("publish")) == []
    assert validate_card(run.folder("publish")) == []
    assert len(finished["teacher"].bodies) == asked


def test_the_student_of_a_round_answers_the_next_ones_prompts(
    finished: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its weights are made up and its server simulated; the rest is a round's own work."""
    from flows.generate import generate
    from flows.publish import publish
    from flows.verify import verify

    run = finished["run"]
    write_text(run.folder("train") / "model" / "config.json", "{}")
    recipe = next_round(run.recipe.model_copy(update={"judge": None}), run, 2)
    student = SimulatedTeacher(model=recipe.teacher.served_name, answer=answer)

    @contextmanager
    def served(weights: Weights, role: str, settings: object, log: Path) -> Iterator[Served]:
        assert weights.model == str(recipe.teacher.folder)
        yield Served([Replica(student.url, weights.served_name, weights.revision)])

    monkeypatch.setattr("flows.serving.served", served)
    with serving(student):
        other = begin_sharing(recipe, run.path.parent)
        for stage in (generate, verify, publish):
            stage(recipe, run.path.parent)
    assert other.manifest()["stages"]["curate"]["shared_from"] == run.name
    samples = pl.read_parquet(other.folder("generate") / "samples-00000.parquet")
    assert set(samples["template"]) == {"zero-shot"}
    assert set(samples["teacher_revision"]) == {recipe.pins["teacher"]}
    card = (other.folder("publish") / "README.md").read_text(encoding="utf-8")
    assert "taught by SmolLM2-135M-Instruct (apache-2.0)" in card
    assert str(run.path.parent) not in card


def test_regrading_needs_no_teacher(finished: dict[str, Any]) -> None:
    from flows.verify import verify

    run = finished["run"]
    verify(run.recipe, run.path.parent, again=True)
    assert run.is_done("verify")
    assert not run.is_done("publish")
