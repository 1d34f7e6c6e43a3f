"""What every stage flow does around its work: skip what is done, note the rest, show the counts."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from data_cards.funnel import FunnelRow
from flows.lost import lost_line
from flows.overview import already
from flows.pins import check_pins
from flows.progress import say
from flows.recipe import Recipe, load_recipe
from flows.run_folder import RunFolder
from prompts.errors import RunError

# Stages that read prompt files, benchmarks or templates: those must be what they were when the run
# was made.
PINNED = ("curate", "generate", "verify", "publish")


class Stage:
    """One stage of one run while it is worked on; `wanted` says whether there is work."""

    def __init__(self, run: RunFolder, name: str, wanted: bool, again: bool = False) -> None:
        self.run, self.name, self.wanted = run, name, wanted
        self._started_s = run.begin(name, again) if wanted else time.monotonic()

    def seconds(self) -> float:
        """Time the stage has taken, in all goes."""
        return time.monotonic() - self._started_s

    def finish(self, funnel: Sequence[FunnelRow], **facts: Any) -> None:
        """Note in the manifest that the stage is done."""
        self.run.finish(self.name, self._started_s, funnel, **facts)


@contextlib.contextmanager
def staged(run: RunFolder, name: str, again: bool = False) -> Iterator[Stage]:
    """Work on one stage: the earlier ones must be done, and one that is done is not done again.

    Holds the run against other processes. Raises PrerequisiteError where an earlier stage is
    missing.
    """
    with run.locked():
        run.keep_recipe()
        run.need_before(name)
        done = run.is_done(name)
        if name in PINNED and (again or not done):
            check_pins(run.recipe)
        if done and not again:
            say(already(run, name))
        stage = Stage(run, name, again or not done, again)
        try:
            yield stage
        except BaseException:
            run.stop(name)
            raise


def show(run: RunFolder, name: str) -> None:
    """Print the stage's funnel rows and what was lost; the rows also go to Prefect's page."""
    entry = run.manifest()["stages"][name]
    rows = entry["funnel"]
    for row in rows:
        say(FunnelRow(row["stage"], row["n_in"], row["outcomes"], row["seconds"]).line())
    if lost := lost_line(entry):
        say(lost)
    table = [
        {"stage": row["stage"], "in": row["n_in"], **row["outcomes"], "seconds": row["seconds"]}
        for row in rows
    ]
    create_table_artifact(key=f"funnel-{name}", table=table, description=f"{run.name}: {name}")


def artifact(run: RunFolder, key: str, markdown: str) -> None:
    """A page of text for Prefect's page of artifacts."""
    create_markdown_artifact(key=key, markdown=markdown, description=run.name)


def resolve(recipe: Recipe | str, edition: str = "") -> Recipe:
    """A recipe, by itself or by its name: schedules name theirs. `today` becomes the date."""
    found = load_recipe(recipe) if isinstance(recipe, str) else recipe
    edition = edition or found.edition
    if edition == "today":
        edition = date.today().isoformat()
    return found.model_copy(update={"edition": edition})


def unless_hopeless(task: object, task_run: object, state: Any) -> bool:
    """Whether a failed task is worth another try: after a fault of the world, not after a bug or
    a mistake only the user can mend."""
    error = state.result(raise_on_failure=False)
    worth_it = isinstance(error, RunError | OSError)
    if worth_it:
        say(f"failed    {error}; trying again unless it was the last try")
    return worth_it
