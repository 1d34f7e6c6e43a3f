"""Runs and evaluations side by side: scores as they were kept, differences paired by prompt."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from data_cards.comparison import (
    ComparedModel,
    Comparison,
    ScoreLine,
    comparison_dict,
    comparison_html,
    comparison_markdown,
)
from data_cards.paired_change import PairedChange
from evals.run import compare as paired
from evals.scores import Scores
from flows.compare_notes import asked_with, unlike
from flows.cost import price_of
from flows.overview import own_seconds, taken_over
from flows.recipe import Recipe, recipe_of_run
from flows.run_folder import STAGES, published_again, read_manifest, write_text
from prompts.errors import PrerequisiteError

SCORES = "scores.json"
STUDENT = "student"


@dataclass(frozen=True, slots=True)
class Measured:
    """A model with its scores by benchmark, and how each was asked for, where that is known."""

    model: ComparedModel
    scores: dict[str, Scores]
    asked: dict[str, dict[str, Any]]


def compare_paths(paths: Sequence[Path], title: str = "", seed: int = 0) -> Comparison:
    """Compare the students of runs, folders of an evaluation or scores.json files with the first.

    Raises PrerequisiteError where one has no scores, or shares no benchmark with the first.
    """
    if len(paths) < 2:
        raise PrerequisiteError(
            "a comparison takes two or more: runs, folders of an evaluation (such as "
            "RUN/6-evals/base) or scores.json files"
        )
    measured = _named([read_measured(path) for path in paths])
    first, *others = measured
    confidence = next(iter(first.scores.values())).confidence
    changes = [line for other in others for line in _changes(first, other, confidence, seed)]
    return Comparison(
        title=title
        or f"{' and '.join(one.model.name for one in others)} against {first.model.name}",
        confidence=confidence,
        models=[one.model for one in measured],
        scores=[line for one in measured for line in _score_lines(one)],
        changes=changes,
        notes=[
            *_other_confidences(measured, confidence),
            *(note for other in others for note in _notes(first, other)),
        ],
    )


def write_comparison(found: Comparison, folder: Path) -> None:
    """Write comparison.md, .json and .html into a folder."""
    write_text(folder / "comparison.md", comparison_markdown(found))
    write_text(folder / "comparison.json", json.dumps(comparison_dict(found), indent=1) + "\n")
    write_text(folder / "comparison.html", comparison_html(found))


def read_measured(path: Path) -> Measured:
    """What was measured at a path: a run's student, a folder's scores, or one file of them."""
    if (path / "recipe.yaml").is_file():
        return _run_measured(path)
    files = [path] if path.is_file() else _score_files(path)
    if not path.exists():
        raise PrerequisiteError(f"there is no {path}; `stillhouse runs` lists the runs")
    if not files:
        raise PrerequisiteError(
            f"{path}: no scores there. Give a run that is evaluated, a folder of "
            "`stillhouse evaluate --out`, or a scores.json"
        )
    return Measured(ComparedModel(str(path), str(path)), *_read_all(files))


def has_scores(run: Path) -> bool:
    """Whether a run's student is measured, and as it is now."""
    if read_manifest(run).get("stages", {}).get("evaluate", {}).get("status") != "done":
        return False
    return bool(_student_scores(run)) and not published_again(run)


def _student_scores(run: Path) -> list[Path]:
    return _score_files(run / STAGES["evaluate"] / STUDENT)


def _run_measured(run: Path) -> Measured:
    if not has_scores(run):
        raise PrerequisiteError(
            f"{run} has no scores of its student, or they are out of date: run "
            f"`stillhouse evaluate {run}` first"
        )
    stages = read_manifest(run)["stages"]
    return Measured(_made_from(run, recipe_of_run(run), stages), *_read_all(_student_scores(run)))


def _score_files(folder: Path) -> list[Path]:
    """The scores in a folder of one benchmark, or of one folder a benchmark."""
    own = folder / SCORES
    return [own] * own.is_file() + sorted(folder.glob(f"*/{SCORES}"))


def _read_all(files: Sequence[Path]) -> tuple[dict[str, Scores], dict[str, dict[str, Any]]]:
    """Scores by benchmark, and how each was asked for; PrerequisiteError names a file that holds
    none, or two of one."""
    found: dict[str, Scores] = {}
    asked: dict[str, dict[str, Any]] = {}
    for file in files:
        try:
            scores = Scores.from_dict(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, ValidationError) as error:
            why = str(error).splitlines()[0]
            raise PrerequisiteError(f"{file} holds no scores: {why}") from None
        if scores.benchmark in found:
            raise PrerequisiteError(
                f"{file}: {scores.benchmark!r} is there twice; give one of the two folders"
            )
        found[scores.benchmark], asked[scores.benchmark] = scores, asked_with(file)
    return found, asked


def _named(measured: Sequence[Measured]) -> list[Measured]:
    """Under their short names, or by their places where two would be called the same."""
    names = [one.model.name for one in measured]
    return [
        replace(one, model=replace(one.model, name=Path(one.model.place).name))
        if names.count(one.model.name) > 1
        else one
        for one in measured
    ]


def _changes(first: Measured, other: Measured, confidence: float, seed: int) -> list[PairedChange]:
    if not first.scores.keys() & other.scores.keys():
        raise PrerequisiteError(
            f"nothing to compare: {first.model.name} was measured on {', '.join(first.scores)}, "
            f"{other.model.name} on {', '.join(other.scores)}"
        )
    common = [name for name in first.scores if name in other.scores]
    return [
        PairedChange(
            first=first.model.name,
            second=other.model.name,
            benchmark=benchmark,
            domain=row.domain,
            change=row.change.value,
            low=row.change.low,
            high=row.change.high,
            prompts=row.change.n,
            unpaired=row.unpaired,
        )
        for benchmark in common
        for row in paired(first.scores[benchmark], other.scores[benchmark], seed, confidence)
    ]


def _score_lines(one: Measured) -> list[ScoreLine]:
    return [
        ScoreLine(
            model=one.model.name,
            benchmark=benchmark,
            domain=row.domain,
            prompts=row.prompts,
            k=row.k,
            missing=row.missing,
            pass_at_1=row.interval.value if row.interval else None,
            low=row.interval.low if row.interval else None,
            high=row.interval.high if row.interval else None,
            cons_at_k=row.cons_at_k.value if row.cons_at_k else None,
            undecided_rate=row.undecided_rate,
            truncation_rate=row.truncation_rate,
            mean_tokens=row.mean_completion_tokens,
            votes=row.cons_at_k.n if row.cons_at_k else 0,
        )
        for benchmark, scores in one.scores.items()
        for row in scores.rows
    ]


def _notes(first: Measured, other: Measured) -> list[str]:
    """What a reader of the differences must know."""
    names = f"{first.model.name} and {other.model.name}"
    alone = sorted(first.scores.keys() ^ other.scores.keys())
    notes = [f"{names}: only one was measured on {', '.join(alone)}"] if alone else []
    for benchmark in (name for name in first.scores if name in other.scores):
        a, b = first.scores[benchmark], other.scores[benchmark]
        notes += unlike(names, a, b, (first.asked[benchmark], other.asked[benchmark]))
        if not _answered(a) & _answered(b):
            notes.append(f"{names}: {benchmark} has no prompt that both have a score for")
    return notes


def _other_confidences(measured: Sequence[Measured], confidence: float) -> list[str]:
    """Where a kept interval is not what the tables' header says."""
    return [
        f"{one.model.name}: the intervals of its {benchmark} scores hold for "
        f"{100 * scores.confidence:g} %, those of the differences for {100 * confidence:g} %; "
        f"evaluated again with evals.confidence={confidence:g} they are made anew"
        for one in measured
        for benchmark, scores in one.scores.items()
        if scores.confidence != confidence
    ]


def _answered(scores: Scores) -> set[str]:
    return {one.prompt_id for one in scores.prompts if one.pass_at_1 is not None}


def _made_from(run: Path, recipe: Recipe, stages: dict[str, Any]) -> ComparedModel:
    """The facts of a run that its student came of."""
    sampled, trained = stages.get("generate", {}), stages.get("train", {})
    tokens = sampled.get("completion_tokens")
    return ComparedModel(
        name=recipe.name,
        place=str(run),
        traces=stages.get("publish", {}).get("traces"),
        reasoning_chars=_mean_reasoning(run),
        trained_rows=next((row["outcomes"]["train"] for row in trained.get("funnel", ())), None),
        trained_tokens=trained.get("tokens_per_epoch"),
        sampled_tokens=None if tokens is None else tokens + sampled.get("wasted_tokens", 0),
        dollars=_dollars(recipe, sampled),
        seconds=own_seconds(stages),
        taken_over=taken_over(stages),
    )


def _mean_reasoning(run: Path) -> float | None:
    """Mean characters of the reasonings the run published for training; None without any."""
    files = sorted((run / STAGES["publish"] / "data").glob("train-*.parquet"))
    if not files:
        return None
    mean = pl.scan_parquet(files).select(pl.col("reasoning").str.len_chars().mean())
    found: float | None = mean.collect().item()
    return found


def _dollars(recipe: Recipe, sampled: dict[str, Any]) -> float | None:
    """What sampling cost at the recipe's price; None where there is none."""
    price, tokens = price_of(recipe.teacher), sampled.get("completion_tokens")
    if price is None or tokens is None:
        return None
    if price.per_million_tokens is not None:
        return float(price.per_million_tokens * (tokens + sampled.get("wasted_tokens", 0)) / 1e6)
    return float((price.per_hour or 0) * sampled.get("duration_s", 0) / 3600)
