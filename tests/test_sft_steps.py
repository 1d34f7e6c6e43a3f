"""sft/steps.py: every row is trained on once an epoch, in bins that fit, alike on every rank."""

import math
from collections import Counter
from fractions import Fraction
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.steps import StepShape, padding_share, plan_steps

LENGTHS = st.lists(st.integers(1, 64), min_size=1, max_size=60)
SHAPES = st.builds(
    StepShape,
    epochs=st.sampled_from([0.3, 1, 2, 2.5]),
    batch_size=st.integers(1, 20),
    bin_rows=st.integers(1, 6),
    bin_tokens=st.none() | st.integers(64, 300),
    ranks=st.integers(1, 5),
    seed=st.integers(0, 3),
)


def rows_of(step):
    return [row for ours in step for held in ours for row in held]


def tokens_of(held, lengths):
    return sum(lengths[row] for row in held)


@given(LENGTHS, SHAPES)
def test_every_row_is_trained_on_once_an_epoch(lengths, shape):
    plan = plan_steps(lengths, shape)
    assert plan.per_epoch == math.ceil(len(lengths) / shape.batch_size)
    assert len(plan.steps) == math.ceil(Fraction(str(shape.epochs)) * plan.per_epoch)
    steps = list(plan.steps)
    for start in range(0, len(steps), plan.per_epoch):
        epoch = steps[start : start + plan.per_epoch]
        seen = Counter(chain.from_iterable(map(rows_of, epoch)))
        assert set(seen.values()) == {1}
        if len(epoch) == plan.per_epoch:
            assert seen.keys() == set(range(len(lengths)))


@pytest.mark.parametrize(("epochs", "steps"), [(1.1, 110), (2.2, 220), (1.101, 111), (1e-5, 1)])
def test_a_part_of_an_epoch_is_counted_as_it_is_written(epochs, steps):
    shape = StepShape(epochs, batch_size=1, bin_rows=1, bin_tokens=None, ranks=1, seed=0)
    assert len(plan_steps([5] * 100, shape).steps) == steps


@given(LENGTHS, SHAPES)
def test_steps_of_an_epoch_differ_by_one_row_at_most_and_none_is_over_the_batch(lengths, shape):
    sizes = [len(rows_of(step)) for step in plan_steps(lengths, shape).steps]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= shape.batch_size


@given(LENGTHS, SHAPES)
def test_bins_hold_no_more_than_they_may_and_ranks_have_equally_many(lengths, shape):
    for step in plan_steps(lengths, shape).steps:
        assert len(step) == shape.ranks
        assert len({len(ours) for ours in step}) == 1
        for held in chain.from_iterable(step):
            if shape.bin_tokens is None:
                assert len(held) <= shape.bin_rows
            else:
                assert tokens_of(held, lengths) <= shape.bin_tokens


@given(LENGTHS, SHAPES)
def test_ranks_differ_by_no_more_tokens_than_one_bin(lengths, shape):
    for step in plan_steps(lengths, shape).steps:
        loads = [sum(tokens_of(held, lengths) for held in ours) for ours in step]
        largest = max(tokens_of(held, lengths) for held in chain.from_iterable(step))
        assert max(loads) - min(loads) <= largest


@given(LENGTHS, SHAPES)
def test_no_packed_step_takes_twice_the_passes_it_must(lengths, shape):
    if shape.bin_tokens is None:
        return
    for step in plan_steps(lengths, shape).steps:
        # Best fit leaves at most one bin half empty: two such would have been one.
        total = sum(lengths[row] for row in rows_of(step))
        fewest = math.ceil(total / shape.bin_tokens)
        assert len(step[0]) <= math.ceil(2 * fewest / shape.ranks)


@given(LENGTHS, SHAPES)
def test_a_plan_is_the_same_each_time_and_another_for_another_seed(lengths, shape):
    plan = plan_steps(lengths, shape)
    steps = list(plan.steps)
    assert steps == list(plan_steps(lengths, shape).steps)
    # In whatever order they are asked for, as a training that continues does.
    assert [plan.steps[at] for at in reversed(range(len(steps)))] == steps[::-1]
    if len(lengths) > 30 and plan.per_epoch > 3:
        other = StepShape(**{**as_values(shape), "seed": shape.seed + 10})
        assert steps != list(plan_steps(lengths, other).steps)


def as_values(shape):
    return {name: getattr(shape, name) for name in StepShape.__slots__}


@given(LENGTHS, SHAPES)
def test_the_rows_of_a_step_do_not_depend_on_how_they_are_laid(lengths, shape):
    plan = plan_steps(lengths, shape)
    otherwise = StepShape(**{**as_values(shape), "ranks": 3, "bin_tokens": 64})
    for one, two in zip(plan.steps, plan_steps(lengths, otherwise).steps, strict=True):
        assert sorted(rows_of(one)) == sorted(rows_of(two))


def test_each_epoch_has_an_order_of_its_own():
    plan = plan_steps([5] * 40, StepShape(2, 4, 4, None, 1, 0))
    steps = [set(rows_of(step)) for step in plan.steps]
    assert steps[: plan.per_epoch] != steps[plan.per_epoch :]


def test_rows_that_fill_their_bins_leave_a_rank_of_the_last_pass_without_one():
    (step,) = plan_steps([10, 10, 10], StepShape(1, 3, 1, 10, 2, 0)).steps
    assert [[len(held) for held in ours] for ours in step] == [[1, 0], [1, 1]]


def test_packed_rows_have_no_padding_and_padded_ones_say_how_much():
    lengths = [10, 4, 10, 4]
    packed = plan_steps(lengths, StepShape(1, 4, 4, 100, 1, 0))
    assert padding_share(packed, lengths, packed=True) == 0
    padded = plan_steps(lengths, StepShape(1, 4, 4, None, 1, 0))
    assert padding_share(padded, lengths, packed=False) == pytest.approx(12 / 40)
    assert padding_share(padded, lengths, packed=False, multiple=16) == pytest.approx(36 / 64)
