"""The verifiers as reward functions for TRL, so that RL is held to the same truth as the dataset.

    GRPOTrainer(model, reward_funcs=[math_reward, code_reward, format_reward], train_dataset=…)

The dataset has a column `reference`, and where it mixes domains a column `domain`. Accept is 1.0,
reject 0.0; undecided is None, as is a row of another domain, and TRL leaves both out of the mean.
An answer without a mark (no \\boxed{}) is undecided too: `format_reward` beside the others sees to
it that leaving the answer out is not worth as much as a right one.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from filters.checking import grade, prompt_of, shared_grader, text_of_completion
from filters.verdict import Outcome, Verdict
from prompts.errors import PrerequisiteError
from prompts.record import Domain
from teacher.parse import CLOSE, OPEN

_REWARDS = {Outcome.ACCEPT: 1.0, Outcome.REJECT: 0.0, Outcome.UNDECIDED: None}
# Beyond it the threads only wait for the Grader's workers.
_THREADS = 16


@dataclass(frozen=True)
class Reward:
    """A reward function of one domain; an object, not a closure, since TRL may pickle it.

    `think_prefilled` says that the chat template ends in `<think>`, so that a completion without
    `</think>` is reasoning that never ended, and no answer. A plain prompt that ends in `<think>`
    is seen to do so without it.
    """

    domain: Domain
    think_prefilled: bool = False

    @property
    def __name__(self) -> str:
        """What TRL calls it in its logs: `math_reward`."""
        return f"{self.domain}_reward"

    def __call__(
        self,
        completions: Sequence[Any],
        reference: Sequence[Any] | None = None,
        prompts: Sequence[Any] | None = None,
        log_extra: Callable[[str, list[Any]], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """A reward for each completion, text or chat messages, in order.

        Of the dataset's columns `domain`, `question`, `choices` and `aliases` are used too. Raises
        PrerequisiteError as `filters.check` does, ValueError for too few or too many references.
        """
        if reference is None:
            raise PrerequisiteError(
                f"{self.__name__} needs a column `reference` in the dataset: rename what holds "
                "the gold answer"
            )
        if len(reference) != len(completions):
            raise ValueError(
                f"{self.__name__}: {len(completions)} completions but {len(reference)} values of "
                "`reference`: each completion needs its own"
            )
        rows = [
            {name: _at(values, row) for name, values in columns.items()}
            | {"completion": completion, "reference": reference[row], "prompt": _at(prompts, row)}
            for row, completion in enumerate(completions)
        ]
        with ThreadPoolExecutor(_THREADS) as threads:
            verdicts = list(threads.map(self._verdict, rows))
        if log_extra is not None:
            log_extra(f"{self.domain}_verdict", [_in_words(verdict) for verdict in verdicts])
        return [None if verdict is None else _REWARDS[verdict.outcome] for verdict in verdicts]

    def _verdict(self, row: dict[str, Any]) -> Verdict | None:
        """None for a row of another domain, or without a reference."""
        if row["reference"] is None or row.get("domain") not in (None, self.domain):
            return None
        prompt = prompt_of(
            row["reference"],
            self.domain,
            row.get("question") or "",
            row.get("choices") or (),
            row.get("aliases") or (),
        )
        prefilled = self.think_prefilled or _ends_in_think(row["prompt"])
        return grade(shared_grader(), prompt, row["completion"], prefilled)


math_reward = Reward("math")
code_reward = Reward("code")
science_reward = Reward("science")
puzzle_reward = Reward("puzzle")
general_reward = Reward("general")


def _in_words(verdict: Verdict | None) -> str:
    return "" if verdict is None else f"{verdict.outcome}: {verdict.reason}"


def format_reward(completions: Sequence[Any], **_: Any) -> list[float]:
    """1.0 for reasoning that ends and an answer behind it, else 0.0.

    `<think>` may be there or not: where the prompt ended in it the completion has none.
    """
    return [float(_is_well_formed(completion)) for completion in completions]


def _is_well_formed(completion: Any) -> bool:
    text = text_of_completion(completion)
    if reasoning := _reasoning_apart(completion):
        return bool(reasoning.strip() and text.strip()) and CLOSE not in text and OPEN not in text
    reasoning, closed, answer = text.partition(CLOSE)
    reasoning = reasoning.strip().removeprefix(OPEN)
    return bool(
        closed
        and reasoning.strip()
        and answer.strip()
        and OPEN not in reasoning + answer
        and CLOSE not in answer
    )


def _reasoning_apart(completion: Any) -> str:
    """The reasoning where the server or TRL has parted it from the content already."""
    if isinstance(completion, list) and completion and isinstance(completion[-1], dict):
        return str(completion[-1].get("reasoning_content") or completion[-1].get("thinking") or "")
    return ""


def _ends_in_think(prompt: Any) -> bool:
    return isinstance(prompt, str) and prompt.rstrip().endswith(OPEN)


def _at(values: Any, row: int) -> Any:
    """A column's value in a row; None for what is no column, such as the trainer's state."""
    return values[row] if isinstance(values, list | tuple) and row < len(values) else None
