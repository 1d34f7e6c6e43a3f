"""Budget forcing of one model on one benchmark: accuracy against thinking tokens, in a folder.

    evaluation.json, prompts.parquet   as in any evaluation (flows/evaluation_folder.py)
    budgets.json             the budgets, and what is put into the text
    thinking/, waited-1/ …   completions as they came, and where they were told to wait
    answers/                 the answers that were asked behind a cut
    cuts.parquet             how each sample's thinking ended at each budget
    budget-512/ …            one budget's whole samples, verdicts and scores.json
    curve.json, curve.svg    accuracy against thinking tokens

What is in the folder is not asked for again.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from evals.benchmarks import Item
from evals.budget import BudgetRecipe
from evals.budget_curve import BudgetCurve, curve_of, draw_curve
from evals.budget_cut import CutRow
from evals.run import score
from evals.scores import Scores
from filters.verdict import Verdict
from flows.evaluation_folder import SCORES, EvaluationFolder
from flows.forcing import Forcing
from flows.grading import grading
from flows.recipe import VerificationRecipe
from flows.run_folder import write_text
from flows.sample_folder import read_samples
from flows.serving import Served
from prompts.errors import PrerequisiteError
from prompts.parquet import read_rows, write_rows
from teacher.sample import Sample
from teacher.settings import SamplingRecipe

BUDGETS, CURVE, PLOT, CUTS = "budgets.json", "curve.json", "curve.svg", "cuts.parquet"


def stored_budgets(folder: EvaluationFolder) -> BudgetRecipe | None:
    """What a folder's samples were forced with; None where nothing was."""
    file = folder.path / BUDGETS
    if not file.exists():
        return None
    return BudgetRecipe.model_validate_json(file.read_bytes())


def is_answered(folder: EvaluationFolder, recipe: BudgetRecipe, k: int) -> bool:
    """Whether every item has its k samples at every budget, none of them a failed request, so
    that no server is needed."""
    files = [_samples_file(folder, budget) for budget in recipe.budgets]
    if stored_budgets(folder) != recipe or not all(file.exists() for file in files):
        return False
    wanted = k * int(folder.about()["items"])
    is_wanted = pl.col("error").is_null() & (pl.col("sample_index") < k)
    came = (pl.scan_parquet(file).filter(is_wanted) for file in files)
    return all(one.select(pl.len()).collect().item() == wanted for one in came)


def sample_budgets(
    folder: EvaluationFolder, served: Served, sampling: SamplingRecipe, recipe: BudgetRecipe
) -> None:
    """Think, force, answer: whole samples of every budget come to lie in the folder, which must
    have been begun.

    `sampling` is of k samples a prompt; token limits are the recipe's. Raises PrerequisiteError
    where the server is no vLLM or the folder's samples were forced otherwise, RunError when
    sampling stopped on a fault and can be resumed.
    """
    _claim(folder, recipe)
    forcing = Forcing(folder.asks(), served, sampling, recipe, folder.path)
    samples, rows = forcing.samples()
    for budget, found in samples.items():
        write_rows(_samples_file(folder, budget), found, Sample)
    write_rows(folder.path / CUTS, rows, CutRow)


def grade_budgets(folder: EvaluationFolder, verification: VerificationRecipe) -> BudgetCurve:
    """Grade and score what is in the folder; curve.json and curve.svg are written too. Nothing is
    asked, so it can be done again with the verifiers as they are then.

    A completion that is the same at several budgets is graded once. Raises PrerequisiteError where
    the folder holds no forced samples.
    """
    recipe = stored_budgets(folder)
    if recipe is None or not (folder.path / CUTS).exists():
        raise PrerequisiteError(f"{folder.path} holds no samples of budgets: give --budgets")
    items, samples = folder.items(), {b: _samples(folder, b) for b in recipe.budgets}
    total = sum(map(len, samples.values()))
    given: dict[bytes, Verdict] = {}
    with grading([item.prompt for item in items], verification, "budgets", total) as grade:
        for found in samples.values():
            new = {_key(sample): sample for sample in found}
            for key in given.keys() & new.keys():
                del new[key]
            given |= zip(new, grade(list(new.values())), strict=True)
    scores = {b: _scored(folder, items, b, found, given) for b, found in samples.items()}
    k = folder.about()["k"]
    scored = {
        (s.sample_id, budget): s.teacher
        for budget, found in samples.items()
        for s in found
        if s.error is None and s.sample_index < k
    }
    cuts = read_rows(folder.path / CUTS, CutRow)
    rows = [row for row in cuts if (row.sample_id, row.budget) in scored]
    curve = curve_of(scores, rows, recipe, next(iter(scored.values()), ""))
    _write_json(folder.path / CURVE, curve.to_dict())
    draw_curve(folder.path / PLOT, curve)
    return curve


def _scored(
    folder: EvaluationFolder,
    items: Sequence[Item],
    budget: int,
    samples: Sequence[Sample],
    given: Mapping[bytes, Verdict],
) -> Scores:
    """One budget's scores, which are also written, with its verdicts."""
    about, place = folder.about(), _samples_file(folder, budget).parent
    verdicts = [given[_key(sample)] for sample in samples]
    groups = {item.prompt.prompt_id: item.group or item.prompt.domain for item in items}
    found = score(
        *([item.prompt for item in items], samples, verdicts),
        *(about["k"], about["confidence"], about["seed"], about["benchmark"]),
        lambda prompt: groups[prompt.prompt_id],
    )
    found = found.model_copy(update={"left_out": about.get("left_out", {})})
    folder.write_verdicts(place, verdicts)
    _write_json(place / SCORES, found.to_dict())
    return found


def _samples(folder: EvaluationFolder, budget: int) -> list[Sample]:
    return read_samples(_samples_file(folder, budget).parent)


def _samples_file(folder: EvaluationFolder, budget: int) -> Path:
    return folder.path / f"budget-{budget}" / "samples-00000.parquet"


def _claim(folder: EvaluationFolder, recipe: BudgetRecipe) -> None:
    """Note the budgets; PrerequisiteError where samples were forced otherwise.

    Budgets below the largest may come and go: their thinking is there.
    """
    before = stored_budgets(folder) or recipe
    values = {"largest budget": recipe.largest, **recipe.model_dump(exclude={"budgets"})}
    old = {"largest budget": before.largest, **before.model_dump(exclude={"budgets"})}
    if others := [f"{k}: {old[k]} there, {new} now" for k, new in values.items() if old[k] != new]:
        lines = "\n  ".join(others)
        raise PrerequisiteError(
            f"{folder.path} holds thinking that was forced otherwise; set it back to go on, or "
            f"give another --out:\n  {lines}"
        )
    _write_json(folder.path / BUDGETS, recipe.model_dump(mode="json"))


def _key(sample: Sample) -> bytes:
    """What decides a sample's verdict, as a digest: texts are large."""
    text = f"{sample.sample_id}\n{sample.finish_reason}\n{sample.completion}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _write_json(path: Path, values: object) -> None:
    write_text(path, json.dumps(values, indent=1) + "\n")
