"""The curate flow's own words."""

import pytest

from flows.curate import unmeasured_line
from flows.recipe import load_recipe


@pytest.mark.parametrize(
    ("held_out", "sets", "is_said"),
    [(0, [], True), (3, [], False), (0, ["evals.benchmarks=[math-500]"], False)],
)
def test_a_run_that_measures_nobody_says_so(held_out: int, sets: list[str], is_said: bool) -> None:
    assert (unmeasured_line(load_recipe(overrides=sets), held_out) is not None) == is_said
