"""The student's card: what it was made from, how, what it scores, and what nobody has measured."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from data_cards.card import card_environment
from data_cards.licenses import hub_license
from data_cards.scrub import scrub
from data_cards.shards import CARD_NAME

TEMPLATE = Path(__file__).with_name("model_card.md")
TAGS = ("reasoning", "distillation", "sft", "stillhouse")
STUDENT = "student"
LLAMA = "llama"


@dataclass(frozen=True, slots=True)
class BaseFacts:
    """The weights that training began from; `hub_id`, `revision` and `license` may be empty."""

    name: str
    hub_id: str
    revision: str
    license: str


@dataclass(frozen=True, slots=True)
class DataFacts:
    """The traces it learnt: where they are, and what they are known by wherever they are.

    `repo_id` and `tag` are empty for a dataset that stayed on its machine. `earlier` are the runs
    of earlier rounds whose traces it learnt too.
    """

    name: str
    repo_id: str
    tag: str
    fingerprint: str
    license: str
    languages: Sequence[str]
    sources: Mapping[str, str]  # licence by source
    teacher: str
    teacher_license: str
    earlier: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """What training counted; `dropped` rows by reason, `final_loss` that of the last step."""

    rows: int
    dropped: Mapping[str, int]
    tokens: int
    steps: int
    final_loss: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class ModelScore:
    """One model's pass@1 on one group of a benchmark; shares between 0 and 1."""

    who: str
    benchmark: str
    group: str
    prompts: int
    k: int
    value: float
    low: float
    high: float
    confidence: float
    truncation_rate: float
    mean_tokens: float


@dataclass(frozen=True, slots=True)
class TryFacts:
    """One try while training: greedy answers to a few held-out prompts after so many steps."""

    step: int
    prompts: int
    accepted: int
    ended: int
    mean_tokens: float


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Everything the card says. `asked` is one prompt as messages, in the form of training."""

    name: str
    repo_id: str
    base: BaseFacts
    data: DataFacts
    training: TrainingFacts
    scores: Sequence[ModelScore]
    setting: str
    tries: Sequence[TryFacts]
    asked: Sequence[Mapping[str, str]]
    recipe_yaml: str
    version: str = ""


def write_model_card(folder: Path, facts: ModelFacts) -> Path:
    """Write README.md into the model's folder, whole or not at all; returns its path."""
    card = folder / CARD_NAME
    temporary = card.with_name(f".{CARD_NAME}.{os.getpid()}.tmp")
    try:
        temporary.write_text(render_model_card(facts), encoding="utf-8")
        temporary.replace(card)
    finally:
        temporary.unlink(missing_ok=True)
    return card


def render_model_card(facts: ModelFacts) -> str:
    """The card's text. Whatever a model or a user wrote is escaped or fenced."""
    template = card_environment().from_string(TEMPLATE.read_text(encoding="utf-8"))
    body = template.render(
        facts=facts,
        header_license=license_of(facts),
        groups=_groups(facts.scores),
        whos=tuple(dict.fromkeys(score.who for score in facts.scores)),
        recipe_yaml=scrub(facts.recipe_yaml),
        is_llama=facts.base.license.startswith(LLAMA),
        load_name=facts.repo_id or "path/to/this/folder",
        asked=facts.asked[-1]["content"] if facts.asked else "",
    )
    return f"{_header(facts)}\n{body}"


def license_of(facts: ModelFacts) -> str:
    """The base's licence as the Hub writes it: what is trained from weights stays under it."""
    return hub_license(facts.base.license) if facts.base.license else "unknown"


def _header(facts: ModelFacts) -> str:
    """The YAML header, its two `---` lines included."""
    values: dict[str, Any] = {"license": license_of(facts)}
    if values["license"] == "other":
        values["license_name"] = facts.base.license
    values |= {
        "language": sorted(facts.data.languages),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": list(TAGS),
    }
    if facts.base.hub_id:
        values |= {"base_model": facts.base.hub_id, "base_model_relation": "finetune"}
    if facts.data.repo_id:
        values["datasets"] = [facts.data.repo_id]
    if results := [_result(score) for score in facts.scores if score.who == STUDENT]:
        values["model-index"] = [{"name": facts.name, "results": results}]
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{text}---\n"


def _result(score: ModelScore) -> dict[str, Any]:
    """One score as the Hub's model-index takes it, in percent, never without its n."""
    low, high = 100 * score.low, 100 * score.high
    words = f"pass@1, n={score.prompts}, k={score.k}, {100 * score.confidence:g}% interval"
    return {
        "task": {"type": "text-generation", "name": "Text generation"},
        "dataset": {
            "type": score.benchmark,
            "name": f"{score.benchmark}, {score.group}",
            "split": "test",
        },
        "metrics": [
            {
                "type": "pass@1",
                "name": f"{words} {low:.1f} to {high:.1f}",
                "value": round(100 * score.value, 2),
            }
        ],
    }


def _groups(scores: Sequence[ModelScore]) -> list[tuple[str, str, dict[str, ModelScore]]]:
    """(benchmark, group, score by model), in the order they came."""
    rows: dict[tuple[str, str], dict[str, ModelScore]] = {}
    for score in scores:
        rows.setdefault((score.benchmark, score.group), {})[score.who] = score
    return [(benchmark, group, found) for (benchmark, group), found in rows.items()]
