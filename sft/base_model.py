"""The weights and the tokenizer a student starts from, with the recipe's changes applied."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prompts.errors import PrerequisiteError
from sft.positions import position_problem, rope_of
from sft.student import StudentRecipe
from sft.template_safety import prove_positions, prove_tokenizer

TEMPLATES = Path(__file__).parent / "templates"
# Of the bases with recipes here, those that come without a chat template.
_WITHOUT_TEMPLATE = ("meta-llama/Llama-3.1-8B",)


def load_tokenizer(model_dir: str, student: StudentRecipe) -> Any:
    """The base's tokenizer with the recipe's template, end and padding tokens.

    Proven to make the same tokens in training and, saved, at inference; PrerequisiteError if not.
    """
    from transformers import AutoConfig, AutoTokenizer

    try:
        config = AutoConfig.from_pretrained(model_dir, revision=student.revision)
        tokenizer = AutoTokenizer.from_pretrained(model_dir, revision=student.revision)
    except (OSError, ValueError) as error:
        raise PrerequisiteError(f"cannot load a tokenizer from {model_dir}: {error}") from None
    if student.chat_template is not None:
        tokenizer.chat_template = read_template(student.chat_template)
    if tokenizer.chat_template is None:
        raise PrerequisiteError(_no_template(model_dir))
    vocabulary = tokenizer.get_vocab()
    for role, token in (("eos_token", student.eos_token), ("pad_token", student.pad_token)):
        if token is None:
            continue
        if token not in vocabulary:
            raise PrerequisiteError(f"student.{role} {token!r} is not in {model_dir}'s vocabulary")
        setattr(tokenizer, role, token)
    if tokenizer.eos_token is None:
        raise PrerequisiteError(f"{model_dir} names no end token; set student.eos_token")
    if tokenizer.pad_token in (None, tokenizer.eos_token):
        raise PrerequisiteError(
            f"{model_dir} pads with {tokenizer.pad_token!r}, its end token or nothing: a student "
            "so trained may never stop. Set student.pad_token to another token of its vocabulary"
        )
    prove_tokenizer(tokenizer, config)
    return tokenizer


def template_problem(student: StudentRecipe) -> str | None:
    """That a student has no chat template, as far as is known before anything is downloaded."""
    base = Path(student.base)
    if student.chat_template is not None:
        return None
    if student.base in _WITHOUT_TEMPLATE:
        return _no_template(student.base)
    if not base.is_dir() or (base / "chat_template.jinja").is_file():
        return None
    try:
        settings = json.loads((base / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return f"{base} has no tokenizer to read: {error}"
    return None if settings.get("chat_template") else _no_template(student.base)


def _no_template(base: str) -> str:
    known = ", ".join(sorted(path.stem for path in TEMPLATES.glob("*.jinja")))
    return (
        f"the base {base} has no chat template, so nothing says how it is asked: set "
        f"student.chat_template to one of {known}, or to a .jinja file"
    )


def read_template(name: str) -> str:
    """A chat template by its name in sft/templates, or by path."""
    for path in (TEMPLATES / f"{name}.jinja", Path(name)):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    known = ", ".join(sorted(path.stem for path in TEMPLATES.glob("*.jinja")))
    raise PrerequisiteError(f"no chat template {name!r}: not a file, and known are {known}")


def load_model(model_dir: str, student: StudentRecipe, attention: str, tokenizer: Any) -> Any:
    """The base's weights for training, with positions that cover the longest row."""
    import torch
    import transformers
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(model_dir, revision=student.revision)
    except (OSError, ValueError) as error:
        raise PrerequisiteError(f"cannot load a model from {model_dir}: {error}") from None
    _raise_positions(config, student)
    settings = {"dtype": getattr(torch, student.arithmetic), "attn_implementation": attention}
    if student.launch == "fsdp" and os.environ.get("RANK", "0") != "0":
        # In float32 at once: turning it into that later would touch all of its memory.
        model = _without_weights(config, {**settings, "dtype": torch.float32})
    else:
        model = AutoModelForCausalLM.from_pretrained(
            model_dir, revision=student.revision, config=config, **settings
        )
    prove_positions(model.config)
    model.config.eos_token_id = tokenizer.eos_token_id
    model.config.pad_token_id = tokenizer.pad_token_id
    # Not the base's: an instruct model's repetition penalty would go on in the student, whose
    # server takes it from here. Sampling is what R1's students are measured with.
    generation: Any = transformers.GenerationConfig
    model.generation_config = generation(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        do_sample=True,
        temperature=0.6,
        top_p=0.95,
    )
    return model


def _without_weights(config: Any, settings: Mapping[str, Any]) -> Any:
    """A model whose weights the first rank sends: none is read, their memory is never touched.

    With all ranks of a machine reading them, eight copies of 70B take 2.3 TB of it.
    """
    import torch
    import transformers
    from accelerate import init_empty_weights

    auto: Any = transformers.AutoModelForCausalLM
    with init_empty_weights(include_buffers=False):
        model: Any = auto.from_config(config, **settings)
    # On the processor, not `meta`: accelerate tells weights apart by their addresses.
    model._apply(lambda held: torch.empty_like(held, device="cpu") if held.is_meta else held)
    model.tie_weights()
    return model


def _raise_positions(config: Any, student: StudentRecipe) -> None:
    """Apply the recipe's RoPE and positions; refuse rows the model has no positions for."""
    own_positions, own_theta = rope_of(config.to_dict())
    if problem := position_problem(
        student.max_length,
        own_positions,
        own_theta,
        student.max_position_embeddings,
        student.rope_theta,
        student.rope_scaling,
    ):
        raise PrerequisiteError(f"{student.base}: student.{problem}")
    rope = dict(config.rope_parameters or {})
    if (wanted := student.rope_parameters) is not None:
        # Servers and TRL put it in the place of a scaling, which would be gone without a word.
        if "rope_theta" not in rope or rope.get("rope_type", "default") != "default":
            raise PrerequisiteError(
                f"{student.base} has no single, unscaled RoPE that student.rope_theta or "
                f"student.rope_scaling could replace: {rope}"
            )
        config.rope_parameters = {**rope, **wanted}
    if student.max_position_embeddings is not None:
        config.max_position_embeddings = student.max_position_embeddings
    elif config.max_position_embeddings < student.max_length:
        # A scaling of the base's own covers them; vLLM counts what stands here, and no factor.
        config.max_position_embeddings = own_positions
