"""What the commands share that do a stage of a run: which run is meant, and the stage's flow."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from flows.prefect_settings import prefect_quietly
from prompts.errors import PrerequisiteError

if TYPE_CHECKING:
    from flows.recipe import Recipe


def newest_run(run: Path | None, runs: Path) -> Path:
    """The run that was given, else the one worked on last; PrerequisiteError where none is."""
    from flows.run_folder import all_runs, has_finished_stage

    if run is not None:
        return run
    if found := all_runs(runs):
        # A command that failed at once leaves a run without a finished stage: not what is meant.
        begun = [path for path in found if has_finished_stage(path)]
        return (begun or found)[0]
    raise PrerequisiteError(f"there is no run in {runs}/ yet; `make distill` makes one")


def stage_of_run(stage: str, run: Path | None, runs: Path, again: bool) -> None:
    """Do a stage of a run that exists."""
    from flows.run_folder import existing_run

    found = existing_run(newest_run(run, runs))
    with found.locked():  # what stops the stage is said before Prefect starts, which takes seconds
        found.need_before(stage)
    do_stage(stage, found.recipe, found.path.parent, again)


def do_stage(stage: str, recipe: "Recipe", runs: Path, again: bool) -> None:
    """Do a stage of a recipe's run, once all is there that it needs."""
    from flows.preflight import require

    require(recipe, runs, (stage,))
    prefect_quietly()
    flow = getattr(importlib.import_module(f"flows.{stage}"), stage)
    flow(recipe, runs, again)
