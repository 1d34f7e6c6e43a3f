"""Pins: hashes of the files a recipe reads, so that a later edit makes another run."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from prompts import template
from prompts.errors import PrerequisiteError
from prompts.sources import SOURCES
from prompts.sources.load import STARTER_FOLDER, files_in

if TYPE_CHECKING:
    from flows.recipe import Recipe

_WEIGHTS = ("*.safetensors", "*.bin")
_PIECES, _PIECE_BYTES = 64, 4_096


def pins_of(recipe: "Recipe") -> dict[str, str]:
    """Hashes of local prompt files and of templates: content decides, not the name."""
    pins = {}
    for number, choice in enumerate(recipe.prompts.sources):
        source = SOURCES.get(choice.name or "")
        shipped = STARTER_FOLDER / f"{source.shipped}.jsonl" if source and source.shipped else None
        path = choice.path or shipped
        if path and path.exists():
            pins[f"prompts {number} {path.name}"] = _digest(path)
    for number, benchmark in enumerate(recipe.prompts.decontaminate.benchmarks):
        if benchmark.where and Path(benchmark.where).exists():
            pins[f"benchmark {number} {benchmark.label}"] = _digest(Path(benchmark.where))
    probe = recipe.prompts.difficulty.probe
    probed_with = (probe.template,) if probe else ()
    for name in (recipe.teacher.template, recipe.dataset.template, *probed_with):
        pins[f"template {name}"] = template.fingerprint(name)
    if recipe.teacher.folder is not None:
        pins["teacher"] = weights_digest(recipe.teacher.folder)
    return pins


def check_pins(recipe: "Recipe") -> None:
    """Raise PrerequisiteError if a file has changed since the run was made."""
    now = pins_of(recipe)
    changed = [name for name, digest in recipe.pins.items() if now.get(name) != digest]
    if changed:
        raise PrerequisiteError(
            f"{', '.join(changed)} changed since this run was made; start a new run from the recipe"
        )


def weights_digest(folder: Path) -> str:
    """Sixteen hex digits over a model's settings, template, record of training, and weights.

    Weights may be 140 GB: of each file its size counts, and 64 pieces of it that lie evenly. So a
    model that was trained again into the same folder is another.
    PrerequisiteError where there is no model.
    """
    files = sorted((*folder.glob("*.json"), *folder.glob("*.jinja")))
    if folder / "config.json" not in files:
        raise PrerequisiteError(f"{folder} holds no model (no config.json)")
    facts = [f"{file.name} {_digest(file)}" for file in files]
    weights = sorted(file for kind in _WEIGHTS for file in folder.glob(kind))
    facts += [f"{file.name} {_pieces_digest(file)}" for file in weights]
    return hashlib.blake2b("\n".join(facts).encode(), digest_size=8).hexdigest()


def _pieces_digest(file: Path) -> str:
    """A file's size, and a digest of pieces of it from its beginning to its end."""
    size, found = file.stat().st_size, hashlib.blake2b(digest_size=8)
    with file.open("rb") as opened:
        for number in range(_PIECES):
            opened.seek(max(0, size - _PIECE_BYTES) * number // (_PIECES - 1))
            found.update(opened.read(_PIECE_BYTES))
    return f"{size} {found.hexdigest()}"


def _digest(path: Path) -> str:
    """Sixteen hex digits over a file's bytes, or over those of a folder's prompt files."""
    if path.is_dir():
        inside = [f"{file.name} {_digest(file)}" for file in files_in(path)]
        return hashlib.blake2b("\n".join(inside).encode(), digest_size=8).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()
