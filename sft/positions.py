"""Whether a student has positions for its longest row: RoPE as trained, or stretched on purpose.

A base that has never seen a position makes noise of it. More positions than the base was made for
need a higher RoPE base (rope_theta), under which far positions turn no faster than near ones did,
or a scaling of it: YaRN (Peng et al. 2023, arXiv 2309.00071) or that of Llama 3.1.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class RopeScaling(BaseModel):
    """How far a RoPE is stretched, in the words of transformers and vLLM, which read it alike.

    Not `linear` and `dynamic`: vLLM multiplies max_position_embeddings by their factor once more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rope_type: Literal["yarn", "llama3"] = Field(description="whose formula")
    factor: float = Field(gt=1, description="how many times as many positions there are")
    original_max_position_embeddings: int = Field(ge=16, description="positions there were")
    low_freq_factor: float | None = Field(default=None, gt=0, description="llama3; Meta took 1")
    high_freq_factor: float | None = Field(default=None, gt=0, description="llama3; Meta took 4")

    @model_validator(mode="after")
    def _frequencies_are_llamas(self) -> Self:
        low, high = self.low_freq_factor, self.high_freq_factor
        if self.rope_type == "yarn" and (low or high):
            raise ValueError("low_freq_factor and high_freq_factor are llama3's, not yarn's")
        if self.rope_type == "llama3" and not (low and high and low < high):
            raise ValueError("llama3 needs low_freq_factor below high_freq_factor, such as 1 and 4")
        return self

    @property
    def positions(self) -> int:
        """How many positions there are with it."""
        return int(self.original_max_position_embeddings * self.factor)

    def problem(self, own_positions: int, positions: int) -> str | None:
        """Why it does not give the base `positions`, in place of its own; None if it does."""
        original = self.original_max_position_embeddings
        if original > own_positions:
            return (
                f"rope_scaling.original_max_position_embeddings is {original}, the base was made "
                f"for {own_positions} positions: it must not be more"
            )
        if positions > max(own_positions, self.positions):
            return (
                f"max_position_embeddings is {positions}, rope_scaling gives {original} × "
                f"{self.factor:g} = {self.positions} positions: raise rope_scaling.factor"
            )
        return None


def position_problem(
    max_length: int,
    own_positions: int,
    own_theta: float | None,
    raised_positions: int | None = None,
    raised_theta: float | None = None,
    scaling: RopeScaling | None = None,
) -> str | None:
    """Why rows of `max_length` tokens cannot be learnt, with the fix; None if they can.

    `own_` is the base's, `raised_` what the recipe puts in its place.
    """
    positions = raised_positions or own_positions
    if max_length > positions:
        return (
            f"max_length is {max_length} tokens, the base has {positions} positions; raise "
            "rope_theta and max_position_embeddings, or lower max_length"
        )
    if scaling is not None:
        return scaling.problem(own_positions, positions)
    stretched = raised_theta is not None and raised_theta > (own_theta or 0)
    if max_length > own_positions and not stretched:
        was = "its own" if own_theta is None else f"{own_theta:,.0f}"
        return (
            f"max_length is {max_length} tokens and max_position_embeddings {positions}, but the "
            f"base was made for {own_positions} positions with a RoPE base of {was}: set "
            "rope_theta above that (OpenR1-Distill took 300,000 for 4,096 → 32,768) or "
            "rope_scaling, or lower max_length"
        )
    return None


def rope_of(config: Mapping[str, Any]) -> tuple[int, float | None]:
    """Positions a base was made for and its RoPE's base, from its config.json.

    A scaling that the base was made with counts: `original_max_position_embeddings` × `factor`.
    KeyError without `max_position_embeddings`.
    """
    positions = int(config["max_position_embeddings"])
    # Until transformers 5 the scaling stood beside the base.
    older = {**(config.get("rope_scaling") or {}), "rope_theta": config.get("rope_theta")}
    rope = config.get("rope_parameters") or older
    scaled = (rope.get("original_max_position_embeddings") or 0) * (rope.get("factor") or 1)
    return max(positions, int(scaled)), rope.get("rope_theta")
