"""The evaluate flow: the student before and after, and its teacher, on held-out prompts and on
benchmarks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from prefect import flow, task

from data_cards.funnel import FunnelRow
from evals.benchmarks import EvalBenchmark, Item, LeftOut
from evals.run import EvalsRecipe, Subject, compare
from evals.scores import HELD_OUT, Difference, Scores
from flows.benchmark_asks import Asked, asked_items
from flows.chat_template import base_template, opens_thinking, student_template
from flows.curate import test_prompts
from flows.evaluation_folder import SCORES, EvaluationFolder, begin_settings, fixed_sampling
from flows.progress import say
from flows.prompt_file import has_reference
from flows.recipe import Recipe
from flows.report import write_run_report
from flows.run_folder import RunFolder, open_run
from flows.runs import RUNS
from flows.serving import (
    Served,
    base_arguments,
    base_weights,
    student_served,
    student_weights,
    teacher_served,
    teacher_weights,
)
from flows.stage import resolve, show, staged, unless_hopeless
from flows.student_card import finish_student
from prompts.template import render
from teacher.settings import SamplingRecipe

# What a subject is measured on: the held-out prompts (None), or a benchmark.
Measure = EvalBenchmark | None


@flow(name="evaluate")
def evaluate(recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False) -> str:
    """Sample and score every subject on the held-out prompts and the recipe's benchmarks; returns
    the run's folder."""
    run = open_run(resolve(recipe), runs)
    with staged(run, "evaluate", again) as stage:
        if stage.wanted:
            measures = _measures(run)
            subjects = run.recipe.evals.subjects if measures else ()
            if not subjects:
                say("evaluate  no held-out prompts and no benchmarks: nothing is measured")
            for together in _by_weights(run, subjects):
                sample_subjects(run, together, measures)
            scores = {
                _label(what): {who: score_subject(run, who, what) for who in subjects}
                for what in measures
            }
            _forget_others(run, subjects, measures)
            rows = [_funnel_row(who, found) for by in scores.values() for who, found in by.items()]
            stage.finish(rows, **_facts(scores, run.recipe.evals))
            show(run, "evaluate")
        write_run_report(run)
        finish_student(run)
    return str(run.path)


@task(name="sample-subjects", retries=2, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def sample_subjects(run: RunFolder, subjects: list[Subject], measures: list[Measure]) -> None:
    """k samples of every prompt from subjects with the same weights, served once."""
    missing = []
    for who in subjects:
        for what in measures:
            folder = begun(run, who, what)
            if folder.is_sampled(samples_of(run, what)):
                say(f"evaluate  {who}, {_label(what)}: sampled already")
            else:
                missing.append((who, folder, sampling_of(run, who, what)))
    if not missing:
        return
    with _subject_served(run, list(dict.fromkeys(who for who, *_ in missing))) as served:
        for who, folder, sampling in missing:
            folder.sample(served, sampling, f"{who} {folder.path.name}")


@task(name="score-subject")
def score_subject(run: RunFolder, who: Subject, what: Measure) -> Scores:
    """Grade a subject's samples and score them; verdicts and scores are kept beside them."""
    return begun(run, who, what).grade(run.recipe.verification, f"{who} {_label(what)}")


def begun(run: RunFolder, who: Subject, what: Measure) -> EvaluationFolder:
    """Where a subject's samples, verdicts and scores of one benchmark lie, its items written.

    Emptied when they are of other prompts, other settings or other weights than now.
    """
    recipe, evals = run.recipe, run.recipe.evals
    template = recipe.teacher.template if who == "teacher" else recipe.dataset.template
    folder = EvaluationFolder(run.folder("evaluate") / who / _label(what))
    sampling = sampling_of(run, who, what)
    decides = begin_settings(what, _identity(run, who, what), template, sampling)
    if (changed := folder.differences(decides)) != []:
        if changed:
            say(f"evaluate  {who}, {_label(what)}: asked anew; {'; '.join(changed)}")
        folder.empty()
    standings = what.standings if what else ""
    k, left_out = samples_of(run, what), LeftOut()
    asked = _asked(run, what, template, left_out)
    folder.begin(asked, decides, k, evals.confidence, standings, left_out)
    if left_out.reasons:
        say(f"evaluate  {_label(what)}: {left_out}")
    return folder


def _forget_others(
    run: RunFolder, subjects: Sequence[Subject], measures: Sequence[Measure]
) -> None:
    """Delete the scores of who or what is measured no more: they may be of an earlier student.

    Their samples stay, and are graded anew where they are measured again.
    """
    folder = run.folder("evaluate")
    current = {folder / who / _label(what) / SCORES for who in subjects for what in measures}
    for file in set(folder.rglob(SCORES)) - current:
        file.unlink()


def samples_of(run: RunFolder, what: Measure) -> int:
    """Samples per prompt: of a known benchmark as published, of others as the recipe says."""
    return what.samples(run.recipe.evals.k) if what else run.recipe.evals.k


def sampling_of(run: RunFolder, who: Subject, what: Measure) -> SamplingRecipe:
    """The engine's settings for a subject. Whether prompts end in `<think>` is the chat template's:
    `sampling` says it of the teacher's, base and student have the student's."""
    sampling = fixed_sampling(run.recipe.sampling, run.recipe.evals, samples_of(run, what))
    if who == "teacher":
        return sampling
    template = base_template(run) if who == "base" else student_template(run)
    return sampling.model_copy(update={"think_prefilled": opens_thinking(template)})


def _measures(run: RunFolder) -> list[Measure]:
    held_out: list[Measure] = [None] if any(map(has_reference, test_prompts(run))) else []
    return [*held_out, *run.recipe.evals.benchmarks]


def _label(what: Measure) -> str:
    return what.label if what else HELD_OUT


def _asked(run: RunFolder, what: Measure, template: str, left_out: LeftOut) -> Iterator[Asked]:
    """The items of a benchmark, or the held-out prompts that a rule can grade."""
    if what is not None:
        yield from asked_items(what, template, left_out)
        return
    for prompt in test_prompts(run):
        if has_reference(prompt):
            yield Asked(Item(prompt, group=prompt.domain), render(prompt, template))
        else:
            left_out.reasons["open questions, which only a judge could grade"] += 1


def _identity(run: RunFolder, who: Subject, what: Measure) -> str:
    """What a subject's answers come from: the weights, and for held-out prompts the curation."""
    student, teacher = run.recipe.student, run.recipe.teacher
    names = {
        "student": lambda: (student.published_name, run.identity("train")),
        "base": lambda: (student.base, base_weights(run).revision),
        "teacher": lambda: (teacher.served_name, teacher_weights(run).revision),
    }
    return " ".join(filter(None, (*names[who](), "" if what else run.identity("curate"))))


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
    """The subjects grouped by the weights they need, so that each is loaded once.

    A base that is served with the student's template or positions is not the teacher as it is.
    """
    alike = not run.recipe.teacher.urls and not base_arguments(run.recipe.student)
    groups: dict[str, list[Subject]] = {}
    for who in subjects:
        key: str = who
        if who != "student" and alike:
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
    what = "" if scores.benchmark == HELD_OUT else f" {scores.benchmark}"
    return FunnelRow(f"evaluate {who}{what}", asked, outcomes)


def _facts(scores: dict[str, dict[Subject, Scores]], evals: EvalsRecipe) -> dict[str, object]:
    """Scores and differences as the manifest keeps them: rows, without the per-prompt scores.

    Those on held-out prompts are `scores` and `differences`, those on benchmarks stand by name in
    `benchmarks`.
    """
    rows = {name: _rows(by_subject, evals) for name, by_subject in scores.items()}
    held_out = rows.pop(HELD_OUT, {"scores": {}, "ratings": {}, "differences": {}})
    return {**held_out, "benchmarks": rows}


def _rows(scores: dict[Subject, Scores], evals: EvalsRecipe) -> dict[str, object]:
    return {
        "scores": {
            who: [row.model_dump(mode="json") for row in found.rows]
            for who, found in scores.items()
        },
        "ratings": {
            who: found.rating.model_dump(mode="json")
            for who, found in scores.items()
            if found.rating is not None
        },
        "left_out": next((found.left_out for found in scores.values()), {}),
        "differences": {
            f"{first} - {second}": [row.model_dump(mode="json") for row in rows]
            for (first, second), rows in differences(scores, evals).items()
        },
    }
