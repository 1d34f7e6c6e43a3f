"""Offline checks of a student's folder before it is pushed: weights, settings, card."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data_cards.header import read_header
from data_cards.licenses import check_license
from data_cards.scrub import find_secrets
from data_cards.shards import CARD_NAME

NEEDED = ("config.json", "generation_config.json", "tokenizer_config.json")
INDEX, WEIGHTS = "model.safetensors.index.json", "model.safetensors"


def validate_model_card(folder: Path) -> list[str]:
    """What is wrong with the folder, one sentence each; empty when it loads as its card says.

    Checked without a network: the card's licence and scores, the files that loading needs, every
    shard of the weights, no pickle, no tokens in the text.
    """
    card = folder / CARD_NAME
    if not card.is_file():
        return [f"there is no {CARD_NAME}; the student is unfinished"]
    try:
        header = read_header(card)
        found = [*_check_header(header), *_check_files(folder)]
        kinds = find_secrets(card.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        return [str(error)]
    except (KeyError, TypeError, AttributeError) as error:
        return [f"the header has not the form of a model card's: {error!r}"]
    return found + [f"the card contains what looks like {kind}" for kind in kinds]


def _check_header(header: Mapping[str, Any]) -> Iterator[str]:
    try:
        check_license(str(header.get("license")))
    except ValueError as error:
        yield str(error)
    for name in ("language", "library_name", "pipeline_tag", "tags"):
        if not header.get(name):
            yield f"the header has no {name}"
    for entry in header.get("model-index") or []:
        for result in entry["results"]:
            name = result["dataset"]["name"]
            for metric in result["metrics"]:
                if not 0 <= metric["value"] <= 100:
                    yield f"the score on {name} is {metric['value']}, no percentage"
                if "n=" not in metric["name"]:
                    yield f"the score on {name} has no n"


def _check_files(folder: Path) -> Iterator[str]:
    for name in NEEDED:
        if not (folder / name).is_file():
            yield f"there is no {name}"
    shards = {WEIGHTS}
    if (folder / INDEX).is_file():
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        shards = set(index["weight_map"].values())
    for name in sorted(shards):
        if not (folder / name).is_file():
            yield f"there is no {name}, which holds weights"
    for file in sorted(
        path for path in folder.rglob("*") if path.suffix in (".bin", ".pt", ".pkl")
    ):
        yield f"{file.name} is a pickle, which runs code when it is read: remove it"
