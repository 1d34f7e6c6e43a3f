"""The curate flow: sources in; clean, held-apart prompts out, every row accounted for."""

from dataclasses import asdict
from functools import partial
from pathlib import Path

from prefect import flow, task

from data_cards.funnel import FunnelRow
from filters.gradable import ungradable
from flows.curation_display import CurationDisplay, rows_expected
from flows.probe import probe_pass_rates
from flows.progress import say
from flows.prompt_set import write_run_prompt_set
from flows.recipe import Recipe
from flows.run_folder import RunFolder, open_run
from flows.runs import RUNS
from flows.stage import resolve, show, staged, unless_hopeless
from prompts.curate import Curation
from prompts.curate import curate as curate_prompts
from prompts.parquet import read_rows
from prompts.record import Prompt


@flow(name="curate")
def curate(
    recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False, edition: str = ""
) -> str:
    """Curate the recipe's prompts; returns the run's folder. `edition`: see distill."""
    run = open_run(resolve(recipe, edition), runs)
    with staged(run, "curate", again) as stage:
        if stage.wanted:
            curation = curate_and_write(run, again)
            stage.finish([_funnel_row(curation, stage.seconds())], **_facts(curation))
            show(run, "curate")
            if (line := unmeasured_line(run.recipe, curation.total().test)) is not None:
                say(line)
    return str(run.path)


def unmeasured_line(recipe: Recipe, held_out: int) -> str | None:
    """That nobody will be measured on anything, and what to do; None where somebody will."""
    if held_out or recipe.evals.benchmarks:
        return None
    return (
        "curate  nothing is held out and evals.benchmarks is empty, so no score will be known: "
        "give rows `split: test`, or add a source with it, or a benchmark"
    )


@task(name="curate-prompts", retries=1, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def curate_and_write(run: RunFolder, again: bool = False) -> Curation:
    """Curate into the stage's folder, with progress; its report and card beside the prompts."""
    recipe, folder = run.recipe.prompts, run.folder("curate")
    probe = partial(_probed, run, again) if recipe.difficulty.probe else None
    with CurationDisplay(rows_expected(recipe)) as shown:
        curation = curate_prompts(recipe, folder, shown.update, ungradable, probe)
    write_run_prompt_set(run, curation)
    return curation


def _probed(run: RunFolder, again: bool, prompts: list[Prompt]) -> dict[str, float]:
    """The probe model's pass rates; its samples are kept in the stage's folder."""
    probe = run.recipe.prompts.difficulty.probe
    assert probe is not None, "only asked where the recipe has a probe"
    return probe_pass_rates(run.folder("curate"), prompts, probe, run.recipe.verification, again)


def train_prompts(run: RunFolder) -> list[Prompt]:
    """The prompts to sample."""
    return read_rows(run.folder("curate") / "train.parquet", Prompt)


def test_prompts(run: RunFolder) -> list[Prompt]:
    """The held-out prompts."""
    return read_rows(run.folder("curate") / "test.parquet", Prompt)


def _funnel_row(curation: Curation, seconds: float) -> FunnelRow:
    total = curation.total()
    outcomes = {"keep": total.train, "held out": total.test, "rejected": total.rejected}
    outcomes |= {"unwanted": total.unwanted, "contaminated": total.contaminated}
    outcomes |= {"duplicates": total.duplicate, "over limit": total.over_limit}
    outcomes |= {"outside mix": total.outside_mix} if total.outside_mix else {}
    return FunnelRow("curate", total.rows, outcomes, seconds)


def _facts(curation: Curation) -> dict[str, object]:
    total = curation.total()
    return {
        "train": total.train,
        "test": total.test,
        "decontamination_checked": curation.looked_through,
        "decontamination_removed": total.contaminated,
        **{f"{name}_by_reason": curation.reasons(name) for name in ("rejected", "unwanted")},
        "duplicates_by_kind": curation.reasons("duplicate"),
        "contaminated_by_benchmark": curation.reasons("contaminated"),
        "sources": {label: asdict(counts) for label, counts in curation.counts().items()},
        "mix": [{**asdict(fill), "shortfall": fill.shortfall} for fill in curation.fills],
    }
