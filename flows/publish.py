"""The publish flow: select accepted samples, write the dataset with its card, push if asked."""

from collections import Counter
from importlib.metadata import version
from pathlib import Path

import polars as pl
from prefect import flow, task

from data_cards.assemble import Assembled, assemble
from data_cards.card import CardFacts, Decontamination, SourceFacts, TeacherFacts, write_card
from data_cards.funnel import FunnelRow
from data_cards.hub import push
from data_cards.hub_token import TOKEN_VARIABLE, hub_token
from data_cards.shards import write_dataset
from data_cards.validate import validate_card
from filters.selection import select
from flows.curate import train_prompts
from flows.generate import read_samples, samples_table
from flows.progress import say
from flows.recipe import Recipe, recipe_yaml, run_fingerprint
from flows.run_folder import RUNS, RunFolder, open_run
from flows.serving import teacher_weights
from flows.stage import artifact, resolve, show, staged, unless_hopeless
from flows.verify import read_verdicts, verdict_files
from prompts.errors import RunError
from prompts.record import Prompt
from prompts.sources import SOURCES
from prompts.template import render
from teacher.teachers import TEACHERS


@flow(name="publish")
def publish(recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False) -> str:
    """Write the dataset of a run and, with a repository in the recipe, push it."""
    run = open_run(resolve(recipe), runs)
    with staged(run, "publish", again) as stage:
        if stage.wanted:
            assembled = assemble_run(run)
            rows = [_selection_row(assembled, stage.seconds())]
            write_with_card(run, assembled, rows)
            stage.finish(rows, traces=len(assembled.accepted))
            show(run, "publish")
        say(f"{'publish':9} dataset in {run.folder('publish')}")
        push_dataset(run)
    return str(run.path)


@task(name="assemble")
def assemble_run(run: RunFolder) -> Assembled:
    """Join prompts, samples and verdicts into the traces to publish."""
    prompts, recipe = train_prompts(run), run.recipe
    samples = read_samples(run.folder("generate"))
    table = samples_table(run.folder("generate"))
    selected = select(table, pl.read_parquet(verdict_files(run)), recipe.selection)
    return assemble(
        prompts,
        samples,
        read_verdicts(run),
        {p.prompt_id: render(p, recipe.dataset.template) for p in prompts},
        recipe.dataset,
        selected=set(selected["sample_id"]),
        fingerprint=run_fingerprint(recipe),
    )


@task(name="write-dataset", retries=1, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def write_with_card(run: RunFolder, assembled: Assembled, rows: list[FunnelRow]) -> None:
    """Write shards and card, then check the one against the other."""
    folder, recipe = run.folder("publish"), run.recipe
    dataset = write_dataset(folder, assembled, recipe.dataset)
    teacher, curated = TEACHERS[recipe.teacher.model], run.manifest()["stages"]["curate"]
    weights = teacher_weights(run)
    facts = CardFacts(
        recipe=recipe.dataset,
        dataset=dataset,
        assembled=assembled,
        teacher=TeacherFacts(teacher.hub_id, weights.revision, teacher.license),
        sources=_sources(train_prompts(run)),
        funnel=[*run.funnel(), *rows],
        decontamination=Decontamination(
            ngram=recipe.prompts.decontaminate_ngram,
            held_out=curated["test"],
            checked=curated["decontamination_checked"],
            removed=curated["decontamination_removed"],
        ),
        recipe_yaml=recipe_yaml(recipe),
        fingerprint=run_fingerprint(recipe),
        version=version("stillhouse"),
    )
    card = write_card(folder, facts)
    if problems := validate_card(folder):
        raise RunError(f"the dataset in {folder} does not match its card: {'; '.join(problems)}")
    artifact(run, "card", card.read_text(encoding="utf-8"))


@task(name="push-to-hub", retries=2, retry_delay_seconds=30, retry_condition_fn=unless_hopeless)
def push_dataset(run: RunFolder) -> None:
    """Push the dataset in one commit where the recipe names a repository; else say how."""
    dataset, folder = run.recipe.dataset, run.folder("publish")
    token = hub_token()
    if dataset.repo_id is None:
        return
    if token is None:
        say(f"{'publish':9} not pushed to {dataset.repo_id}: {TOKEN_VARIABLE} is not set")
        return
    result = push(folder, dataset.repo_id, token, dataset.private, tag=dataset.tag)
    state = "pushed" if result.changed else "already there"
    say(f"{'publish':9} {state}: {result.url} at {result.commit[:12]}")


def dataset_files(run: RunFolder, split: str = "train") -> list[Path]:
    """The published Parquet files of one split."""
    return sorted((run.folder("publish") / "data").glob(f"{split}-*.parquet"))


def _selection_row(assembled: Assembled, seconds: float) -> FunnelRow:
    published = len(assembled.accepted)
    outcomes = {"publish": published, "surplus": assembled.surplus}
    return FunnelRow("publish", published + assembled.surplus, outcomes, seconds)


def _sources(prompts: list[Prompt]) -> list[SourceFacts]:
    """The sources with the number of their prompts that were asked."""
    counts = Counter((p.source, p.domain, p.license) for p in prompts)
    facts = []
    for (name, domain, license_id), count in sorted(counts.items()):
        source = SOURCES.get(name)
        revision = source.revision if source else ""
        facts.append(SourceFacts(name, domain, license_id, count, revision))
    return facts
