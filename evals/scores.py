"""What an evaluation found: rows a person reads and the per-prompt scores behind them."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from evals.stats import Interval

OVERALL = "overall"


HELD_OUT = "held-out"  # the benchmark that is a dataset's own held-out prompts


class PromptScore(BaseModel):
    """One prompt's score: what paired comparisons are made of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt_id: str
    domain: str = Field(description="or the benchmark's own group it belongs to")
    pass_at_1: float | None = Field(description="accepted ÷ returned samples; null if none came")
    cons_at_k: float | None = Field(description="1 if the majority's answer is accepted")


class DomainScore(BaseModel):
    """One row of the score table: a domain, a benchmark's own group, or all prompts as `overall`.

    Undecided samples count as not accepted and are shown as a rate; missing samples (errors, or
    never returned) are left out of every mean and shown as a number. Intervals are bootstraps over
    prompts, or Wilson's where few prompts carry the score (evals/stats.py); `n` in each is the
    prompts behind it, for pass@k those with k samples or more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str
    prompts: int = Field(description="prompts asked, also those with no sample returned")
    k: int = Field(description="samples asked for per prompt")
    samples: int = Field(description="samples returned")
    missing: int = Field(description="samples asked for and not returned")
    pass_at_1: Interval | None = Field(description="mean over prompts; null without a sample")
    wilson: Interval | None = Field(
        default=None, description="pass@1 with Wilson's interval, where k is 1"
    )
    pass_at_k: dict[int, Interval] = Field(
        default={}, description="chance that k samples hold a right one: 2, 4, 8, … up to k"
    )
    standard_error: float | None = Field(description="of pass@1, clustered by prompt")
    cons_at_k: Interval | None = Field(description="null for prompts whose answers cannot vote")
    undecided_rate: float | None = Field(description="share of samples nobody could grade")
    undecided: dict[str, int] = Field(
        default={}, description="samples nobody could grade, by reason; none counts as accepted"
    )
    undecided_prompts: int = Field(
        default=0, description="prompts that have samples, of which none could be graded"
    )
    truncation_rate: float | None = Field(description="share of samples cut by their token limit")
    mean_completion_tokens: float | None = Field(description="mean length of a completion")

    @property
    def interval(self) -> Interval | None:
        """pass@1 as it is shown everywhere: with Wilson's interval where k is 1, else as above."""
        return self.wilson or self.pass_at_1


class Rating(BaseModel):
    """A Codeforces rating: the mean over contests of what each place there is worth."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rating: Interval = Field(description="mean over contests; n contests stand behind it")
    attempts: int = Field(description="submissions a problem may take in one participation")
    participations: int = Field(description="of each contest: samples a problem ÷ attempts")
    contests: dict[str, float] = Field(description="each contest's mean over participations")
    without_standings: int = Field(description="contests asked about that nobody can be placed in")
    unasked: int = Field(
        description="problems of rated contests that were not asked, or that a participation has "
        "no graded sample of: unsolved there"
    )


class Scores(BaseModel):
    """An evaluation of one model on one set of prompts, a benchmark."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    benchmark: str = HELD_OUT
    k: int
    confidence: float
    rows: tuple[DomainScore, ...]
    prompts: tuple[PromptScore, ...]
    rating: Rating | None = Field(default=None, description="where the prompts are of contests")
    left_out: dict[str, int] = Field(
        default={}, description="the benchmark's rows that were not asked, by reason"
    )
    verifiers: dict[str, str] = Field(
        default={}, description="version of each that graded; scores of others may differ by it"
    )

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
