"""evals/codeforces_rating.py against published changes, closed forms and hand-made rounds."""

import json
import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.codeforces_rating import (
    Contest,
    expected_place,
    place_of,
    rate,
    rating_of_place,
    read_contests,
)
from filters.verdict import Outcome, Reason, Verdict
from prompts.errors import PrerequisiteError
from teacher.sample import Sample, sample_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)

# Figures of the first case in carrot/tests/test-predict.ts of github.com/meooow25/carrot, whose
# results are checked there against Codeforces': (points, penalty, rating before, published change).
# Who is unrated counts as 1,500, as then.
PUBLISHED_ROUND = [
    (4000, 10, 3000, -237),
    (2500, 50, 2400, -175),
    (1500, 80, 1800, -35),
    (-100, 300, 500, -50),
    (5000, 0, 1500, 514),
    (2500, 40, 1800, 121),
    (800, 40, 2000, -145),
]


def test_codeforces_own_examples_of_its_formula():
    # codeforces.com/blog/entry/20762: 200 points ahead wins with ~0.75, 400 ahead with ~0.9.
    assert expected_place(1_700, np.array([1_500.0])) - 1 == pytest.approx(0.25, abs=0.01)
    assert expected_place(1_900, np.array([1_500.0])) - 1 == pytest.approx(0.1, abs=0.01)


def test_published_rating_changes_follow_from_expected_places():
    # What Codeforces does with places (the same blog): half the way to the rating of the geometric
    # mean of expected and actual place, then all lowered so that ratings do not inflate.
    before = [row[2] for row in PUBLISHED_ROUND]
    half_ways = []
    for points, penalty, rating, _ in PUBLISHED_ROUND:
        others = np.array(before, dtype=float)
        others = np.delete(others, before.index(rating))
        place = sum((-p, q) <= (-points, penalty) for p, q, *_ in PUBLISHED_ROUND)
        middle = math.sqrt(place * expected_place(rating, others))
        half_ways.append(math.trunc((rating_of_place(middle, others) - rating) / 2))
    n = len(before)
    changes = [half + math.trunc(-sum(half_ways) / n) - 1 for half in half_ways]
    lowered = min(4 * round(math.sqrt(n)), n)
    by_rating = sorted(range(n), key=lambda i: -before[i])[:lowered]
    extra = min(max(math.trunc(-sum(changes[i] for i in by_rating) / lowered), -10), 0)
    assert [change + extra for change in changes] == [row[3] for row in PUBLISHED_ROUND]


@given(
    st.integers(2, 400), st.integers(800, 3_000), st.data()
)  # n equals R-rated: the place p is worth R + 400 log10(n / (p - 1) - 1)
def test_among_equals_a_place_is_worth_what_the_closed_form_says(n, rating, data):
    place = data.draw(st.integers(2, n))
    exact = rating + 400 * math.log10(n / (place - 1) - 1)
    found = rating_of_place(place, np.full(n, float(rating)))
    assert found == pytest.approx(max(exact, 0), abs=1.01)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3_900), min_size=1, max_size=30), st.data())
def test_a_place_is_worth_what_trying_every_rating_finds(ratings, data):
    field = np.array(ratings, dtype=float)
    place = data.draw(st.integers(1, len(ratings) + 1))
    every = np.arange(8_000)
    chances = 1 / (1 + 10 ** ((every[:, None] - field) / 400))
    reached = every[1 + chances.sum(axis=1) >= place]
    assert rating_of_place(place, field) == (reached.max() if len(reached) else 0)


def test_the_middle_place_among_equals_is_worth_their_rating():
    assert rating_of_place(6, np.full(10, 1_500.0)) == 1_500


def test_the_last_place_is_worth_little_and_never_less_than_nothing():
    assert rating_of_place(3, np.array([1_200.0, 1_900.0])) == 0


def contest(contest_id="1", rows=((1000, 0, 1900), (500, 0, 1500), (0, 0, 1100)), **problems):
    points, penalties, ratings = np.array(rows, dtype=float).T
    return Contest(contest_id, problems or {"A": 500.0, "B": 1_000.0}, points, penalties, ratings)


def test_a_tie_takes_the_worst_of_its_places():
    assert place_of(500, 0, contest()) == 3
    assert place_of(501, 0, contest()) == 2
    assert place_of(0, 0, contest()) == 4


def test_fewer_penalty_minutes_are_ahead_at_equal_points():
    icpc = contest(rows=((2, 30, 1900), (2, 90, 1500)))
    assert place_of(2, 50, icpc) == 2


def sample(prompt, index, error=None):
    return Sample(
        sample_id(prompt, index), prompt, index, "m", "r", "zero-shot", 0.6, 0.95, 64, 0,
        "x", "", "x", "stop", 5, 10, 0, 10, "r0", NOW, NOW, 1, error,
    )  # fmt: skip


def graded(prompt, flags):
    samples = [sample(prompt, i) for i in range(len(flags))]
    verdicts = [
        Verdict(s.sample_id, "program", "1", Outcome.ACCEPT if flag else Outcome.REJECT,
                Reason.MATCH if flag else Reason.WRONG_OUTPUT)
        for s, flag in zip(samples, flags, strict=True)
    ]  # fmt: skip
    return samples, verdicts


def rated(contests, attempts=8, **flags):
    """`a1="010"`: problem A of contest 1, solved by the second of three samples."""
    problems, samples, verdicts = {}, [], []
    for name, text in flags.items():
        problems[name] = f"{name[1:]}/{name[0].upper()}"
        some, ruled = graded(name, [mark == "1" for mark in text])
        samples += some
        verdicts += ruled
    return rate(problems, samples, verdicts, contests, attempts)


def test_the_best_place_proves_no_more_than_a_hundred_above_the_best():
    assert rated([contest()], a1="1", b1="1").rating.value == 2_000


def test_a_rating_above_all_there_ever_were_lies_within_its_interval():
    one = contest(rows=((1000, 0, 4_039), (500, 0, 1500)))
    found = rated([one], a1="1", b1="1").rating
    assert found.low <= found.value == found.high == 4_139


def test_a_wrong_submission_costs_points_and_with_them_places():
    rows = [(1_600 - 50 * i, 0, 2_900 - 100 * i) for i in range(20)]
    clean = rated([contest(rows=rows)], a1="1", b1="1")
    second = rated([contest(rows=rows)], a1="01", b1="01")
    assert clean.rating.value == rating_of_place(4, contest(rows=rows).ratings)
    assert second.rating.value == rating_of_place(6, contest(rows=rows).ratings)  # 1,400 points


def test_a_problem_of_two_divisions_is_solved_in_both():
    # The set has it once, under its id in one of the contests.
    first, second = contest("1", A=500.0), contest("2", C=500.0, D=1_000.0)
    samples, verdicts = graded("shared", [True])
    more, ruled = graded("own", [False])
    problems = {"shared": "1/A 2/C 3/E", "own": "2/D"}
    found = rate(problems, samples + more, verdicts + ruled, [first, second])
    worth = rating_of_place(3, first.ratings)
    assert found.contests == {"1": worth, "2": worth}
    assert (found.unasked, found.without_standings) == (0, 0)  # nothing else of 3 was asked


def test_what_nobody_could_grade_is_no_wrong_submission():
    rows = [(1_600 - 50 * i, 0, 2_900 - 100 * i) for i in range(20)]
    problems = {"a1": "1/A", "b1": "1/B"}
    samples, verdicts = graded("a1", [False, True])
    unrun = Verdict(
        samples[0].sample_id, "program", "1", Outcome.UNDECIDED, Reason.SANDBOX_UNAVAILABLE
    )
    found = rate(problems, samples, [unrun, verdicts[1]], [contest(rows=rows)])
    first_try = rated([contest(rows=rows)], a1="1", b1="0")
    assert found.rating.value == first_try.rating.value
    assert (found.attempts, found.unasked) == (2, 1)  # of B there is no answer at all


def test_a_solved_problem_never_gives_less_than_three_tenths():
    rows = [(151, 0, 1_600), (149, 0, 1_400)]
    late = rated([contest(rows=rows, A=500.0)], attempts=16, a1="0" * 15 + "1")
    assert late.rating.value == rating_of_place(2, np.array([1_600.0, 1_400.0]))


def test_problems_without_points_count_one_and_ten_minutes_a_wrong_try():
    rows = [(2, 5, 1_900), (1, 5, 1_500), (1, 15, 1_300)]
    icpc = contest(rows=rows, A=None, B=None)
    assert rated([icpc], a1="01", b1="00").rating.value == rating_of_place(3, icpc.ratings)


def test_sixteen_samples_are_two_participations_of_eight():
    both = rated([contest()], a1="1" + "0" * 15, b1="0" * 16)
    solved, nothing = (rating_of_place(p, contest().ratings) for p in (3, 4))
    assert (both.attempts, both.participations) == (8, 2)
    assert both.rating.value == (solved + nothing) / 2


def test_a_problem_that_half_the_participations_lack_is_counted_as_missed():
    # A sampling that was stopped: of B the second eight never came, and cost the second place.
    whole = rated([contest()], a1="1" * 16, b1="1" * 16)
    stopped = rated([contest()], a1="1" * 16, b1="1" * 8)
    assert stopped.rating.value < whole.rating.value
    assert (whole.unasked, stopped.unasked) == (0, 1)


def test_the_rating_is_the_mean_over_contests_with_an_interval_over_them():
    contests = [contest(str(i)) for i in range(1, 5)]
    marks = {f"b{i}": "1" if i % 2 else "0" for i in range(1, 5)}
    found = rated(contests, **marks)
    assert found.rating.n == 4
    assert found.rating.value == np.mean(list(found.contests.values()))
    assert found.rating.low < found.rating.value < found.rating.high
    assert found.unasked == 4  # problem A of each


def test_one_contest_says_nothing_of_others():
    assert (rated([contest()], a1="1").rating.low, rated([contest()], a1="1").rating.high) == (
        0.0,
        4_100.0,
    )


def test_a_sample_that_failed_is_no_submission():
    samples, verdicts = graded("p", [False, True])
    samples[0] = sample("p", 0, error="connection lost")
    rows = [(500, 0, 1_600), (470, 0, 1_400)]
    one = contest(rows=rows, A=500.0)
    assert rate({"p": "1/A"}, samples, verdicts, [one]).rating.value == rating_of_place(
        2, one.ratings
    )


def test_problems_of_contests_without_standings_are_named():
    with pytest.raises(PrerequisiteError, match=r"no standings of the contests.*2030"):
        rated([contest("7")], a2030="1")
    assert rated([contest()], a1="1", a2030="1").without_standings == 1


def write(folder, contest_id, standings, changes):
    for what, result in (("standings", standings), ("ratingChanges", changes)):
        text = json.dumps({"status": "OK", "result": result})
        (folder / f"{contest_id}.{what}.json").write_text(text)


def row(handle, points, penalty=0):
    return {"party": {"members": [{"handle": handle}]}, "points": points, "penalty": penalty}


def test_a_contest_is_read_as_the_api_answers_it(tmp_path):
    standings = {
        "problems": [{"index": "A", "points": 500.0}, {"index": "B"}],
        "rows": [row("kim", 900), row("guest", 700), row("lee", 400, 12)],
    }
    changes = [{"handle": "lee", "oldRating": 1400}, {"handle": "kim", "oldRating": 2100}]
    write(tmp_path, 2030, standings, changes)
    (found,) = read_contests(tmp_path)
    assert (found.contest_id, found.problems) == ("2030", {"A": 500.0, "B": None})
    assert found.points.tolist() == [900, 400]
    assert found.penalties.tolist() == [0, 12]
    assert found.ratings.tolist() == [2100, 1400]


def test_a_folder_of_standings_that_is_none_is_named(tmp_path):
    with pytest.raises(PrerequisiteError, match=r"no ID\.standings\.json there"):
        read_contests(tmp_path)
    write(tmp_path, 5, {"problems": [], "rows": [row("kim", 1)]}, [])
    with pytest.raises(PrerequisiteError, match=r"nobody in it is in 5\.ratingChanges"):
        read_contests(tmp_path)
    write(tmp_path, 5, {"rows": []}, [])
    with pytest.raises(PrerequisiteError, match=r"not what contest\.standings answers"):
        read_contests(tmp_path)
    (tmp_path / "5.ratingChanges.json").write_text('{"status": "FAILED", "comment": "x"}')
    with pytest.raises(PrerequisiteError, match="no answer of Codeforces' API with status OK"):
        read_contests(tmp_path)
    (tmp_path / "5.ratingChanges.json").unlink()
    with pytest.raises(PrerequisiteError, match="cannot be read as JSON"):
        read_contests(tmp_path)
