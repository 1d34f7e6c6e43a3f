"""The StudentRecipe: who learns, from which weights, with which hyperparameters."""

import difflib
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from prompts.errors import PrerequisiteError

RECIPES = Path(__file__).parent / "recipes"

Dtype = Literal["bfloat16", "float32"]
Launch = Literal["single", "ddp", "fsdp", "deepspeed"]


class Architecture(BaseModel):
    """The base model's shape, for plans made before any weight is downloaded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parameters: int = Field(gt=0, description="all weights, embeddings included")
    layers: int = Field(gt=0, description="decoder layers")
    hidden_size: int = Field(gt=0, description="width of the residual stream")
    intermediate_size: int = Field(gt=0, description="width of the feed-forward layers")
    vocab_size: int = Field(gt=0, description="rows of the embedding")


class StudentRecipe(BaseModel):
    """How one student is trained: the `student` section of a recipe. Complete and strict."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="the student's short name, as in MODEL=…")
    base: str = Field(min_length=1, description="Hub id, local folder, or `embedded`")
    revision: str | None = Field(default=None, description="revision of a Hub base; newest if none")
    published_name: str = Field(min_length=1, description="name of the trained model's repository")
    learning_rate: float = Field(gt=0, le=1e-2, description="peak learning rate of AdamW")
    epochs: float = Field(gt=0, le=100, description="passes over the dataset")
    batch_size: int = Field(ge=1, description="sequences per optimiser step, over all GPUs")
    micro_batch_size: int = Field(ge=1, description="sequences per forward pass on one GPU")
    max_length: int = Field(ge=16, description="tokens; longer rows are dropped, never cut")
    warmup_ratio: float = Field(default=0.05, ge=0, lt=1, description="share of steps of warm-up")
    min_lr_ratio: float = Field(default=0.1, ge=0, le=1, description="cosine ends at this × peak")
    weight_decay: float = Field(default=0.0, ge=0, le=1, description="AdamW's weight decay")
    max_grad_norm: float = Field(default=1.0, gt=0, description="gradients are clipped to this")
    seed: int = Field(default=0, ge=0, description="order of the rows and every other draw")
    dtype: Dtype = Field(default="bfloat16", description="of weights and arithmetic; saved so")
    gradient_checkpointing: bool = Field(description="recompute activations to save memory")
    packing: bool = Field(description="lay a micro-batch end to end, so that nothing is padding")
    rope_theta: float | None = Field(default=None, gt=0, description="replaces the base's own")
    max_position_embeddings: int | None = Field(
        default=None, ge=16, description="replaces the base's own; must cover max_length"
    )
    chat_template: str | None = Field(
        default=None, description="file in sft/templates, or a path; the base's own without one"
    )
    eos_token: str | None = Field(default=None, description="ends a turn; the base's own if none")
    pad_token: str | None = Field(default=None, description="padding; must differ from eos_token")
    launch: Launch = Field(description="one process, or how weights spread over several")
    gpus: int = Field(ge=0, description="GPUs to train on; 0 is this machine's processor")
    sequence_parallel: int = Field(default=1, ge=1, description="GPUs that share one sequence")
    checkpoint_every_steps: int | None = Field(
        default=None, ge=1, description="optimiser steps between checkpoints; one an epoch if none"
    )
    architecture: Architecture
    reference_scores: dict[str, float] = Field(
        default_factory=dict, description="published scores of the student to compare with"
    )

    @model_validator(mode="after")
    def _batch_divides(self) -> Self:
        share = self.micro_batch_size * max(1, self.gpus // self.sequence_parallel)
        if self.batch_size % share:
            raise ValueError(
                f"batch_size {self.batch_size} is not a multiple of micro_batch_size × "
                f"(gpus ÷ sequence_parallel) = {share}"
            )
        return self

    @model_validator(mode="after")
    def _parallel_fits(self) -> Self:
        if self.sequence_parallel == 1:
            return self
        if self.packing:
            raise ValueError("packing must be off with sequence_parallel: it drops the mask")
        if self.launch != "fsdp" or self.gpus % self.sequence_parallel:
            raise ValueError(
                f"sequence_parallel {self.sequence_parallel} needs launch fsdp and a number of "
                f"gpus it divides, not {self.launch} on {self.gpus}"
            )
        return self

    @model_validator(mode="after")
    def _positions_cover_rows(self) -> Self:
        if self.max_position_embeddings is not None and self.max_length > (
            self.max_position_embeddings
        ):
            raise ValueError(
                f"max_length {self.max_length} is beyond max_position_embeddings "
                f"{self.max_position_embeddings}"
            )
        return self

    @model_validator(mode="after")
    def _llama_is_named_so(self) -> Self:
        # Llama's licence: a model made from one begins its name with "Llama".
        is_llama = "llama" in self.base.lower().split("/")[-1]
        if is_llama and not self.published_name.startswith("Llama"):
            raise ValueError(
                f'published_name {self.published_name!r} must begin with "Llama": '
                f"the licence of {self.base} asks for it"
            )
        return self

    @property
    def steps_accumulated(self) -> int:
        """Forward passes of one process per optimiser step."""
        share = self.micro_batch_size * max(1, self.gpus // self.sequence_parallel)
        return self.batch_size // share


def known_students() -> tuple[str, ...]:
    """The names that `load_student` takes: one file each in sft/recipes."""
    return tuple(sorted(path.stem for path in RECIPES.glob("*.yaml")))


def load_student(name: str) -> StudentRecipe:
    """The recipe of a student by name; PrerequisiteError lists the known names otherwise."""
    if name not in known_students():
        nearest = difflib.get_close_matches(name, known_students(), n=1, cutoff=0.4)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
        raise PrerequisiteError(
            f"unknown student {name!r}; known: {', '.join(known_students())}.{hint}"
        )
    return read_student(RECIPES / f"{name}.yaml")


def read_student(path: Path) -> StudentRecipe:
    """A student's recipe from any YAML file; PrerequisiteError names each wrong key."""
    try:
        values: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return StudentRecipe.model_validate(values)
    except (OSError, yaml.YAMLError) as error:
        raise PrerequisiteError(f"cannot read the student recipe {path}: {error}") from None
    except ValidationError as error:
        raise PrerequisiteError(explain(path, error)) from None


def explain(path: Path, error: ValidationError) -> str:
    """One line per wrong key: where it is, what was expected, the nearest right name."""
    lines = [f"{path} is not a student recipe:"]
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"]) or "(recipe)"
        line = f"  {key}: {fault['msg']}"
        if fault["type"] == "extra_forbidden":
            nearest = difflib.get_close_matches(key, StudentRecipe.model_fields, n=1)
            line = f"  {key}: no such key" + (f"; did you mean {nearest[0]!r}?" if nearest else "")
        lines.append(line)
    return "\n".join(lines)
