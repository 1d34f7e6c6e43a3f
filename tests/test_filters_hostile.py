"""What an answer can hold to hang, kill or fatten the Grader, and that it does none of it."""

from collections.abc import Iterator

import pytest
from cpu_time import no_search_for_garbage

from bench.hostile_texts import FAMILIES
from bench.verify_hostile import (
    CASES,
    LARGEST_WORKER_BYTES,
    LONGEST_VERDICT_S,
    MemoryWatch,
    case,
    cases,
    measure,
    peak_bytes,
    worker_pace,
)
from filters.grader import Grader
from filters.verdict import Outcome

# A worker has 1.5 s of CPU time: 2 s hold where nobody else computes, as in the bench; it is waited
# for six times as long, and a new one has to start.
BUSY = 8
EVERY = 7  # shares no factor with the number of families: each case is of another one
SLOWEST_IN_PROCESS_S = 0.5  # the quick layers run where nobody can kill them


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(workers=1) as grader:
        yield grader


@pytest.mark.slow  # a thousand cases
def test_the_cases_are_the_same_each_time_and_every_family_is_among_them() -> None:
    for index in range(0, CASES, 50):
        assert case(index) == case(index)
    assert CASES == 1_000
    subset = {hostile.family.rpartition(" of ")[0] for hostile in cases(every=EVERY)}
    assert len(subset & set(FAMILIES)) > 70


@pytest.mark.slow  # a thousand cases
def test_hostile_cases_are_ruled_on_in_time_and_memory_and_the_pool_stays_fast(
    grader: Grader,
) -> None:
    ours = peak_bytes()
    with no_search_for_garbage(), MemoryWatch() as watch:
        before = worker_pace(grader, trips=10)
        measured = [measure(grader, hostile) for hostile in cases(every=EVERY)]
        after = worker_pace(grader, trips=10)
    late = [m for m in measured if m.wall_s > BUSY * LONGEST_VERDICT_S]
    assert [(m.case.family, m.wall_s) for m in late] == []
    slow = [m for m in measured if m.in_process_s > SLOWEST_IN_PROCESS_S]
    assert [(m.case.family, m.in_process_s) for m in slow] == []
    assert 0 < watch.largest_bytes < LARGEST_WORKER_BYTES
    assert peak_bytes() - ours < LARGEST_WORKER_BYTES
    assert after < 3 * before + 0.1


@pytest.mark.slow  # a thousand cases
def test_a_hostile_text_meets_itself_or_nothing(grader: Grader) -> None:
    """An accept is for texts that are the same; a plain reference is never met by wild ones."""
    for hostile in cases(every=31):
        if hostile.family.startswith("completion") or len(hostile.reference) > 20:
            continue
        if f"{{{hostile.reference}}}" not in hostile.completion:
            verdict = measure(grader, hostile).verdict
            assert verdict.outcome != Outcome.ACCEPT, (hostile.family, hostile.reference)
