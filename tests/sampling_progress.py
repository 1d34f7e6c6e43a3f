"""A SamplingProgress with every figure set, for tests of what shows it."""

from dataclasses import replace
from typing import Any

from teacher.progress import ReplicaProgress, SamplingProgress


def replica(number: int = 0, state: str = "up", **facts: Any) -> ReplicaProgress:
    made = ReplicaProgress(
        url=f"http://10.0.{number}.5:8000/v1",
        state=state,
        in_flight=100,
        window=128,
        queued=3,
        kv_usage=0.71,
        completion_tokens=5_000,
        tokens_per_s=182.4,
    )
    return replace(made, **facts)


def progress(**facts: Any) -> SamplingProgress:
    made = SamplingProgress(
        elapsed_s=3_600.0,
        prompts_done=417,
        prompts_total=564,
        samples=1_003,
        accepted=600,
        rejected=380,
        undecided=20,
        errors=3,
        truncated=12,
        in_flight=256,
        ungraded=7,
        completion_tokens=2_000_000,
        wasted_tokens=500_000,
        tokens_per_s=5_912.3,
        tokens_per_accepted=6_094.2,
        tokens_left=1_500_000.0,
        seconds_left=1_080.0,
        seconds_left_low=900.0,
        seconds_left_high=1_440.0,
        faults={"rate_limited": 3, "stalled": 12},
        replicas=(replica(0), replica(1, "lost")),
    )
    return replace(made, **facts)
