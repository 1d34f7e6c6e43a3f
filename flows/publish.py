"""The publish flow: select accepted samples, write the dataset with its card, push if asked."""

from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
from prefect import flow, task

from data_cards.assemble import Assembled, assemble
from data_cards.card import (
    CardFacts,
    Decontamination,
    TeacherFacts,
    load_name_on,
    write_card,
)
from data_cards.funnel import FunnelRow
from data_cards.hub import push
from data_cards.hub_token import TOKEN_VARIABLE, hub_token
from data_cards.scrub import public_name
from data_cards.shards import read_facts, write_dataset
from data_cards.validate import validate_card
from filters.final import final_verdicts
from filters.selection import select
from filters.verdict import Verdict
from flows.curate import train_prompts
from flows.progress import say
from flows.public_recipe import public_recipe, source_facts
from flows.recipe import Recipe, run_fingerprint
from flows.run_folder import STAGES, RunFolder, open_run
from flows.runs import RUNS
from flows.sample_folder import read_samples, samples_table
from flows.serving import teacher_weights
from flows.stage import artifact, resolve, show, staged, unless_hopeless
from flows.verify import read_verdicts
from prompts.contamination.decontaminate import DecontaminationRecipe
from prompts.errors import PrerequisiteError, RunError
from prompts.parquet import table_of
from prompts.template import render
from teacher.teachers import TEACHERS

# The funnel rows a dataset has been through; those of later stages come from it.
_BEFORE = ("judge", *tuple(STAGES)[: tuple(STAGES).index("publish")])


@flow(name="publish")
def publish(recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False) -> str:
    """Write the dataset of a run and, with a repository in the recipe, push it."""
    run = open_run(resolve(recipe), runs)
    with staged(run, "publish", again) as stage:
        if stage.wanted:
            assembled = write_shards(run)
            row = _selection_row(assembled, stage.seconds())
            write_run_card(run, assembled, row)
            stage.finish([row], traces=len(assembled.accepted))
            show(run, "publish")
            _say_forms(assembled)
        else:
            renew_card(run)
        say(f"{'publish':9} dataset in {run.folder('publish')}")
        push_dataset(run)
    return str(run.path)


def assemble_run(run: RunFolder) -> Assembled:
    """Join prompts, samples and verdicts into the traces to publish."""
    prompts, recipe = train_prompts(run), run.recipe
    samples = read_samples(run.folder("generate"))
    table = samples_table(run.folder("generate"))
    verdicts = read_verdicts(run)
    final = pl.from_arrow(table_of(final_verdicts(verdicts), Verdict))
    assert isinstance(final, pl.DataFrame)
    selected = select(table, final, recipe.selection, {p.prompt_id: p.traces for p in prompts})
    return assemble(
        prompts,
        samples,
        verdicts,
        {p.prompt_id: render(p, recipe.dataset.template) for p in prompts},
        recipe.dataset,
        selected=set(selected["sample_id"]),
        fingerprint=run_fingerprint(recipe),
        shorten=recipe.selection.trace == "shortcut",
    )


@task(name="write-dataset", retries=1, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def write_shards(run: RunFolder) -> Assembled:
    """Assemble the traces and write them; the folder has no card until write_run_card."""
    assembled = assemble_run(run)
    write_dataset(run.folder("publish"), assembled, run.recipe.dataset)
    return assembled


@task(name="write-card", retries=1, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def write_run_card(run: RunFolder, assembled: Assembled, row: FunnelRow) -> None:
    """Write the card of the shards that are there, then check the one against the other."""
    folder, recipe = run.folder("publish"), run.recipe
    curated = run.manifest()["stages"]["curate"]
    asked_by_source: Counter[tuple[str, str, str]] = Counter(
        (p.source, p.domain, p.license) for p in train_prompts(run)
    )
    facts = CardFacts(
        recipe=recipe.dataset,
        dataset=read_facts(folder),
        assembled=assembled,
        teacher=teacher_facts(run),
        sources=source_facts(recipe, asked_by_source),
        funnel=[*(r for r in run.funnel() if r.stage in _BEFORE), row],
        decontamination=_decontamination(recipe.prompts.decontaminate, curated),
        recipe_yaml=public_recipe(recipe),
        fingerprint=run_fingerprint(recipe),
        version=version("stillhouse"),
        judge=public_name(recipe.judge.model) if recipe.judge else "",
    )
    card = write_card(folder, facts)
    if problems := validate_card(folder):
        raise RunError(f"the dataset in {folder} does not match its card: {'; '.join(problems)}")
    artifact(run, "card", card.read_text(encoding="utf-8"))


def renew_card(run: RunFolder) -> None:
    """Write the card of a finished dataset again if it was made for another repository.

    The repository is no part of the data, so the shards and what was trained on them stay.
    """
    repo_id = run.recipe.dataset.repo_id
    if repo_id is None or load_name_on(run.folder("publish")) == repo_id:
        return
    row = next(row for row in run.funnel() if row.stage == "publish")
    write_run_card(run, assemble_run(run), row)
    say(f"{'publish':9} card written again for {repo_id}")


@task(name="push-to-hub", retries=2, retry_delay_seconds=30, retry_condition_fn=unless_hopeless)
def push_dataset(run: RunFolder) -> None:
    """Push the dataset in one commit where the recipe names a repository.

    Raises PrerequisiteError where there is no token, besides what `push` raises.
    """
    dataset, folder = run.recipe.dataset, run.folder("publish")
    if dataset.repo_id is None:
        return
    token = hub_token()
    if token is None:
        raise PrerequisiteError(
            f"dataset.repo_id is {dataset.repo_id} but there is no Hugging Face token, so the "
            f"dataset in {folder} was not pushed: set {TOKEN_VARIABLE} or run `hf auth login`, "
            "then run publish again; only the push is left to do"
        )
    result = push(folder, dataset.repo_id, token, dataset.private, tag=dataset.tag)
    state = "pushed" if result.changed else "already there"
    say(f"{'publish':9} {state}: {result.url} at {result.commit[:12]}")


def _say_forms(assembled: Assembled) -> None:
    """How many reasonings were cut to their shortcut, where that was wanted."""
    forms = Counter(trace.reasoning_form for trace in assembled.accepted)
    if forms["shortcut"] or forms["uncut"]:
        say(f"{'publish':9} {forms['shortcut']:,} cut to their shortcut, {forms['uncut']:,} whole")


def _selection_row(assembled: Assembled, seconds: float) -> FunnelRow:
    published = len(assembled.accepted)
    outcomes = {"publish": published, "surplus": assembled.surplus}
    return FunnelRow("publish", published + assembled.surplus, outcomes, seconds)


def _decontamination(recipe: DecontaminationRecipe, curated: dict[str, Any]) -> Decontamination:
    return Decontamination(
        ngram=recipe.ngram,
        held_out=curated["test"],
        checked=curated["decontamination_checked"],
        removed=curated["decontamination_removed"],
        against=tuple(public_name(benchmark.label) for benchmark in recipe.benchmarks),
        near=recipe.near is not None,
        reworded=recipe.reworded is not None,
    )


def teacher_facts(run: RunFolder) -> TeacherFacts:
    """The teacher as far as we know it: what endpoints of others serve, only they know."""
    recipe = run.recipe.teacher
    if recipe.urls:
        name = public_name(recipe.served_name)
        return TeacherFacts(name, "", "not stated: endpoints were given by address")
    if recipe.folder is not None:
        base, origin = public_name(run.recipe.student.base), TEACHERS[recipe.model]
        terms = f"its base's ({base}), taught by {origin.hub_id} ({origin.license})"
        name, revision = public_name(recipe.served_name), run.recipe.pins.get("teacher", "")
        return TeacherFacts(name, revision, terms)
    known = TEACHERS[recipe.model]
    return TeacherFacts(known.hub_id, teacher_weights(run).revision, known.license)
