"""What a run says of its end before tokens flow: nothing. A silence is counted."""

from collections import Counter
from collections.abc import Iterable
from typing import cast

import pytest
from filters_records import sample

from teacher.progress import Flow, Meter, ReplicaProgress
from teacher.replicas import Pool
from teacher.schedule import Schedule
from teacher.settings import SamplingRecipe
from teacher.tally import Tally

Told = list[tuple[int, float, float]]


def told(rates: Iterable[float], in_flight: int = 128) -> Told:
    """Tokens come at these rates, one a second: by second, the rate of now and what is told."""
    flow, total, seen = Flow(0.0), 0.0, []
    for second, rate in enumerate(rates, 1):
        total += rate
        seen.append((second, rate, flow.per_s(float(second), int(total), in_flight)))
    return seen


def test_while_prompts_are_read_no_rate_is_told() -> None:
    # The first token of each of 128 requests comes as soon as its prompt is read.
    seen = told([0.0] * 20 + [2.0] * 60 + [60.0] * 120)
    assert not any(per_s for second, _, per_s in seen if second <= 100)
    later = [per_s for _, _, per_s in seen if per_s]
    assert len(later) > 80
    assert all(30 <= per_s <= 60 for per_s in later)
    meter = Meter(0.0)
    assert 0 < meter.per_s(60.0, 80) < 2  # what the time left was taken from


def test_a_pause_is_no_part_of_the_rate() -> None:
    seen = told([60.0] * 100 + [0.0] * 85 + [60.0] * 100)
    assert all(30 <= per_s <= 60 for second, _, per_s in seen if 60 <= second < 130)
    assert not any(per_s for second, _, per_s in seen if 130 <= second < 210)
    assert all(per_s == 60 for second, _, per_s in seen if second >= 230)


def test_few_requests_that_come_back_whole_tell_a_rate_too() -> None:
    # Two in flight, a completion of 100 tokens every 5 s.
    seen = told(([0.0] * 4 + [100.0]) * 20, in_flight=2)
    assert all(15 <= per_s <= 60 for second, _, per_s in seen if second >= 15)


@pytest.mark.parametrize(("in_flight", "silent_s"), [(10, 85.0), (0, 0.0)])
def test_a_silence_is_counted_while_something_is_asked(in_flight: int, silent_s: float) -> None:
    flow = Flow(0.0)
    flow.per_s(15.0, 100, 10)
    flow.per_s(100.0, 100, in_flight)
    assert flow.silent_s == silent_s


class PlayedPool:
    """A pool with 128 requests in flight that has heard so many tokens."""

    def __init__(self) -> None:
        self.heard = 0

    def tokens(self) -> int:
        return self.heard

    def in_flight(self) -> int:
        return 128

    def progress(self) -> tuple[ReplicaProgress, ...]:
        return ()


def test_after_a_resume_no_end_is_told_before_tokens_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    now, pool = [0.0], PlayedPool()
    monkeypatch.setattr("teacher.tally.time_s", lambda: now[0])
    tally = Tally(Schedule(564, SamplingRecipe().stop_rule()), Counter())
    tally.start(0.0)
    for order in range(100):
        tally.settled(order, sample("x", completion_tokens=60), True)
        tally.tried(1, True)
    tally.restored()
    told_s = []
    for second in range(1, 151):
        now[0] = float(second)
        pool.heard += 1 if second <= 60 else 60
        progress = tally.progress(cast(Pool, pool), [0] * 128, 0, "")
        told_s.append(progress.seconds_left)
    assert told_s[:60] == [None] * 60
    assert told_s[-1] is not None
    assert all(left_s < 2 * told_s[-1] for left_s in told_s if left_s is not None)
