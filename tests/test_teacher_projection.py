"""The rest of a run: what is projected, and how sure it says it is."""

import random

import pytest

from teacher.projection import Projection, Projector
from teacher.schedule import StopRule


def rule(n_max: int) -> StopRule:
    return StopRule(keep=1, n_min=1, n_max=n_max, max_tokens=32_768)


def test_nothing_is_said_before_a_completion_has_come_back() -> None:
    assert Projector().project({0: 10}, [], 0.0, rule(4)) == Projection()
    assert Projector().project({0: 10}, [], 100.0, rule(4)).seconds is None


def after(rates: list[float], dice: random.Random, n_max: int) -> tuple[Projector, dict[int, int]]:
    """First samples of all prompts, then second ones of those still open."""
    projector, still = Projector(), rates
    for tried in (1, 2):
        now = [rate for rate in still if dice.random() >= rate]
        for position in range(len(still)):
            projector.note(tried, position >= len(now))
            projector.length(round(dice.lognormvariate(8.0, 0.9)))
        still = now
    return projector, {2: len(still)}


def test_prompts_that_were_decided_first_are_not_taken_for_all() -> None:
    dice, n_max = random.Random(1), 8
    rates = [0.9] * 500 + [0.05] * 500
    projector, left = after(rates, dice, n_max)
    found = projector.project(left, [], 1_000.0, rule(n_max))
    mean = 2981 * 1.5  # of the lognormal above
    truth = sum(0.95**k for k in range(6)) * 500 * 0.95**2 * mean
    assert found.tokens == pytest.approx(truth, rel=0.25)
    assert found.seconds == pytest.approx(found.tokens / 1_000.0)
    assert found.seconds_low < found.seconds < found.seconds_high


def test_short_ones_that_came_first_are_not_taken_for_all() -> None:
    """200 completions begin at once; when a tenth is back, the others are long already."""
    dice = random.Random(2)
    lengths = sorted(round(dice.lognormvariate(8.3, 0.93)) for _ in range(200))
    projector, so_far = Projector(), lengths[19]
    for length in lengths[:20]:
        projector.note(1, True)
        projector.length(length)
    found = projector.project({0: 180}, [so_far] * 180, 10_000.0, rule(1))
    truth = sum(lengths[20:]) - 180 * so_far
    assert found.tokens == pytest.approx(truth, rel=0.35)


def test_lengths_that_hardly_vary_leave_what_is_missing_of_the_mean() -> None:
    projector = Projector()
    for _ in range(100):
        projector.note(1, True)
        projector.length(100)
    found = projector.project({0: 2}, [0, 90], 10.0, rule(1))
    assert found.tokens == pytest.approx(110, rel=0.1)


def test_a_prompt_that_needs_round_after_round_is_not_done_at_the_fleets_rate() -> None:
    projector = Projector()
    for _ in range(100):
        projector.note(1, False)
        projector.length(1_000)
    found = projector.project({1: 1}, [0], 100.0, rule(4))
    assert found.seconds == pytest.approx(3 * 1_000 / 100.0, rel=0.05)
    assert found.seconds_low <= found.seconds <= found.seconds_high
