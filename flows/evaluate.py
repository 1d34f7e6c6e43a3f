"""The evaluate flow: the student before and after, and its teacher, on the held-out prompts."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from prefect import flow, task

from data_cards.funnel import FunnelRow
from evals.run import EvalsRecipe, Subject, compare, score
from evals.scores import Difference, Scores
from filters.verdict import Verdict
from flows.curate import test_prompts
from flows.display import SamplingDisplay
from flows.progress import say
from flows.recipe import Recipe, stage_fingerprint
from flows.report import write_run_report
from flows.run_folder import RUNS, RunFolder, open_run, write_text
from flows.sample_folder import asks_for, read_samples, sample_files, sample_folder, ungraded
from flows.serving import (
    Served,
    base_weights,
    student_served,
    student_weights,
    teacher_served,
    teacher_weights,
)
from flows.stage import resolve, show, staged, unless_hopeless
from flows.verify import grade_all
from prompts.parquet import write_rows
from teacher.settings import SamplingRecipe


@flow(name="evaluate")
def evaluate(recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False) -> str:
    """Sample and score every subject on the held-out prompts; returns the run's folder."""
    run = open_run(resolve(recipe), runs)
    with staged(run, "evaluate", again) as stage:
        if stage.wanted:
            subjects = run.recipe.evals.subjects if test_prompts(run) else ()
            if not subjects:
                say("evaluate  no held-out prompts: nothing is measured")
            for together in _by_weights(run, subjects):
                sample_subjects(run, together)
            scores = {who: score_subject(run, who) for who in subjects}
            changes = differences(scores, run.recipe.evals)
            rows = [_funnel_row(who, found) for who, found in scores.items()]
            stage.finish(rows, **_facts(scores, changes))
            show(run, "evaluate")
        write_run_report(run)
    return str(run.path)


@task(name="sample-subjects", retries=2, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def sample_subjects(run: RunFolder, subjects: list[Subject]) -> None:
    """k samples of every held-out prompt from subjects with the same weights, served once."""
    missing = [who for who in subjects if not is_sampled(run, who)]
    for who in set(subjects) - set(missing):
        say(f"evaluate  {who}: sampled already")
    if not missing:
        return
    recipe, evals = run.recipe, run.recipe.evals
    with _subject_served(run, missing) as served:
        for who in missing:
            template = recipe.teacher.template if who == "teacher" else recipe.dataset.template
            asks, sampling = asks_for(test_prompts(run), template), fixed_sampling(recipe, evals)
            folder = subject_folder(run, who)
            sample_folder(asks, served, sampling, folder, ungraded, SamplingDisplay(who))


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
            "seed": evals.seed,
            **dict.fromkeys(("give_up_after", "max_tokens_per_prompt", "max_tokens_per_run")),
        }
    )


def subject_folder(run: RunFolder, who: Subject) -> Path:
    """Where a subject's samples, verdicts and scores lie.

    Emptied when they are of other prompts, other settings or other weights than now.
    """
    folder = run.folder("evaluate") / who
    stages = ("curate", "train") if who == "student" else ("curate",)
    identity = f"{stage_fingerprint(run.recipe, 'evaluate')} {run.identity(*stages)}\n"
    mark = folder / "of"
    if folder.exists() and (not mark.exists() or mark.read_text(encoding="utf-8") != identity):
        shutil.rmtree(folder)
    if not folder.exists():
        write_text(mark, identity)
    return folder


def is_sampled(run: RunFolder, who: Subject) -> bool:
    """Whether every held-out prompt has its k samples, none of them a failed request."""
    folder = subject_folder(run, who)
    if not sample_files(folder):
        return False
    came = [sample for sample in read_samples(folder) if sample.error is None]
    return len(came) == run.recipe.evals.k * len(test_prompts(run))


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


def _by_weights(run: RunFolder, subjects: Sequence[Subject]) -> list[list[Subject]]:
    """The subjects grouped by the weights they need, so that each is loaded once."""
    groups: dict[str, list[Subject]] = {}
    for who in subjects:
        key: str = who
        if who != "student" and not run.recipe.teacher.urls:
            key = (teacher_weights(run) if who == "teacher" else base_weights(run)).model
        groups.setdefault(key, []).append(who)
    return list(groups.values())


@contextmanager
def _subject_served(run: RunFolder, subjects: list[Subject]) -> Iterator[Served]:
    """A server for subjects with the same weights."""
    if subjects == ["teacher"]:
        with teacher_served(run) as served:
            yield served
    elif subjects == ["student"]:
        with student_served(run, student_weights(run), "student") as served:
            yield served
    else:
        with student_served(run, base_weights(run), "base") as served:
            yield served


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
