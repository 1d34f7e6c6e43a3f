"""Planning arithmetic against published reports, and what it says when a teacher does not fit."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.errors import PrerequisiteError
from teacher.topology import (
    TEACHERS,
    cpu_topology,
    kv_tokens,
    plan_topology,
    sampling_cost,
    stage_layers,
    stage_weights_gib,
)

GOLDEN = json.loads(
    Path(__file__).with_name("golden").joinpath("teacher_topology.json").read_text()
)
R1 = TEACHERS["deepseek-r1"]
H100_GIB = 79.1  # what a card sold as 80 GB reports
H200_GIB = 139.8


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["case"])
def test_weights_and_kv_cache_agree_with_the_reports(case) -> None:
    gpus = case["tensor"] * case["pipeline"]
    assert R1.weights_gib / gpus == pytest.approx(case["weights_gib"], rel=0.005)
    tokens = kv_tokens(R1, H100_GIB * 0.9, case["tensor"], case["pipeline"])
    assert tokens.low == pytest.approx(case["kv_tokens_low"], rel=0.02)
    assert tokens.high == pytest.approx(case["kv_tokens_high"], rel=0.02)


def test_the_first_stage_of_tp8_pp4_agrees_with_a_measured_rank() -> None:
    """DeepSeek-V3#205: 16.96 on a rank of the first stage."""
    assert stage_weights_gib(R1, 8, 4)[0] == pytest.approx(16.96, rel=0.03)


def test_tp16_agrees_with_a_measured_gpu() -> None:
    """sglang#3254: about 41 GB a GPU."""
    assert R1.weights_gib / 16 * 1.0737 == pytest.approx(41, rel=0.035)


def test_kv_bytes_are_two_for_each_of_512_plus_64_in_61_layers() -> None:
    assert R1.kv_bytes_per_token == (512 + 64) * 2 * 61
    embedded = TEACHERS["embedded"]
    assert embedded.kv_bytes_per_token == 2 * 3 * 64 * 2 * 30


def test_the_embedded_teacher_weighs_what_its_file_does() -> None:
    embedded = TEACHERS["embedded"]
    assert embedded.weights_gib == pytest.approx(269_060_552 / 2**30, rel=0.01)
    cpu = cpu_topology(embedded)
    # vLLM's own log: "CPU KV cache size: 93,184 tokens" for 2 GiB.
    assert cpu.kv_tokens_per_replica.expected == pytest.approx(93_184, rel=0.001)
    assert cpu.dollars_per_hour == (0, 0, 0)
    assert cpu.replicas == 1


def test_thirty_two_h100s_hold_two_replicas_of_tp8_pp2() -> None:
    plan = plan_topology(32, H100_GIB, 8, R1)
    assert (plan.replicas, plan.tensor_parallel, plan.pipeline_parallel) == (2, 8, 2)
    assert (plan.nodes, plan.nodes_per_replica, plan.gpus) == (4, 2, 32)
    assert (plan.max_num_seqs, plan.max_num_batched_tokens) == (128, 8_192)
    assert plan.dollars_per_hour == (64, 96, 160)


def test_a_day_on_thirty_two_h100s_is_346_million_tokens() -> None:
    plan = plan_topology(32, H100_GIB, 8, R1)
    cost = sampling_cost(345_600_000, plan)
    assert cost.wall_s.expected == pytest.approx(86_400)
    assert cost.gpu_hours.expected == pytest.approx(32 * 24)
    assert cost.dollars.expected == pytest.approx(24 * 96)
    assert 345_600_000 / R1.mean_completion_tokens == pytest.approx(58_000, rel=0.01)
    assert cost.wall_s.low < cost.wall_s.expected < cost.wall_s.high


def test_an_h200_node_holds_it_alone() -> None:
    plan = plan_topology(8, H200_GIB, 8, R1)
    assert (plan.replicas, plan.tensor_parallel, plan.pipeline_parallel) == (1, 8, 1)
    (command,) = plan.commands()
    assert "--nnodes" not in command
    assert "--headless" not in command


def test_an_h100_node_does_not_hold_it_and_the_message_has_the_numbers() -> None:
    with pytest.raises(PrerequisiteError) as raised:
        plan_topology(8, H100_GIB, 8, R1)
    for number in ("8 GPUs of 79.1 GiB", "629 GiB", "78.6 GiB a GPU", "71.2 GiB", "needs 16 such"):
        assert number in str(raised.value)


def test_no_gpu_and_far_too_small_gpus_are_told_apart() -> None:
    with pytest.raises(PrerequisiteError, match="there is none"):
        plan_topology(0, 0, 8, R1)
    with pytest.raises(PrerequisiteError, match="No number of such GPUs"):
        plan_topology(64, 10, 8, R1)


def test_gpus_that_make_no_whole_replica_stay_idle() -> None:
    assert plan_topology(40, H100_GIB, 8, R1).gpus == 32


def test_rank_0_answers_http_and_the_others_are_headless() -> None:
    first, second = plan_topology(16, H100_GIB, 8, R1).commands(master="10.0.0.1")
    assert "--host" in first
    assert "--headless" not in first
    assert second[-1] == "--headless"
    assert "--port" not in second
    for rank, command in enumerate((first, second)):
        line = " ".join(command)
        assert "--tensor-parallel-size 8 --pipeline-parallel-size 2" in line
        assert f"--nnodes 2 --master-addr 10.0.0.1 --node-rank {rank}" in line


def test_context_parallelism_divides_the_copied_latent() -> None:
    one, two = (kv_tokens(R1, 71, 8, 2, context_parallel=n).expected for n in (1, 2))
    assert two == pytest.approx(2 * one)


@given(st.integers(1, 128), st.integers(1, 64))
def test_stages_cover_all_layers_and_differ_by_one_at_most(layers: int, stages: int) -> None:
    split = stage_layers(layers, stages)
    assert sum(split) == layers
    assert len(split) == stages
    assert max(split) - min(split) <= 1


@given(st.integers(8, 512), st.sampled_from([H100_GIB, H200_GIB]), st.sampled_from([4, 8]))
def test_a_plan_uses_no_more_than_there_is(gpus: int, memory: float, per_node: int) -> None:
    try:
        plan = plan_topology(gpus, memory, per_node, R1)
    except PrerequisiteError:
        assert gpus < 24
        return
    assert 0 < plan.gpus <= gpus
    assert plan.gpus == plan.replicas * plan.gpus_per_replica
    assert plan.fullest_gib_per_gpu < memory * 0.9
    assert plan.kv_tokens_per_replica.low >= plan.max_model_len
