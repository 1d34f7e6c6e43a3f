"""evals/stats.py against brute force on random matrices and against textbook cases."""

import itertools
import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.stats import (
    bootstrap,
    clustered_error,
    cons_at_k,
    majority,
    paired_difference,
    pass_at_1,
    pass_at_k,
    wilson,
)


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


def test_the_bootstrap_agrees_with_the_exact_distribution_of_three_prompts():
    values = [0.0, 0.5, 1.0]
    exact = sorted(sum(draw) / 3 for draw in itertools.product(values, repeat=3))
    interval = bootstrap(values, confidence=0.8, resamples=40_000)
    assert interval.low == pytest.approx(exact[int(0.1 * len(exact))], abs=1e-9)
    assert interval.high == pytest.approx(exact[int(0.9 * len(exact))], abs=1e-9)


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
    after = before + 0.05
    change = paired_difference(before, after)
    assert change.value == pytest.approx(0.05)
    assert change.excludes_zero
    assert bootstrap(before).high > bootstrap(after).low


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_a_model_compared_with_itself_differs_by_zero(values):
    change = paired_difference(values, values, resamples=200)
    assert (change.value, change.low, change.high) == (0, 0, 0)
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


def test_one_prompt_solved_now_and_then_says_nothing_of_the_others():
    alone = bootstrap([0.5])
    assert (alone.value, alone.low, alone.high) == (0.5, 0.0, 1.0)
    assert not alone.excludes_zero
