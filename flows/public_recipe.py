"""What of a recipe a card may show: what made the data, nothing of the machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from data_cards.card import SourceFacts
from data_cards.scrub import last_name, public_name
from flows.recipe import Recipe
from prompts.sources import SOURCES
from prompts.sources.hub import hub_set

# Keys that change who does the work and nothing in the data; they hold addresses and secrets.
_PRIVATE_KEYS = frozenset({"urls", "key_env", "serve", "folder"})


def public_recipe(recipe: Recipe) -> str:
    """The recipe as the card shows it, in YAML: what made the data, nothing of the machine.

    Endpoints, the name of their key and all settings of servers are left out; local files and
    folders are cut to their last name.
    """
    values = _without_private(recipe.model_dump(mode="json"))
    _cut_paths(values["prompts"])
    values["teacher"]["served_name"] = public_name(recipe.teacher.served_name)
    if recipe.judge is not None:
        values["judge"]["model"] = public_name(recipe.judge.model)
    student = values["student"]
    is_folder = Path(recipe.student.base).is_dir()
    student["base"] = (last_name if is_folder else public_name)(recipe.student.base)
    student["chat_template"] = student["chat_template"] and last_name(student["chat_template"])
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def public_prompts(recipe: Recipe) -> str:
    """The recipe's `prompts` section alone, in the same way: all that made a prompt set."""
    values = _without_private(recipe.prompts.model_dump(mode="json"))
    _cut_paths(values)
    return yaml.safe_dump({"prompts": values}, sort_keys=False, allow_unicode=True)


def _cut_paths(prompts: dict[str, Any]) -> None:
    """Cut what the prompts section names on this machine to last names."""
    for source in prompts["sources"]:
        source["path"] = source["path"] and last_name(source["path"])
    for benchmark in prompts["decontaminate"]["benchmarks"]:
        if Path(benchmark["where"]).exists() or hub_set(benchmark["where"]) is None:
            benchmark["where"] = last_name(benchmark["where"])
    if probe := prompts["difficulty"]["probe"]:
        probe["model"] = public_name(probe["model"])


def _without_private(value: Any) -> Any:
    """The value without private keys, at whatever depth: sections may come to hold servers."""
    if isinstance(value, dict):
        return {k: _without_private(v) for k, v in value.items() if k not in _PRIVATE_KEYS}
    return [_without_private(item) for item in value] if isinstance(value, list) else value


def source_facts(recipe: Recipe, counts: Mapping[tuple[str, str, str], int]) -> list[SourceFacts]:
    """The sources of prompts counted by (source, domain, licence), with where they come from."""
    # A local file under a source's name holds that source's rows, of a revision nobody has said.
    local = {choice.name for choice in recipe.prompts.sources if choice.path is not None}
    facts = []
    for (name, domain, license_id), count in sorted(counts.items()):
        source = SOURCES.get(name)
        revision = source.revision if source and source.id and name not in local else ""
        is_hub = source is not None and source.id and name not in local
        url = f"https://huggingface.co/datasets/{source.id}" if source and is_hub else ""
        facts.append(SourceFacts(name, domain, license_id, count, revision, url))
    return facts
