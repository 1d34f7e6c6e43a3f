"""The command `stillhouse compare`."""

import json
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.options import Runs
from flows.runs import RUNS
from prompts.errors import PrerequisiteError

if TYPE_CHECKING:
    from flows.recipe import Recipe


def compare(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RUN|DIR|SCORES]...",
            help="runs (their students), folders of an evaluation, scores.json files",
        ),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(help="run a recipe in variants: KEY=VALUE,VALUE… (repeatable: all pairs)"),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="recipe to vary, by name, or a .yaml file")
    ] = None,
    model: Annotated[str | None, typer.Option(help="student to train in each variant")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="override a key in all variants (repeatable)")
    ] = None,
    teacher_url: Annotated[
        list[str] | None, typer.Option(help="endpoint of the variants' teacher (repeatable)")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="folder for comparison.md, .json and .html")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what variants share and cost, do nothing")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
    runs: Runs = RUNS,
) -> None:
    """Compare students on the prompts they have in common, with paired intervals.

    stillhouse compare RUN RUN                 students of two runs

    stillhouse compare RUN RUN/6-evals/base    a student and its base

    stillhouse compare --recipe default --vary selection.trace=journey,shortcut

    Differences are against the first one named. With --vary each variant of the recipe is a run
    of its own; stages that a finished run, or the variant before, has done alike are taken over,
    so that sampling is paid once. Typed again it goes on. The tables are printed; as files they
    are written into --out, with --vary also without it, into the folder that is then printed.
    """
    if not vary:
        given = {"--recipe": recipe, "--model": model, "--set": set_, "--teacher-url": teacher_url}
        _only_with_vary({**given, "--dry-run": dry_run})
        _report(paths or [], out, as_json)
        return
    if paths:
        raise PrerequisiteError(f"give runs ({paths[0]} …) or --vary, not both")
    from flows.variants import make_variants, plan_variants, read_switch

    switches = [read_switch(text) for text in vary]
    variants = make_variants(switches, recipe, model, set_ or (), teacher_url or ())
    if dry_run:
        _print_plan(plan_variants(variants, runs), as_json)
        return
    _run_and_report(variants, [*vary, *(set_ or ())], runs, out, as_json)


def _only_with_vary(given: dict[str, Any]) -> None:
    if named := [name for name, value in given.items() if value]:
        raise PrerequisiteError(f"{', '.join(named)}: only with --vary; a run has its recipe")


def _run_and_report(
    variants: "list[Recipe]", settings: list[str], runs: Path, out: Path | None, as_json: bool
) -> None:
    """Every variant, after a look at all that they need; then the comparison."""
    from flows.prefect_settings import prefect_quietly
    from flows.preflight import require, with_served_name
    from flows.progress import say
    from flows.variants import comparison_folder, plan_variants, run_variants, say_shared

    if not any("teacher.served_name=" in text for text in settings):
        variants = [with_served_name(recipe) for recipe in variants]
    planned = plan_variants(variants, runs)
    for one in planned:
        require(one.recipe, runs, one.own)
    prefect_quietly()
    folder = out or comparison_folder(variants, runs)
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        say_shared(planned)
        done = run_variants(variants, runs)
    _report(done, folder, as_json)
    if not as_json:
        say(f"report    {folder / 'comparison.html'}")


def _report(paths: list[Path], out: Path | None, as_json: bool) -> None:
    """Print the comparison, and write it where a folder is given."""
    from data_cards.comparison import comparison_dict, comparison_text
    from flows.compare import compare_paths, write_comparison

    _require_there(paths)
    found = compare_paths(paths)
    if out is not None:
        write_comparison(found, out)
    shown = json.dumps(comparison_dict(found), indent=2) if as_json else comparison_text(found)
    print(shown.rstrip("\n"))


def _require_there(paths: list[Path]) -> None:
    """PrerequisiteError names all that is not there, and says so where one alone was given."""
    if missing := [str(path) for path in paths if not path.exists()]:
        alone = "; a comparison also takes two or more" if len(paths) == 1 else ""
        names = ", ".join(missing)
        raise PrerequisiteError(f"there is no {names}; `stillhouse runs` lists the runs{alone}")


def _print_plan(planned: Any, as_json: bool) -> None:
    from flows.variants import variants_plan, variants_text

    plan = variants_plan(planned)
    print(json.dumps(plan, indent=2) if as_json else variants_text(plan))
