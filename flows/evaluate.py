"""The evaluate flow: the student before and after, and its teacher, on the held-out prompts."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect import flow, task

from data_cards.funnel import FunnelRow
from evals.run import EvalsRecipe, Subject, compare, score
from evals.scores import Difference, Scores
from filters.verdict import Verdict
from flows.curate import test_prompts
from flows.generate import asks_for, read_samples, sample_files, sample_to_parquet
from flows.progress import say
from flows.recipe import Recipe, stage_fingerprint
from flows.report import write_run_report
from flows.run_folder import RUNS, RunFolder, open_run, write_text
from flows.serving import (
    base_weights,
    served,
    student_weights,
    teacher_replicas,
    teacher_weights,
)
from flows.stage import resolve, show, staged, unless_hopeless
from flows.verify import grade_all
from prompts.parquet import write_rows
from teacher.replicas import Replica
from teacher.sampling import SamplingRecipe


@flow(name="evaluate")
def evaluate(recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False) -> str:
    """Sample and score every subject on the held-out prompts; returns the run's folder."""
    run = open_run(resolve(recipe), runs)
    with staged(run, "evaluate", again) as stage:
        if stage.wanted:
            drop_stale_samples(run)
            for subjects in _served_together(run):
                with _replicas(run, subjects) as replicas:
                    for who in subjects:
                        sample_subject(run, who, replicas)
            scores = {who: score_subject(run, who) for who in run.recipe.evals.subjects}
            changes = differences(scores, run.recipe.evals)
            rows = [_funnel_row(who, found) for who, found in scores.items()]
            stage.finish(rows, **_facts(scores, changes))
            show(run, "evaluate")
        write_run_report(run)
    return str(run.path)


@task(name="sample-subject", retries=2, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def sample_subject(run: RunFolder, who: Subject, replicas: list[Replica]) -> None:
    """k samples of every held-out prompt, unless they are there already."""
    folder, evals, recipe = subject_folder(run, who), run.recipe.evals, run.recipe
    if sample_files(folder):
        say(f"evaluate  {who}: sampled already")
        return
    template = recipe.teacher.template if who == "teacher" else recipe.dataset.template
    asks = asks_for(test_prompts(run), template)
    sample_to_parquet(asks, replicas, fixed_sampling(recipe, evals), folder, recipe, who)


@task(name="score-subject")
def score_subject(run: RunFolder, who: Subject) -> Scores:
    """Grade a subject's samples and score them; verdicts and scores are kept beside them."""
    folder, prompts, recipe = subject_folder(run, who), test_prompts(run), run.recipe
    samples = read_samples(folder)
    verdicts = grade_all(prompts, samples, recipe.verification, who)
    write_rows(folder / "verdicts-00000.parquet", verdicts, Verdict)
    evals = recipe.evals
    found = score(prompts, samples, verdicts, evals.k, evals.confidence, evals.seed)
    write_text(folder / "scores.json", json.dumps(found.to_dict(), indent=1) + "\n")
    return found


def fixed_sampling(recipe: Recipe, evals: EvalsRecipe) -> SamplingRecipe:
    """The engine's settings for k samples a prompt, whatever their verdicts."""
    return recipe.sampling.model_copy(
        update={
            **dict.fromkeys(("keep", "n_min", "n_max"), evals.k),
            "temperature": evals.temperature,
            "top_p": evals.top_p,
            "max_tokens": evals.max_tokens,
            "in_flight": evals.in_flight,
        }
    )


def subject_folder(run: RunFolder, who: Subject) -> Path:
    """Where a subject's samples, verdicts and scores lie."""
    folder = run.folder("evaluate") / who
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def drop_stale_samples(run: RunFolder) -> None:
    """Remove samples of an evaluation with other settings or of another student."""
    folder, fingerprint = run.folder("evaluate"), stage_fingerprint(run.recipe, "evaluate")
    mark = folder / "fingerprint"
    if not mark.exists() or mark.read_text(encoding="utf-8") != fingerprint:
        shutil.rmtree(folder)
        write_text(run.folder("evaluate") / mark.name, fingerprint)


def differences(
    scores: dict[Subject, Scores], evals: EvalsRecipe
) -> dict[tuple[Subject, Subject], tuple[Difference, ...]]:
    """Paired differences of the student with everybody else who was measured."""
    if "student" not in scores:
        return {}
    return {
        ("student", who): compare(found, scores["student"], evals.seed)
        for who, found in scores.items()
        if who != "student"
    }


def _served_together(run: RunFolder) -> Iterator[list[Subject]]:
    """The subjects grouped by the weights they need, so that each is loaded once."""
    groups: dict[str, list[Subject]] = {}
    for who in run.recipe.evals.subjects:
        key = who if who == "student" or run.recipe.teacher.urls else _model_of(run, who)
        groups.setdefault(key, []).append(who)
    yield from groups.values()


def _model_of(run: RunFolder, who: Subject) -> str:
    return (teacher_weights(run) if who == "teacher" else base_weights(run)).model


@contextmanager
def _replicas(run: RunFolder, subjects: list[Subject]) -> Iterator[list[Replica]]:
    """Replicas for subjects of the same weights; none are started when all samples are there."""
    who = subjects[0]
    if all(sample_files(subject_folder(run, subject)) for subject in subjects):
        yield []
    elif who == "teacher":
        with teacher_replicas(run) as replicas:
            yield replicas
    else:
        weights = student_weights(run) if who == "student" else base_weights(run)
        with served(run, weights, who) as replicas:
            yield replicas


def _funnel_row(who: str, scores: Scores) -> FunnelRow:
    overall = scores.row()
    asked = overall.prompts * overall.k
    outcomes = {"returned": overall.samples, "missing": overall.missing}
    return FunnelRow(f"evaluate {who}", asked, outcomes)


def _facts(
    scores: dict[Subject, Scores], changes: dict[tuple[Subject, Subject], tuple[Difference, ...]]
) -> dict[str, object]:
    """Scores and differences as the manifest keeps them: rows, without the per-prompt scores."""
    return {
        "scores": {
            who: [row.model_dump(mode="json") for row in found.rows]
            for who, found in scores.items()
        },
        "differences": {
            f"{first} - {second}": [row.model_dump(mode="json") for row in rows]
            for (first, second), rows in changes.items()
        },
    }
