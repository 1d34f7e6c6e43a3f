"""Samples graded by the verifiers, several at a time, with a bar that says how far it is."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

from filters.verdict import Verdict
from flows.program_runs import grader_for
from flows.progress import Progress
from flows.recipe import VerificationRecipe
from flows.sample_folder import stop_without_sandbox
from prompts.record import Prompt
from teacher.sample import Sample


@contextmanager
def grading(
    prompts: Sequence[Prompt], recipe: VerificationRecipe, name: str, total: int
) -> Iterator[Callable[[Sequence[Sample]], list[Verdict]]]:
    """Gives the function that grades some of `total` samples, in their order, and says how far
    it is."""
    by_id = {prompt.prompt_id: prompt for prompt in prompts}
    with (
        grader_for(recipe) as grader,
        ThreadPoolExecutor(2 * recipe.workers) as threads,
        Progress(name, total, "samples") as bar,
    ):
        numbers = count(1)

        def grade(samples: Sequence[Sample]) -> list[Verdict]:
            graded: list[Verdict] = []
            for verdict in threads.map(lambda s: grader.grade(by_id[s.prompt_id], s), samples):
                graded.append(stop_without_sandbox(verdict))
                bar.update(next(numbers))
            return graded

        yield grade
