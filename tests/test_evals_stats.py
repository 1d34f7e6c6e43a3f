"""evals/stats.py against brute force on random matrices and against textbook cases."""

import itertools
import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.score_agreement import (
    brute_force,
    exact_bootstrap,
    largest_differences,
    lighteval,
    random_cases,
)
from evals.stats import (
    bootstrap,
    bootstrap_mean,
    clustered_error,
    cons_at_k,
    majority,
    mean_of_few,
    paired_difference,
    pass_at_1,
    pass_at_k,
    wilson,
)


def test_every_statistic_equals_brute_force_on_a_thousand_random_matrices():
    worst = largest_differences(brute_force, 1_000)
    assert len(worst) == 6
    assert max(worst.values()) < 1e-12


@pytest.mark.slow
def test_every_statistic_equals_lightevals_on_a_thousand_random_matrices():
    try:
        lighteval(next(random_cases(1)))
    except ImportError as error:
        pytest.skip(f"lighteval cannot be imported: {error}")
    worst = largest_differences(lighteval, 1_000)
    assert set(worst) == {"pass@1", "pass@k", "cons@k", "standard error"}
    assert max(worst.values()) < 1e-12


def test_pass_at_1_is_the_mean_over_a_prompts_samples():
    assert pass_at_1([[1, 0, 0, 0], [1, 1, 1, 1]]).tolist() == [0.25, 1.0]


def test_a_missing_sample_is_left_out_and_not_counted_wrong():
    scores = pass_at_1([[1, math.nan], [math.nan, math.nan]])
    assert scores[0] == 1.0
    assert math.isnan(scores[1])


def test_pass_at_k_equals_the_share_of_k_subsets_that_hold_an_accepted_sample():
    draw = random.Random(7)
    for _ in range(1_000):
        n = draw.randint(1, 8)
        k = draw.randint(1, n)
        row = [draw.random() < 0.4 for _ in range(n)]
        subsets = list(itertools.combinations(row, k))
        share = sum(any(subset) for subset in subsets) / len(subsets)
        assert pass_at_k([row], k)[0] == pytest.approx(share, abs=1e-12)


def test_pass_at_k_is_undefined_with_fewer_samples_than_k():
    assert math.isnan(pass_at_k([[1, 0, math.nan]], 3)[0])


def test_pass_at_k_stays_exact_at_two_hundred_samples():
    row = [[1] * 1 + [0] * 199]
    assert pass_at_k(row, 100)[0] == pytest.approx(0.5, abs=1e-12)


def test_pass_at_0_is_refused():
    with pytest.raises(ValueError, match="k >= 1"):
        pass_at_k([[1]], 0)


def test_a_flat_list_is_no_score_matrix():
    with pytest.raises(ValueError, match="prompts × samples"):
        pass_at_1([1, 0])


@given(st.lists(st.sampled_from(["a", "b", "c", None]), max_size=9))
def test_the_majority_is_the_largest_group_and_the_earliest_of_equals(answers):
    counts = Counter(answer for answer in answers if answer is not None)
    winner = majority(answers)
    if not counts:
        assert winner == []
        return
    most = max(counts.values())
    tied = [answer for answer in answers if answer is not None and counts[answer] == most]
    assert winner == [i for i, answer in enumerate(answers) if answer == tied[0]]


def test_the_majoritys_answer_is_right_if_any_that_gave_it_was_accepted():
    assert cons_at_k([["4", "4", "4", "5"]], [[0, 1, 1, 0]])[0] == 1.0
    assert cons_at_k([["4", "5", "5"]], [[1, 0, 0]])[0] == 0.0
    assert cons_at_k([["4", None]], [[math.nan, math.nan]])[0] != 1.0


def test_cons_at_k_equals_brute_force_on_a_thousand_random_matrices():
    draw = random.Random(3)
    for _ in range(1_000):
        n, right = draw.randint(1, 6), draw.choice("xyz")
        given_ = [draw.choice(["x", "y", "z", None]) for _ in range(n)]
        correct = [[answer == right for answer in given_]]
        voted = [answer for answer in given_ if answer is not None]
        # Counter keeps first-seen order, and max the first of equals: the stated rule for ties.
        counts = Counter(voted)
        wanted = float(bool(voted) and max(counts, key=lambda a: counts[a]) == right)
        assert cons_at_k([given_], correct)[0] == wanted


def test_wilson_agrees_with_the_textbook():
    # Newcombe 1998, Statistics in Medicine 17: 857-872, table I, method 3 (score).
    for successes, n, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        interval = wilson(successes, n)
        assert interval.low == pytest.approx(low, abs=5e-5)
        assert interval.high == pytest.approx(high, abs=5e-5)


def test_wilson_refuses_more_successes_than_trials():
    with pytest.raises(ValueError, match="5 of 4"):
        wilson(5, 4)


def test_the_bootstrap_agrees_with_the_exact_distribution_of_all_draws():
    draw = random.Random(5)
    for _ in range(20):
        values = [draw.randint(0, 4) / 4 for _ in range(5)]
        values[0], values[1] = 0.25, 0.75  # some spread
        low, high = exact_bootstrap(values, 0.8)
        interval = bootstrap_mean(values, (0.0, 1.0), confidence=0.8, resamples=40_000)
        # Means lie 1/20 apart: a quantile may fall on the neighbour of the exact one.
        assert interval.low == pytest.approx(low, abs=0.051)
        assert interval.high == pytest.approx(high, abs=0.051)
        assert interval.value == pytest.approx(sum(values) / 5)


def test_repeated_scores_are_resampled_as_often_as_they_come():
    # A draw of 100,000 prompts with share 0.3 has a mean whose error is the binomial's.
    interval = bootstrap([1.0] * 30_000 + [0.0] * 70_000)
    half = 1.96 * math.sqrt(0.3 * 0.7 / 100_000)
    assert interval.low == pytest.approx(0.3 - half, abs=half / 20)
    assert interval.high == pytest.approx(0.3 + half, abs=half / 20)


def test_one_value_of_any_kind_says_no_more_than_its_bounds():
    alone = bootstrap_mean([1_400.0, math.nan], (0.0, 4_000.0))
    assert (alone.value, alone.low, alone.high, alone.n) == (1_400.0, 0.0, 4_000.0, 1)
    assert bootstrap_mean([], (0.0, 1.0)).n == 0


@pytest.mark.parametrize(("values", "t"), [(2, 12.7062), (3, 4.30265), (5, 2.77645), (7, 2.44691)])
def test_the_mean_of_a_few_has_students_interval(values, t):
    few = np.arange(values) * 100.0
    found = mean_of_few(few, (-1e6, 1e6))
    assert (found.value, found.n) == (few.mean(), values)
    assert found.high - found.value == pytest.approx(t * clustered_error(few), rel=1e-5)
    assert mean_of_few(few, (-1e6, 1e6), seed=1) == found


def test_the_mean_of_three_covers_the_truth_about_as_often_as_it_says():
    drawn = np.random.default_rng(1).normal(1_400, 350, size=(100, 3))
    found = [mean_of_few(values, (-1e6, 1e6)) for values in drawn]
    assert sum(one.low <= 1_400 <= one.high for one in found) >= 92  # the percentile interval: 72


def test_the_mean_of_a_few_stays_within_its_bounds_and_many_are_resampled():
    assert mean_of_few([1.0, 2.0, 3.0], (0.0, 3.0)).low == 0.0
    for values in ([1.0], [2.0, 2.0], list(range(9))):
        assert mean_of_few(values, (0.0, 9.0)) == bootstrap_mean(values, (0.0, 9.0))


def test_the_bootstrap_is_the_same_for_the_same_seed():
    values = np.random.default_rng(0).random(50)
    assert bootstrap(values, seed=4) == bootstrap(values, seed=4)
    assert bootstrap(values, seed=4) != bootstrap(values, seed=5)


def test_the_bootstrap_covers_the_truth_about_as_often_as_it_says():
    draw = np.random.default_rng(1)
    hits = 0
    for trial in range(300):
        rates = draw.beta(2, 3, size=60)  # mean 0.4
        scores = pass_at_1(draw.random((60, 4)) < rates[:, None])
        interval = bootstrap(scores, seed=trial, resamples=1_000)
        hits += interval.low <= 0.4 <= interval.high
    assert 0.90 <= hits / 300 <= 0.99


@pytest.mark.parametrize(("prompts", "mean"), [(30, 0.02), (30, 0.05), (14, 0.15), (30, 0.98)])
def test_a_score_that_few_prompts_carry_covers_the_truth_as_often_as_it_says(prompts, mean):
    # As on AIME with 64 samples: most prompts are never solved (or always), a handful now and then.
    draw = np.random.default_rng(1)
    hits = 0
    for trial in range(300):
        rates = draw.beta(mean, 1 - mean, size=prompts)
        interval = bootstrap(draw.binomial(64, rates) / 64, seed=trial, resamples=500)
        hits += interval.low <= mean <= interval.high
    assert hits / 300 >= 0.93  # of the percentile interval alone: 0.72 to 0.87


def test_the_interval_does_not_shrink_when_one_prompt_is_solved_once():
    never, once = bootstrap([0.0] * 30), bootstrap([0.25] + [0.0] * 29)
    assert never.high < once.high


def test_a_score_of_zero_everywhere_still_has_an_interval():
    interval = bootstrap([0.0] * 40)
    assert interval.value == 0.0
    assert 0.05 < interval.high < 0.1


def test_the_bootstrap_of_nothing_has_no_prompts():
    assert bootstrap([math.nan]).n == 0


def test_many_prompts_are_resampled_in_slices():
    interval = bootstrap(np.arange(30_000) % 2, resamples=1_000)
    assert interval.low == pytest.approx(0.5 - 1.96 * 0.5 / math.sqrt(30_000), abs=1e-3)


def test_the_clustered_error_is_larger_than_the_naive_one_when_samples_agree():
    matrix = np.repeat(np.random.default_rng(2).random((100, 1)) < 0.5, 8, axis=1)
    naive = math.sqrt(0.25 / 800)
    assert clustered_error(pass_at_1(matrix)) > 2.5 * naive


def test_pairing_finds_a_difference_that_separate_intervals_hide():
    before = np.linspace(0, 0.9, 50)
    after = before + np.tile([0.04, 0.06], 25)
    change = paired_difference(before, after)
    assert change.value == pytest.approx(0.05)
    assert change.excludes_zero
    assert bootstrap(before).high > bootstrap(after).low


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_a_model_compared_with_itself_differs_by_zero(values):
    change = paired_difference(values, values, resamples=200)
    assert change.value == 0
    assert change.low == -change.high
    assert not change.excludes_zero


def test_scores_of_different_prompts_cannot_be_paired():
    with pytest.raises(ValueError, match="shape"):
        paired_difference([1, 0], [1])


def test_a_prompt_without_a_score_leaves_the_pair():
    assert paired_difference([0, math.nan, 0], [1, 1, math.nan]).n == 1


def test_one_pair_of_prompts_proves_no_difference():
    change = paired_difference([0.0], [1.0])
    assert (change.value, change.low, change.high, change.n) == (1.0, -1.0, 1.0, 1)
    assert not change.excludes_zero
    assert not paired_difference([math.nan], [1.0]).excludes_zero


def test_a_few_prompts_that_all_turned_right_prove_no_difference():
    change = paired_difference([0.0] * 2, [1.0] * 2)
    assert change.value == 1.0
    assert not change.excludes_zero
    assert paired_difference([0.0] * 10, [1.0] * 10).excludes_zero
    # the same difference everywhere, whatever floats make of it
    small = paired_difference([0.7, 0.1, 0.4], [0.8, 0.2, 0.5])
    assert small.low < 0 < small.value < small.high


def test_no_difference_among_few_prompts_leaves_room_for_one():
    few, many = (paired_difference([0.0] * n, [0.0] * n) for n in (5, 500))
    assert few.low < -0.3
    assert few.high > 0.3
    assert -0.01 < many.low < 0 < many.high < 0.01


@pytest.mark.parametrize("prompts", [5, 30, 198])
def test_a_handful_of_prompts_that_turned_right_prove_no_difference(prompts):
    # Of four that turned and none that turned back, chance makes one in eight (McNemar, exact).
    four = paired_difference([0.0] * prompts, [1.0] * 4 + [0.0] * (prompts - 4))
    assert four.low < 0 < four.value < four.high
    assert paired_difference([0.0] * 30, [1.0] * 8 + [0.0] * 22).excludes_zero


def test_a_difference_that_few_prompts_carry_covers_the_truth_as_often_as_it_says():
    # As on AIME with 64 samples: three prompts are solved at times by both, the others never, but
    # that one in twenty gains half its samples.
    draw = np.random.default_rng(1)
    hits, both = 0, np.repeat([0.5, 0.0], [3, 27])
    for trial in range(300):
        gains = 0.5 * ((both == 0) & (draw.random(30) < 0.05))
        before, after = draw.binomial(64, both) / 64, draw.binomial(64, both + gains) / 64
        change = paired_difference(before, after, seed=trial, resamples=500)
        hits += change.low <= 0.5 * 0.05 * 27 / 30 <= change.high
    assert hits / 300 >= 0.93  # of the percentile interval alone: 0.78


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=12))
def test_an_interval_holds_its_value_and_stays_within_its_bounds(values):
    for found in (bootstrap(values, resamples=500), paired_difference(values, [0.5] * len(values))):
        assert -1 <= found.low <= found.value <= found.high <= 1


def test_one_prompt_solved_now_and_then_says_nothing_of_the_others():
    alone = bootstrap([0.5])
    assert (alone.value, alone.low, alone.high) == (0.5, 0.0, 1.0)
    assert not alone.excludes_zero
