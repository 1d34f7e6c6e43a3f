"""The curate flow: sources in; clean, held-apart prompts out, every row accounted for."""

from pathlib import Path

from prefect import flow, task

from data_cards.funnel import FunnelRow
from flows.recipe import Recipe
from flows.run_folder import RUNS, RunFolder, open_run
from flows.stage import resolve, show, staged, unless_hopeless
from prompts.curate import Curated
from prompts.curate import curate as curate_prompts
from prompts.decontaminate import Hit
from prompts.errors import PrerequisiteError
from prompts.parquet import read_rows, write_rows
from prompts.record import Prompt
from prompts.sources.jsonl import RejectedRow


@flow(name="curate")
def curate(
    recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False, edition: str = ""
) -> str:
    """Curate the recipe's prompts; returns the run's folder. `edition`: see distill."""
    run = open_run(resolve(recipe, edition), runs)
    with staged(run, "curate", again) as stage:
        if stage.wanted:
            curated = curate_and_write(run)
            stage.finish([_funnel_row(curated, stage.seconds())], **_facts(curated))
            show(run, "curate")
    return str(run.path)


@task(name="curate-prompts", retries=1, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def curate_and_write(run: RunFolder) -> Curated:
    """Read every source, then write train, test, rejected rows and overlaps."""
    curated = curate_prompts(run.recipe.prompts)
    if not curated.train:
        raise PrerequisiteError(
            f"no train prompt is left of {curated.total().rows} rows "
            f"({dict(curated.rejected_by_reason)}); look at prompts.sources in the recipe"
        )
    folder = run.folder("curate")
    write_rows(folder / "train.parquet", curated.train, Prompt)
    write_rows(folder / "test.parquet", curated.test, Prompt)
    write_rows(folder / "rejected.parquet", curated.rejected, RejectedRow)
    write_rows(folder / "duplicates.parquet", curated.duplicates, Prompt)
    write_rows(folder / "contaminated.parquet", curated.hits, Hit)
    return curated


def train_prompts(run: RunFolder) -> list[Prompt]:
    """The prompts to sample."""
    return read_rows(run.folder("curate") / "train.parquet", Prompt)


def test_prompts(run: RunFolder) -> list[Prompt]:
    """The held-out prompts."""
    return read_rows(run.folder("curate") / "test.parquet", Prompt)


def _funnel_row(curated: Curated, seconds: float) -> FunnelRow:
    total = curated.total()
    outcomes = {"keep": total.train, "held out": total.test}
    outcomes |= {
        name.replace("_", " "): getattr(total, name)
        for name in ("rejected", "duplicates", "contaminated", "over_limit")
    }
    return FunnelRow("curate", total.rows, outcomes, seconds)


def _facts(curated: Curated) -> dict[str, object]:
    total = curated.total()
    return {
        "train": total.train,
        "test": total.test,
        "decontamination_checked": total.train + total.contaminated + total.over_limit,
        "decontamination_removed": total.contaminated,
        "rejected_by_reason": dict(curated.rejected_by_reason),
    }
