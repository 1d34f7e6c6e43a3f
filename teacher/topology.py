"""How a teacher is laid out over GPUs, whether it fits, and what its tokens cost: arithmetic only.

Memory is in GiB a GPU, rates in output tokens a second, prices in dollars a GPU-hour. Estimates
come as low / expected / high; replace them by the measured rate after the first shard.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from prompts.errors import PrerequisiteError
from teacher.processor import computes_bfloat16
from teacher.teachers import TEACHERS as TEACHERS
from teacher.teachers import Range as Range
from teacher.teachers import TeacherModel as TeacherModel

GIB = 2**30
# Activations, CUDA graphs, NCCL buffers and the CUDA context, on an H100 with R1.
OVERHEAD_GIB = (6.0, 8.0, 10.0)
# What one H100 costs an hour, rented.
DOLLARS_PER_GPU_HOUR = Range(2.0, 3.0, 5.0)


@dataclass(frozen=True, slots=True)
class Topology:
    """One way to serve a teacher: `replicas` copies of tensor x pipeline parallel GPUs."""

    model: TeacherModel
    gpus: int  # used; the rest of what there is stays idle
    gpus_per_node: int
    gpu_memory_gib: float
    gpu_memory_utilization: float
    replicas: int
    tensor_parallel: int
    pipeline_parallel: int
    weights_gib_per_gpu: float  # mean over the GPUs of a replica
    fullest_gib_per_gpu: float  # weights of the fullest pipeline stage
    kv_tokens_per_replica: Range
    max_model_len: int
    max_num_seqs: int
    max_num_batched_tokens: int
    tokens_per_s: Range  # all replicas together
    dollars_per_hour: Range

    @property
    def gpus_per_replica(self) -> int:
        return self.tensor_parallel * self.pipeline_parallel

    @property
    def nodes_per_replica(self) -> int:
        return max(1, math.ceil(self.gpus_per_replica / self.gpus_per_node))

    @property
    def nodes(self) -> int:
        return max(1, math.ceil(self.gpus / self.gpus_per_node))

    def engine_args(self) -> tuple[str, ...]:
        """vLLM's arguments for one replica, without those that differ from node to node."""
        return (
            *("--tensor-parallel-size", str(self.tensor_parallel)),
            *("--pipeline-parallel-size", str(self.pipeline_parallel)),
            *("--gpu-memory-utilization", f"{self.gpu_memory_utilization:g}"),
            *("--max-model-len", str(self.max_model_len)),
            *("--max-num-seqs", str(self.max_num_seqs)),
            *("--max-num-batched-tokens", str(self.max_num_batched_tokens)),
        )

    def commands(
        self, master: str = "$MASTER_ADDR", port: int = 8000
    ) -> tuple[tuple[str, ...], ...]:
        """One vLLM command line for each node of a replica, rank 0 (which answers HTTP) first.

        `vllm serve`, because `python -m vllm.entrypoints.openai.api_server` ignores --headless
        and would start a second HTTP server where a worker is wanted. `master` is rank 0's
        address; a replica on one node needs none.
        """
        serve = ("vllm", "serve", self.model.hub_id, "--served-model-name", self.model.name)
        rank_0 = ("--host", "0.0.0.0", "--port", str(port))
        if self.nodes_per_replica == 1:
            return ((*serve, *self.engine_args(), *rank_0),)
        joined = ("--nnodes", str(self.nodes_per_replica), "--master-addr", master)
        return tuple(
            (
                *(*serve, *self.engine_args(), *joined, "--node-rank", str(rank)),
                *(("--headless",) if rank else rank_0),
            )
            for rank in range(self.nodes_per_replica)
        )


class Cost(NamedTuple):
    """What a number of sampled tokens takes; `low` is the lucky end of all three."""

    gpu_hours: Range
    wall_s: Range
    dollars: Range


def plan_topology(
    gpus: int,
    gpu_memory_gib: float,
    gpus_per_node: int,
    model: TeacherModel,
    max_model_len: int = 32_768,
    max_num_seqs: int = 128,
    gpu_memory_utilization: float = 0.90,
    dollars_per_gpu_hour: Range = DOLLARS_PER_GPU_HOUR,
) -> Topology:
    """The smallest replica that holds the model and one full-length request, as often as it goes.

    Tensor parallelism fills a node and never crosses it; pipeline stages join nodes. A card sold
    as 80 GB reports 79.1 GiB: pass what it reports. Raises PrerequisiteError, with the numbers
    and the fewest GPUs of this kind that would do, if it does not fit.
    """
    usable_gib = gpu_memory_gib * gpu_memory_utilization
    tensor, pipeline = _smallest_replica(gpus_per_node, usable_gib, model, max_model_len)
    each = tensor * pipeline
    if not pipeline or each > gpus:
        raise PrerequisiteError(_misfit(gpus, gpu_memory_gib, usable_gib, model, each))
    replicas = gpus // each
    nodes = replicas * each / gpus_per_node
    return Topology(
        model=model,
        gpus=replicas * each,
        gpus_per_node=gpus_per_node,
        gpu_memory_gib=gpu_memory_gib,
        gpu_memory_utilization=gpu_memory_utilization,
        replicas=replicas,
        tensor_parallel=tensor,
        pipeline_parallel=pipeline,
        weights_gib_per_gpu=model.weights_gib / each,
        fullest_gib_per_gpu=max(stage_weights_gib(model, tensor, pipeline)),
        kv_tokens_per_replica=kv_tokens(model, usable_gib, tensor, pipeline),
        max_model_len=max_model_len,
        max_num_seqs=max_num_seqs,
        max_num_batched_tokens=8_192,
        tokens_per_s=Range(*(rate * nodes for rate in model.node_tokens_per_s)),
        dollars_per_hour=Range(*(price * replicas * each for price in dollars_per_gpu_hour)),
    )


def cpu_topology(model: TeacherModel, max_model_len: int = 2_048, kv_gib: int = 2) -> Topology:
    """One replica on this machine's cores: no GPU, no bill."""
    tokens = float(kv_gib * GIB // model.kv_bytes_per_token)
    slower = None if computes_bfloat16() else model.float32_tokens_per_s
    return Topology(
        model=model,
        gpus=0,
        gpus_per_node=1,
        gpu_memory_gib=0.0,
        gpu_memory_utilization=0.0,
        replicas=1,
        tensor_parallel=1,
        pipeline_parallel=1,
        weights_gib_per_gpu=model.weights_gib,
        fullest_gib_per_gpu=model.weights_gib,
        kv_tokens_per_replica=Range(tokens, tokens, tokens),
        max_model_len=max_model_len,
        max_num_seqs=128,
        max_num_batched_tokens=2_048,
        tokens_per_s=slower or model.node_tokens_per_s,
        dollars_per_hour=Range(0.0, 0.0, 0.0),
    )


def stage_layers(layers: int, pipeline_parallel: int) -> tuple[int, ...]:
    """vLLM's split of layers over stages: a remainder goes to the stages before the last."""
    share, rest = divmod(layers, pipeline_parallel)
    last = pipeline_parallel - 1
    return tuple(share + (last - rest <= stage < last) for stage in range(pipeline_parallel))


def stage_weights_gib(model: TeacherModel, tensor: int, pipeline: int) -> tuple[float, ...]:
    """Weights on one GPU of each pipeline stage.

    Check: DeepSeek-V3#205 reports 16.96 for the first stage of TP8 x PP4; this gives 16.6.
    """
    weights, first = [], 0
    for stage, count in enumerate(stage_layers(model.layers, pipeline)):
        dense = max(0, min(model.dense_layers, first + count) - first)
        ends = (stage == 0) + (stage == pipeline - 1)
        total = dense * model.dense_layer_gib + (count - dense) * model.expert_layer_gib
        weights.append((total + ends * model.embedding_gib) / tensor)
        first += count
    return tuple(weights)


def kv_tokens(
    model: TeacherModel, usable_gib: float, tensor: int, pipeline: int, context_parallel: int = 1
) -> Range:
    """Tokens of KV cache a replica holds, at high, middle and low memory overhead.

    The largest stage sets the cache; an MLA latent is copied on each tensor-parallel rank and is
    divided only by pipeline stages and by decode context parallelism.
    """
    largest = max(stage_layers(model.layers, pipeline)) / model.layers
    split = context_parallel * (1 if model.kv_copied else tensor)
    bytes_per_token = model.kv_bytes_per_token * largest / split
    free_gib = usable_gib - model.weights_gib / (tensor * pipeline)
    low, expected, high = (
        max(0.0, (free_gib - overhead) * GIB / bytes_per_token) for overhead in OVERHEAD_GIB[::-1]
    )
    return Range(low, expected, high)


def sampling_cost(tokens: int, topology: Topology) -> Cost:
    """What it takes to sample that many completion tokens with every replica busy."""
    low, expected, high = topology.tokens_per_s
    wall = Range(tokens / high, tokens / expected, tokens / low)
    hours = Range(*(seconds / 3600 for seconds in wall))
    prices = topology.dollars_per_hour
    return Cost(
        gpu_hours=Range(*(h * topology.gpus for h in hours)),
        wall_s=wall,
        dollars=Range(*(h * price for h, price in zip(hours, prices, strict=True))),
    )


def _smallest_replica(
    gpus_per_node: int, usable_gib: float, model: TeacherModel, max_model_len: int
) -> tuple[int, int]:
    """The fewest GPUs, as (tensor, pipeline), that hold it; (0, 0) if no number does."""
    widest = min(gpus_per_node, model.max_tensor_parallel)
    widths = [2**power for power in range(widest.bit_length()) if 2**power <= widest]
    layouts = [(width, 1) for width in widths]
    layouts += [(widths[-1], pipeline) for pipeline in range(2, model.layers + 1)]
    for tensor, pipeline in layouts:
        fullest = max(stage_weights_gib(model, tensor, pipeline)) + OVERHEAD_GIB[-1]
        held = kv_tokens(model, usable_gib, tensor, pipeline).low
        if fullest < usable_gib and held >= max_model_len:
            return tensor, pipeline
    return 0, 0


def _misfit(
    gpus: int, memory_gib: float, usable_gib: float, model: TeacherModel, needed: int
) -> str:
    whole = f"{model.weights_gib:,.0f} GiB of weights"
    if not gpus:
        return f"teacher {model.name} needs GPUs for its {whole}; there is none. Give a TEACHER_URL"
    fits = (
        f"It needs {needed} such GPUs"
        if needed
        else "No number of such GPUs holds it; use larger ones"
    )
    return (
        f"teacher {model.name} does not fit on {gpus} GPUs of {memory_gib:g} GiB: {whole} are "
        f"{model.weights_gib / gpus:.1f} GiB a GPU; {usable_gib:.1f} GiB may be used, of which up "
        f"to {OVERHEAD_GIB[-1]:g} GiB go to overhead. {fits}, or give a TEACHER_URL"
    )
