"""Students' files are TRL configurations: TRL's own parser and accelerate's take them whole."""

import json
from pathlib import Path

import pytest
import yaml
from tiny_student import make_base

from prompts.errors import PrerequisiteError
from sft.positions import RopeScaling
from sft.student import ATTENTIONS, RECIPES, StudentRecipe, known_students, load_student
from sft.train import row_multiple
from sft.trl_config import SHIPPED_LAUNCHES, student_values_of


@pytest.fixture(autouse=True)
def _a_gpu_that_knows_bfloat16(monkeypatch):
    """TRL looks at the machine while it parses `bf16: true`."""
    arguments = pytest.importorskip("transformers.training_args")
    monkeypatch.setattr(arguments, "is_torch_bf16_gpu_available", lambda: True)


def parsed(path):
    """What `trl sft --config PATH` makes of it: (script, training, model, data, left over)."""
    pytest.importorskip("trl")
    from trl.scripts.sft import make_parser

    return make_parser().parse_args_and_config(
        ["--config", str(path)], return_remaining_strings=True
    )


def written(folder, **changes):
    """A small TRL configuration of somebody else's, in a file."""
    values = {
        "model_name_or_path": "Qwen/Qwen2.5-Math-7B", "output_dir": "out/Mine-7B",
        "lr_scheduler_type": "cosine", **changes,
    }  # fmt: skip
    path = folder / "mine.yaml"
    given = {key: value for key, value in values.items() if value != ""}
    path.write_text(yaml.safe_dump(given, sort_keys=False))
    return path


@pytest.mark.parametrize("name", known_students())
def test_trl_parses_every_student_and_accelerate_the_rest(name):
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from trl.cli.accelerate_config import resolve_accelerate_config_argument

    script, training, model, _, left = parsed(RECIPES / f"{name}.yaml")
    launch = resolve_accelerate_config_argument(left)
    arguments = launch_command_parser().parse_args([*launch, "sft.py", "--config", name])
    assert arguments.training_script == "sft.py"
    assert arguments.training_script_args == ["--config", name]
    student = load_student(name)
    assert model.model_name_or_path == student.base
    assert training.learning_rate == student.learning_rate
    assert training.num_train_epochs == student.epochs
    assert training.warmup_steps == student.warmup_ratio
    share = training.per_device_train_batch_size * training.gradient_accumulation_steps
    assert share * student.data_parallel == student.batch_size
    assert Path(training.chat_template_path).stem == student.chat_template
    assert (script.dataset_name is not None) == (name in PUBLISHED_VARIANTS)
    if student.gpus:
        arguments, _, _ = _validate_launch_command(arguments)
        assert arguments.num_processes == student.gpus
        assert arguments.use_fsdp == (student.launch == "fsdp")
        assert arguments.use_deepspeed == (student.launch == "deepspeed")
        assert arguments.use_parallelism_config == (student.sequence_parallel > 1)


PUBLISHED_VARIANTS = {
    "openr1-distill-7b": (4e-5, 5, 128, 32_768, "open-r1/Mixture-of-Thoughts"),
    "openthinker-7b": (1e-5, 3, 96, 16_384, "open-thoughts/OpenThoughts-114k"),
    "bespoke-stratos-7b": (1e-5, 3, 96, 16_384, "bespokelabs/Bespoke-Stratos-17k"),
    "s1-32b": (1e-5, 5, 16, 32_768, "simplescaling/s1K_tokenized"),
}


@pytest.mark.parametrize(("name", "numbers"), PUBLISHED_VARIANTS.items())
def test_published_variants_have_the_published_numbers(name, numbers):
    student, path = load_student(name), RECIPES / f"{name}.yaml"
    dataset = yaml.safe_load(path.read_text())["dataset_name"]
    assert numbers == (
        student.learning_rate, student.epochs, student.batch_size, student.max_length, dataset
    )  # fmt: skip
    assert student.reference_scores["aime-2024"] > 0


def test_trl_gives_the_model_the_same_rope_as_we_do(tmp_path):
    transformers = pytest.importorskip("transformers")
    make_base(tmp_path, rope_parameters={"rope_type": "default", "rope_theta": 10_000.0})
    _, training, _, _, _ = parsed(RECIPES / "qwen-7b.yaml")
    model = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path, **training.model_init_kwargs
    )
    student = load_student("qwen-7b")
    assert model.config.rope_parameters["rope_theta"] == student.rope_theta
    assert model.config.max_position_embeddings == student.max_position_embeddings


def test_somebody_elses_configuration_is_a_student(tmp_path):
    path = written(
        tmp_path, model_name_or_path="Qwen/Qwen2.5-7B-Instruct", learning_rate=4e-5,
        num_train_epochs=5, per_device_train_batch_size=2,
        gradient_accumulation_steps=4, max_length=8192, warmup_ratio=0.03, bf16=True,
        accelerate_config="zero3", num_processes=16, save_strategy="steps", save_steps=50,
        report_to=["wandb"], push_to_hub=True, hub_model_id="me/Mine-7B", use_liger_kernel=True,
        lr_scheduler_kwargs={"min_lr_rate": 0.1}, lr_scheduler_type="cosine_with_min_lr",
        logging_steps=5, dataset_name="their/data", use_peft=False,
    )  # fmt: skip
    student = load_student(str(path))
    assert (student.name, student.published_name, student.repo_id) == (
        "mine", "Mine-7B", "me/Mine-7B"
    )  # fmt: skip
    assert (student.batch_size, student.gpus, student.launch) == (128, 16, "deepspeed")
    assert (student.epochs, student.warmup_ratio, student.min_lr_ratio) == (5, 0.03, 0.1)
    assert (student.tracker, student.checkpoint_every_steps, student.liger) == ("wandb", 50, True)
    assert student.architecture.layers == 28


def test_what_a_configuration_leaves_out_is_trls_default(tmp_path):
    path = written(tmp_path)
    student = load_student(str(path))
    training = parsed(path)[1]
    assert student.learning_rate == training.learning_rate
    assert student.max_length == training.max_length
    assert student.seed == training.seed
    assert student.micro_batch_size == training.per_device_train_batch_size
    assert student.gradient_checkpointing == training.gradient_checkpointing
    assert (student.weight_decay, student.max_grad_norm) == (0, training.max_grad_norm)


def rope(**parameters):
    """Changes that give the model these rope_parameters."""
    return {"model_init_kwargs": {"rope_parameters": parameters}}


def test_yarn_is_taken_as_trl_gives_it_to_the_model(tmp_path):
    transformers = pytest.importorskip("transformers")
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 512}
    make_base(tmp_path / "base")
    base = str(tmp_path / "base")
    kwargs = {"max_position_embeddings": 2048, **rope(rope_theta=1e6, **yarn)["model_init_kwargs"]}
    found = load_student(
        str(written(tmp_path, model_name_or_path=base, model_init_kwargs=kwargs, max_length=2048))
    )
    assert found.rope_theta == 1e6
    assert found.rope_scaling == RopeScaling(**yarn)
    model = transformers.AutoModelForCausalLM.from_pretrained(base, **kwargs)
    assert model.config.rope_parameters == found.rope_parameters
    assert model.config.max_position_embeddings == found.max_position_embeddings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"use_peft": True}, r"use_peft: no key .*remove it"),
        ({"learning_rat": 1e-5}, "learning_rat: .*did you mean 'learning_rate'"),
        ({"loss_type": "dft"}, "loss_type: 'dft' is not done here"),
        ({"packing_strategy": "wrapped"}, "'wrapped' is not done here, only bfd"),
        ({"lr_scheduler_type": "linear"}, "schedule is linear, TRL's default"),
        ({"lr_scheduler_type": ""}, "schedule is linear, TRL's default where lr_scheduler_type is"),
        (
            {"lr_scheduler_type": "polynomial", "lr_scheduler_kwargs": {"power": 2}},
            r"schedule is polynomial \{'power': 2\}; here",
        ),
        (
            {"model_init_kwargs": {"max_position_embeddings": 4096}, "max_length": 8192},
            r"configuration:\n  max_length 8192 is beyond max_position_embeddings 4096: lower",
        ),
        ({"warmup_steps": 100}, "100 counts steps"),
        ({"accelerate_config": "fsdp3"}, "'fsdp3' is neither a file nor one of"),
        (rope(rope_type="yarn", factor=4), "rope_parameters replace .* give its rope_theta there"),
        (rope(rope_type="linear", factor=4, rope_theta=1e6), "rope_type: .* 'yarn' or 'llama3'"),
        (rope(rope_type="yarn", factor=4, rope_theta=1e6), "original_max_position_embeddings: .*"),
        (rope(rope_theta=1e6, partial_rotary_factor=0.5), "followed, not .'partial_rotary_factor"),
        ({"model_init_kwargs": {"use_cache": False}}, "only max_position_embeddings and rope_par"),
        ({"chat_template_path": "their/model"}, "is no .jinja file"),
        ({"model_name_or_path": ""}, "names no model_name_or_path"),
        ({"learning_rate": 1.0}, "learning_rate: .* less than or equal"),
        ({"num_train_epochs": 0}, r"num_train_epochs \(epochs\): .* greater than 0"),
        ({"completion_only_loss": False}, "completion_only_loss: False is not done here"),
        ({"average_tokens_across_devices": False}, "False is not done here, only True"),
        ({"adam_beta1": 0.0}, "adam_beta1: 0.0 is not done here, only 0.9"),
        ({"adam_beta2": 0.95}, "adam_beta2: 0.95 is not done here, only 0.999"),
        ({"dataloader_drop_last": True}, "True is not done here, only False"),
        ({"max_steps": 100}, "max_steps: 100 is not done here, only -1"),
        ({"dtype": "float16"}, "dtype: 'float16' is not done here"),
        ({"use_lige": False}, "use_lige: no key .*did you mean 'use_liger'"),
        ({"max_length": None}, "max_length: it says null"),
        ({"max_grad_norm": None}, "max_grad_norm: it says null"),
        ({"gradient_accumulation_steps": "auto"}, "gradient_accumulation_steps: 'auto' is no int"),
        ({"per_device_train_batch_size": 2.5}, "2.5 is no int"),
        ({"lr_scheduler_kwargs": [0.1]}, "lr_scheduler_kwargs: .* is no dict"),
        ({"model_init_kwargs": "rope"}, "model_init_kwargs: 'rope' is no dict"),
        ({"model_init_kwargs": {"rope_parameters": [1]}}, "are no mapping"),
        ({"use_cpu": "false"}, "use_cpu: 'false' is no bool"),
        ({"report_to": 5}, "report_to: 5 is no str or list"),
        ({"report_to": "tensorboard"}, "report_to: 'tensorboard' .* one of trackio, wandb, none"),
        ({"report_to": ["wandb", "tensorboard"]}, "report_to: .*'tensorboard'.* one of"),
        ({"push_to_hub": True}, "push_to_hub: true .*give hub_model_id"),
        ({"attn_implementation": "flash"}, "attn_implementation 'flash' is not known, only sdpa"),
        ({"warmup_ratio": "5%"}, "warmup_ratio: .*'5%' is no number; give its share"),
        ({"warmup_steps": "some"}, "warmup_steps: the warm-up 'some' is no number"),
        (
            {
                "lr_scheduler_type": "cosine_with_min_lr",
                "lr_scheduler_kwargs": {"min_lr_rate": "x"},
            },
            "min_lr_rate 'x' is no number",
        ),
        ({"accelerate_config": "multi_gpu", "num_processes": 0}, "num_processes 0"),
    ],
)
def test_what_we_would_train_otherwise_is_refused(tmp_path, changes, message):
    with pytest.raises(PrerequisiteError, match=message):
        load_student(str(written(tmp_path, **changes)))


def test_a_file_that_is_not_there_is_no_unknown_student(tmp_path):
    with pytest.raises(PrerequisiteError, match=r"missing\.yaml: no such file"):
        load_student(str(tmp_path / "missing.yaml"))


@pytest.mark.parametrize(
    ("asked", "tracker"), [("wandb", "wandb"), ([], "none"), ("none", "none"), (["none"], "none")]
)
def test_the_tracker_is_the_one_that_is_named(tmp_path, asked, tracker):
    assert load_student(str(written(tmp_path, report_to=asked))).tracker == tracker


@pytest.mark.parametrize("name", ATTENTIONS)
def test_every_attention_known_here_is_known_to_transformers(name):
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    from sft.packed_attention import register_packed_attention

    register_packed_attention()
    assert name in ("eager", *ALL_ATTENTION_FUNCTIONS.valid_keys())


def test_trls_own_defaults_written_out_are_no_fault(tmp_path):
    trl = pytest.importorskip("trl")
    from dataclasses import fields

    kinds = (trl.SFTConfig, trl.ModelConfig, trl.ScriptArguments)
    known = {field.name: field.default for kind in kinds for field in fields(kind)}
    off = {name: value for name, value in known.items() if value is None or value is False}
    named = ("adam_beta1", "adam_beta2", "adam_epsilon", "max_steps", "train_sampling_strategy")
    values = {**off, **{name: known[name] for name in named}}
    del values["model_name_or_path"], values["output_dir"]
    assert load_student(str(written(tmp_path, **values))).launch == "single"


def test_tries_are_off_where_yaml_reads_no_as_false(tmp_path):
    assert load_student(str(written(tmp_path, eval_strategy=False))).eval_prompts == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n", "is no accelerate configuration"),
        ("distributed_type: MULTI_NPU\n", "'MULTI_NPU' is not done here, only NO, MULTI_GPU"),
        ("num_processes: many\n", "is no accelerate configuration"),
        ("mixed_precision: fp16\n", "odd.yaml is not followed whole:\n  mixed_.*'fp16' .*'bf16'"),
        (
            "distributed_type: DEEPSPEED\ndeepspeed_config: "
            "{zero_stage: 2, offload_optimizer_device: cpu}\n",
            "zero_stage: 2 is not done here, only 3\n  offload_optimizer_device: 'cpu'",
        ),
        (
            "distributed_type: FSDP\nfsdp_config: {fsdp_offload_params: true}\n",
            "fsdp_offload_params: True",
        ),
        (
            "distributed_type: FSDP\nparallelism_config: {parallelism_config_sp_size: 4}\n",
            "parallelism_config_sp_size: 4 is not done here, only 1",
        ),
    ],
)
def test_an_accelerate_file_we_cannot_follow_is_refused(tmp_path, text, message):
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(PrerequisiteError, match=message):
        load_student(str(written(tmp_path, accelerate_config="odd.yaml")))


def test_every_fault_of_a_configuration_is_named_at_once(tmp_path):
    path = written(tmp_path, neftune_noise_alpha=5, use_peft=True)
    with pytest.raises(PrerequisiteError, match=r"(?s)neftune_noise_alpha.*use_peft"):
        load_student(str(path))


def test_an_accelerate_file_beside_the_configuration_is_read(tmp_path):
    (tmp_path / "two.yaml").write_text("distributed_type: MULTI_GPU\nnum_processes: 2\n")
    student = load_student(str(written(tmp_path, accelerate_config="two.yaml")))
    assert (student.launch, student.gpus) == ("ddp", 2)


@pytest.mark.parametrize(("processes", "launch", "gpus"), [(8, "ddp", 8), (1, "single", 1)])
def test_processes_without_a_configuration_are_as_many_gpus(tmp_path, processes, launch, gpus):
    student = load_student(str(written(tmp_path, accelerate_config=None, num_processes=processes)))
    assert (student.launch, student.gpus) == (launch, gpus)
    assert student.batch_size == gpus * student.micro_batch_size * student.steps_accumulated


def test_a_template_of_their_own_is_taken_by_its_path(tmp_path):
    (tmp_path / "own.jinja").write_text("{{ messages }}")
    student = load_student(str(written(tmp_path, chat_template_path="own.jinja")))
    assert Path(student.chat_template) == tmp_path / "own.jinja"


def test_a_local_base_has_the_shape_of_its_config(tmp_path):
    pytest.importorskip("transformers")
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from sft.bases import architecture_of

    for kind, extra in (("qwen2", {}), ("llama", {"attention_bias": True}), ("qwen3", {})):
        config = AutoConfig.for_model(
            kind, hidden_size=64, intermediate_size=96, num_hidden_layers=3, vocab_size=500,
            num_attention_heads=4, num_key_value_heads=2, head_dim=16, **extra,
        )  # fmt: skip
        config.save_pretrained(tmp_path / kind)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
        shape = architecture_of(str(tmp_path / kind))
        assert shape.parameters == sum(weight.numel() for weight in set(model.parameters()))
        assert (shape.layers, shape.heads, shape.kv_heads, shape.head_dim) == (3, 4, 2, 16)


def test_a_base_without_a_known_shape_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(PrerequisiteError, match=r"their/base.*refused.*Give a folder"):
        load_student(str(written(tmp_path, model_name_or_path="their/base")))
    (tmp_path / "moe").mkdir()
    config = {"num_experts": 8, "num_hidden_layers": 2}
    (tmp_path / "moe" / "config.json").write_text(json.dumps(config))
    with pytest.raises(PrerequisiteError, match="mixture of experts"):
        load_student(str(written(tmp_path, model_name_or_path=str(tmp_path / "moe"))))


def test_a_configuration_that_is_no_mapping_is_named(tmp_path):
    path = tmp_path / "list.yaml"
    path.write_text("- 1\n")
    with pytest.raises(PrerequisiteError, match="not a mapping"):
        load_student(str(path))


def test_sequences_shared_by_gpus_come_from_accelerates_file():
    values = student_values_of(
        yaml.safe_load((RECIPES / "llama-70b.yaml").read_text()), RECIPES / "llama-70b.yaml"
    )
    assert (values["gpus"], values["sequence_parallel"], values["batch_size"]) == (32, 4, 64)


def test_trl_shares_the_sequences_of_a_recipe_as_we_do():
    """transformers refuses other attention than torch's own; torch rows that do not divide."""
    from types import SimpleNamespace

    import torch
    from transformers import Trainer

    student = load_student("llama-70b")
    _, training, model, _, _ = parsed(RECIPES / "llama-70b.yaml")
    assert training.pad_to_multiple_of == row_multiple(student) == 8
    parallel = SimpleNamespace(cp_enabled=True, cp_backend="torch")
    accelerator = SimpleNamespace(parallelism_config=parallel, maybe_context_parallel=print)
    asked = SimpleNamespace(config=SimpleNamespace(_attn_implementation=model.attn_implementation))
    batch = {"input_ids": torch.ones((1, 8), dtype=torch.long)}
    trainer = SimpleNamespace(accelerator=accelerator)
    _, inputs = Trainer._prepare_context_parallel_inputs(trainer, asked, batch)
    assert inputs["position_ids"].shape == (1, 8)


def test_attention_that_shares_no_sequence_is_refused_before_the_base_is_read():
    student = load_student("llama-70b")
    asked = {**student.model_dump(), "attention": "flash_attention_3"}
    with pytest.raises(ValueError, match="flash_attention_3 does not share a sequence"):
        StudentRecipe.model_validate(asked)


@pytest.mark.parametrize("named", sorted(SHIPPED_LAUNCHES))
def test_the_launches_that_trl_ships_are_followed_from_their_files_too(tmp_path, named):
    trl = pytest.importorskip("trl")
    shipped = Path(trl.__file__).parent / "accelerate_configs" / f"{named}.yaml"
    (tmp_path / "theirs.yaml").write_text(shipped.read_text())
    theirs = written(tmp_path, accelerate_config=str(tmp_path / "theirs.yaml"))
    found = load_student(str(theirs))
    by_name = load_student(str(written(tmp_path, accelerate_config=named)))
    assert (found.launch, found.gpus) == (by_name.launch, by_name.gpus)
