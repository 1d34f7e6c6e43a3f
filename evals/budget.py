"""Budget forcing: thinking that ends where it is told to, or goes on when it would have ended.

As in s1 (arXiv 2501.19393, section 3.1): at a budget of thinking tokens the end-of-thinking tag and
a lead into the final answer are put behind the thinking, so that the model answers with what it
has; and thinking that ends early is told "Wait" so many times instead.

A sample's thinking is drawn once, up to the largest budget. Its first b tokens are what a model
stopped at b tokens would have thought: each token is drawn from those before it alone, and a
"Wait" stands where the thinking ended, whatever the budget. So for each smaller budget only the
answer is asked anew.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from prompts.errors import PrerequisiteError

# Tokens that the opening tag, and what a model writes before it, may take beside the budget.
OPENING_TOKENS = 16


class ForcedText(BaseModel):
    """What is put into a completion, and how long the answer after it may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer_tokens: int = Field(1_024, ge=1, description="tokens of an answer at most")
    wait: str = Field("Wait", min_length=1, description="what thinking goes on with")
    lead: str = Field("Final answer:", description="what a forced answer begins with; may be empty")


class BudgetRecipe(ForcedText):
    """How thinking is forced: the budgets of the curve, and what is put into the text."""

    budgets: tuple[int, ...] = Field(min_length=1, description="thinking tokens, one point each")
    waits: int = Field(0, ge=0, le=16, description="times that thinking which ends early goes on")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if list(self.budgets) != sorted(set(self.budgets)) or self.budgets[0] < 0:
            raise ValueError(f"budgets must rise from 0 or more, {list(self.budgets)} do not")
        if self.largest < 1:
            raise ValueError("one budget at least must be above 0")
        return self

    @property
    def largest(self) -> int:
        """The most that a sample thinks."""
        return self.budgets[-1]

    def most_tokens(self) -> int:
        """Tokens of a whole completion at most: what a server must have room for. No token is
        shorter than a character."""
        put_there = OPENING_TOKENS + len(self.lead)
        return OPENING_TOKENS + self.largest + put_there + self.answer_tokens

    def most_tokens_drawn(self) -> int:
        """Tokens drawn for one sample at most: thinking, anew each time that it is told to wait,
        and an answer for each budget."""
        thinking = (1 + self.waits) * (OPENING_TOKENS + self.largest)
        return thinking + len(self.budgets) * self.answer_tokens


def budget_recipe(budgets: str, waits: int = 0, text: ForcedText | None = None) -> BudgetRecipe:
    """The recipe of `--budgets 512,1024 --waits 2`; PrerequisiteError for what is no budget."""
    try:
        numbers = sorted({int(word.replace("_", "")) for word in budgets.split(",")})
        forced = (text or ForcedText()).model_dump()
        return BudgetRecipe.model_validate({"budgets": numbers, "waits": waits, **forced})
    except ValueError as error:
        raise PrerequisiteError(
            f"--budgets {budgets} --waits {waits}: {_why(error)}; budgets are thinking tokens with "
            "commas between them, as in --budgets 512,1024,2048"
        ) from None


def _why(error: ValueError) -> str:
    """The first thing that is wrong, in one line."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return ".".join(str(part) for part in first["loc"]) + f" {first['msg']}"
    return str(error)
