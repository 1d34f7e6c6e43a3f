"""Evaluations graded, and their scores shown: a table, the curves of budgets, JSON."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from data_cards.score_table import ScoreTable, score_text, unscored_notes
from evals.budget_curve import BudgetCurve
from evals.budget_curve import table as curve_table
from evals.scores import Scores
from flows.budget import grade_budgets, stored_budgets
from flows.evaluation_folder import EvaluationFolder
from flows.progress import OUTPUT, say, say_json
from flows.recipe import VerificationRecipe
from flows.score_rows import rating_row, score_row


def grade_and_show(
    folders: Sequence[EvaluationFolder], recipe: VerificationRecipe, out: Path
) -> None:
    """Grade each benchmark, then show all scores; where thinking was forced, the curves."""
    forced = [folder for folder in folders if stored_budgets(folder) is not None]
    scores = {
        folder.path.name: folder.grade(recipe, folder.path.name)
        for folder in folders
        if folder not in forced
    }
    curves = {folder.path.name: grade_budgets(folder, recipe) for folder in forced}
    say("")
    who = {folder.path.name: _name_in(folder.about()["model"]) for folder in folders}
    for confidence in dict.fromkeys(found.confidence for found in scores.values()):
        alike = {name: one for name, one in scores.items() if one.confidence == confidence}
        for line in score_text(_table(alike, who)):
            say(line)
    for name, curve in curves.items():
        say(f"{name}, see {out / name}/curve.svg")
        for line in (*curve_table(curve), *_curve_notes(name, curve)):
            say(line)
    say(f"{'scores':9} {out}")
    if OUTPUT.as_json:
        facts = {
            "scores": {name: _facts(found) for name, found in scores.items()},
            "curves": {name: curve.to_dict() for name, curve in curves.items()},
        }
        say_json({"event": "done", "step": "evaluate", "out": str(out), **facts})


def _curve_notes(name: str, curve: BudgetCurve) -> Iterator[str]:
    """What is not in a budget's score, and what is in it though nobody could grade it."""
    for point in curve.points:
        yield from unscored_notes(score_row(name, f"{point.budget:,} tokens", point.score))


def _name_in(model: str) -> str:
    """The name in `NAME IDENTITY`: an identity has no blank, or is the name once more.

    In a run the times of stages follow, `train TIME` in place of an identity, `curate TIME` behind.
    """
    model = re.sub(r" curate \S+$", "", model)
    if trained := re.search(r" train \S+$", model):
        return model[: trained.start()]
    half = len(model) // 2
    twice = model[:half] == model[half + 1 :]
    return model[:half] if twice else model.rpartition(" ")[0] or model


def _table(scores: Mapping[str, Scores], models: Mapping[str, str]) -> ScoreTable:
    """One model's scores; a benchmark of one group is one row."""
    rows, ratings = [], []
    for name, found in scores.items():
        who = models[name]
        shown = found.rows if len(found.rows) > 2 else found.rows[-1:]
        rows += [score_row(name, who, row) for row in shown]
        if found.rating is not None:
            ratings.append(rating_row(name, who, found.rating))
    left_out = {name: found.left_out for name, found in scores.items()}
    confidence = next(iter(scores.values())).confidence
    return ScoreTable(rows, ratings, confidence=confidence, left_out=left_out)


def _facts(found: Scores) -> dict[str, Any]:
    """Scores without those of single prompts."""
    return {name: value for name, value in found.to_dict().items() if name != "prompts"}
