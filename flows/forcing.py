"""The sampling behind budget forcing: thinking, waits, cuts, answers, each a folder of samples."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evals.budget import OPENING_TOKENS, BudgetRecipe
from evals.budget_cut import Cut, CutRow, composed, cuts_of
from evals.thought import Marks, Thought, begun, block_of, gone_on, marks_of, told_to_wait
from flows.display import SamplingDisplay
from flows.progress import say
from flows.sample_folder import read_samples, sample_folder, ungraded
from flows.serving import Served
from prompts.errors import PrerequisiteError
from teacher.ask import Ask
from teacher.canary import open_session
from teacher.completion import Fault, Partial
from teacher.sample import Sample
from teacher.settings import SamplingRecipe
from teacher.token_counter import TokenCounter


class Forcing:
    """The sampling behind one curve; what its folder holds already is not asked for again.

    Raises PrerequisiteError where the server cannot go on from a text: only vLLM can.
    """

    def __init__(
        self,
        asks: Sequence[Ask],
        served: Served,
        sampling: SamplingRecipe,
        recipe: BudgetRecipe,
        folder: Path,
    ) -> None:
        self._asks = {ask.prompt.prompt_id: ask for ask in asks}
        self._served, self._recipe, self._folder = served, recipe, folder
        self._ending = asyncio.run(self._prompt_ending())
        opened = marks_of(self._ending, ()).opened
        self._sampling = sampling.model_copy(update={"think_prefilled": True} if opened else {})

    async def _prompt_ending(self) -> str:
        """What the template leaves the model to go on from; PrerequisiteError without vLLM."""
        first = next(iter(self._asks.values()))
        async with open_session() as session:
            try:
                return await TokenCounter(session, self._served.replicas).prompt_ending(
                    first.messages
                )
            except Fault as fault:
                raise PrerequisiteError(
                    f"budget forcing goes on from cut texts, which only vLLM does: {fault}. Serve "
                    "the model with vLLM, or leave --budgets out"
                ) from None

    def samples(self) -> tuple[dict[int, list[Sample]], list[CutRow]]:
        """Think, wait, cut and answer: whole samples by budget, and how they were cut."""
        drawn = self._drawn("thinking", list(self._asks.values()), once=False)
        marks = marks_of(self._ending, (sample.completion for sample in drawn))
        thoughts = self._waited([begun(sample) for sample in drawn], marks)
        if not any(block_of(t.text, marks).thinking.strip() for t in thoughts):
            say("budgets   no completion thinks within tags: the budgets change nothing")
        came = [thought for thought in thoughts if thought.error is None]
        cuts = asyncio.run(self._cuts(came, marks))
        asked = {cut.answer: cut for each in cuts for cut in each if cut.answer}
        by_id = {thought.sample.sample_id: thought for thought in came}
        asks = [
            self._led(by_id[cut.row.sample_id], name, cut.lead()) for name, cut in asked.items()
        ]
        answers = {
            sample.prompt_id: sample
            for sample in self._drawn("answers", asks, most=self._recipe.answer_tokens)
        }
        by_budget = self._composed(thoughts, cuts, answers, marks)
        return by_budget, [cut.row for each in cuts for cut in each]

    def _waited(self, thoughts: list[Thought], marks: Marks) -> list[Thought]:
        """The thoughts, each told to wait as often as it ended early and the recipe allows."""
        for turn in range(1, self._recipe.waits + 1):
            leads = asyncio.run(self._leads(thoughts, marks))
            asks = [
                self._led(thought, thought.sample.sample_id, lead)
                for thought, lead in zip(thoughts, leads, strict=True)
                if lead is not None
            ]
            parts = {part.prompt_id: part for part in self._drawn(f"waited-{turn}", asks)}
            thoughts = [
                gone_on(thought, lead.text, parts[thought.sample.sample_id], self._recipe)
                if lead is not None and thought.sample.sample_id in parts
                else thought
                for thought, lead in zip(thoughts, leads, strict=True)
            ]
        return thoughts

    async def _leads(self, thoughts: Sequence[Thought], marks: Marks) -> list[Partial | None]:
        """What each thought goes on from, with its tokens; None where it is at its end."""
        async with open_session() as session:
            counter = TokenCounter(session, self._served.replicas)

            async def lead(thought: Thought) -> Partial | None:
                text = told_to_wait(thought, marks, self._recipe)
                if text is None:
                    return None
                tokens = (await counter.measure(text)).tokens
                return Partial(text, tokens) if tokens < self._recipe.largest else None

            return list(await asyncio.gather(*map(lead, thoughts)))

    async def _cuts(self, thoughts: Sequence[Thought], marks: Marks) -> list[list[Cut]]:
        """Every thought at every budget."""
        async with open_session() as session:
            counter = TokenCounter(session, self._served.replicas)

            async def cut(thought: Thought) -> list[Cut]:
                block, recipe = block_of(thought.text, marks), self._recipe
                thinking = await counter.measure(block.thinking, recipe.budgets)
                answer = await counter.measure(block.after or "", [recipe.answer_tokens])
                return cuts_of(thought, marks, recipe, thinking, answer)

            return list(await asyncio.gather(*map(cut, thoughts)))

    def _led(self, thought: Thought, name: str, lead: Partial) -> Ask:
        """The prompt once more, under another name and with a beginning."""
        ask = self._asks[thought.sample.prompt_id]
        return replace(ask, prompt=replace(ask.prompt, prompt_id=name, traces=1), lead=lead)

    def _drawn(
        self, step: str, asks: list[Ask], most: int | None = None, once: bool = True
    ) -> list[Sample]:
        """What the asks bring, stored in the folder of the step; what is there already stays."""
        if not asks:
            return []
        limits = {"max_tokens": most or OPENING_TOKENS + self._recipe.largest}
        counts = dict.fromkeys(("keep", "n_min", "n_max"), 1) if once else {}
        sampling = self._sampling.model_copy(update={**limits, **counts})
        shown = SamplingDisplay(step)
        sample_folder(asks, self._served, sampling, self._folder / step, ungraded, shown)
        order = {ask.prompt.prompt_id: number for number, ask in enumerate(asks)}
        came = [s for s in read_samples(self._folder / step) if s.prompt_id in order]
        return sorted(came, key=lambda sample: (order[sample.prompt_id], sample.sample_index))

    def _composed(
        self,
        thoughts: Sequence[Thought],
        cuts: Sequence[Sequence[Cut]],
        answers: dict[str, Sample],
        marks: Marks,
    ) -> dict[int, list[Sample]]:
        """Each budget's whole samples, in the prompts' order; failed ones are failed in all."""
        by_id = {each[0].row.sample_id: each for each in cuts}

        def at(thought: Thought, number: int) -> Sample:
            if (found := by_id.get(thought.sample.sample_id)) is None:
                return thought.failed(thought.error or "")
            return composed(thought, found[number], answers, marks, self._recipe)

        return {
            budget: [at(thought, number) for thought in thoughts]
            for number, budget in enumerate(self._recipe.budgets)
        }
