"""What an answer can hold to hang, kill or fatten the Grader, and that it does none of it."""

from collections.abc import Iterator
from itertools import islice

import pytest

from bench import verify_hostile
from bench.hostile_texts import FAMILIES
from bench.verify_hostile import MemoryWatch, measure, peak_bytes, plain_pace
from filters.grader import Grader
from filters.verdict import Outcome

BUSY = 4  # a worker has 1.5 s of CPU time: 2 s hold where nobody else computes, as in the bench
EVERY = 11  # shares no factor with the number of families: each case is of another one
SLOWEST_IN_PROCESS_S = 0.5  # the quick layers run where nobody can kill them


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(workers=1) as grader:
        yield grader


def _subset() -> Iterator[verify_hostile.Hostile]:
    return islice(verify_hostile.cases(), 0, None, EVERY)


def test_every_family_is_in_the_bench_and_the_cases_are_the_same_each_time() -> None:
    first = [(case.family, len(case.completion)) for case in verify_hostile.cases()]
    assert first == [(case.family, len(case.completion)) for case in verify_hostile.cases()]
    assert len(first) == verify_hostile.CASES
    assert {name for name, _ in first if "completion" in name}
    assert all(any(name.startswith(family) for name, _ in first) for family in FAMILIES)


def test_hostile_cases_are_ruled_on_in_time_and_memory_and_the_pool_stays_fast(
    grader: Grader,
) -> None:
    ours = peak_bytes()
    with MemoryWatch() as watch:
        before = plain_pace(grader, pairs=10)
        measured = [measure(grader, case) for case in _subset()]
        after = plain_pace(grader, pairs=10)
    late = [m for m in measured if m.wall_s > BUSY * verify_hostile.LONGEST_VERDICT_S]
    assert [(m.case.family, m.wall_s) for m in late] == []
    slow = [m for m in measured if m.in_process_s > SLOWEST_IN_PROCESS_S]
    assert [(m.case.family, m.in_process_s) for m in slow] == []
    assert 0 < watch.largest_bytes < verify_hostile.LARGEST_WORKER_BYTES
    assert peak_bytes() - ours < verify_hostile.LARGEST_WORKER_BYTES
    assert after < 3 * before + 0.05


def test_a_hostile_text_meets_itself_or_nothing(grader: Grader) -> None:
    """An accept is for texts that are the same; a plain reference is never met by wild ones."""
    for case in islice(verify_hostile.cases(), 0, 1_000, 31):
        if case.family.startswith("completion") or len(case.reference) > 20:
            continue
        if f"{{{case.reference}}}" not in case.completion:
            verdict = measure(grader, case).verdict
            assert verdict.outcome != Outcome.ACCEPT, (case.family, case.reference)
