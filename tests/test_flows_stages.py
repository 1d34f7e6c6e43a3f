"""The stage flows in a real Prefect: each does its work once, counts conserve, artifacts appear."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from simulated_teacher import SimulatedTeacher, serving

from data_cards.validate import validate_card
from flows.overview import summary_text
from flows.recipe import Recipe, load_recipe
from flows.run_folder import open_run
from prompts.errors import PrerequisiteError

PROMPTS = 30


def number(prompt: str) -> int:
    """The number a question asks about; the canary asks about none."""
    first = prompt.split()[0]
    return int(first) if first.isdigit() else 0


@pytest.fixture(scope="module", autouse=True)
def prefect() -> Iterator[None]:
    """One Prefect server for this file: its start is the dear part."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
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
    settings = [
        "sampling.n_max=2",
        "dataset.test_fraction=0.2",
        f"judge={{model: smollm2-135m, urls: [{url!r}]}}",
    ]
    return load_recipe(overrides=[f"prompts.sources={sources}", *settings], teacher_urls=[url])


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
        yield {"run": run, "asked_again": len(teacher.bodies) - requests}


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


def test_regrading_needs_no_teacher(finished: dict[str, Any]) -> None:
    from flows.verify import verify

    run = finished["run"]
    verify(run.recipe, run.path.parent, again=True)
    assert run.is_done("verify")
    assert not run.is_done("publish")
