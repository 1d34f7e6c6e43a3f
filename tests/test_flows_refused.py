"""When a sampled folder is called done: a few refused prompts do not hinder it, failures do."""

from pathlib import Path

import polars as pl
import pytest
from simulated_teacher import SimulatedTeacher, serving
from test_teacher_sampling import QUICK, asks

from flows.cost import Price
from flows.display import SamplingDisplay
from flows.generate import _funnel_rows
from flows.sample_folder import sample_folder
from flows.serving import Served
from prompts.errors import RunError
from prompts.record import Prompt
from teacher.canary import Replica
from teacher.progress import SamplingSummary
from teacher.sample import Sample

ONCE = QUICK.model_copy(update={"n_max": 1, "request_attempts": 1, "circuit_failures": 100})


def sampled(teacher: SimulatedTeacher, folder: Path, count: int = 10) -> SamplingSummary:
    async def accept(prompt: Prompt, sample: Sample) -> bool:
        return True

    with serving(teacher):
        served = Served([Replica(teacher.url, "sim", "", None)])
        display = SamplingDisplay("generate", Price())
        return sample_folder(asks(count), served, ONCE, folder, accept, display)


def test_a_few_refused_prompts_are_counted_and_the_folder_is_done(tmp_path: Path) -> None:
    teacher = SimulatedTeacher(fault=lambda prompt, seed, nth: "400" if prompt == "q3" else None)
    summary = sampled(teacher, tmp_path)
    (row,) = _funnel_rows(summary, 1.0)
    assert row.outcomes == {"answered": 9, "unanswered": 0, "refused": 1}
    stopped = pl.read_parquet(tmp_path / "pass_rates.parquet")["stopped"].to_list()
    assert stopped == ["kept"] * 3 + ["refused"] + ["kept"] * 6


def test_failures_that_could_be_mended_leave_the_folder_open(tmp_path: Path) -> None:
    teacher = SimulatedTeacher(fault=lambda prompt, seed, nth: "html" if prompt == "q3" else None)
    with pytest.raises(RunError, match="1 of 10 requests failed for good"):
        sampled(teacher, tmp_path)
    assert sampled(SimulatedTeacher(), tmp_path).prompts_kept == 10


def test_a_teacher_that_refuses_everything_is_a_fault(tmp_path: Path) -> None:
    teacher = SimulatedTeacher(fault=lambda prompt, seed, nth: None if seed < 0 else "400")
    with pytest.raises(RunError, match="10 of 10 requests failed for good"):
        sampled(teacher, tmp_path)
    assert sampled(SimulatedTeacher(), tmp_path).prompts_kept == 10
