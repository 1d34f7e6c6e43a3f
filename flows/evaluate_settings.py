"""What `stillhouse evaluate` can be told with `--set`, and what the model itself decides of it."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evals.budget import ForcedText
from evals.run import EvalsRecipe
from flows.evaluated_model import PROMPT_TOKENS, Answering
from flows.recipe import VerificationRecipe, apply_override, explained
from prompts.errors import PrerequisiteError
from prompts.template import known_templates
from teacher.serve import ServeRecipe
from teacher.settings import SamplingRecipe


class EvaluateSettings(BaseModel):
    """What `--set` can set here: sections of the recipe, with their defaults, and the template."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    template: str = Field("r1", description="how questions are put: a file in prompts/templates")
    evals: EvalsRecipe = Field(default_factory=lambda: EvalsRecipe())
    sampling: SamplingRecipe = Field(default_factory=lambda: SamplingRecipe())
    verification: VerificationRecipe = Field(default_factory=lambda: VerificationRecipe())
    forced: ForcedText = Field(default_factory=lambda: ForcedText(), description="with --budgets")


def fitted(
    settings: EvaluateSettings,
    answering: Answering,
    overrides: Sequence[str],
    is_forced: bool = False,
) -> EvaluateSettings:
    """The settings with what the model decides, where the user has not: room for completions, the
    server's lengths, and whether its template opens the thinking.

    PrerequisiteError where forced thinking (`is_forced`) has no room.
    """
    given = {override.partition("=")[0].strip() for override in overrides}
    evals, sampling = settings.evals, settings.sampling
    if answering.positions is not None and (is_forced or "evals.max_tokens" not in given):
        room = max(answering.positions - PROMPT_TOKENS, answering.positions // 2)
        if is_forced and evals.max_tokens > room:
            raise PrerequisiteError(
                f"--budgets: thinking and answer may take {evals.max_tokens:,} tokens, and "
                f"{answering.name} has {answering.positions:,} positions, of which a question is "
                f"left {answering.positions - room:,}: give smaller budgets"
            )
        evals = evals.model_copy(update={"max_tokens": min(evals.max_tokens, room)})
    serve = evals.serve or ServeRecipe()
    if not any(key.startswith("evals.serve") for key in given):
        length = min(answering.positions or 10**9, evals.max_tokens + PROMPT_TOKENS)
        serve = serve.model_copy(update={"max_model_len": length})
    if "sampling.think_prefilled" not in given:
        sampling = sampling.model_copy(update={"think_prefilled": answering.opens_thinking})
    return settings.model_copy(
        update={
            "evals": evals.model_copy(update={"serve": serve}),
            "sampling": sampling,
        }
    )


def with_seeds(settings: EvaluateSettings, answering: Answering) -> EvaluateSettings:
    """The settings with seeds sent only where the server takes them; PrerequisiteError where there
    is none and no vLLM to serve with."""
    assert settings.evals.serve is not None, "fitted() has set it"
    sends = settings.sampling.send_seed and answering.takes_seeds(settings.evals.serve)
    sampling = settings.sampling.model_copy(update={"send_seed": sends})
    return settings.model_copy(update={"sampling": sampling})


def settings_of(overrides: Sequence[str]) -> EvaluateSettings:
    """The settings with `key=value` overrides; PrerequisiteError names the key that is wrong."""
    data: dict[str, Any] = {}
    for override in overrides:
        apply_override(data, override)
    known = list(EvaluateSettings.model_fields)
    if others := sorted(set(data) - set(known)):
        raise PrerequisiteError(f"--set {others[0]}…: here there are only {', '.join(known)}")
    try:
        settings = EvaluateSettings.model_validate(data)
    except ValidationError as error:
        raise PrerequisiteError(f"--set:\n  {explained(error)}") from None
    if settings.template not in known_templates():
        names = ", ".join(known_templates())
        raise PrerequisiteError(f"--set template={settings.template}: there are {names}")
    return settings
