"""Students' recipes, the memory plan and the launch command."""

import pytest
import yaml
from pydantic import ValidationError
from tiny_student import student_values

from prompts.errors import PrerequisiteError
from sft.launch_command import CONFIGS, launch_command
from sft.memory_plan import memory_plan, training_gpu_hours
from sft.student import RECIPES, StudentRecipe, known_students, load_student, read_student

PUBLISHED_LEARNING_RATES = {
    "qwen-1.5b": 1e-4, "qwen-7b": 8e-5, "qwen-14b": 7e-5, "qwen-32b": 6e-5,
    "llama-8b": 5e-5, "llama-70b": 2e-5,
}  # fmt: skip


@pytest.mark.parametrize("name", known_students())
def test_every_recipe_loads_under_its_own_name(name):
    assert load_student(name).name == name


@pytest.mark.parametrize(("name", "rate"), PUBLISHED_LEARNING_RATES.items())
def test_the_big_students_train_as_published(name, rate):
    student = load_student(name)
    assert student.learning_rate == rate
    assert (student.batch_size, student.max_length, student.min_lr_ratio) == (64, 32_768, 0.1)
    assert 2 <= student.epochs <= 3


def test_math_bases_get_positions_beyond_4096():
    for name in ("qwen-1.5b", "qwen-7b"):
        student = load_student(name)
        assert student.rope_theta == 300_000
        assert student.max_position_embeddings >= student.max_length


def test_llama_students_are_named_so():
    assert load_student("llama-8b").published_name.startswith("Llama")
    with pytest.raises(ValidationError, match="begin with"):
        StudentRecipe(**student_values(base="meta-llama/Llama-3.1-8B", published_name="Mine"))


def test_an_unknown_student_lists_the_known_and_the_nearest():
    with pytest.raises(PrerequisiteError, match=r"known: .*smol-135m.*'qwen-7b'\?"):
        load_student("qwen-8b")


def test_a_name_is_not_a_path():
    with pytest.raises(PrerequisiteError, match="unknown student"):
        load_student("../recipes/qwen-7b")


def test_a_wrong_key_is_named_with_the_nearest_right_one(tmp_path):
    values = yaml.safe_load((RECIPES / "qwen-7b.yaml").read_text())
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**values, "learning_rat": 1}))
    with pytest.raises(PrerequisiteError, match=r"learning_rat: .*'learning_rate'"):
        read_student(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 6}, "not a multiple"),
        ({"max_position_embeddings": 128}, "beyond max_position_embeddings"),
        ({"sequence_parallel": 2, "packing": True}, "packing must be off"),
        ({"sequence_parallel": 2, "packing": False}, "needs launch fsdp"),
        ({"learning_rate": 1.0}, "learning_rate"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        StudentRecipe(**student_values(**changes))


@pytest.mark.parametrize("name", known_students())
def test_every_student_fits_the_gpus_its_recipe_names(name):
    plan = memory_plan(load_student(name))
    assert plan.fits
    assert plan.gpus_needed <= plan.gpus


def test_a_70b_model_does_not_fit_one_node():
    assert not memory_plan(load_student("llama-70b"), gpus=8).fits


def test_states_are_sixteen_bytes_a_parameter_shared_by_all_gpus():
    student = load_student("qwen-7b")
    assert memory_plan(student, 8).state_bytes == 2 * student.architecture.parameters


def test_training_hours_follow_six_flops_a_parameter_and_token():
    student = load_student("qwen-7b")
    hours = training_gpu_hours(student, 1_000_000_000, utilisation=0.5, peak_flops=1e15)
    assert hours == pytest.approx(6 * 7_615_616_512 * 3e9 / 0.5e15 / 3600)


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
    assert settings.num_processes == 8


def test_several_nodes_need_an_address(tmp_path):
    with pytest.raises(PrerequisiteError, match="HOST:PORT"):
        launch_command(load_student("qwen-32b"), tmp_path / "job.json")
