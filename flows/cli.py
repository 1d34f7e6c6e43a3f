"""The command line: `stillhouse distill` and its stages; see `stillhouse --help`."""

import io
import json
import signal
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.compare_command import compare
from flows.contamination_command import contamination
from flows.dedup_command import dedup
from flows.evaluate_command import evaluate
from flows.file_commands import check, judge_programs, make_tests
from flows.generate_command import generate
from flows.options import (
    Again,
    DryRun,
    Json,
    JsonLines,
    MetricsPort,
    Model,
    Name,
    Run,
    Runs,
    Sets,
    Urls,
)
from flows.prefect_settings import prefect_quietly
from flows.progress import report_to
from flows.runs import RUNS
from flows.stage_command import do_stage, newest_run, stage_of_run
from flows.usage_errors import usage_text
from prompts.errors import PrerequisiteError, RunError

EXIT_USER, EXIT_RUN, EXIT_INTERRUPTED = 2, 3, 130

app = typer.Typer(
    name="stillhouse",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Turn a reasoning teacher into verified SFT datasets and trained students.\n\n"
    "stillhouse distill                      the default recipe, on this machine\n\n"
    "stillhouse distill --model qwen-7b --dry-run    what a big one would take\n\n"
    "stillhouse show                         the newest run's funnel and scores",
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"stillhouse {version('stillhouse')}")
        raise typer.Exit


@app.callback()
def whole(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="the version"),
    ] = False,
) -> None:
    """What stands before a command."""


@app.command()
def distill(
    model: Model = None,
    recipe: Name = None,
    set_: Sets = None,
    teacher_url: Urls = None,
    rounds: Annotated[
        int, typer.Option(min=1, max=20, help="each round's student is the next one's teacher")
    ] = 1,
    dry_run: DryRun = False,
    as_json: JsonLines = False,
    metrics_port: MetricsPort = None,
    runs: Runs = RUNS,
) -> None:
    """The whole job, from prompts to scores; continues where it stopped.

    Examples:

    stillhouse distill

    stillhouse distill --model qwen-7b --dry-run

    stillhouse distill --model qwen-7b --teacher-url http://10.0.0.5:8000

    stillhouse distill --set sampling.n_max=8 --set student.epochs=2

    stillhouse distill --rounds 2
    """
    from flows.recipe import load_recipe

    chosen = load_recipe(recipe, model, set_ or (), teacher_url or ())
    if dry_run:
        _print_plan(chosen, as_json, rounds)
        return
    report_to(as_json, metrics_port)
    from flows.preflight import require, with_served_name

    if not any(pair.startswith("teacher.served_name=") for pair in set_ or ()):
        chosen = with_served_name(chosen)

    require(chosen, runs)
    if rounds > 1:
        prefect_quietly()
        from flows.rounds import distill_rounds

        distill_rounds(chosen, rounds, runs)
        return
    from flows.overview import say_finished

    if say_finished(chosen, runs):
        return
    prefect_quietly()
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
    """What a run would do and take: prompts, teacher, tokens, GPU-hours, disk, time.

    Examples:

    stillhouse plan --model llama-70b

    stillhouse plan --recipe mine.yaml --set sampling.n_max=8 --json
    """
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
        do_stage("curate", load_recipe(recipe, model, set_ or ()), runs, again)
        return
    if model or recipe or set_:
        raise PrerequisiteError("give a run or a recipe: a run has its recipe already")
    found = existing_run(run)
    do_stage("curate", found.recipe, found.path.parent, again)


app.command()(generate)


@app.command()
def verify(run: Run = None, again: Again = False, runs: Runs = RUNS) -> None:
    """Grade a run's stored samples; --again with the verifiers as they are now.

    Example: stillhouse verify RUN --again
    """
    stage_of_run("verify", run, runs, again)


app.command()(contamination)
app.command()(dedup)
app.command()(check)
app.command("judge")(judge_programs)
app.command("tests")(make_tests)


@app.command()
def publish(run: Run = None, again: Again = False, runs: Runs = RUNS) -> None:
    """Write a run's dataset with its card; push it where the recipe names a repository.

    Example: stillhouse publish RUN
    """
    stage_of_run("publish", run, runs, again)


@app.command()
def train(
    run: Run = None,
    again: Again = False,
    slurm: Annotated[
        bool, typer.Option("--slurm", help="write a batch script for Slurm instead of training")
    ] = False,
    runs: Runs = RUNS,
) -> None:
    """Fine-tune the student on a run's dataset; typed again it takes up what a batch job made.

    Examples:

    stillhouse train RUN

    stillhouse train RUN --again             anew, from the base

    stillhouse train RUN --slurm             a batch script for a cluster
    """
    if not slurm:
        stage_of_run("train", run, runs, again)
        return
    prefect_quietly()
    from flows.run_folder import existing_run
    from flows.slurm_training import hand_run_to_slurm

    for line in hand_run_to_slurm(existing_run(newest_run(run, runs)), again):
        print(line)


app.command()(evaluate)
app.command()(compare)


@app.command("runs")
def list_runs(as_json: Json = False, runs: Runs = RUNS) -> None:
    """All runs, the one worked on last first, with what is finished.

    Example: stillhouse runs --json
    """
    from flows.overview import runs_overview

    runs_overview(runs, as_json)


@app.command()
def show(run: Run = None, as_json: Json = False, runs: Runs = RUNS) -> None:
    """A run's funnel, scores and where things are; of an unfinished one, what goes on with it.

    Examples:

    stillhouse show                          the newest run

    stillhouse show RUN --json
    """
    from flows.overview import show_run

    show_run(newest_run(run, runs), as_json)


@app.command()
def serve() -> None:
    """A Prefect server and worker on this machine, with the deployments of prefect.yaml.

    Example: stillhouse serve                Ctrl-C ends it
    """
    from flows.schedule import serve_locally

    serve_locally()


def main() -> None:
    """Run the command line: errors end in one message and the exit code of their kind."""
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ÷ is no reason to end a run
    sys.exit(_guarded(lambda: app(prog_name="stillhouse", standalone_mode=False)))


def _guarded(command: Callable[[], Any]) -> int:
    """The exit code of a command: 0, 2 the user's mistake, 3 a fault of the run, 130 Ctrl-C."""
    try:
        result = command()
    except PrerequisiteError as error:
        return _fail(f"error: {error}", EXIT_USER)
    except RunError as error:
        return _fail(f"error: {error}\nType the same command to go on from here.", EXIT_RUN)
    except _NoCommand as error:
        return _fail(error.format_message(), EXIT_USER)
    except _UsageError as error:
        return _fail(f"error: {usage_text(error)}", EXIT_USER)
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


_INTERRUPTED = "interrupted; what keeps its state goes on when the same command is typed again"
_DISK_FULL = (28, 122)  # ENOSPC, EDQUOT
# Typer carries its own copy of click; this is the class of "no such option" and the like.
_UsageError: Any = typer.BadParameter.__base__
_NoCommand: Any = vars(sys.modules[_UsageError.__module__])["NoArgsIsHelpError"]


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr, flush=True)
    return code


def _interrupt(number: int, frame: object) -> None:
    """SIGTERM ends a run as Ctrl-C does: servers are stopped, journals closed."""
    raise KeyboardInterrupt


def _print_plan(recipe: Any, as_json: bool, rounds: int = 1) -> None:
    from flows.plan import make_plan, plan_text

    made, further = make_plan(recipe), ""
    if rounds > 1:
        from flows.rounds import further_rounds

        made["further_rounds"] = further_rounds(recipe, made, rounds)
        further = "\n\n" + made["further_rounds"]["text"]
    print(json.dumps(made, indent=2) if as_json else plan_text(made) + further)


if __name__ == "__main__":
    main()
