"""A sample's thinking: where in its text it stands, whether it ended, and how it goes on."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from evals.budget import BudgetRecipe
from teacher.parse import BLOCKS
from teacher.sample import FAILED, Sample

# A completion's tag is looked for in so many characters, as in teacher/parse.py.
_START_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Marks:
    """The tags a model thinks between; `opened`: the chat template writes the first one."""

    open: str
    close: str
    opened: bool


def marks_of(prompt_ending: str, completions: Iterable[str]) -> Marks:
    """The tags of this model: what its prompts end in or, if in no tag, what its completions
    begin with or hold; `<think>` where nothing tells."""
    ending = prompt_ending.rstrip()
    for opening, closing in BLOCKS:
        if ending.endswith(opening):
            return Marks(opening, closing, opened=True)
    seen: Counter[tuple[str, str]] = Counter()
    for text in completions:
        start = text[:_START_CHARACTERS]
        seen.update(block for block in BLOCKS if block[0] in start or block[1] in text)
    opening, closing = seen.most_common(1)[0][0] if seen else BLOCKS[0]
    return Marks(opening, closing, opened=False)


@dataclass(frozen=True, slots=True)
class Block:
    """A completion in parts: up to the opening tag's end, thinking, and what follows the closing
    tag; `after` is None while the thinking has not ended."""

    before: str
    thinking: str
    after: str | None


def block_of(text: str, marks: Marks) -> Block:
    """The parts of a completion. One without tags, of a model whose template opens none, has not
    thought: all of it follows the (empty) thinking.

    The first closing tag ends the thinking: that is where the model began to answer.
    """
    at = text[:_START_CHARACTERS].find(marks.open)
    if at < 0 or (marks.opened and text[:at].strip()):  # words about the tag open no block
        before, rest = "", text
    else:
        before, rest = text[: at + len(marks.open)], text[at + len(marks.open) :]
    thinking, closing, after = rest.partition(marks.close)
    if closing:
        return Block(before, thinking, after)
    if before or marks.opened:
        return Block(before, thinking, None)
    return Block("", "", text)


@dataclass(frozen=True, slots=True)
class Thought:
    """A sample's thinking so far: the text with its waits, and where in it they stand.

    `sample` is the one it began with, whose ids it keeps; `parts` are all it was drawn in.
    """

    sample: Sample
    text: str
    finish_reason: str
    waits: tuple[int, ...] = ()
    parts: tuple[Sample, ...] = ()

    @property
    def error(self) -> str | None:
        """Why a part of it never came."""
        return next((part.error for part in self.parts if part.error is not None), None)

    def failed(self, error: str) -> Sample:
        """The sample of a thought that came to nothing, as it stands at every budget."""
        return replace(
            self.sample,
            completion="",
            reasoning="",
            answer="",
            finish_reason=FAILED,
            completion_tokens=0,
            reasoning_tokens=0,
            answer_tokens=0,
            error=error,
        )


def begun(sample: Sample) -> Thought:
    """The thought that a completion begins."""
    return Thought(sample, sample.completion, sample.finish_reason, (), (sample,))


def told_to_wait(thought: Thought, marks: Marks, recipe: BudgetRecipe) -> str | None:
    """The text to go on from, with its end of thinking taken back; None where it goes on no more:
    it has waited often enough, was cut by its limit, or does not think in tags."""
    block = block_of(thought.text, marks)
    ended = block.after is not None or thought.finish_reason != "length"
    if not ended or thought.error is not None or len(thought.waits) >= recipe.waits:
        return None
    if not block.before and not marks.opened and not block.thinking:
        return None
    text = block.before + block.thinking.rstrip(" ")
    return text + ("" if text.endswith("\n") else "\n") + recipe.wait


def gone_on(thought: Thought, lead: str, part: Sample, recipe: BudgetRecipe) -> Thought:
    """The thought with the part that followed `lead`."""
    return Thought(
        thought.sample,
        lead + part.completion,
        part.finish_reason,
        (*thought.waits, len(lead) - len(recipe.wait)),
        (*thought.parts, part),
    )
