"""Finished stages of one run taken over by another whose recipe would do the same work.

Samples are paid for once: a run that differs only in what comes after them gets them by hard link.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from flows.progress import say
from flows.recipe import STAGE_SECTIONS, Recipe, deciding_values, recipe_of_run
from flows.run_folder import STAGES, RunFolder, all_runs, open_run
from flows.serving import base_arguments
from prompts.errors import PrerequisiteError, RunError

# Only ever replaced whole, by rename: a link keeps what it was made of. All else is copied.
_LINKED = (".parquet", ".safetensors")
_LEFT_OUT = ("checkpoints", "*.lock", "*.sqlite*", ".*")


def work_fingerprint(recipe: Recipe, stage: str) -> str:
    """Like `stage_fingerprint`, over what decides the work alone.

    A run's name is left out, and templates count from the stage that puts prompts with them.
    """
    sections = [name for names in _until(stage).values() for name in names]
    facts: dict[str, Any] = {"pins": _pins_until(recipe, stage)}
    for name in sections:
        value = getattr(recipe, name)
        if name not in ("name", "pins") and value is not None:
            facts[name] = value if isinstance(value, str) else deciding_values(name, value)
    text = json.dumps(facts, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def finished_runs(runs: Path) -> list[RunFolder]:
    """All runs whose recipe can still be read, the one worked on last first."""
    found = []
    for path in all_runs(runs):
        with contextlib.suppress(PrerequisiteError):
            found.append(RunFolder(path, recipe_of_run(path)))
    return found


def alike(recipe: Recipe, other: Recipe) -> list[str]:
    """The stages, from the first on, that both recipes would do alike."""

    def same(stage: str) -> bool:
        return work_fingerprint(recipe, stage) == work_fingerprint(other, stage)

    return list(takewhile(same, STAGES))


def shareable(recipe: Recipe, donor: RunFolder) -> list[str]:
    """Those of them that are done in a run."""
    return list(takewhile(donor.is_done, alike(recipe, donor.recipe)))


def best_donor(recipe: Recipe, donors: Sequence[RunFolder]) -> tuple[RunFolder, list[str]] | None:
    """The run that has most of the stages, with them; None where none has any.

    All come from one run: samples of two runs differ even where their recipes do not. Of several
    the one that did most of them itself.
    """
    found = [(donor, stages) for donor in donors if (stages := shareable(recipe, donor))]
    return max(found, key=lambda pair: (len(pair[1]), _own(*pair)), default=None)


def begin_sharing(recipe: Recipe, runs: Path) -> RunFolder:
    """The recipe's run, with all that other runs have finished and it would do alike."""
    run = open_run(recipe, runs)
    donors = sharers(run, finished_runs(runs))
    if not began_itself(run) and (found := best_donor(recipe, donors)) is not None:
        take_over(run, *found)
        take_over_measured(run, donors)
    return run


def take_over(run: RunFolder, donor: RunFolder, stages: Sequence[str]) -> None:
    """Bring the donor's stages into a run that has begun none itself; those there stay.

    A stage is there whole or not at all. Raises RunError if the donor does one again meanwhile.
    """
    with run.locked():
        run.keep_recipe()
        for stage in stages:
            if run.manifest()["stages"].get(stage) is not None:
                continue
            entry = donor.manifest()["stages"][stage]
            copy_stage(donor.path / STAGES[stage], run.path / STAGES[stage])
            if donor.manifest()["stages"][stage] != entry:
                raise RunError(f"{donor.name} does its stage {stage!r} again meanwhile")
            run.adopt(stage, entry, donor.name)
            say(f"{stage:9} taken over from {donor.path}")


def take_over_measured(run: RunFolder, donors: Sequence[RunFolder]) -> None:
    """Bring the samples that the same base and teacher were measured by on the same prompts.

    They are graded anew; those of other settings are thrown away when the run evaluates.
    """
    alike = [donor for donor in donors if _measured_alike(run, donor)]
    for who, same in (("base", _same_base), ("teacher", _same_teacher)):
        target = Path(STAGES["evaluate"]) / who
        found = [d for d in alike if same(run.recipe, d.recipe) and (d.path / target).is_dir()]
        if found and who in run.recipe.evals.subjects and not (run.path / target).exists():
            with run.locked():
                copy_stage(found[0].path / target, run.path / target)
                taken = run.manifest().get("measured_from", {})
                run.note(measured_from={**taken, who: found[0].name})
            say(f"evaluate  samples of the {who} taken over from {found[0].path}")


def began_itself(run: RunFolder) -> bool:
    """Whether the run has begun a stage of its own: what it has paid for then stays."""
    entries = _entries(run)
    return any("shared_from" not in entry for entry in entries.values())


def sharers(run: RunFolder, donors: Sequence[RunFolder]) -> list[RunFolder]:
    """Those of the runs that this one may take from: the one it took from before, or any."""
    before = {entry["shared_from"] for entry in _entries(run).values() if "shared_from" in entry}
    others = [donor for donor in donors if donor.path.resolve() != run.path.resolve()]
    return [donor for donor in others if not before or donor.name in before]


def _measured_alike(run: RunFolder, donor: RunFolder) -> bool:
    """Whether a finished evaluation was of the very prompts that this run holds out."""
    if not (run.is_done("curate") and donor.is_done("evaluate")):
        return False
    return run.identity("curate") == donor.identity("curate")


def answers_alike(recipe: Recipe, other: Recipe) -> list[str]:
    """The subjects, besides the student, that both recipes would ask alike on the same prompts."""
    a, b = (deciding_values("evals", one.evals) for one in (recipe, other))
    if a != b or "curate" not in alike(recipe, other):
        return []
    same = {"teacher": _same_teacher(recipe, other)}
    same["base"] = _same_base(recipe, other) and recipe.dataset.template == other.dataset.template
    return [who for who, is_same in same.items() if is_same and who in recipe.evals.subjects]


def _same_base(one: Recipe, other: Recipe) -> bool:
    a, b = one.student, other.student
    same = (a.base, a.revision) == (b.base, b.revision)
    return same and base_arguments(a) == base_arguments(b)


def _same_teacher(one: Recipe, other: Recipe) -> bool:
    same = one.pins.get("teacher") == other.pins.get("teacher")
    a, b = (deciding_values("teacher", recipe.teacher) for recipe in (one, other))
    return same and a == b


def _own(run: RunFolder, stages: Sequence[str]) -> int:
    entries = _entries(run)
    return sum("shared_from" not in entries[stage] for stage in stages)


def _entries(run: RunFolder) -> dict[str, Any]:
    if not (run.path / "manifest.json").exists():
        return {}
    return dict(run.manifest()["stages"])


def copy_stage(
    source: Path, target: Path, change: Callable[[Path], None] = lambda _folder: None
) -> None:
    """The stage's folder under its name, all at once, with the change made to the copy."""
    target.parent.mkdir(exist_ok=True)
    temporary = target.with_name(f".{target.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    leave_out = shutil.ignore_patterns(*_LEFT_OUT)
    try:
        shutil.copytree(source, temporary, ignore=leave_out, copy_function=_link_or_copy)
        change(temporary)
        shutil.rmtree(target, ignore_errors=True)  # nobody has noted it: left by a kill
        temporary.rename(target)
    except (OSError, shutil.Error) as error:
        raise RunError(f"cannot take over {source}: {error}") from error


def _link_or_copy(source: str, target: str) -> str:
    if source.endswith(_LINKED):
        with contextlib.suppress(OSError):  # another disk, or one without links
            os.link(source, target)
            return target
    return shutil.copy2(source, target)


def _until(stage: str) -> dict[str, tuple[str, ...]]:
    names = list(STAGE_SECTIONS)
    return {name: STAGE_SECTIONS[name] for name in names[: names.index(stage) + 1]}


def _pins_until(recipe: Recipe, stage: str) -> dict[str, str]:
    """The hashes of the files that the stages up to this one read."""
    read = set(_until(stage))
    probe = recipe.prompts.difficulty.probe
    templates = {probe.template} if probe else set()
    templates |= {recipe.teacher.template} if "generate" in read else set()
    templates |= {recipe.dataset.template} if "publish" in read else set()
    return dict(_pins_read(recipe, templates, "generate" in read))


def _pins_read(
    recipe: Recipe, templates: set[str], with_teacher: bool
) -> Iterator[tuple[str, str]]:
    for name, digest in recipe.pins.items():
        kind, _, what = name.partition(" ")
        unread = kind == "template" and what not in templates
        if not unread and (with_teacher or kind != "teacher"):
            yield name, digest
