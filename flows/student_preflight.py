"""What training a student needs and this machine lacks, found before anything is downloaded."""

import importlib.util
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from data_cards.hub_token import TOKEN_VARIABLE, hub_token
from flows.dataset_files import dataset_files
from flows.recipe import Recipe
from flows.run_folder import RunFolder
from flows.training_plan import longest_row
from prompts.counted import counted
from prompts.errors import PrerequisiteError
from sft.base_model import template_problem
from sft.fitting import what_would_fit
from sft.memory_plan import GIB, memory_plan
from sft.messages import columns_problem
from sft.student import StudentRecipe
from sft.watching import watching_problems

# Owners on the Hub whose weights are given after their licence was accepted on the model's page.
GATED = ("meta-llama/", "google/gemma", "mistralai/")
# GPUs of a kind differ by a few MiB in what they report; a plan is made for the smallest.
MIB = 2**20


def dataset_problems(run: RunFolder) -> Iterator[str]:
    """What training could not read of a run's published dataset, where there is one already."""
    try:
        yield from filter(None, map(columns_problem, dataset_files(run)))
    except PrerequisiteError as error:
        yield str(error)


def student_problems(recipe: Recipe) -> Iterator[str]:
    """Each thing that is missing for the training on this machine, with its fix."""
    yield from recipe_problems(recipe.student)
    if problem := size_problem(recipe, gpu_memories_mib()):
        yield problem


def recipe_problems(student: StudentRecipe) -> Iterator[str]:
    """The same of packages, template, trackers and gated weights, whatever the machine's size."""
    for name in _packages(student):
        if importlib.util.find_spec(name) is None:
            yield f"{name} is not installed, training needs it: pip install {_from(name)}"
    if problem := template_problem(student):
        yield problem
    yield from watching_problems(student)
    if problem := gate_problem(student.base):
        yield problem


def gate_problem(base: str) -> str | None:
    """That the base's weights are given to known people alone, and there is no token to be one."""
    if not base.startswith(GATED) or Path(base).is_dir() or hub_token():
        return None
    return (
        f"the weights of {base} are gated: accept their licence at https://huggingface.co/{base}, "
        f"then give your token: set {TOKEN_VARIABLE} or run `hf auth login`"
    )


def size_problem(recipe: Recipe, memories_mib: Sequence[int]) -> str | None:
    """That the student is larger than this machine: what there is, and what would fit."""
    student, longest = recipe.student, longest_row(recipe)
    if student.gpus > len(memories_mib):
        needed, found = counted(student.gpus, "GPU"), len(memories_mib)
        lines = [f"training {student.name} needs {needed}, {found} found"]
        if memories_mib:
            lines += _ways(student, min(memories_mib) * MIB, longest, found)
        lines.append(
            "on a cluster: `stillhouse train RUN --slurm` writes the batch script; on another "
            "machine copy the run's folder and type `stillhouse train RUN`"
        )
        return "\n      ".join(lines)
    available = min(memories_mib) * MIB if student.gpus else None
    plan = memory_plan(student, available, longest)
    if plan.fits:
        return None
    processes = counted(student.ranks, "process", "processes")
    where = "on each GPU" if student.gpus else f"for {processes}"
    first = (
        f"training {student.name} takes {plan.total_bytes / GIB:.1f} GiB {where}, there are "
        f"{plan.available_bytes / GIB:.1f} GiB"
    )
    return "\n      ".join([first, *_ways(student, plan.available_bytes, longest)])


def _ways(
    student: StudentRecipe, available_bytes: int, longest: int, gpus_found: int | None = None
) -> list[str]:
    """What would make it fit there, as lines."""
    ways = what_would_fit(student, available_bytes, longest, gpus_found)
    return [f"would fit: {way}" for way in ways] or ["nothing in the recipe makes it fit here"]


def _packages(student: StudentRecipe) -> list[str]:
    asked = {"deepspeed": student.launch == "deepspeed", "liger_kernel": student.liger}
    needed = [name for name, is_asked in asked.items() if is_asked and student.gpus]
    return ["torch", "trl", "transformers", "accelerate", *needed]


def _from(package: str) -> str:
    """What pip is told."""
    alone = {"deepspeed": "deepspeed", "liger_kernel": "liger-kernel"}
    return alone.get(package, "'stillhouse[sft]'")


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
