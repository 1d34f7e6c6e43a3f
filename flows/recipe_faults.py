"""What is wrong with a recipe, or a part of one, in words: the key, what came, and the fix."""

import difflib
import types
import typing
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from prompts.errors import nearest

_TOO_SHORT = "too_short"
_LISTS = ("tuple_type", "list_type")
_SECTIONS = ("model_type", "dict_type", "mapping_type")


def explained(error: ValidationError, root: type[BaseModel]) -> str:
    """The faults of a `root`, one a line."""
    faults = [dict(fault) for fault in error.errors(include_url=False)]
    return "\n  ".join(_explain(fault, root) for fault in faults if not _follows(fault, faults))


def _follows(fault: dict[str, Any], faults: Sequence[dict[str, Any]]) -> bool:
    """Whether a list counts as too short only because of a fault in one of its items."""
    place = fault["loc"]
    inside = (other["loc"] for other in faults if other is not fault)
    return fault["type"] == _TOO_SHORT and any(loc[: len(place)] == place for loc in inside)


def _explain(fault: dict[str, Any], root: type[BaseModel]) -> str:
    """One line for one fault."""
    location, kind, given = fault["loc"], fault["type"], fault["input"]
    key = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        known = _keys_at(root, location[:-1])
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        return f"{key}: no such key; {hint}"
    if kind == "missing" and len(location) == 1:
        return f"{key}: this section is missing; the shipped recipes show one: flows/recipes"
    if kind == "missing":
        return f"{key}: this key is missing"
    if kind == "value_error":
        said = str(fault["ctx"]["error"])
        told = not isinstance(given, str) or given in said
        return f"{key or 'recipe'}: {said}" + ("" if told else f", got {given!r}")
    if kind == "literal_error":
        return f"{key}: no {given!r}; {nearest(str(given), _choices(fault['ctx']['expected']))}"
    if kind in _LISTS:
        return f"{key}: takes a list, as in [a, b]; got {given!r}"
    if kind in _SECTIONS:
        known = _keys_at(root, location)
        keys = f", here {', '.join(known)}" if known else ""
        return f"{key}: takes keys with values{keys}; got {given!r}"
    said = fault["msg"].removeprefix("Input ")
    return f"{key}: {said[0].lower()}{said[1:]}, got {given!r}"


def _choices(expected: str) -> list[str]:
    """`'base', 'teacher' or 'student'` as names."""
    return [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]


def _keys_at(root: type[BaseModel], location: Sequence[Any]) -> list[str]:
    """The keys known at a place such as ("sampling",) or ("prompts", "sources", 0)."""
    model: Any = root
    for part in location:
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            if part not in model.model_fields:
                return []
            model = _inner_model(model.model_fields[part].annotation)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return list(model.model_fields)
    return []


def _inner_model(annotation: Any) -> Any:
    """The model inside `tuple[Model, ...]` or `Model | None`."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, tuple):
        inner = [a for a in typing.get_args(annotation) if a not in (type(None), ...)]
        return _inner_model(inner[0]) if inner else None
    return annotation
