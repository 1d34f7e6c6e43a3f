"""The command that starts a training: one process, several on the processor, many GPUs."""

import pytest
from tiny_student import student_values

from prompts.errors import PrerequisiteError
from sft.launch_command import CONFIGS, launch_command, nodes_of
from sft.student import StudentRecipe, load_student


def test_one_process_is_plain_python(tmp_path):
    command = launch_command(load_student("smol-135m"), tmp_path / "job.json", python="python")
    assert command == ("python", "-m", "sft.train", str(tmp_path / "job.json"))


@pytest.mark.parametrize("name", ["qwen-7b", "qwen-32b", "llama-70b"])
def test_accelerate_takes_the_launch_command(tmp_path, name):
    launch = pytest.importorskip("accelerate.commands.launch")
    student = load_student(name)
    command = launch_command(student, tmp_path / "job.json", "10.0.0.1:29500")
    arguments = launch.launch_command_parser().parse_args(list(command[3:]))
    arguments, _, _ = launch._validate_launch_command(arguments)
    assert arguments.num_processes == student.gpus
    assert arguments.use_fsdp
    assert int(arguments.fsdp_version) == 2
    assert arguments.use_parallelism_config == (student.sequence_parallel > 1)
    assert arguments.mixed_precision == "bf16"
    assert (arguments.module, arguments.training_script) == (True, "sft.train")
    assert arguments.training_script_args == [str(tmp_path / "job.json")]
    assert arguments.num_machines == -(-student.gpus // 8)


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_accelerate_reads_the_launch_configs(config):
    arguments = pytest.importorskip("accelerate.commands.config.config_args")
    settings = arguments.load_config_from_file(str(config))
    assert settings.num_processes % 8 == 0


def test_several_nodes_need_an_address(tmp_path):
    with pytest.raises(PrerequisiteError, match="HOST:PORT"):
        launch_command(load_student("qwen-32b"), tmp_path / "job.json")


def launched(tmp_path, **changes):
    """accelerate's own reading of the command for a tiny student."""
    launch = pytest.importorskip("accelerate.commands.launch")
    command = launch_command(StudentRecipe(**student_values(**changes)), tmp_path / "job.json")
    arguments = launch.launch_command_parser().parse_args(list(command[3:]))
    return launch._validate_launch_command(arguments)[0]


@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_the_processor_takes_as_many_processes_as_asked_for(tmp_path, kind):
    arguments = launched(tmp_path, launch=kind, processes=2, micro_batch_size=2)
    assert (arguments.num_processes, arguments.num_machines) == (2, 1)
    assert arguments.main_process_port == 0  # a free port: two trainings do not collide
    assert arguments.use_fsdp == (kind == "fsdp")


@pytest.mark.parametrize(
    ("kind", "dtype", "precision"),
    [("fsdp", "bfloat16", "bf16"), ("fsdp", "float32", "no"), ("ddp", "bfloat16", "no")],
)
def test_only_sharded_weights_are_float32_behind_bfloat16(
    tmp_path, monkeypatch, kind, dtype, precision
):
    monkeypatch.setattr("sft.student.computes_bfloat16", lambda: True)
    arguments = launched(tmp_path, launch=kind, processes=2, micro_batch_size=2, dtype=dtype)
    assert arguments.mixed_precision == precision


def test_a_node_has_eight_gpus():
    student = load_student("qwen-7b")
    gpus = {0: 1, 1: 1, 8: 1, 9: 2, 32: 4}
    counted = {n: nodes_of(student.model_copy(update={"gpus": n})) for n in gpus}
    assert counted == gpus
