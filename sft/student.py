"""The StudentRecipe: who learns, from which weights, with which hyperparameters."""

import difflib
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from prompts.errors import PrerequisiteError
from sft.bases import Architecture, architecture_of
from sft.positions import RopeScaling, position_problem
from sft.published import PUBLISHED
from sft.trl_config import SAME, student_values_of
from teacher.processor import computes_bfloat16

RECIPES = Path(__file__).parent / "recipes"

Dtype = Literal["bfloat16", "float32"]
Launch = Literal["single", "ddp", "fsdp", "deepspeed"]
Tracker = Literal["trackio", "wandb", "none"]
# transformers' names, and our own for the processor.
ATTENTIONS = (
    *("sdpa", "eager", "flash_attention_2", "flash_attention_3", "flash_attention_4"),
    *("flex_attention", "stillhouse_packed"),
)


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
    dtype: Dtype = Field(
        default="bfloat16", description="of the student's weights, and of arithmetic"
    )
    gradient_checkpointing: bool = Field(description="recompute activations to save memory")
    packing: bool = Field(description="lay a micro-batch end to end, so that nothing is padding")
    rope_theta: float | None = Field(default=None, gt=0, description="replaces the base's own")
    rope_scaling: RopeScaling | None = Field(
        default=None,
        # Left out where there is none: no student that was trained before is another one by it.
        exclude_if=lambda value: value is None,
        description="stretches it: YaRN or Llama 3.1's",
    )
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
    processes: int = Field(
        default=1, ge=1, le=64, description="processes on the processor, with gpus 0"
    )
    sequence_parallel: int = Field(default=1, ge=1, description="GPUs that share one sequence")
    checkpoint_every_steps: int | None = Field(
        default=None, ge=1, description="optimiser steps between checkpoints; one an epoch if none"
    )
    attention: str | None = Field(
        default=None, description="transformers' attn_implementation; the fastest there is if none"
    )
    liger: bool = Field(default=False, description="Liger's fused kernels, on GPUs")
    activation_offloading: bool = Field(
        default=False, description="checkpointed activations wait in the machine's memory"
    )
    tracker: Tracker = Field(default="trackio", description="where curves of training go")
    eval_prompts: int = Field(
        default=0, ge=0, le=256, description="held-out prompts answered while it trains; 0: none"
    )
    eval_every_steps: int | None = Field(
        default=None, ge=1, description="optimiser steps between such tries; one an epoch if none"
    )
    eval_max_tokens: int = Field(default=1_024, ge=1, description="token limit of such an answer")
    loss_spike: float = Field(
        default=3.0,
        gt=1,
        description="stop when a step's loss stays this many times above the running one",
    )
    repo_id: str | None = Field(
        default=None, description="Hub repository the student is pushed to; none: it stays here"
    )
    architecture: Architecture = Field(description="the base's shape; looked up if not given")
    reference_scores: dict[str, float] = Field(
        default_factory=dict, description="scores to expect; those of sft/published.py if none"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in_what_is_known(cls, values: Any) -> Any:
        """The base's shape and the published scores, where they are not given."""
        if not isinstance(values, dict) or not isinstance(values.get("base"), str):
            return values
        known: dict[str, Any] = {}
        if "architecture" not in values:
            known["architecture"] = architecture_of(values["base"])
        if "reference_scores" not in values and values.get("name") in PUBLISHED:
            known["reference_scores"] = dict(PUBLISHED[values["name"]].scores)
        return {**values, **known}

    @field_validator("attention")
    @classmethod
    def _attention_is_known(cls, value: str | None) -> str | None:
        # OWNER/NAME is a kernel of the Hub, which transformers takes too.
        if value is not None and value not in ATTENTIONS and "/" not in value:
            raise ValueError(
                f"attn_implementation {value!r} is not known, only {', '.join(ATTENTIONS)} or a "
                "kernel of the Hub, OWNER/NAME"
            )
        return value

    @model_validator(mode="after")
    def _batch_divides(self) -> Self:
        share = self.micro_batch_size * self.data_parallel
        if self.batch_size % share:
            raise ValueError(
                f"batch_size {self.batch_size} is not a multiple of micro_batch_size × "
                f"(gpus ÷ sequence_parallel) = {share}"
            )
        return self

    @model_validator(mode="after")
    def _processes_have_a_launch(self) -> Self:
        if self.gpus and self.processes > 1:
            raise ValueError(
                f"processes {self.processes} is for the processor; {self.gpus} gpus are one each"
            )
        if self.ranks > 1 and self.launch == "single":
            raise ValueError(f"launch single is one process, not {self.ranks}: ddp or fsdp")
        if not self.gpus and self.launch == "deepspeed":
            raise ValueError("launch deepspeed needs gpus; on the processor take ddp or fsdp")
        return self

    @model_validator(mode="after")
    def _parallel_fits(self) -> Self:
        if self.sequence_parallel == 1:
            return self
        if self.packing:
            raise ValueError("packing must be off with sequence_parallel: it drops the mask")
        if self.attention not in (None, "sdpa"):
            raise ValueError(
                f"attention {self.attention} does not share a sequence between GPUs: leave "
                "attn_implementation out with sequence_parallel, or set it to sdpa"
            )
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
                f"{self.max_position_embeddings}: lower it, or raise that too"
            )
        shape = self.architecture
        if shape.positions is not None and (
            problem := position_problem(
                self.max_length,
                shape.positions,
                shape.rope_theta,
                self.max_position_embeddings,
                self.rope_theta,
                self.rope_scaling,
            )
        ):
            raise ValueError(problem)
        if self.rope_scaling and (self.rope_theta or shape.rope_theta) is None:
            raise ValueError(
                "rope_scaling needs the base's rope_theta, which architecture does not give: set it"
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
    def rope_parameters(self) -> dict[str, Any] | None:
        """What stands in place of the base's, whole, for transformers and vLLM; None: its own."""
        if self.rope_theta is None and self.rope_scaling is None:
            return None
        theta = self.rope_theta or self.architecture.rope_theta
        scaling = self.rope_scaling
        extra = scaling.model_dump(exclude_none=True) if scaling else {"rope_type": "default"}
        return {**extra, "rope_theta": theta}

    @property
    def arithmetic(self) -> Dtype:
        """What it is trained in: float32 too where this processor has no bfloat16 of its own.

        The student is then rounded to its `dtype` when it is saved.
        """
        slow = self.gpus == 0 and not computes_bfloat16()
        return "float32" if slow else self.dtype

    @property
    def steps_accumulated(self) -> int:
        """Forward passes of one process per optimiser step."""
        return self.batch_size // (self.micro_batch_size * self.data_parallel)

    @property
    def ranks(self) -> int:
        """Processes that train together: one a GPU, or as many as asked for on the processor."""
        return self.gpus or self.processes

    @property
    def data_parallel(self) -> int:
        """Groups of ranks that each work on rows of their own."""
        return max(1, self.ranks // self.sequence_parallel)


def known_students() -> tuple[str, ...]:
    """The names that `load_student` takes: one file each in sft/recipes."""
    return tuple(sorted(path.stem for path in RECIPES.glob("*.yaml")))


def load_student(name: str) -> StudentRecipe:
    """The recipe of a student by name or by the path of a TRL configuration.

    PrerequisiteError lists the known names, or says which keys of the file are wrong.
    """
    path = _student_file(name)
    try:
        return StudentRecipe.model_validate(_values(path))
    except ValidationError as error:
        raise PrerequisiteError(explain(path, error)) from None


def student_values(name: str) -> dict[str, Any]:
    """The same as plain values, without what is looked up: the base can still be replaced."""
    load_student(name)
    return _values(_student_file(name))


def _student_file(name: str) -> Path:
    if name in known_students():
        return RECIPES / f"{name}.yaml"
    path = Path(name)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return path
    if path.suffix in (".yaml", ".yml"):
        raise PrerequisiteError(f"the student's configuration {name}: no such file")
    nearest = difflib.get_close_matches(name, known_students(), n=1, cutoff=0.4)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise PrerequisiteError(
        f"unknown student {name!r}; known: {', '.join(known_students())}.{hint} "
        "Or give the path of a TRL configuration, a .yaml file"
    )


def _values(path: Path) -> dict[str, Any]:
    try:
        config: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PrerequisiteError(f"cannot read the student's {path}: {error}") from None
    if not isinstance(config, dict):
        raise PrerequisiteError(f"{path} is no TRL configuration: it is not a mapping of keys")
    return student_values_of(config, path)


def explain(path: Path, error: ValidationError) -> str:
    """One line per wrong value: TRL's name and ours, and what was expected."""
    lines = [f"{path} is no student's configuration:"]
    theirs = {ours: name for name, ours in reversed(SAME.items())}
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"])
        named = f"{theirs[key]} ({key})" if theirs.get(key, key) != key else key
        said = fault["msg"].removeprefix("Value error, ")
        lines.append(f"  {named}: {said}" if key else f"  {said}")
    return "\n".join(lines)
