"""The rest of a run: what is projected, and how sure it says it is."""

import random

import pytest

from teacher.projection import Projection, Projector


def test_nothing_is_said_before_a_completion_has_come_back() -> None:
    assert Projector().project({0: 10}, [], 0.0, 4) == Projection()
    assert Projector().project({0: 10}, [], 100.0, 4).seconds is None


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
    found = projector.project(left, [], 1_000.0, n_max)
    mean = 2981 * 1.5  # of the lognormal above
    truth = sum(0.95**k for k in range(6)) * 500 * 0.95**2 * mean
    assert found.tokens == pytest.approx(truth, rel=0.25)
    assert found.seconds == pytest.approx(found.tokens / 1_000.0)
    assert found.seconds_low < found.seconds < found.seconds_high


def test_what_is_in_flight_still_has_some_to_come() -> None:
    projector = Projector()
    for _ in range(10):
        projector.note(1, True)
        projector.length(100)
    fresh = projector.project({0: 2}, [0, 0], 10.0, 1)
    nearly = projector.project({0: 2}, [99, 5_000], 10.0, 1)
    assert (fresh.tokens, nearly.tokens) == (200.0, 50.0)
