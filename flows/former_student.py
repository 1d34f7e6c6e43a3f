"""What the former round's student answered, taken for this round's teacher: they are one model."""

import json
from pathlib import Path
from typing import Any

from flows.evaluation_folder import ABOUT, begin_settings, fixed_sampling
from flows.progress import say
from flows.run_folder import STAGES, RunFolder, write_text
from flows.serving import teacher_weights
from flows.shared_stages import copy_stage

_SETTINGS = ("template", "temperature", "top_p", "max_tokens", "seed", "think_prefilled")


def take_over_student(run: RunFolder, former: RunFolder) -> None:
    """Bring the former student's samples into a round whose teacher it is, or say why not.

    They are graded anew. A round that has begun to ask its teacher goes on with that.
    """
    source, target = (
        one.path / STAGES["evaluate"] / who for one, who in ((former, "student"), (run, "teacher"))
    )
    if "teacher" not in run.recipe.evals.subjects or target.exists():
        return
    if why := _why_not(run, former, source):
        say(f"evaluate  the teacher is measured anew: {why}")
        return
    with run.locked():
        copy_stage(source, target, lambda copy: _name_teacher(run, copy))
        taken = run.manifest().get("measured_from", {})
        run.note(measured_from={**taken, "teacher": former.name})
    say(f"evaluate  samples of the teacher taken over from {former.path}, whose student it is")


def _name_teacher(run: RunFolder, folder: Path) -> None:
    """Let the samples in a folder be known as this round's teacher's."""
    for file in folder.glob(f"*/{ABOUT}"):
        about = _about(file)
        write_text(file, json.dumps({**about, "model": _known_by(run, about)}, indent=1) + "\n")


def _why_not(run: RunFolder, former: RunFolder, source: Path) -> str:
    """Why the samples are not this round's; empty where they are."""
    files = sorted(source.glob(f"*/{ABOUT}"))
    if not former.is_done("evaluate") or not files:
        return f"the student of {former.name} was not measured"
    if not run.is_done("curate") or run.identity("curate") != former.identity("curate"):
        return f"the held-out prompts are not those of {former.name}"
    sampling = fixed_sampling(run.recipe.sampling, run.recipe.evals, run.recipe.evals.k)
    now = begin_settings(None, "", run.recipe.teacher.template, sampling)
    for about in map(_about, files):
        for name in _SETTINGS:
            if about.get(name) != now[name]:
                return f"{former.name} was asked with {name} {about.get(name)}, now {now[name]}"
    return ""


def _known_by(run: RunFolder, about: dict[str, Any]) -> str:
    """What the teacher's answers are known by, as flows/evaluate.py says it."""
    weights = teacher_weights(run)
    curated = [] if about.get("choice") else [run.identity("curate")]
    return " ".join((weights.served_name, weights.revision, *curated))


def _about(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8")))
