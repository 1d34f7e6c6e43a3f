"""The weights and the tokenizer a student starts from, with the recipe's changes applied."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prompts.errors import PrerequisiteError
from sft.job import RECORD
from sft.student import StudentRecipe

TEMPLATES = Path(__file__).parent / "templates"


def load_tokenizer(model_dir: str, student: StudentRecipe) -> Any:
    """The base's tokenizer with the recipe's template, end and padding tokens."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(model_dir, revision=student.revision)
    except (OSError, ValueError) as error:
        raise PrerequisiteError(f"cannot load a tokenizer from {model_dir}: {error}") from None
    if student.chat_template is not None:
        tokenizer.chat_template = read_template(student.chat_template)
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
    return tokenizer


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
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(model_dir, revision=student.revision)
    except (OSError, ValueError) as error:
        raise PrerequisiteError(f"cannot load a model from {model_dir}: {error}") from None
    _raise_positions(config, student)
    model = AutoModelForCausalLM.from_pretrained(
        model_dir,
        revision=student.revision,
        config=config,
        dtype=getattr(torch, student.dtype),
        attn_implementation=attention,
    )
    for holder in (model.config, model.generation_config):
        holder.eos_token_id = tokenizer.eos_token_id
        holder.pad_token_id = tokenizer.pad_token_id
    return model


def _raise_positions(config: Any, student: StudentRecipe) -> None:
    """Apply rope_theta and max_position_embeddings; refuse rows the model has no positions for."""
    if student.rope_theta is not None:
        config.rope_parameters = {**config.rope_parameters, "rope_theta": student.rope_theta}
    if student.max_position_embeddings is not None:
        config.max_position_embeddings = student.max_position_embeddings
    if student.max_length > config.max_position_embeddings:
        raise PrerequisiteError(
            f"student.max_length is {student.max_length} tokens, {student.base} has "
            f"{config.max_position_embeddings} positions; raise student.rope_theta and "
            "student.max_position_embeddings, or lower max_length"
        )


def save_student(trainer: Any, tokenizer: Any, folder: Path, record: Mapping[str, Any]) -> None:
    """Save weights, tokenizer, generation settings and the record of how they came about.

    They appear in `folder` all at once, and replace what was there.
    """
    temporary = folder.with_name(f".{folder.name}.partial")
    if trainer.is_world_process_zero():
        shutil.rmtree(temporary, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(temporary))
    if not trainer.is_world_process_zero():
        return
    tokenizer.save_pretrained(temporary)
    check_saved(temporary, tokenizer)
    # A pickle of the trainer's settings, with the paths of this machine: nothing to publish.
    (temporary / "training_args.bin").unlink(missing_ok=True)
    (temporary / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary.rename(folder)


def check_saved(folder: Path, tokenizer: Any) -> None:
    """The saved folder must stop where training stopped and render what training rendered."""
    from transformers import AutoTokenizer

    saved = AutoTokenizer.from_pretrained(folder)
    assert saved.chat_template == tokenizer.chat_template, "the saved chat template differs"
    settings = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    ends = settings["eos_token_id"]
    ends = ends if isinstance(ends, list) else [ends]
    assert tokenizer.eos_token_id in ends, "the saved generation_config lacks the end token"
    assert tokenizer.pad_token_id not in ends, "the saved generation_config stops at padding"
