"""The student's card, from what the run holds, and the student's way to the Hub."""

import json
from importlib.metadata import version
from pathlib import Path

import polars as pl
import yaml
from prefect import task

from data_cards.header import read_header
from data_cards.hub import MODEL, push
from data_cards.hub_token import TOKEN_VARIABLE, hub_token
from data_cards.model_card import (
    BaseFacts,
    DataFacts,
    ModelFacts,
    ModelScore,
    TrainingFacts,
    write_model_card,
)
from data_cards.scrub import last_name
from data_cards.shards import CARD_NAME
from evals.run import Subject
from evals.scores import Scores
from flows.dataset_files import dataset_files
from flows.progress import say
from flows.public_recipe import public_recipe
from flows.publish import teacher_facts
from flows.recipe import Recipe, run_fingerprint
from flows.run_folder import RunFolder
from flows.serving import EMBEDDED, model_folder
from flows.stage import unless_hopeless
from flows.training_history import LOSSES, read_tries
from prompts.errors import PrerequisiteError
from teacher.embedded import embedded_revision

EMBEDDED_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
# Licences of the bases that our recipes name, as their cards on the Hub say.
BASE_LICENSES: dict[str, str] = {
    EMBEDDED_ID: "apache-2.0",
    "Qwen/Qwen2.5-Math-1.5B": "apache-2.0",
    "Qwen/Qwen2.5-Math-7B": "apache-2.0",
    "Qwen/Qwen2.5-7B-Instruct": "apache-2.0",
    "Qwen/Qwen2.5-14B": "apache-2.0",
    "Qwen/Qwen2.5-32B": "apache-2.0",
    "Qwen/Qwen2.5-32B-Instruct": "apache-2.0",
    "meta-llama/Llama-3.1-8B": "llama3.1",
    "meta-llama/Llama-3.3-70B-Instruct": "llama3.3",
}
_WHO: tuple[Subject, ...] = ("base", "teacher", "student")


def write_student_card(run: RunFolder) -> Path:
    """Write the card into the trained student's folder, with the scores there are by now."""
    recipe = run.recipe
    facts = ModelFacts(
        name=recipe.student.published_name,
        repo_id=recipe.student.repo_id or "",
        base=_base(recipe),
        data=_data(run),
        training=_training(run),
        scores=_scores(run) if run.is_done("evaluate") else (),
        setting=(
            f"Sampled at T={recipe.evals.temperature:g}, top-p {recipe.evals.top_p:g}, at most "
            f"{recipe.evals.max_tokens:,} tokens."
        ),
        tries=read_tries(run.folder("train") / LOSSES),
        asked=_asked(run),
        recipe_yaml=_public_student(recipe),
        version=version("stillhouse"),
    )
    return write_model_card(model_folder(run), facts)


def finish_student(run: RunFolder) -> None:
    """Write the card with its scores, then push the student where the recipe names a repository."""
    write_student_card(run)
    if run.recipe.student.repo_id is not None:
        push_student(run, run.recipe.student.repo_id)


@task(name="push-student", retries=2, retry_delay_seconds=30, retry_condition_fn=unless_hopeless)
def push_student(run: RunFolder, repo_id: str) -> None:
    """Push the student's folder in one commit, private and tagged as the dataset is.

    Raises PrerequisiteError where there is no token, besides what `push` raises.
    """
    folder, dataset = model_folder(run), run.recipe.dataset
    token = hub_token()
    if token is None:
        raise PrerequisiteError(
            f"student.repo_id is {repo_id} but there is no Hugging Face token, so the student in "
            f"{folder} was not pushed: set {TOKEN_VARIABLE} or run `hf auth login`, then run "
            "evaluate again; only the push is left to do"
        )
    result = push(folder, repo_id, token, dataset.private, kind=MODEL, tag=dataset.tag)
    state = "pushed" if result.changed else "already there"
    say(f"student   {state}: {result.url} at {result.commit[:12]}")


def _base(recipe: Recipe) -> BaseFacts:
    """The base as far as a reader can find it: a folder of this machine has its last name only."""
    base, revision = recipe.student.base, recipe.student.revision or ""
    if base == EMBEDDED:
        return BaseFacts(EMBEDDED_ID, EMBEDDED_ID, embedded_revision(), BASE_LICENSES[EMBEDDED_ID])
    if not Path(base).is_dir():
        return BaseFacts(base, base, revision, BASE_LICENSES.get(base, ""))
    try:
        license_id = str(read_header(Path(base) / CARD_NAME).get("license", ""))
    except (OSError, ValueError):
        license_id = ""
    return BaseFacts(last_name(base), "", revision, license_id)


def _data(run: RunFolder) -> DataFacts:
    recipe = run.recipe
    rows = pl.scan_parquet(dataset_files(run)).select("source", "license", "language").unique()
    found = rows.sort("source", "license").collect()
    teacher, rounds = teacher_facts(run), recipe.rounds
    return DataFacts(
        name=recipe.dataset.pretty_name,
        repo_id=recipe.dataset.repo_id or "",
        tag=recipe.dataset.tag or "",
        fingerprint=run_fingerprint(recipe),
        license=recipe.dataset.license,
        languages=sorted({name for name in found["language"] if name}) or ["und"],
        sources=dict(zip(found["source"], found["license"], strict=True)),
        teacher=teacher.name,
        teacher_license=teacher.license,
        earlier=rounds.former if rounds and rounds.traces == "all" else (),
    )


def _training(run: RunFolder) -> TrainingFacts:
    """What the train stage noted in the manifest."""
    entry = run.manifest()["stages"]["train"]
    outcomes = dict(entry["funnel"][0]["outcomes"])
    rows = outcomes.pop("train")
    return TrainingFacts(
        rows=rows,
        dropped={reason.removeprefix("dropped: "): n for reason, n in outcomes.items() if n},
        tokens=entry["tokens"],
        steps=entry["steps"],
        final_loss=entry["final_loss"],
        seconds=entry["training_s"],
    )


def _scores(run: RunFolder) -> list[ModelScore]:
    """Every measured model's scores, benchmark by benchmark."""
    found: list[ModelScore] = []
    for who in _WHO:
        for file in sorted((run.folder("evaluate") / who).glob("**/scores.json")):
            found += _rows(who, Scores.from_dict(json.loads(file.read_text(encoding="utf-8"))))
    return found


def _rows(who: str, scores: Scores) -> list[ModelScore]:
    """The rows that have a score."""
    return [
        ModelScore(
            who=who,
            benchmark=scores.benchmark,
            group=row.domain,
            prompts=row.prompts,
            k=row.k,
            value=row.interval.value,
            low=row.interval.low,
            high=row.interval.high,
            confidence=scores.confidence,
            truncation_rate=row.truncation_rate or 0.0,
            mean_tokens=row.mean_completion_tokens or 0.0,
        )
        for row in scores.rows
        if row.interval is not None
    ]


def _asked(run: RunFolder) -> list[dict[str, str]]:
    """One question of the dataset, as the student was asked it."""
    first = pl.scan_parquet(dataset_files(run)[0]).select("messages").head(1).collect()
    return list(first["messages"][0])[:-1]


def _public_student(recipe: Recipe) -> str:
    """The recipe's student section as a card may show it."""
    student = yaml.safe_load(public_recipe(recipe))["student"]
    return str(yaml.safe_dump({"student": student}, sort_keys=False, allow_unicode=True))
