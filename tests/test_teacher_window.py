"""The window: what is read from /metrics, and where steering ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teacher.window import MOST_IN_FLIGHT, Gauges, next_window, parse_gauges

PAGE = b"""# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="deepseek-r1"} 100.0
vllm:num_requests_running{engine="1",model_name="deepseek-r1"} 28.0
vllm:num_requests_waiting{engine="0",model_name="deepseek-r1"} 3.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="deepseek-r1",reason="capacity"} 3.0
vllm:kv_cache_usage_perc{engine="0",model_name="deepseek-r1"} 0.4
vllm:kv_cache_usage_perc{engine="1",model_name="deepseek-r1"} 0.9
vllm:num_preemptions_total{engine="0",model_name="deepseek-r1"} 2.0
"""


def test_engines_of_one_server_are_added_and_the_fullest_cache_counts() -> None:
    assert parse_gauges(PAGE) == Gauges(running=128, queued=3, kv_usage=0.9, preemptions=2)


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html>",
        b"sglang:num_running_reqs 3\n",
        b"vllm:num_requests_running 3\n",
        PAGE.replace(b"28.0", b"many"),
        PAGE.replace(b"28.0", b"nan"),
        PAGE.replace(b"28.0", b"-1"),
        PAGE.replace(b"28.0", b"1e300"),
    ],
)
def test_what_is_not_vllms_page_gives_nothing(page: bytes) -> None:
    assert parse_gauges(page) is None


@given(st.binary(max_size=200))
def test_no_page_breaks_the_reader(page: bytes) -> None:
    parse_gauges(PAGE + b"vllm:" + page)


def settle(slots: int, window: int, rounds: int = 90) -> list[int]:
    """Windows while a server that runs `slots` sequences at once is kept as full as allowed."""
    windows, before = [window], None
    for _ in range(rounds):
        running = min(slots, window)
        now = Gauges(running, window - running, 0.5, 0)
        window = next_window(window, window, now, before)
        windows.append(window)
        before = now
    return windows


@given(slots=st.integers(1, 1_000), window=st.integers(1, MOST_IN_FLIGHT))
def test_steering_ends_just_above_what_the_server_runs_at_once(slots: int, window: int) -> None:
    last = settle(slots, window)[-5:]
    assert all(slots < window <= slots + 2 + slots // 32 for window in last)


def test_a_queue_that_drains_slowly_shrinks_the_window_once() -> None:
    """32 wait in excess, and one sequence ends between two looks."""
    window, outstanding, windows = 96, 96, []
    for _ in range(40):
        queued = max(0, outstanding - 64)
        window = next_window(window, outstanding, Gauges(64, queued, 0.5, 0), None)
        windows.append(window)
        outstanding = max(outstanding - 1, window)
    assert set(windows) == {66}


def test_a_window_that_is_not_full_stays() -> None:
    assert next_window(64, 10, Gauges(10, 0, 0.1, 0), None) == 64


def test_a_window_does_not_grow_on_what_the_server_has_not_counted_yet() -> None:
    """It says what it ran before its step began, and the step takes as long as twenty looks."""
    before_the_step, window = Gauges(1, 0, 0.01, 0), 128
    for _ in range(20):
        window = next_window(window, window, before_the_step, before_the_step)
    assert window == 128
    assert next_window(128, 128, Gauges(126, 0, 0.3, 0), before_the_step) > 128


def test_a_full_cache_stops_growth_and_lost_sequences_shrink_the_window() -> None:
    full = Gauges(64, 0, 0.97, 5)
    assert next_window(64, 64, full, full) == 64
    assert next_window(64, 64, full, Gauges(64, 0, 0.97, 4)) == 60
