"""Which accepted samples become traces."""

from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from filters.selection import SelectionRecipe, select

SAMPLES = pl.DataFrame(
    {
        "sample_id": ["a0", "a1", "a2", "b0", "b1", "c0"],
        "prompt_id": ["a", "a", "a", "b", "b", "c"],
        "sample_index": [0, 1, 2, 0, 1, 0],
        "completion_tokens": [30, 10, 20, 5, 5, 9],
    }
)


def verdicts(**outcomes: str | None) -> pl.DataFrame:
    return pl.DataFrame({"sample_id": list(outcomes), "outcome": list(outcomes.values())})


ALL = dict.fromkeys(SAMPLES["sample_id"].to_list(), "accept")


@pytest.mark.parametrize(
    ("recipe", "kept"),
    [
        ({"keep": 1, "order": "shortest"}, ["a1", "b0", "c0"]),
        ({"keep": 1, "order": "longest"}, ["a0", "b0", "c0"]),
        ({"keep": 2, "order": "first"}, ["a0", "a1", "b0", "b1", "c0"]),
        ({"keep": 2, "order": "shortest"}, ["a1", "a2", "b0", "b1", "c0"]),
        ({"keep": 9}, ["a0", "a1", "a2", "b0", "b1", "c0"]),
    ],
)
def test_orders(recipe: dict[str, Any], kept: list[str]) -> None:
    chosen = select(SAMPLES, verdicts(**ALL), SelectionRecipe(**recipe))
    assert chosen["sample_id"].to_list() == kept
    assert chosen.columns == SAMPLES.columns


@pytest.mark.parametrize("doubt", ["reject", "undecided", None])
def test_only_accepted_samples_are_kept(doubt: str | None) -> None:
    given = verdicts(**{**ALL, "a1": doubt})
    assert select(SAMPLES, given, SelectionRecipe())["sample_id"].to_list() == ["a2", "b0", "c0"]


def test_one_reject_among_several_verdicts_is_enough() -> None:
    given = pl.concat([verdicts(**ALL), verdicts(a1="reject", b0="accept")])
    assert select(SAMPLES, given, SelectionRecipe())["sample_id"].to_list() == ["a2", "b0", "c0"]


def test_a_sample_without_a_verdict_is_left_out() -> None:
    given = verdicts(a0="accept")
    assert select(SAMPLES, given, SelectionRecipe())["sample_id"].to_list() == ["a0"]


def test_a_recipe_is_strict() -> None:
    with pytest.raises(ValidationError):
        SelectionRecipe(keep=0)
    with pytest.raises(ValidationError):
        SelectionRecipe(order="best")  # type: ignore[arg-type]
