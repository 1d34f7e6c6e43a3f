"""The Source record: where prompts come from, under which licence, and how to read a row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from prompts.record import Domain
from prompts.sources.draft import Draft


@dataclass(frozen=True, slots=True)
class Source:
    """One origin of prompts.

    `id` is a Hub dataset id, or "" for a file shipped with the project (then `shipped` names
    it). `columns` are what `to_draft` reads; a file with the same columns can stand in.
    `rows_hint` is a rough count for plans, never relied on. `needs` says what a machine must
    have: `hub` or nothing.
    """

    id: str
    revision: str
    license: str
    domain: Domain
    columns: tuple[str, ...]
    rows_hint: int
    needs: tuple[str, ...]
    to_draft: Callable[[Mapping[str, Any]], Draft]
    config: str = ""
    hub_split: str = "train"
    shipped: str = ""
