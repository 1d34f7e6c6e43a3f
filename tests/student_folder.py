"""A student's folder as training leaves it, and what its card says, for tests."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from data_cards.model_card import (
    BaseFacts,
    DataFacts,
    ModelFacts,
    ModelScore,
    TrainingFacts,
    TryFacts,
    write_model_card,
)


def make_score(who: str, value: float, group: str = "overall", **changes: Any) -> ModelScore:
    score = ModelScore(
        who=who,
        benchmark="held-out",
        group=group,
        prompts=60,
        k=4,
        value=value,
        low=value - 0.05,
        high=value + 0.05,
        confidence=0.95,
        truncation_rate=0.02,
        mean_tokens=71.4,
    )
    return replace(score, **changes)


def make_model_facts(**changes: Any) -> ModelFacts:
    facts = ModelFacts(
        name="SmolLM2-135M-Stillhouse",
        repo_id="",
        base=BaseFacts("Smol/Base", "Smol/Base", "1f2e", "apache-2.0"),
        data=DataFacts(
            name="traces",
            repo_id="ada/traces",
            tag="v1",
            fingerprint="40ba521a2dc6e877",
            license="apache-2.0",
            languages=["en"],
            sources={"starter-math": "Apache-2.0"},
            teacher="Smol/Teacher",
            teacher_license="mit",
        ),
        training=TrainingFacts(400, {"overlong": 3}, 80_000, 50, 0.41, 190.0),
        scores=[make_score("base", 0.1), make_score("student", 0.4)],
        setting="Sampled at T=0.6.",
        tries=[TryFacts(25, 8, 3, 7, 61.0)],
        asked=[{"role": "user", "content": "What is 3 + 4?"}],
        recipe_yaml="student:\n  base: Smol/Base\n",
        version="0.1.0",
    )
    return replace(facts, **changes)


def make_student_folder(folder: Path, shards: int = 1, **changes: Any) -> Path:
    """The files of a trained model; the weights are a few bytes, told apart by `shards`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        (folder / name).write_text("{}")
    names = [f"model-{i + 1:05d}-of-{shards:05d}.safetensors" for i in range(shards)]
    if shards == 1:
        names = ["model.safetensors"]
    else:
        index = {"weight_map": {f"layer.{i}": name for i, name in enumerate(names)}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    for name in names:
        (folder / name).write_bytes(f"weights of {name}".encode() * 20)
    write_model_card(folder, make_model_facts(**changes))
    return folder
