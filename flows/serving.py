"""From a name in the recipe to replicas that answer: endpoints given, or a server of ours."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flows.pins import weights_digest
from flows.progress import LINE_EVERY_S, say
from flows.run_folder import RunFolder
from prompts.errors import RunError
from sft.base_model import read_template
from sft.student import StudentRecipe
from teacher.canary import Replica
from teacher.embedded import embedded_model_dir, embedded_revision
from teacher.serve import ServeRecipe, serving
from teacher.teachers import TEACHERS

EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Weights:
    """A model that can be served: folder or Hub id, the name requests use, its revision."""

    model: str
    served_name: str
    revision: str


def teacher_weights(run: RunFolder) -> Weights:
    """The teacher's weights."""
    teacher = run.recipe.teacher
    if teacher.folder is not None:
        return Weights(str(teacher.folder), teacher.served_name, weights_digest(teacher.folder))
    return _weights(teacher.model, teacher.served_name)


def base_weights(run: RunFolder) -> Weights:
    """The student's weights before training."""
    student = run.recipe.student
    return _weights(student.base, student.name, student.revision or "")


def student_weights(run: RunFolder) -> Weights:
    """The trained student's weights, in the run's folder."""
    name = run.recipe.student.published_name
    return Weights(str(model_folder(run)), name, run.identity("train"))


def model_folder(run: RunFolder) -> Path:
    """Where training leaves the student."""
    return run.folder("train") / "model"


@dataclass(frozen=True, slots=True)
class Served:
    """Replicas that answer, and why the server of ours is dead, asked now and then."""

    replicas: list[Replica]
    dead: Callable[[], str | None] = lambda: None

    def another(self, url: str) -> Replica:
        """A further replica of the same model, at this URL."""
        return replace(self.replicas[0], url=url)

    def check(self) -> None:
        """Raise RunError with the end of the log if the server of ours is gone."""
        if (why := self.dead()) is not None:
            raise RunError(why)


@contextmanager
def teacher_served(run: RunFolder) -> Iterator[Served]:
    """The teacher: the recipe's endpoints, or a server that lives for the block.

    What endpoints serve is their owner's word: their samples carry no revision.
    """
    teacher = run.recipe.teacher
    if teacher.urls:
        key = teacher.key_env
        yield Served([Replica(url, teacher.served_name, "", key) for url in teacher.urls])
        return
    with served(teacher_weights(run), "teacher", teacher.serve, run.log("teacher")) as found:
        yield found


@contextmanager
def student_served(run: RunFolder, weights: Weights, role: str) -> Iterator[Served]:
    """The student before or after training, on a vLLM server of ours.

    An untrained base gets what training would give it: positions, rope, chat template.
    """
    settings = run.recipe.evals.serve or run.recipe.teacher.serve
    if role == "base":
        extra = (*settings.extra_args, *base_arguments(run.recipe.student))
        settings = settings.model_copy(update={"extra_args": extra})
    with served(weights, role, settings, run.log(role)) as found:
        yield found


def base_arguments(student: StudentRecipe) -> list[str]:
    """vLLM's arguments that make a base model take the evaluation's prompts and lengths."""
    config = {
        # Whole: vLLM 0.32 takes a `rope_theta` by itself without a word, and goes on with the old.
        "rope_parameters": student.rope_parameters,
        "max_position_embeddings": student.max_position_embeddings,
    }
    changed = {key: value for key, value in config.items() if value is not None}
    words = ["--hf-overrides", json.dumps(changed)] if changed else []
    if student.revision:
        words += ["--revision", student.revision]
    if student.chat_template and student.base != EMBEDDED:
        words += ["--chat-template", read_template(student.chat_template)]
    return words


@contextmanager
def served(weights: Weights, role: str, settings: ServeRecipe, log: Path) -> Iterator[Served]:
    """A vLLM server for these weights, for as long as the block runs; `role` begins its lines."""
    say(f"{role:9} starting vLLM with {weights.served_name} (its log: {log})")
    said_s = 0.0

    def waiting(elapsed_s: float, line: str) -> None:
        nonlocal said_s
        if elapsed_s - said_s >= 2 * LINE_EVERY_S:
            said_s = elapsed_s
            say(f"{role:9} loading for {elapsed_s:.0f} s")

    with serving(weights.model, weights.served_name, settings, log, waiting) as server:
        yield Served([Replica(server.url, weights.served_name, weights.revision)], server.dead)


def _weights(model: str, served_name: str, revision: str = "") -> Weights:
    if model == EMBEDDED:
        return Weights(str(embedded_model_dir()), served_name, embedded_revision())
    known = TEACHERS.get(model)
    return Weights(known.hub_id if known else model, served_name, revision)
