"""One recipe in several variants: a run each, what they have in common done once, and compared."""

import hashlib
import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from flows.overview import say_finished
from flows.plan import make_plan
from flows.progress import clock, say
from flows.recipe import Recipe, load_recipe
from flows.run_folder import STAGES, RunFolder, run_path
from flows.shared_stages import (
    alike,
    answers_alike,
    began_itself,
    begin_sharing,
    best_donor,
    finished_runs,
    sharers,
)
from prompts.counted import counted
from prompts.errors import PrerequisiteError

MOST_VARIANTS = 16
_NAME_CHARS = 61


@dataclass(frozen=True, slots=True)
class Switch:
    """A key of the recipe and the values it is to take, as JSON."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """A variant before it runs: stages that are there, that come from another run, that are done.

    `donor` is the run they come from; it may be that of an earlier variant. `measured` are the
    subjects whose answers come from another run too.
    """

    recipe: Recipe
    path: Path
    there: tuple[str, ...]
    shared: tuple[str, ...]
    donor: Path | None
    own: tuple[str, ...]
    measured: tuple[str, ...] = ()


def read_switch(text: str) -> Switch:
    """`selection.trace=journey,shortcut`; each value is read as YAML."""
    key, equals, listed = text.partition("=")
    try:
        values = yaml.safe_load(f"[{listed}]") if equals and key.strip() else []
    except yaml.YAMLError:
        values = []
    written = tuple(dict.fromkeys(json.dumps(value, default=str) for value in values))
    if len(written) < 2:
        raise PrerequisiteError(
            f"--vary {text!r} is not key=value,value; for instance: "
            "--vary selection.trace=journey,shortcut"
        )
    return Switch(key.strip(), written)


def make_variants(
    switches: Sequence[Switch],
    name: str | None = None,
    model: str | None = None,
    overrides: Sequence[str] = (),
    teacher_urls: Sequence[str] = (),
) -> list[Recipe]:
    """The recipe with every combination of the switches' values, each under its own name.

    A variant is pushed nowhere: several would end in one repository. Raises PrerequisiteError for
    more than MOST_VARIANTS, and what `load_recipe` raises.
    """
    combined = list(itertools.product(*([(s.key, v) for v in s.values] for s in switches)))
    if len(combined) > MOST_VARIANTS:
        raise PrerequisiteError(
            f"{len(combined)} variants are more than {MOST_VARIANTS}: vary fewer keys or values"
        )
    variants: list[Recipe] = []
    for choice in combined:
        more = [f"{key}={value}" for key, value in choice]
        recipe = load_recipe(name, model, [*overrides, *more], teacher_urls)
        variants.append(_unpublished(_dated(recipe), _variant_name(recipe.name, choice)))
    if len({recipe.name for recipe in variants}) < len(variants):
        raise PrerequisiteError("two variants would bear one name; shorten the recipe's name")
    return variants


def plan_variants(variants: Sequence[Recipe], runs: Path) -> list[Planned]:
    """What each variant would do itself, given the runs there are and the variants before it."""
    known = finished_runs(runs)
    planned: list[Planned] = []
    for recipe in variants:
        run = RunFolder(run_path(recipe, runs), recipe)
        started = (run.path / "manifest.json").exists()
        there = [stage for stage in STAGES if started and run.is_done(stage)]
        donor: Path | None = None
        shared: list[str] = []
        if not began_itself(run):
            found = best_donor(recipe, sharers(run, known))
            earlier = _earlier(recipe, planned)
            if found is not None:
                donor, shared = found[0].path, found[1]
            if len(earlier[1]) > len(shared):
                donor, shared = earlier
        shared = [stage for stage in shared if stage not in there]
        own = tuple(stage for stage in STAGES if stage not in (*there, *shared))
        measured = tuple(_measured_before(recipe, donor, planned, known)) if shared else ()
        planned.append(Planned(recipe, run.path, tuple(there), tuple(shared), donor, own, measured))
    return planned


def _measured_before(
    recipe: Recipe, donor: Path | None, planned: Sequence[Planned], known: Sequence[RunFolder]
) -> set[str]:
    """The subjects whose answers `donor` has or, as an earlier variant, will have."""
    finished = [run.recipe for run in known if run.path == donor and run.is_done("evaluate")]
    earlier = [one.recipe for one in planned if one.path == donor]
    return {who for other in (*finished, *earlier) for who in answers_alike(recipe, other)}


def run_variants(variants: Sequence[Recipe], runs: Path) -> list[Path]:
    """Carry out every variant, each with the finished stages of those before it; their folders."""
    return [carry_out(begin_sharing(recipe, runs).recipe, runs) for recipe in variants]


def carry_out(recipe: Recipe, runs: Path) -> Path:
    """All of a run that is not done yet; its folder. Prefect is left alone where nothing is."""
    if say_finished(recipe, runs):
        return run_path(recipe, runs)
    from flows.distill import distill

    return Path(distill(recipe, runs))


def comparison_folder(variants: Sequence[Recipe], runs: Path) -> Path:
    """Where the comparison of these variants goes."""
    names = " ".join(run_path(recipe, runs).name for recipe in variants)
    digest = hashlib.blake2b(names.encode(), digest_size=5).hexdigest()
    return runs / f"comparison-{variants[0].name[:40]}-{digest}"


def variants_plan(planned: Sequence[Planned]) -> dict[str, Any]:
    """The plan as plain values: what is shared, and what the rest would take."""
    rows = [_plan_row(one) for one in planned]
    return {
        "variants": rows,
        "remarks": remarks(planned),
        "sampled_tokens": sum(row["sampled_tokens"] for row in rows),
        "sampling_s": sum(row["sampling_s"] for row in rows),
        "dollars": sum(row["dollars"] for row in rows),
        "trainings": sum("train" in row["own"] for row in rows),
        "training_s": sum(row["training_s"] for row in rows),
        "evaluation_samples": sum(row["evaluation_samples"] for row in rows),
        "evaluation_most_tokens": sum(row["evaluation_most_tokens"] for row in rows),
    }


def variants_text(plan: dict[str, Any]) -> str:
    """The plan as people read it."""
    lines = [f"{counted(len(plan['variants']), 'variant')}; nothing is started"]
    for row in plan["variants"]:
        lines += ["", f"{row['name']}   {row['folder']}"]
        if row["there"]:
            lines.append(f"    finished already   {', '.join(row['there'])}")
        if row["shared"]:
            lines.append(f"    from another run   {', '.join(row['shared'])}  ({row['donor']})")
        lines.append(f"    to do              {', '.join(row['own']) or 'nothing'}")
        lines += [f"                       {line}" for line in row["costs"]]
    lines += ["", *plan["remarks"]] if plan["remarks"] else []
    dollars = f", about ${plan['dollars']:,.0f}" if plan["dollars"] else ""
    lines += [
        "",
        f"in all    about {plan['sampled_tokens']:,} tokens to sample in "
        f"{clock(plan['sampling_s'])}{dollars}; "
        f"{counted(plan['trainings'], 'student')} to train in {clock(plan['training_s'])}; "
        f"about {plan['evaluation_samples']:,} samples to measure "
        f"with, {plan['evaluation_most_tokens']:,} tokens at most",
    ]
    return "\n".join(lines)


def remarks(planned: Sequence[Planned]) -> list[str]:
    """What makes variants differ less than their recipes do."""
    recipes = [one.recipe for one in planned]
    chosen = [recipe for recipe in recipes if recipe.sampling.n_min <= recipe.selection.keep]
    if len({recipe.selection.order for recipe in recipes}) < 2 or not chosen:
        return []
    keep, most = chosen[0].selection.keep, chosen[0].sampling.n_max
    return [
        f"selection.order has little to choose from: of each prompt sampling stops at {keep} "
        f"accepted, and {keep} are kept. --set sampling.n_min={most} draws so many in any case"
    ]


def say_shared(planned: Sequence[Planned]) -> None:
    """A line a variant: what it will not do itself; and what to know of them all."""
    for remark in remarks(planned):
        say(f"variants  {remark}")
    for one in planned:
        from_others = f"; {', '.join(one.shared)} from {one.donor}" if one.shared else ""
        say(f"variant   {one.recipe.name}: to do {', '.join(one.own) or 'nothing'}{from_others}")


def _plan_row(one: Planned) -> dict[str, Any]:
    plan = make_plan(one.recipe)
    sampling, samples = plan["sampling"], "generate" in one.own
    wall_s, dollars = sampling["wall_s"][1], sampling["dollars"][1]
    costs = []
    if samples:
        bill = f", ${dollars:,.0f}" if dollars else ""
        costs.append(
            f"sampling: about {sampling['expected_tokens']:,} tokens, {clock(wall_s)}{bill}"
        )
    training = plan["student"]
    if "train" in one.own:
        misfit = "" if training["fits"] else "; DOES NOT FIT, see `stillhouse plan`"
        costs.append(f"training: {clock(training['wall_s'][1])}{misfit}")
    evaluation = plan["evaluation"]
    asked = [who for who in evaluation["subjects"] if who not in one.measured]
    many = len(asked) if "evaluate" in one.own else 0
    if many:
        each, tokens = evaluation["samples_each"], evaluation["most_tokens_each"]
        costs.append(
            f"evaluation of {', '.join(asked)}: about {many * each:,} samples, "
            f"{many * tokens:,} tokens at most"
        )
    return {
        "name": one.recipe.name,
        "folder": str(one.path),
        "there": list(one.there),
        "shared": list(one.shared),
        "donor": str(one.donor) if one.donor else None,
        "own": list(one.own),
        "sampled_tokens": sampling["expected_tokens"] if samples else 0,
        "sampling_s": wall_s if samples else 0,
        "dollars": dollars if samples else 0,
        "training_s": training["wall_s"][1] if "train" in one.own else 0,
        "evaluation_samples": many * evaluation["samples_each"],
        "evaluation_most_tokens": many * evaluation["most_tokens_each"],
        "costs": costs,
    }


def _earlier(recipe: Recipe, planned: Sequence[Planned]) -> tuple[Path | None, list[str]]:
    """The stages that an earlier variant will have finished by then, most first."""
    found = [(one.path, alike(recipe, one.recipe)) for one in planned]
    return max(found, key=lambda pair: len(pair[1]), default=(None, []))


def _variant_name(name: str, choice: Sequence[tuple[str, str]]) -> str:
    """`default-trace-shortcut`; long or unusual values become a few hex digits."""
    words = []
    for key, value in choice:
        text = re.sub(r"[^\w.-]+", "-", value).strip("-.")
        if not text or len(text) > 20 or value.startswith(("{", "[")):
            text = hashlib.blake2b(value.encode(), digest_size=3).hexdigest()
        words.append(f"{key.rpartition('.')[2]}-{text}")
    tail = "-".join(words)
    room = _NAME_CHARS - len(tail) - 1
    if room < 1:
        tail = hashlib.blake2b(tail.encode(), digest_size=5).hexdigest()
        room = _NAME_CHARS - len(tail) - 1
    return f"{name[:room].rstrip('-.')}-{tail}"


def _dated(recipe: Recipe) -> Recipe:
    """With the date in place of the edition `today`: the run's folder and its sharing go by it."""
    if recipe.edition != "today":
        return recipe
    from flows.stage import resolve

    return resolve(recipe)


def _unpublished(recipe: Recipe, name: str) -> Recipe:
    """The recipe under another name, its dataset and student pushed nowhere."""
    dataset = recipe.dataset.model_copy(update={"repo_id": None})
    student = recipe.student.model_copy(update={"repo_id": None})
    return recipe.model_copy(update={"name": name, "dataset": dataset, "student": student})
