"""TRL's configuration files as students' recipes: one table from its names to ours.

`trl sft --config FILE` takes the same file. What it leaves out has TRL's default here too; a key
that would change the training in a way we do not train is refused by name. One difference is
meant: TRL counts packed blocks of `max_length` tokens as a batch, we count sequences, so that
packing never changes what a step learns from.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from prompts.errors import PrerequisiteError

PROJECT = Path(__file__).parents[1]
TEMPLATES = Path(__file__).parent / "templates"

# TRL's name → ours, where the value is the same. Older names of TRL stand beside the newer.
SAME: dict[str, str] = {
    "model_name_or_path": "base",
    "learning_rate": "learning_rate",
    "num_train_epochs": "epochs",
    "per_device_train_batch_size": "micro_batch_size",
    "max_length": "max_length",
    "max_seq_length": "max_length",
    "weight_decay": "weight_decay",
    "max_grad_norm": "max_grad_norm",
    "seed": "seed",
    "gradient_checkpointing": "gradient_checkpointing",
    "activation_checkpointing": "gradient_checkpointing",
    "packing": "packing",
    "eos_token": "eos_token",
    "pad_token": "pad_token",
    "use_liger_kernel": "liger",
    "use_liger": "liger",
    "activation_offloading": "activation_offloading",
}
# What a file means that says nothing: TRL 1.16's own defaults.
DEFAULTS: dict[str, Any] = {
    "learning_rate": 2e-5,
    "num_train_epochs": 3.0,
    "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "max_length": 1024,
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "seed": 42,
    "gradient_checkpointing": True,
    "packing": False,
    "bf16": True,
    "dtype": "float32",
    "lr_scheduler_type": "linear",
}
# Read by a function below, several together or changed on the way.
READ = frozenset(
    {
        *("gradient_accumulation_steps", "model_revision", "dtype", "torch_dtype", "bf16"),
        *("lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps", "warmup_ratio"),
        *(
            "attn_implementation",
            "chat_template_path",
            "model_init_kwargs",
            "output_dir",
            "report_to",
        ),
        *("push_to_hub", "hub_model_id", "save_strategy", "save_steps"),
        *("eval_strategy", "eval_steps", "per_device_eval_batch_size"),
        *("num_processes", "accelerate_config", "config_file", "use_cpu"),
    }
)
# Without bearing on the weights that come out: what is logged, saved, loaded and how fast. Which
# rows are trained on is the run's affair, and only completions ever are.
LEFT_OUT = frozenset(
    {
        *("assistant_only_loss", "padding_free", "eval_packing", "env", "pad_to_multiple_of"),
        *("num_machines", "machine_rank", "disable_tqdm", "overwrite_output_dir", "run_name"),
        *("project", "do_train", "do_eval", "prediction_loss_only", "include_for_metrics"),
        *("gradient_checkpointing_kwargs", "activation_checkpointing_kwargs", "use_cache"),
        *("remove_unused_columns", "tf32", "resume_from_checkpoint"),
        *("torch_empty_cache_steps", "metric_for_best_model", "greater_is_better"),
    }
)
LEFT_OUT_PREFIXES = (
    *("logging_", "log_", "save_", "dataset_", "hub_", "push_to_hub_", "dataloader_", "ddp_"),
    *("eval_", "main_process_", "trackio_", "rdzv_", "skip_memory_"),
)
# accelerate's configurations that TRL ships by name, and what each is here.
SHIPPED_LAUNCHES: dict[str, tuple[str, int]] = {
    "single_gpu": ("single", 1),
    "multi_gpu": ("ddp", 8),
    "fsdp2": ("fsdp", 8),
    "zero3": ("deepspeed", 8),
}
# accelerate's `distributed_type` → ours.
LAUNCHES = {"NO": "single", "MULTI_GPU": "ddp", "FSDP": "fsdp", "DEEPSPEED": "deepspeed"}
# Of accelerate's file, what has only one meaning here: GPUs shared otherwise would make another
# batch, and what is offloaded may not fit here.
ONLY_LAUNCHED: dict[str, tuple[Any, ...]] = {
    "mixed_precision": ("bf16", "no", False, None),  # YAML reads an unquoted `no` as false
    "zero_stage": (3,),
    "offload_optimizer_device": ("none", None),
    "offload_param_device": ("none", None),
    "deepspeed_config_file": (None,),
    "fsdp_offload_params": (False, None),
    "offload_params": (False, None),
    "parallelism_config_tp_size": (1, None),
    "parallelism_config_sp_size": (1, None),
}
# Where curves can go: `report_to`.
TRACKERS = ("trackio", "wandb", "none")
# How each value that has only one meaning here must read, where a file gives it at all.
ONLY: dict[str, tuple[Any, ...]] = {
    "dtype": ("bfloat16", "float32"),
    "torch_dtype": ("bfloat16", "float32"),
    "optim": ("adamw_torch", "adamw_torch_fused"),
    "adam_beta1": (0.9,),
    "adam_beta2": (0.999,),
    "adam_epsilon": (1e-8,),
    "packing_strategy": ("bfd",),
    "loss_type": ("nll", "chunked_nll"),
    "completion_only_loss": (True,),
    "average_tokens_across_devices": (True,),
    "label_smoothing_factor": (0.0,),
    "truncation_mode": ("keep_start",),
    "max_steps": (-1,),
    "train_sampling_strategy": ("random",),
    "dataloader_drop_last": (False,),
}
# What the keys that are reckoned with here must be.
KINDS: dict[str, tuple[type, ...]] = {
    "gradient_accumulation_steps": (int,),
    "per_device_train_batch_size": (int,),
    "per_device_eval_batch_size": (int,),
    "num_processes": (int,),
    "save_steps": (int,),
    "eval_steps": (int,),
    "bf16": (bool,),
    "use_cpu": (bool,),
    "push_to_hub": (bool,),
    "lr_scheduler_kwargs": (dict,),
    "model_init_kwargs": (dict,),
    "report_to": (str, list),
}


def student_values_of(config: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The values of a StudentRecipe that a TRL configuration stands for.

    `path` is the file's, for its name and what it refers to. PrerequisiteError names every key
    that cannot be followed.
    """
    _refuse_unknown(config, path)
    settings = {**DEFAULTS, **{key: value for key, value in config.items() if value is not None}}
    values = {ours: settings[name] for name, ours in SAME.items() if name in settings}
    if "base" not in values:
        raise PrerequisiteError(f"{path} names no model_name_or_path")
    values |= {"name": path.stem, "dtype": _dtype(settings)}
    values["published_name"] = Path(str(settings.get("output_dir", path.stem))).name
    # FlashAttention is what we take anyway where it is installed; elsewhere the recipe still runs.
    if settings.get("attn_implementation") != "flash_attention_2":
        values["attention"] = settings.get("attn_implementation")
    if settings.get("model_revision", "main") != "main":
        values["revision"] = settings["model_revision"]
    values |= _schedule(settings, path)
    values |= _rope(settings, path)
    values |= _launch(settings, path)
    values |= _reports(settings, path)
    if template := settings.get("chat_template_path"):
        values["chat_template"] = _template(str(template), path)
    data_parallel = max(1, values["gpus"] // values["sequence_parallel"])
    share = values["micro_batch_size"] * data_parallel
    values["batch_size"] = share * int(settings["gradient_accumulation_steps"])
    return values


def _refuse_unknown(config: Mapping[Any, Any], path: Path) -> None:
    """Raise PrerequisiteError for keys and values that say to train otherwise than we do."""
    faults = [
        f"{key}: {fault}" for key, value in config.items() if (fault := _fault(str(key), value))
    ]
    if faults:
        raise PrerequisiteError("\n  ".join((f"{path} is no student's configuration:", *faults)))


def _fault(key: str, value: Any) -> str | None:
    """What is wrong with one key of a configuration and its value; None if it can be followed."""
    if value is None and key in DEFAULTS and key != "bf16":
        return "it says null, which is not TRL's default: give a value, or leave the key out"
    if key in ONLY and value not in (None, *ONLY[key]):
        return f"{value!r} is not done here, only {' or '.join(map(str, ONLY[key]))}"
    kinds = KINDS.get(key)
    if value is not None and kinds and not isinstance(value, kinds):
        return f"{value!r} is no {' or '.join(kind.__name__ for kind in kinds)}"
    known = {*SAME, *READ, *LEFT_OUT, *ONLY}
    if key in known or key.startswith(LEFT_OUT_PREFIXES):
        return None
    if value is None:
        return None
    if near := difflib.get_close_matches(key, known, n=1, cutoff=0.8):
        return f"no key of a student's configuration; did you mean {near[0]!r}?"
    # What is off is done neither there nor here: use_peft: false.
    return None if value is False else "no key of a student's configuration: remove it"


def _dtype(settings: Mapping[str, Any]) -> str:
    """bfloat16 arithmetic with float32 masters, unless everything is asked for in float32."""
    asked = settings.get("torch_dtype", settings["dtype"])
    return "bfloat16" if asked == "bfloat16" or settings["bf16"] else "float32"


def _schedule(settings: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The cosine's end and the warm-up, as shares."""
    kind, extra = settings["lr_scheduler_type"], settings.get("lr_scheduler_kwargs") or {}
    if kind not in ("cosine", "cosine_with_min_lr") or extra.keys() - {"min_lr_rate"}:
        said = f"{kind} {dict(extra)}" if extra else f"{kind}"
        if kind == DEFAULTS["lr_scheduler_type"]:
            said += ", TRL's default where lr_scheduler_type is not given"
        raise PrerequisiteError(
            f"{path}: the learning rate's schedule is {said}; here it is "
            "cosine, or cosine_with_min_lr with lr_scheduler_kwargs: {min_lr_rate: 0.1}"
        )
    key = "warmup_ratio" if settings.get("warmup_ratio") else "warmup_steps"
    given = settings.get(key) or 0
    try:
        warmup = float(given)
    except (TypeError, ValueError):
        raise PrerequisiteError(
            f"{path}: {key}: the warm-up {given!r} is no number; give its share, such as 0.05"
        ) from None
    if warmup >= 1:
        raise PrerequisiteError(
            f"{path}: warmup_steps {warmup:.0f} counts steps; give their share, such as 0.05"
        )
    least = extra.get("min_lr_rate", 0.0)
    if not isinstance(least, int | float):
        raise PrerequisiteError(
            f"{path}: lr_scheduler_kwargs: min_lr_rate {least!r} is no number, such as 0.1"
        )
    return {"warmup_ratio": warmup, "min_lr_ratio": float(least)}


def _rope(settings: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What replaces the base's positions: model_init_kwargs, as TRL gives them to the model."""
    asked = dict(settings.get("model_init_kwargs") or {})
    rope = asked.pop("rope_parameters", None) or {}
    if not isinstance(rope, dict):
        raise PrerequisiteError(f"{path}: rope_parameters {rope!r} are no mapping")
    rope = dict(rope)
    values = {"max_position_embeddings": asked.pop("max_position_embeddings", None)}
    values["rope_theta"] = rope.pop("rope_theta", None)
    if rope.get("rope_type", "default") != "default":
        values["rope_scaling"], rope = rope, {}
    if asked or rope.keys() - {"rope_type"}:
        raise PrerequisiteError(
            f"{path}: of model_init_kwargs only max_position_embeddings and rope_parameters are "
            f"followed, not {[*asked, *(rope.keys() - {'rope_type'})]}"
        )
    if "rope_scaling" in values and values["rope_theta"] is None:
        raise PrerequisiteError(
            f"{path}: rope_parameters replace the base's whole: give its rope_theta there too"
        )
    return {key: value for key, value in values.items() if value is not None}


def _launch(settings: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """How many GPUs and how weights spread over them, from what `accelerate launch` is told."""
    if settings.get("use_cpu"):
        return {"launch": "single", "gpus": 0, "sequence_parallel": 1}
    # What `accelerate launch --num_processes 8` does without a configuration.
    unnamed = "multi_gpu" if int(settings.get("num_processes", 1)) > 1 else "single_gpu"
    named = str(settings.get("accelerate_config") or settings.get("config_file") or unnamed)
    launch, processes, shared = _accelerate(named, path)
    gpus = 1 if launch == "single" else int(settings.get("num_processes", processes))
    if gpus < 1:
        raise PrerequisiteError(f"{path}: num_processes {gpus} trains nothing")
    return {"launch": launch, "gpus": gpus, "sequence_parallel": shared}


def _accelerate(named: str, path: Path) -> tuple[str, int, int]:
    """(launch, processes, GPUs that share a row) of accelerate's configuration by name or file."""
    if named in SHIPPED_LAUNCHES:
        return (*SHIPPED_LAUNCHES[named], 1)
    found = _found(named, path)
    if found is None:
        known = ", ".join(SHIPPED_LAUNCHES)
        raise PrerequisiteError(
            f"{path}: accelerate_config {named!r} is neither a file nor one of {known}"
        )
    try:
        accelerate = yaml.safe_load(found.read_text(encoding="utf-8"))
        _refuse_other_launches(accelerate, found)
        launch = LAUNCHES[accelerate.get("distributed_type", "NO")]
        parallel = accelerate.get("parallelism_config") or {}
        shared = int(parallel.get("parallelism_config_cp_size", 1))
        return launch, int(accelerate.get("num_processes", 1)), shared
    except KeyError as error:
        raise PrerequisiteError(
            f"{found}: distributed_type {error} is not done here, only {', '.join(LAUNCHES)}"
        ) from None
    except (AttributeError, TypeError, ValueError, yaml.YAMLError) as error:
        raise PrerequisiteError(f"{found} is no accelerate configuration: {error}") from None


def _refuse_other_launches(accelerate: Mapping[str, Any], found: Path) -> None:
    """Raise PrerequisiteError for what accelerate's file asks of a launch and ours does not do."""
    asked = dict(accelerate.items())
    for section in [value for value in asked.values() if isinstance(value, dict)]:
        asked |= section
    faults = [
        f"{key}: {asked[key]!r} is not done here, only {known[0]!r}"
        for key, known in ONLY_LAUNCHED.items()
        if key in asked and asked[key] not in known
    ]
    if faults:
        raise PrerequisiteError("\n  ".join((f"{found} is not followed whole:", *faults)))


def _reports(settings: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Where curves go, how often it saves and tries held-out prompts, where it is pushed."""
    values: dict[str, Any] = {"tracker": _tracker(settings.get("report_to", "trackio"), path)}
    if settings.get("save_strategy") == "steps":
        values["checkpoint_every_steps"] = int(settings.get("save_steps", 500))
    # YAML reads an unquoted `no` as false.
    if (tries := settings.get("eval_strategy") or "no") != "no":
        # One try is one batch of prompts.
        values["eval_prompts"] = int(settings.get("per_device_eval_batch_size", 8))
        if tries == "steps":
            values["eval_every_steps"] = int(settings.get("eval_steps", 500))
    if settings.get("push_to_hub"):
        if not settings.get("hub_model_id"):
            raise PrerequisiteError(
                f"{path}: push_to_hub: true does not say where to: give hub_model_id: OWNER/NAME, "
                "or leave push_to_hub out"
            )
        values["repo_id"] = settings["hub_model_id"]
    return values


def _tracker(asked: str | list[Any], path: Path) -> str:
    """The one tracker that `report_to` names, alone or in a list."""
    named = [asked] if isinstance(asked, str) else (asked or ["none"])
    if len(named) > 1 or named[0] not in TRACKERS:
        raise PrerequisiteError(
            f"{path}: report_to: {asked!r} is not done here, only one of {', '.join(TRACKERS)}"
        )
    return str(named[0])


def _template(named: str, path: Path) -> str:
    """A template of ours by its name, any other by its path."""
    found = _found(named, path)
    if found is None or found.suffix not in (".jinja", ".j2"):
        raise PrerequisiteError(f"{path}: chat_template_path {named!r} is no .jinja file")
    return found.stem if found.resolve().parent == TEMPLATES.resolve() else str(found.resolve())


def _found(named: str, path: Path) -> Path | None:
    """A file that a configuration names: from here, from beside it, or from the project."""
    places = (Path(named), path.parent / named, PROJECT / named)
    return next((place for place in places if place.is_file()), None)
