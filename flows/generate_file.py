"""`stillhouse generate --prompts FILE --url U --out DIR`: prompts of a file, sampled into a folder.

No run, no recipe file, no Prefect: the same engine, graders and records on any prompts and any
OpenAI-compatible endpoints. Typed again it goes on where it stopped.
"""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data_cards.funnel import FunnelRow
from filters.grader import Grader
from filters.verdict import Outcome
from flows.cost import Price
from flows.display import SamplingDisplay
from flows.endpoints import served_by
from flows.lost import lost_line
from flows.out_folder import OutFolder, started_before
from flows.program_runs import grader_for, require_sandbox
from flows.progress import OUTPUT, say, say_json
from flows.prompt_file import asks_in_file, has_reference
from flows.recipe import VerificationRecipe, apply_override, deciding_values, explained
from flows.sample_folder import sample_folder, stop_without_sandbox
from flows.sampled_totals import sampled_totals
from flows.serving import Served
from prompts.counted import counted
from prompts.errors import PrerequisiteError
from prompts.record import Prompt
from teacher.ask import Ask
from teacher.canary import Replica
from teacher.progress import SamplingSummary
from teacher.sample import Sample
from teacher.settings import SamplingRecipe


class EndpointPrice(BaseModel):
    """What the endpoints cost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dollars_per_million_tokens: float | None = Field(None, ge=0, allow_inf_nan=False)


class FileSettings(BaseModel):
    """What `--set` can set here: sections of the recipe, with their defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sampling: SamplingRecipe = Field(default_factory=lambda: SamplingRecipe())
    verification: VerificationRecipe = Field(default_factory=lambda: VerificationRecipe())
    teacher: EndpointPrice = Field(default_factory=lambda: EndpointPrice())


@dataclass(frozen=True, slots=True)
class Request:
    """What was typed."""

    prompts: Path
    urls: tuple[str, ...]
    out: Path
    model: str | None = None
    key_env: str | None = None
    overrides: tuple[str, ...] = ()


def generate_file(request: Request, dry_run: bool = False) -> None:
    """Sample the file's prompts into `out`, or say what would be done.

    Raises PrerequisiteError before anything is sent: for bad rows, settings, endpoints, or a folder
    that holds something else or that another process writes; RunError when sampling stopped on a
    fault and can be resumed.
    """
    settings = file_settings(request.overrides)
    asks = asks_in_file(request.prompts)
    require_sandbox((ask.prompt for ask in asks), settings.verification.sandbox)
    out = OutFolder(request.out)
    with nullcontext() if dry_run else out.held():
        _generate(out, request, settings, asks, dry_run)


def _generate(
    out: OutFolder, request: Request, settings: FileSettings, asks: list[Ask], dry_run: bool
) -> None:
    """Go on with what the folder holds; without `dry_run` it is held meanwhile."""
    model, decides = request.model or out.model(), _deciding(settings)
    before = started_before(out, asks, {"model": model, **decides}, request.prompts)
    if before and before.done and not before.changes:
        _show(out, "finished already")
        return
    model = served_by(request.urls, model, request.key_env, settings.sampling.max_tokens)
    _show_plan(request, settings.sampling, asks, model)
    for change in before.changes if before else ():
        say(f"          goes on with {change}")
    if not dry_run:
        out.begin(asks, {"model": model, **decides}, request.prompts, request.urls)
        _sample_into(out, request, settings, asks, model)
        _show(out)


def file_settings(overrides: Sequence[str]) -> FileSettings:
    """The settings with `key=value` overrides; PrerequisiteError names the key that is wrong."""
    data: dict[str, Any] = {}
    for override in overrides:
        apply_override(data, override)
    if others := sorted(set(data) - set(FileSettings.model_fields)):
        raise PrerequisiteError(
            f"--set {others[0]}…: with --prompts there are only sampling.*, verification.* and "
            "teacher.dollars_per_million_tokens"
        )
    try:
        return FileSettings.model_validate(data)
    except ValidationError as error:
        raise PrerequisiteError(f"--set:\n  {explained(error)}") from None


def _sample_into(
    out: OutFolder, request: Request, settings: FileSettings, asks: list[Ask], model: str
) -> None:
    started_s = time.monotonic()
    served = Served([Replica(url, model, "", request.key_env) for url in request.urls])
    price = Price(per_million_tokens=settings.teacher.dollars_per_million_tokens)
    shown = SamplingDisplay("generate", price)
    verification = settings.verification
    with (
        out.stopped_unless_finished(),
        grader_for(verification) as grader,
    ):

        async def grade(prompt: Prompt, sample: Sample) -> bool | None:
            return await accepted(grader, prompt, sample)

        summary = sample_folder(asks, served, settings.sampling, out.path, grade, shown)
        funnel = funnel_rows(summary, time.monotonic() - started_s)
        out.finish(funnel, {**_facts(summary), **sampled_totals(out.path)})


async def accepted(grader: Grader, prompt: Prompt, sample: Sample) -> bool | None:
    """What the verifier says; without a reference, whether the completion says something and ended.

    Raises RunError when the sandbox does not run any more: every program would be undecided.
    """
    if not has_reference(prompt):
        said = (sample.reasoning + sample.answer).strip()  # tags around nothing say nothing
        return sample.finish_reason == "stop" and bool(said)
    verdict = stop_without_sandbox(await grader.grade_async(prompt, sample))
    return {Outcome.ACCEPT: True, Outcome.REJECT: False}.get(verdict.outcome)


def funnel_rows(summary: SamplingSummary, seconds: float) -> list[FunnelRow]:
    """Prompts and samples, every one accounted for."""
    stopped = {
        "given up": summary.prompts_given_up,
        "refused": summary.prompts_refused,
        "over budget": summary.prompts_over_budget,
    }
    prompts = {"answered": summary.prompts_kept, "unanswered": summary.prompts_exhausted}
    prompts |= {why: count for why, count in stopped.items() if count}
    samples = {
        "accept": summary.accepted,
        "reject": summary.rejected,
        "undecided": summary.undecided,
        "error": summary.errors,
    }
    return [
        FunnelRow("generate", summary.prompts, prompts, seconds),
        FunnelRow("samples", summary.samples, samples, seconds),
    ]


def _show_plan(request: Request, sampling: SamplingRecipe, asks: list[Ask], model: str) -> None:
    """What is about to be done."""
    graded, most = sum(has_reference(ask.prompt) for ask in asks), most_tokens(sampling, len(asks))
    where = ", ".join(request.urls)
    prompts, samples = counted(len(asks), "prompt"), counted(sampling.n_max, "sample")
    say(f"generate  {prompts} of {request.prompts}, {graded:,} with a reference")
    say(f"          to {model} at {where}, into {request.out}")
    say(f"          keep {sampling.keep}, at most {samples} of a prompt and {most:,} tokens in all")
    if OUTPUT.as_json:
        plan = {"prompts": len(asks), "with_reference": graded, "most_tokens": most}
        places = {"model": model, "urls": request.urls, "out": str(request.out)}
        say_json({"event": "plan", "step": "generate", **plan, **places})


def most_tokens(sampling: SamplingRecipe, prompts: int) -> int:
    """Completion tokens the run can cost at most, budgets and all."""
    each = sampling.n_max * sampling.max_tokens
    if sampling.max_tokens_per_prompt is not None:
        each = min(each, sampling.max_tokens_per_prompt)
    most = prompts * each
    run = sampling.max_tokens_per_run
    return most if run is None else min(most, run)


def _show(out: OutFolder, note: str = "") -> None:
    """The counts, as other stages print them, and for machines the same as the last object."""
    entry = out.manifest()
    if note:
        say(f"generate  {note}: {out.path}")
    for row in entry["funnel"]:
        say(FunnelRow(row["stage"], row["n_in"], row["outcomes"], row["seconds"]).line())
    if lost := lost_line(entry["facts"]):
        say(lost)
    if OUTPUT.as_json:
        said = {"event": "done", "step": "generate", "out": str(out.path)}
        say_json({**said, "funnel": entry["funnel"], **entry["facts"]})


def _deciding(settings: FileSettings) -> dict[str, Any]:
    """The settings that decide the data."""
    return {
        "sampling": deciding_values("sampling", settings.sampling),
        "verification": deciding_values("verification", settings.verification),
    }


def _facts(summary: SamplingSummary) -> dict[str, Any]:
    """Counts of the samples there are; `cancelled` and `faults` are those of the last go."""
    facts = {name: getattr(summary, name) for name in ("truncated", "cancelled", "resumed")}
    return {**facts, "faults": dict(summary.faults)}
