"""From a name in the recipe to replicas that answer: endpoints given, or a server of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.progress import LINE_EVERY_S, say
from flows.run_folder import RunFolder
from teacher.embedded import embedded_model_dir, embedded_revision
from teacher.replicas import Replica
from teacher.serve import serving
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
    return _weights(teacher.model, teacher.served_name)


def base_weights(run: RunFolder) -> Weights:
    """The student's weights before training."""
    student = run.recipe.student
    return _weights(student.base, student.name, student.revision or "")


def student_weights(run: RunFolder) -> Weights:
    """The trained student's weights, in the run's folder."""
    entry = run.manifest()["stages"]["train"]
    name = run.recipe.student.published_name
    return Weights(str(model_folder(run)), name, str(entry["fingerprint"]))


def model_folder(run: RunFolder) -> Path:
    """Where training leaves the student."""
    return run.folder("train") / "model"


@contextmanager
def teacher_replicas(run: RunFolder) -> Iterator[list[Replica]]:
    """The teacher's replicas: the recipe's endpoints, or a server that lives for the block."""
    teacher, weights = run.recipe.teacher, teacher_weights(run)
    if teacher.urls:
        yield [
            Replica(url, teacher.served_name, weights.revision, teacher.key_env)
            for url in teacher.urls
        ]
        return
    with served(run, weights, "teacher") as replicas:
        yield replicas


@contextmanager
def served(run: RunFolder, weights: Weights, role: str) -> Iterator[list[Replica]]:
    """A vLLM server for these weights, for as long as the block runs."""
    say(f"{role:9} starting vLLM with {weights.served_name} (its log: {run.log(role)})")
    said_s = 0.0

    def waiting(elapsed_s: float, line: str) -> None:
        nonlocal said_s
        if elapsed_s - said_s >= 2 * LINE_EVERY_S:
            said_s = elapsed_s
            say(f"{role:9} loading for {elapsed_s:.0f} s")

    settings = run.recipe.teacher.serve
    with serving(weights.model, weights.served_name, settings, run.log(role), waiting) as server:
        yield [Replica(server.url, weights.served_name, weights.revision)]


def _weights(model: str, served_name: str, revision: str = "") -> Weights:
    if model == EMBEDDED:
        return Weights(str(embedded_model_dir()), served_name, embedded_revision())
    known = TEACHERS.get(model)
    return Weights(known.hub_id if known else model, served_name, revision)
