"""Sampling into a folder: what is asked no more is kept aside, and nothing dies unheard."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filters_records import prompt as prompt_of
from filters_records import sample as sample_of
from simulated_teacher import SimulatedTeacher, serving

from filters.grader import Grader
from filters.trace_filters import TraceFilters
from flows.display import SamplingDisplay
from flows.sample_folder import asks_for, grade_with, sample_folder, ungraded
from flows.serving import Served
from prompts.parquet import read_rows, write_rows
from teacher.canary import Replica
from teacher.sample import Sample
from teacher.settings import SamplingRecipe

ONE_EACH = SamplingRecipe(keep=1, n_min=1, n_max=1, max_tokens=64, progress_s=0.01)


def sampled(folder: Path, url: str, names: str) -> list[str]:
    """Sample the prompts of these names, one each; returns whose samples the folder then has."""
    any_prompt = prompt_of("short_answer", "x")
    prompts = [replace(any_prompt, prompt_id=name, question=f"Who is {name}?") for name in names]
    served = Served([Replica(url, "sim")])
    sample_folder(
        asks_for(prompts, "zero-shot"), served, ONE_EACH, folder, ungraded, SamplingDisplay("t")
    )
    return sorted(s.prompt_id for f in folder.glob("samples-*") for s in read_rows(f, Sample))


def aside(folder: Path) -> list[str]:
    return sorted(s.prompt_id for f in folder.glob("strays-*") for s in read_rows(f, Sample))


def test_strays_join_those_set_aside_before(tmp_path: Path) -> None:
    with serving(SimulatedTeacher()) as teacher:
        assert sampled(tmp_path, teacher.url, "abc") == ["a", "b", "c"]
        assert sampled(tmp_path, teacher.url, "ab") == ["a", "b"]
        assert aside(tmp_path) == ["c"]
        assert sampled(tmp_path, teacher.url, "a") == ["a"]
        assert aside(tmp_path) == ["b", "c"]


def test_what_is_kept_of_an_earlier_go_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(SimulatedTeacher()) as teacher:
        sampled(tmp_path, teacher.url, "abc")
        assert "going on" not in capsys.readouterr().out
        sampled(tmp_path, teacher.url, "abd")
    assert capsys.readouterr().out.startswith("going on  from 2 samples of 2 prompts")


def test_strays_of_a_killed_run_are_there_once(tmp_path: Path) -> None:
    with serving(SimulatedTeacher()) as teacher:
        sampled(tmp_path, teacher.url, "ab")
        (shard,) = tmp_path.glob("samples-*.parquet")
        before = [s for s in read_rows(shard, Sample) if s.prompt_id == "b"]
        before.append(sample_of("x", prompt_id="z", sample_id="z-000"))
        write_rows(tmp_path / shard.name.replace("samples", "strays"), before, Sample)
        sampled(tmp_path, teacher.url, "a")
    assert aside(tmp_path) == ["b", "z"]


def test_a_follower_that_dies_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def dies(*_: Any) -> None:
        raise ValueError("no such list")

    async def never(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("flows.sample_folder.follow", dies)
    monkeypatch.setitem(globals(), "ungraded", never)
    with serving(SimulatedTeacher()) as teacher, pytest.raises(ValueError, match="no such list"):
        sampled(tmp_path, teacher.url, "a")


@pytest.mark.parametrize(
    ("fields", "accepted"),
    [({}, True), ({"reasoning": ""}, False), ({"finish_reason": "length"}, False)],
)
def test_an_open_answer_is_accepted_for_its_form_while_sampling(
    fields: dict[str, Any], accepted: bool
) -> None:
    async def graded() -> bool | None:
        with Grader(workers=1) as grader:
            grade = grade_with(grader, TraceFilters())
            poem = sample_of("Drip, drop.\nWill it stop?", **fields)
            return await grade(prompt_of("rubric", "It rhymes."), poem)

    assert asyncio.run(graded()) is accepted
