"""What looks after a training while it runs: loss guard, tries on held-out prompts, tracker."""

import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from prompts.errors import PrerequisiteError
from sft.job import TrainJob
from sft.messages import TokenRow
from sft.steps import StepPlan
from sft.student import StudentRecipe

if TYPE_CHECKING:
    from sft.progress import JsonLines

WANDB_KEY = "WANDB_API_KEY"


def watchers(
    job: TrainJob,
    tokenizer: Any,
    report: "JsonLines",
    rows_of: Callable[[int], Sequence[str]],
) -> list[Any]:
    """The trainer's callbacks for a job; PrerequisiteError for what `watching_problems` names.

    `rows_of` gives the sample ids of an optimiser step, 1 being the first. The guard comes first:
    no tries are made and nothing is tracked of a step that ended the training.
    """
    from sft.loss_guard import LossGuard
    from sft.trackers import Tracked
    from sft.tries import Tries, choose_prompts, read_held_out

    student = job.student
    if problems := list(watching_problems(student)):
        raise PrerequisiteError("; ".join(problems))
    callbacks: list[Any] = [LossGuard(student.loss_spike, report, rows_of)]
    tracked = Tracked(job, report)
    if student.tracker != "none":
        callbacks.append(tracked)
    if student.eval_prompts and job.held_out is not None:
        prompts = choose_prompts(read_held_out(job.held_out), student.eval_prompts)
        callbacks.append(Tries(job, prompts, tokenizer, report, tracked))
    return callbacks


def rows_of_steps(rows: Sequence[TokenRow], plan: StepPlan) -> Callable[[int], list[str]]:
    """What names the rows of an optimiser step by their sample ids, 1 being the first."""

    def rows_of(step: int) -> list[str]:
        bins = (held for rank in plan.steps[step - 1] for held in rank)
        return [rows[row].sample_id for held in bins for row in held]

    return rows_of


def watching_problems(student: StudentRecipe) -> Iterator[str]:
    """What of a recipe's tracker and tries cannot work on this machine, each with its fix."""
    if student.tracker != "none" and importlib.util.find_spec(student.tracker) is None:
        yield (
            f"student.tracker is {student.tracker}, which is not installed: "
            f"pip install {student.tracker}, or set student.tracker=none"
        )
    offline = os.environ.get("WANDB_MODE") in ("offline", "disabled")
    if student.tracker == "wandb" and not offline and not os.environ.get(WANDB_KEY):
        yield f"student.tracker is wandb but {WANDB_KEY} is not set (or WANDB_MODE=offline)"
    if student.eval_prompts and student.launch == "deepspeed":
        yield (
            "student.eval_prompts must be 0 with launch deepspeed: tries while training are made "
            "with one process, DDP or FSDP"
        )
    if student.eval_prompts and student.sequence_parallel > 1:
        yield (
            "student.eval_prompts must be 0 with sequence_parallel: attention that is shared by "
            "several GPUs takes no padded batch"
        )
