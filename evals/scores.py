"""What an evaluation found: rows a person reads and the per-prompt scores behind them."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from evals.stats import Interval

OVERALL = "overall"


class PromptScore(BaseModel):
    """One prompt's score: what paired comparisons are made of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt_id: str
    domain: str
    pass_at_1: float | None = Field(description="accepted ÷ returned samples; null if none came")
    cons_at_k: float | None = Field(description="1 if the majority's answer is accepted")


class DomainScore(BaseModel):
    """One row of the score table: a domain, or all of them as `overall`.

    Undecided samples count as not accepted and are shown as a rate; missing samples (errors, or
    never returned) are left out of every mean and shown as a number.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str
    prompts: int = Field(description="prompts asked, also those with no sample returned")
    k: int = Field(description="samples asked for per prompt")
    samples: int = Field(description="samples returned")
    missing: int = Field(description="samples asked for and not returned")
    pass_at_1: Interval | None = Field(description="mean over prompts; null without a sample")
    standard_error: float | None = Field(description="of pass@1, clustered by prompt")
    cons_at_k: Interval | None = Field(description="null for prompts whose answers cannot vote")
    undecided_rate: float | None = Field(description="share of samples nobody could grade")
    truncation_rate: float | None = Field(description="share of samples cut by their token limit")
    mean_completion_tokens: float | None = Field(description="mean length of a completion")


class Scores(BaseModel):
    """An evaluation of one model on one set of prompts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    k: int
    confidence: float
    rows: tuple[DomainScore, ...]
    prompts: tuple[PromptScore, ...]

    def row(self, domain: str = OVERALL) -> DomainScore:
        """The row of a domain; KeyError when it was not evaluated."""
        for row in self.rows:
            if row.domain == domain:
                return row
        raise KeyError(f"no score for {domain!r}; there are {[row.domain for row in self.rows]}")

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, for JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Scores":
        """The scores that `to_dict` wrote."""
        return cls.model_validate(values)


class Difference(BaseModel):
    """After minus before on the same prompts, with the paired interval."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str
    before: float = Field(description="pass@1 on the prompts both were asked")
    after: float
    change: Interval
    unpaired: int = Field(description="prompts only one of the two has a score for")
