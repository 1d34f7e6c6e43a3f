"""Submissions of known verdict to public contest problems, judged in the sandbox."""

import pytest

from bench import judge_contest
from filters.programs.problem import read_problem
from filters.sandbox.bubblewrap import Bubblewrap

here = pytest.mark.skipif(not judge_contest.DATA.is_file(), reason="../shared/data is not here")
QUICK = ("3d_printing", "bike_tour")
SLOW = sorted(set(judge_contest.verdicts()) - set(QUICK))


@pytest.mark.slow  # full test sets
@here
@pytest.mark.parametrize("problem_id", QUICK)
def test_each_submission_gets_the_verdict_it_must(problem_id: str, sandbox: Bubblewrap) -> None:
    assert _wrong(problem_id, sandbox) == []


@here
@pytest.mark.slow
@pytest.mark.parametrize("problem_id", SLOW)
def test_each_submission_gets_the_verdict_it_must_in_the_end(
    problem_id: str, sandbox: Bubblewrap
) -> None:
    assert _wrong(problem_id, sandbox) == []


def _wrong(problem_id: str, sandbox: Bubblewrap) -> list[str]:
    judged = judge_contest.judge_problem(judge_contest.problem_rows()[problem_id], sandbox)
    assert len(judged) >= 6
    return [
        f"{one.name}: {one.reason} instead of {one.expected}: {one.judgement.ruling.detail}"
        for one in judged
        if one.reason != one.expected or not one.is_decided_right
    ]


def test_every_solution_on_disk_has_its_verdict() -> None:
    for problem_id, known in judge_contest.verdicts().items():
        on_disk = {
            path.name
            for path in (judge_contest.SOLUTIONS / problem_id).iterdir()
            if path.is_file() and path.stem != "checker"
        }
        assert on_disk == set(known["solutions"]), problem_id


@here
def test_the_rows_are_problems_with_sample_and_secret_tests() -> None:
    problems = [read_problem(row) for row in judge_contest.problem_rows().values()]
    assert len(problems) >= 13
    assert all(len(problem.tests) >= 2 for problem in problems)
    assert sum(problem.checker is not None for problem in problems) == 5
