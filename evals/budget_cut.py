"""A thought at a budget: ended there, or as the model ended it; and its answer put behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from evals.budget import BudgetRecipe
from evals.thought import Block, Marks, Thought, block_of
from teacher.completion import Partial
from teacher.parse import split_completion
from teacher.sample import Sample
from teacher.token_counter import Measured


@dataclass(frozen=True, slots=True)
class CutRow:
    """How one sample's thinking ended at one budget; one row of `cuts.parquet`.

    `forced`: the end of thinking was put there, at the budget or where the model ended its turn
    without one. `waits` are those within the budget.
    """

    sample_id: str
    budget: int
    thinking_tokens: int
    forced: bool
    waits: int


@dataclass(frozen=True, slots=True)
class Cut:
    """One sample at one budget: its text up to where the answer goes on.

    `answer` is the id under which the rest is asked for, empty where nothing is: the model has
    answered by itself. `answer_tokens` are in the text already.
    """

    row: CutRow
    text: str
    answer: str
    answer_tokens: int
    finish_reason: str

    def lead(self) -> Partial:
        """What the answer's request begins with."""
        return Partial(self.text, self.answer_tokens)


def cuts_of(
    thought: Thought, marks: Marks, recipe: BudgetRecipe, thinking: Measured, answer: Measured
) -> list[Cut]:
    """The thought at every budget.

    `thinking` is measured with the budgets as cuts, `answer` (what follows it) with
    `answer_tokens` as its one cut.
    """
    block = block_of(thought.text, marks)
    return [
        _whole(thought, block, recipe, budget, thinking.tokens, answer)
        if block.after is not None and thinking.tokens <= budget
        else _forced(thought, block, marks, recipe, budget, thinking, head)
        for budget, head in zip(recipe.budgets, thinking.beginnings, strict=True)
    ]


def _whole(
    thought: Thought, block: Block, recipe: BudgetRecipe, budget: int, tokens: int, answer: Measured
) -> Cut:
    """Thinking that ended by itself within the budget: the answer is the model's own, cut where it
    is too long, asked to its end where the request was cut before."""
    text, finish, rest = thought.text, thought.finish_reason, ""
    if answer.tokens > recipe.answer_tokens:
        text = text[: len(text) - len(block.after or "")] + answer.beginnings[0]
        finish = "length"
    elif finish == "length" and answer.tokens < recipe.answer_tokens:
        rest = f"{thought.sample.sample_id}-rest"
    row = CutRow(thought.sample.sample_id, budget, tokens, False, len(thought.waits))
    return Cut(row, text, rest, min(answer.tokens, recipe.answer_tokens), finish)


def _forced(
    thought: Thought,
    block: Block,
    marks: Marks,
    recipe: BudgetRecipe,
    budget: int,
    thinking: Measured,
    head: str,
) -> Cut:
    """Thinking that is ended here: at the budget, or where the turn ended without an answer."""
    is_cut = thinking.tokens > budget
    cut = head if is_cut else block.thinking
    text = block.before + cut
    waits = sum(place < len(text) for place in thought.waits)
    close = ("" if text.endswith("\n") else "\n") + marks.close + "\n\n" + recipe.lead
    name = f"{thought.sample.sample_id}-" + (f"at-{budget}" if is_cut else "end")
    row = CutRow(thought.sample.sample_id, budget, min(thinking.tokens, budget), True, waits)
    return Cut(row, text + close, name, 0, "")


def composed(
    thought: Thought, cut: Cut, answers: Mapping[str, Sample], marks: Marks, recipe: BudgetRecipe
) -> Sample:
    """The sample at a budget, as if it had come in one piece.

    Its token counts are of what the model wrote: neither tags nor leads that were put there.
    """
    last = answers.get(cut.answer)
    if last is not None and last.error is not None:
        return thought.failed(last.error)
    text = cut.text + (last.completion if last else "")
    split = split_completion(text, marks.opened)
    answer_tokens = cut.answer_tokens + (last.completion_tokens if last else 0)
    parts = [*thought.parts, *([last] if last else [])]
    return replace(
        thought.sample,
        max_tokens=cut.row.budget + recipe.answer_tokens,
        completion=text,
        reasoning=split.reasoning,
        answer=split.answer,
        finish_reason=last.finish_reason if last else cut.finish_reason,
        completion_tokens=cut.row.thinking_tokens + answer_tokens,
        reasoning_tokens=cut.row.thinking_tokens,
        answer_tokens=answer_tokens,
        ended_at=max(part.ended_at for part in parts),
        attempts=sum(part.attempts for part in parts),
        wasted_tokens=sum(part.wasted_tokens for part in parts),
    )
