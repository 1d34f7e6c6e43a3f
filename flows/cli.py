"""The command line: `stillhouse distill` and its stages; see `stillhouse --help`."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from prompts.errors import PrerequisiteError, RunError

EXIT_USER, EXIT_RUN, EXIT_INTERRUPTED = 2, 3, 130

app = typer.Typer(
    name="stillhouse",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Turn a reasoning teacher into verified SFT datasets and trained students.\n\n"
    "stillhouse distill                      the default recipe, on this machine\n\n"
    "stillhouse distill --model qwen-7b --dry-run    what a big one would take\n\n"
    "stillhouse show                         the newest run's funnel and scores",
)

Model = Annotated[str | None, typer.Option(help="student to train, for instance qwen-7b")]
Name = Annotated[str | None, typer.Option("--recipe", help="recipe by name, or a .yaml file")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="override a key: --set sampling.temperature=0.8 (repeatable)"),
]
Urls = Annotated[
    list[str] | None,
    typer.Option("--teacher-url", help="OpenAI-compatible endpoint to use (repeatable)"),
]
Runs = Annotated[Path, typer.Option(help="folder that holds the runs")]
Run = Annotated[Path | None, typer.Argument(help="folder of a run; the newest one if left out")]
Again = Annotated[
    bool, typer.Option("--again", help="do the stage again; stored samples are not sampled again")
]
Json = Annotated[bool, typer.Option("--json", help="print JSON for machines")]

RUNS = Path("runs")


@app.command()
def distill(
    model: Model = None,
    recipe: Name = None,
    set_: Sets = None,
    teacher_url: Urls = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the plan, do nothing")] = False,
    runs: Runs = RUNS,
) -> None:
    """The whole job, from prompts to scores; continues where it stopped.

    Examples:

    stillhouse distill

    stillhouse distill --model qwen-7b --dry-run

    stillhouse distill --model qwen-7b --teacher-url http://10.0.0.5:8000

    stillhouse distill --set sampling.n_max=8 --set student.epochs=2
    """
    from flows.recipe import load_recipe

    chosen = load_recipe(recipe, model, set_ or (), teacher_url or ())
    if dry_run:
        _print_plan(chosen, as_json=False)
        return
    from flows.preflight import require, with_served_name

    if not any(pair.startswith("teacher.served_name=") for pair in set_ or ()):
        chosen = with_served_name(chosen)

    require(chosen, runs)
    from flows.overview import say_finished

    if chosen.dataset.repo_id is None and say_finished(chosen, runs):
        return
    _prefect_quietly()
    from flows.distill import distill as distill_flow

    distill_flow(chosen, runs)


@app.command()
def plan(
    model: Model = None,
    recipe: Name = None,
    set_: Sets = None,
    teacher_url: Urls = None,
    as_json: Json = False,
) -> None:
    """What a run would do and take: prompts, teacher, tokens, GPU-hours, disk, time."""
    from flows.recipe import load_recipe

    _print_plan(load_recipe(recipe, model, set_ or (), teacher_url or ()), as_json)


@app.command()
def curate(
    run: Annotated[
        Path | None, typer.Argument(help="folder of a run; a new run of the recipe if left out")
    ] = None,
    model: Model = None,
    recipe: Name = None,
    set_: Sets = None,
    again: Again = False,
    runs: Runs = RUNS,
) -> None:
    """Collect, deduplicate and decontaminate prompts (of a run, or of a recipe: a new run).

    Example: stillhouse curate --recipe default
    """
    from flows.recipe import load_recipe
    from flows.run_folder import existing_run

    if run is None:
        _stage("curate", load_recipe(recipe, model, set_ or ()), runs, again)
        return
    if model or recipe or set_:
        raise PrerequisiteError("give a run or a recipe: a run has its recipe already")
    found = existing_run(run)
    _stage("curate", found.recipe, found.path.parent, again)


@app.command()
def generate(run: Run = None, runs: Runs = RUNS) -> None:
    """Sample the teacher for a run's prompts, resuming where it stopped."""
    _stage_of_run("generate", run, runs, again=False)


@app.command()
def verify(run: Run = None, again: Again = False, runs: Runs = RUNS) -> None:
    """Grade a run's stored samples; --again with the verifiers as they are now."""
    _stage_of_run("verify", run, runs, again)


@app.command()
def publish(run: Run = None, again: Again = False, runs: Runs = RUNS) -> None:
    """Write a run's dataset with its card; push it where the recipe names a repository."""
    _stage_of_run("publish", run, runs, again)


@app.command()
def train(run: Run = None, again: Again = False, runs: Runs = RUNS) -> None:
    """Fine-tune the student on a run's dataset."""
    _stage_of_run("train", run, runs, again)


@app.command()
def evaluate(run: Run = None, again: Again = False, runs: Runs = RUNS) -> None:
    """Score the student on held-out prompts, before and after."""
    _stage_of_run("evaluate", run, runs, again)


@app.command("runs")
def list_runs(as_json: Json = False, runs: Runs = RUNS) -> None:
    """All runs, the one worked on last first, with what is finished."""
    from flows.overview import runs_overview

    runs_overview(runs, as_json)


@app.command()
def show(run: Run = None, as_json: Json = False, runs: Runs = RUNS) -> None:
    """A run's funnel, scores and where things are."""
    from flows.overview import show_run

    show_run(_newest(run, runs), as_json)


@app.command()
def serve() -> None:
    """A Prefect server and worker on this machine, with the deployments of prefect.yaml."""
    from flows.schedule import serve_locally

    serve_locally()


def main() -> None:
    """Run the command line: errors end in one message and the exit code of their kind."""
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(_guarded(lambda: app(standalone_mode=False)))


def _guarded(command: Callable[[], Any]) -> int:
    """The exit code of a command: 0, 2 the user's mistake, 3 a fault of the run, 130 Ctrl-C."""
    try:
        result = command()
    except PrerequisiteError as error:
        return _fail(f"error: {error}", EXIT_USER)
    except RunError as error:
        return _fail(f"error: {error}\nType the same command to go on from here.", EXIT_RUN)
    except _UsageError as error:
        error.show()
        return EXIT_USER
    except (KeyboardInterrupt, typer.Abort):
        return _fail(_INTERRUPTED, EXIT_INTERRUPTED)
    except OSError as error:
        if error.errno in _DISK_FULL:
            return _fail(
                f"error: {error.strerror}: {error.filename or 'disk'}. Free some space, "
                "then type the same command to go on from here.",
                EXIT_RUN,
            )
        raise
    if result == EXIT_INTERRUPTED:  # typer turns a Ctrl-C inside a command into this code
        return _fail(_INTERRUPTED, EXIT_INTERRUPTED)
    return result if isinstance(result, int) else 0


_INTERRUPTED = "interrupted; type the same command to go on from here"
_DISK_FULL = (28, 122)  # ENOSPC, EDQUOT
# Typer carries its own copy of click; this is the class of "no such option" and the like.
_UsageError: Any = typer.BadParameter.__base__


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr, flush=True)
    return code


def _interrupt(number: int, frame: object) -> None:
    """SIGTERM ends a run as Ctrl-C does: servers are stopped, journals closed."""
    raise KeyboardInterrupt


def _stage_of_run(stage: str, run: Path | None, runs: Path, again: bool) -> None:
    from flows.run_folder import existing_run

    found = existing_run(_newest(run, runs))
    _stage(stage, found.recipe, found.path.parent, again)


def _stage(stage: str, recipe: Any, runs: Path, again: bool) -> None:
    from flows.preflight import require

    require(recipe, runs, (stage,))
    _prefect_quietly()
    import importlib

    flow = getattr(importlib.import_module(f"flows.{stage}"), stage)
    flow(recipe, runs, again)


def _newest(run: Path | None, runs: Path) -> Path:
    from flows.run_folder import all_runs, has_finished_stage

    if run is not None:
        return run
    if found := all_runs(runs):
        # A command that failed at once leaves a run without a finished stage: not what is meant.
        begun = [path for path in found if has_finished_stage(path)]
        return (begun or found)[0]
    raise PrerequisiteError(f"there is no run in {runs}/ yet; `make distill` makes one")


def _print_plan(recipe: Any, as_json: bool) -> None:
    from flows.plan import make_plan, plan_text

    made = make_plan(recipe)
    print(json.dumps(made, indent=2) if as_json else plan_text(made))


def _prefect_quietly() -> None:
    """Settings before Prefect is imported: patience with a slow start, and our own lines only.

    What the user has set stays.
    """
    for name, value in {
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_ROOT_LEVEL": "CRITICAL",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    }.items():
        os.environ.setdefault(name, value)


if __name__ == "__main__":
    main()
