"""What training says while it runs, and the guards that end it: NaN, and losses that stay up."""

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("transformers")

from hypothesis import given
from hypothesis import strategies as st

from prompts.errors import RunError
from sft.loss_guard import LASTING, SMALLEST_RISE, LossGuard, Spikes
from sft.messages import TokenRow
from sft.progress import JsonLines
from sft.steps import StepShape, plan_steps
from sft.watching import rows_of_steps

CALM = [2.0, 1.5, 1.2, 1.1, 1.0, 1.05, 0.95, 1.0]


def state(step: int, history: list[dict[str, float]] | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        global_step=step, max_steps=100, is_world_process_zero=True, log_history=history or []
    )


def guard(out: io.StringIO | None = None, limit: float = 3.0) -> LossGuard:
    return LossGuard(limit, JsonLines(out or io.StringIO()), lambda step: [f"row-{step}", "other"])


def feed(judge: LossGuard, losses: list[float], first: int = 1) -> None:
    for step, loss in enumerate(losses, first):
        judge.on_log(None, state(step), None, logs={"loss": loss})


def test_one_spike_is_a_warning_that_names_step_and_rows(capsys: Any) -> None:
    out = io.StringIO()
    feed(guard(out), [*CALM, 9.0, 1.0, 1.0])
    (line,) = [json.loads(line) for line in out.getvalue().splitlines()]
    assert line["at"] == 9
    assert (
        "step 9 of 100: loss 9, above 3 × the running 1.08; its rows: row-9, other"
        in (line["warning"])
    )
    assert "warning: the loss spiked" in capsys.readouterr().err


def test_a_lasting_spike_stops_the_training_and_names_step_and_rows() -> None:
    judge = guard()
    feed(judge, [*CALM, *[9.0] * (LASTING - 1)])
    with pytest.raises(RunError, match=r"5 steps in a row.*step 13 of 100.*row-13.*loss_spike"):
        feed(judge, [9.0], first=13)


def test_a_training_that_continues_is_judged_as_if_it_had_not_been_interrupted() -> None:
    losses = [*CALM, *[9.0] * (LASTING - 1)]
    history: list[dict[str, float]] = [{"loss": loss} for loss in losses]
    resumed = guard()
    resumed.on_train_begin(None, state(len(losses), [*history, {"train_runtime": 1.0}]), None)
    with pytest.raises(RunError, match="5 steps in a row"):
        feed(resumed, [9.0], first=13)


@pytest.mark.parametrize(
    "losses",
    [
        [9.0, 1.0, 9.0, 1.0],  # too few to know what is usual
        [*CALM, 2.9, 2.9, 2.9, 2.9, 2.9, 2.9],  # high, below the limit
        [0.01] * 20 + [0.04] * 20,  # three times nothing
        [*CALM, *[9.0, 9.0, 9.0, 9.0, 1.0] * 3],  # it finds back each time
    ],
)
def test_what_is_no_lasting_spike_goes_on(losses: list[float]) -> None:
    feed(guard(), losses)


@given(st.lists(st.floats(0, 50), max_size=80))
def test_a_streak_ends_with_a_calm_step_and_counts_what_is_above_the_limit(
    losses: list[float],
) -> None:
    spikes = Spikes(3.0)
    for loss in losses:
        usual, before = spikes.usual, spikes.streak
        high = usual is not None and loss > max(3 * usual, usual + SMALLEST_RISE)
        assert spikes.feed(loss) == (before + 1 if high else 0)


def test_the_rows_of_a_step_are_named_by_their_samples() -> None:
    rows = tuple(TokenRow([1] * (3 + i), [1] * (3 + i), f"s-{i}") for i in range(7))
    shape = StepShape(epochs=2, batch_size=3, bin_rows=2, bin_tokens=None, ranks=2, seed=0)
    plan = plan_steps([len(row.input_ids) for row in rows], shape)
    rows_of = rows_of_steps(rows, plan)
    for epoch in (range(1, 4), range(4, 7)):
        named = [name for step in epoch for name in rows_of(step)]
        assert sorted(named) == [f"s-{i}" for i in range(7)]


def test_a_loss_that_is_no_number_stops_the_training() -> None:
    lines = JsonLines(io.StringIO())
    guard().on_log(None, state(3), None, logs={"loss": float("nan")})
    with pytest.raises(RunError, match=r"nan .* at step 3 of 100"):
        lines.on_log(None, state(3), None, logs={"loss": float("nan"), "grad_norm": 1.0})


def test_the_last_line_of_a_training_is_not_taken_for_a_step() -> None:
    out = io.StringIO()
    for callback in (JsonLines(out), guard(out)):
        callback.on_log(None, state(3), None, logs={"train_loss": 9.9})
    assert out.getvalue() == ""


def test_a_training_that_goes_on_counts_on_from_its_checkpoint() -> None:
    out = io.StringIO()
    lines, resumed = JsonLines(out), state(7)
    before = {"loss": 1.0, "tokens_so_far": 300, "seconds_so_far": 90.0}
    resumed.log_history = [before, {"loss": 0.5, "of": "another library"}]
    lines.on_train_begin(None, resumed, None)
    lines.count(20)
    lines.on_log(None, resumed, None, logs={"loss": 0.4})
    said = json.loads(out.getvalue())
    assert said["tokens"] == lines.so_far()["tokens_so_far"] == 320
    assert 90 <= said["seconds"] <= lines.so_far()["seconds_so_far"] < 150
