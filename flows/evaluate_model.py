"""`stillhouse evaluate --model DIR --bench math-500`: any model on any benchmark, into a folder.

No run, no recipe file, no Prefect: the same engine, graders and scores as in a run. Typed again it
goes on where it stopped; `--again` grades what is stored anew and asks nothing.
"""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from evals.benchmarks import EvalBenchmark, LeftOut, benchmark_problem, is_on_hub
from evals.budget import BudgetRecipe, budget_recipe
from evals.codeforces_rating import read_contests
from flows.benchmark_asks import Asked, asked_items
from flows.budget import BUDGETS, CUTS, is_answered, sample_budgets
from flows.evaluate_settings import EvaluateSettings, fitted, settings_of, with_seeds
from flows.evaluated_model import Answering, at_endpoints, to_be_served
from flows.evaluation_folder import ABOUT, PROMPTS, EvaluationFolder, begin_settings, fixed_sampling
from flows.evaluation_plan import expected_items
from flows.evaluation_scores import grade_and_show
from flows.out_folder import OutFolder
from flows.program_runs import require_sandbox
from flows.progress import OUTPUT, say, say_json
from flows.sample_folder import sample_files
from prompts.counted import counted
from prompts.errors import PrerequisiteError
from teacher.shards import Shards

LOGS = "logs"
# What a model is called of which nobody has said the name: a folder of this name is said, not made.
UNKNOWN = "MODEL"


@dataclass(frozen=True, slots=True)
class Request:
    """What was typed."""

    benches: tuple[str, ...]
    model: str | None = None
    urls: tuple[str, ...] = ()
    k: int | None = None
    limit: int | None = None
    out: Path | None = None
    key_env: str | None = None
    budgets: str = ""
    waits: int = 0
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One benchmark that is to be measured; `forced` where its thinking is to be."""

    choice: EvalBenchmark
    k: int
    folder: EvaluationFolder
    forced: BudgetRecipe | None = None

    def is_sampled(self) -> bool:
        """Whether there is nothing to ask any more."""
        if self.forced is None:
            return self.folder.is_sampled(self.k)
        return is_answered(self.folder, self.forced, self.k)


def evaluate_model(request: Request, dry_run: bool = False) -> None:
    """Measure a model on benchmarks into a folder, or say what would be done.

    Raises PrerequisiteError before anything is asked: for a benchmark or a model that is not there,
    bad settings, or a folder that holds other samples; RunError when sampling stopped on a fault
    and can be resumed.
    """
    settings, choices = settings_of(request.overrides), _choices(request)
    forced = _forced(request, settings)
    if forced is not None:
        evals = settings.evals.model_copy(update={"max_tokens": forced.most_tokens()})
        settings = settings.model_copy(update={"evals": evals})
    answering = _answering(request, settings, dry_run)
    settings = fitted(settings, answering, request.overrides, forced is not None)
    out = OutFolder(request.out or _folder_of(answering))
    _check_free(out.path)
    tasks = [_task(choice, settings, forced, out.path) for choice in choices]
    _show_plan(answering, settings, tasks, out.path)
    if dry_run:
        amounts = [_amount(task, answering, settings) for task in tasks]
        _say_plan(answering, settings, out.path, amounts)
        return
    benches = [{"benchmark": task.choice.label, "k": task.k} for task in tasks]
    _say_plan(answering, settings, out.path, benches)
    if not all(task.is_sampled() for task in tasks):
        answering.need_weights()
        settings = with_seeds(settings, answering)
    with out.held():
        for task in tasks:
            _begin(task, answering, settings)
        missing = [task for task in tasks if not task.is_sampled()]
        if missing:
            _sample(missing, answering, settings, out.path / LOGS / "evaluate.log")
        grade_and_show([task.folder for task in tasks], settings.verification, out.path)


def grade_again(out: Path, overrides: Sequence[str] = ()) -> None:
    """Grade and score what a folder holds with the verifiers as they are now; nothing is asked.

    So is what a sampling that was stopped had stored; its last journal is closed for it.
    """
    verification = settings_of(overrides).verification
    begun = [EvaluationFolder(about.parent) for about in sorted(out.glob(f"*/{ABOUT}"))]
    with OutFolder(out).held() if begun else nullcontext():
        folders = [folder for folder in begun if _is_gradable(folder.path)]
        if not folders:
            raise PrerequisiteError(
                f"--out {out} holds no samples: give the folder that `stillhouse evaluate --out` "
                "wrote"
            )
        for folder in (one for one in begun if one not in folders):
            say(f"note: {folder.path} is left out: its samples have yet to come")
        grade_and_show(folders, verification, out)


def _is_gradable(folder: Path) -> bool:
    """Whether a folder has samples, or those of all budgets where thinking is forced."""
    if (folder / BUDGETS).exists():
        return (folder / CUTS).exists()
    if any(folder.glob("samples-*.sqlite")):
        with Shards(folder) as shards:
            shards.finish()
    return bool(sample_files(folder))


def _choices(request: Request) -> list[EvalBenchmark]:
    """The benchmarks as typed; PrerequisiteError names all that cannot be read."""
    if not request.benches:
        raise PrerequisiteError("no benchmark is given: --bench math-500 (repeatable), or a file")
    choices: dict[str, EvalBenchmark] = {}
    problems = []
    for text in request.benches:
        try:
            choice = TypeAdapter(EvalBenchmark).validate_python(text)
        except ValidationError as error:
            problems.append(f"--bench {text}: {_fault(error)}")
            continue
        update = {"k": request.k or choice.k, "limit": request.limit or choice.limit}
        if choice.label in choices:
            problems.append(f"--bench {text}: {choice.label!r} is there twice; write NAME={text}")
        choices[choice.label] = choice = choice.model_copy(update=update)
        if problem := benchmark_problem(choice):
            problems.append(problem)
    if problems:
        raise PrerequisiteError("\n  ".join(["nothing was asked:", *problems]))
    return list(choices.values())


def _fault(error: ValidationError) -> str:
    """What is wrong with a benchmark as it was typed, with the key it is about."""
    fault = error.errors()[0]
    key = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        return f"no key {key!r}; there are {', '.join(EvalBenchmark.model_fields)}"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" if key else message


def _forced(request: Request, settings: EvaluateSettings) -> BudgetRecipe | None:
    """How thinking is to be forced; PrerequisiteError for waits without a budget."""
    if request.budgets:
        return budget_recipe(request.budgets, request.waits, settings.forced)
    if request.waits:
        raise PrerequisiteError("--waits is for forced thinking: give --budgets 512,1024 too")
    return None


def _task(
    choice: EvalBenchmark, settings: EvaluateSettings, forced: BudgetRecipe | None, out: Path
) -> Task:
    """A benchmark with its folder: forced samples lie in one of their own."""
    waits = f"-waits-{forced.waits}" if forced and forced.waits else ""
    name = f"{choice.label}-budgets{waits}" if forced else choice.label
    return Task(choice, choice.samples(settings.evals.k), EvaluationFolder(out / name), forced)


def _answering(request: Request, settings: EvaluateSettings, dry_run: bool) -> Answering:
    """Who is to answer; a dry run, which asks nothing, does without endpoints that are up."""
    if request.urls:
        tokens = settings.evals.max_tokens
        return at_endpoints(request.urls, request.model, request.key_env, tokens, dry_run)
    if request.model is None:
        raise PrerequisiteError("no model is given: --model FOLDER_OR_HUB_ID, or --url")
    return to_be_served(request.model)


def _folder_of(answering: Answering) -> Path:
    return Path("evaluations") / (answering.name or UNKNOWN).replace("/", "-")


def _check_free(out: Path) -> None:
    """PrerequisiteError unless all that lies there is evaluations, begun or finished."""
    for found in out.iterdir() if out.is_dir() else ():
        ours = found.name == LOGS or found.name.startswith(".") or _is_evaluation(found)
        if not ours:
            raise PrerequisiteError(
                f"--out {out} holds {found.name}, which is no evaluation: give another folder"
            )


def _is_evaluation(folder: Path) -> bool:
    """Whether a folder is one of ours, also when it was left before it had its evaluation.json."""
    names = {file.name for file in folder.iterdir()} if folder.is_dir() else {"a file"}
    return ABOUT in names or all(name == PROMPTS or name.startswith(".") for name in names)


def _amount(task: Task, answering: Answering, settings: EvaluateSettings) -> dict[str, Any]:
    """What a benchmark takes, which is also said; None where only the Hub's rows would tell.

    Rows that lie here are read: PrerequisiteError for whatever stops a real run before it asks.
    """
    _deciding(task, answering, settings)
    if task.choice.standings:
        read_contests(Path(task.choice.standings))
    left_out, questions = LeftOut(), expected_items(task.choice)
    if not is_on_hub(task.choice):
        asked = asked_items(task.choice, settings.template, left_out)
        questions = sum(1 for _ in _checked(asked, settings))
    each = task.forced.most_tokens_drawn() if task.forced else settings.evals.max_tokens
    samples = None if questions is None else questions * task.k
    most = None if samples is None else samples * each
    _say_amount(task, questions, most)
    _say_left_out(task, left_out)
    amount = {"questions": questions, "samples": samples, "most_tokens": most}
    bench = {"benchmark": task.choice.label, "k": task.k}
    return {**bench, **amount, "left_out": dict(left_out.reasons)}


def _say_amount(task: Task, questions: int | None, most_tokens: int | None) -> None:
    said = "how many questions it has is known when it is read"
    if questions is not None:
        samples = counted(questions * task.k, "sample")
        there = ", all of them there already" if task.is_sampled() else ""
        said = f"{counted(questions, 'question')}, {samples}, at most {most_tokens:,} tokens{there}"
    say(f"          {task.choice.label}: {said}")


def _say_left_out(task: Task, left_out: LeftOut) -> None:
    if left_out.reasons:
        say(f"          {task.choice.label}: {left_out}")


def _deciding(task: Task, answering: Answering, settings: EvaluateSettings) -> dict[str, Any]:
    """What decides a benchmark's samples; PrerequisiteError where its folder holds samples of
    something else."""
    sampling = fixed_sampling(settings.sampling, settings.evals, task.k)
    decides = begin_settings(
        task.choice, f"{answering.name} {answering.identity}", settings.template, sampling
    )
    if answering.silent and not answering.name:
        del decides["model"]  # nobody says whose samples would go on
    if differences := task.folder.differences(decides):
        lines = "\n  ".join(differences)
        raise PrerequisiteError(
            f"{task.folder.path} was made with other settings; set them back to go on, or give "
            f"another --out:\n  {lines}"
        )
    return decides


def _begin(task: Task, answering: Answering, settings: EvaluateSettings) -> None:
    """Write a benchmark's items, unless they are there; PrerequisiteError as `_deciding` says."""
    decides, left_out = _deciding(task, answering, settings), LeftOut()
    asked = asked_items(task.choice, settings.template, left_out)
    confidence = settings.evals.confidence
    standings = task.choice.standings
    task.folder.begin(_checked(asked, settings), decides, task.k, confidence, standings, left_out)
    _say_left_out(task, left_out)


def _checked(asked: Iterable[Asked], settings: EvaluateSettings) -> Iterable[Asked]:
    """The items, once it is known that programs can be run where there are any."""
    is_first = True
    for one in asked:
        if is_first:
            require_sandbox([one.item.prompt], settings.verification.sandbox)
            is_first = False
        yield one


def _sample(
    tasks: Sequence[Task], answering: Answering, settings: EvaluateSettings, log: Path
) -> None:
    """Ask for all that is missing, with the model served once."""
    assert settings.evals.serve is not None, "fitted() has set it"
    with answering.served(settings.evals.serve, log) as served:
        for task in tasks:
            sampling = fixed_sampling(settings.sampling, settings.evals, task.k)
            if task.forced is not None:
                sample_budgets(task.folder, served, sampling, task.forced)
            else:
                task.folder.sample(served, sampling, task.choice.label)


def _show_plan(
    answering: Answering, settings: EvaluateSettings, tasks: Sequence[Task], out: Path
) -> None:
    """What is about to be done."""
    evals = settings.evals
    where = "served already at" if answering.urls else "to be served by vLLM:"
    if answering.silent:
        where = "to be asked at"
        say(f"note: {answering.silent}")
    say(f"evaluate  {answering.name or UNKNOWN}, {where} {answering.place}")
    say(
        f"          T={evals.temperature:g}, top-p {evals.top_p:g}, at most "
        f"{evals.max_tokens:,} tokens, template {settings.template}, into {out}"
    )
    for task in tasks:
        origin = "the Hub" if is_on_hub(task.choice) else task.choice.where
        limit = f", its first {counted(task.choice.limit, 'item')}" if task.choice.limit else ""
        say(f"          {task.choice.label} from {origin}{limit}, k={task.k}")
    for recipe in {task.forced for task in tasks if task.forced}:
        budgets = ", ".join(f"{budget:,}" for budget in recipe.budgets)
        waits = f", {counted(recipe.waits, 'time')} told to wait" if recipe.waits else ""
        say(f"          thinking ended at {budgets} tokens{waits}")


def _say_plan(
    answering: Answering, settings: EvaluateSettings, out: Path, benches: list[dict[str, Any]]
) -> None:
    """The same for machines, with what each benchmark takes where that is known."""
    if not OUTPUT.as_json:
        return
    evals = settings.evals
    facts = {"model": answering.name or None, "out": str(out), "benchmarks": benches}
    limits = {"max_tokens": evals.max_tokens, "temperature": evals.temperature}
    say_json({"event": "plan", "step": "evaluate", **facts, **limits, "top_p": evals.top_p})
