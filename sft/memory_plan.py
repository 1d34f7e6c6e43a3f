"""What full fine-tuning of a student takes on each GPU or in the machine's memory. An estimate.

States follow ZeRO (Rajbhandari et al. 2020, arXiv 1910.02054): 16 bytes a parameter, 18 under
DeepSpeed, over all GPUs where weights are sharded. Activations are counted tensor by tensor as
transformers' Llama and Qwen2 layers keep them for their gradient; with checkpointing only a
layer's input is kept (Korthikanti et al. 2022, arXiv 2205.05198). `python -m bench.train_memory`
compares the plan with what trainings on this machine took.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from sft.attention_choice import STACKED_UP_TO_TOKENS
from sft.bases import Architecture
from sft.launch_command import GPUS_PER_NODE
from sft.student import StudentRecipe

GIB = 2**30
H100_BYTES = 80 * 10**9
GPU_OVERHEAD_BYTES = 4 * GIB  # CUDA context, NCCL buffers
GPU_WASTE = 1.05  # what the caching allocator holds beyond what is used
# Of a training process on the processor: Python with torch, transformers, trl and pyarrow.
PROCESS_BYTES = int(0.58 * GIB)
PROCESS_WASTE = 1.0
LOGITS_AT_ONCE = (4096, 32_768)  # tokens × vocabulary that TRL's fused head scores at a time


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Bytes of one training process, by what they are for: on its GPU, or of this machine."""

    ranks: int
    on_gpus: bool
    available_bytes: int
    weights_bytes: int
    gradients_bytes: int
    optimiser_bytes: int
    gathered_bytes: int
    activation_bytes: int
    logits_bytes: int
    update_bytes: int
    ranks_needed: int | None

    @property
    def overhead_bytes(self) -> int:
        """What a process takes before it trains, and what its allocator cannot give back."""
        waste = GPU_WASTE if self.on_gpus else PROCESS_WASTE
        fixed = GPU_OVERHEAD_BYTES if self.on_gpus else PROCESS_BYTES
        return fixed + int((waste - 1) * self._used_bytes)

    @property
    def _used_bytes(self) -> int:
        """States, and the larger of what a pass and what the update of the weights takes."""
        states = self.weights_bytes + self.gradients_bytes + self.optimiser_bytes
        in_a_pass = self.gathered_bytes + self.activation_bytes + self.logits_bytes
        return states + max(in_a_pass, self.update_bytes)

    @property
    def total_bytes(self) -> int:
        """The most that one process takes at any time."""
        return self._used_bytes + self.overhead_bytes

    @property
    def fits(self) -> bool:
        """Whether that is there: on each GPU, or in this machine for all processes together."""
        together = self.total_bytes if self.on_gpus else self.total_bytes * self.ranks
        return together <= self.available_bytes

    def lines(self) -> list[str]:
        """The table: a line for each use, in GiB."""
        where = "on each GPU" if self.on_gpus else "of each process"
        parts = {
            f"weights {where}": self.weights_bytes,
            "gradients": self.gradients_bytes,
            "optimiser": self.optimiser_bytes,
            "gathered weights": self.gathered_bytes,
            "activations": self.activation_bytes,
            "logits": self.logits_bytes,
            "update of the weights": self.update_bytes,
            "overhead": self.overhead_bytes,
        }
        shown = [f"{n:26} {size / GIB:8.2f} GiB" for n, size in parts.items() if size]
        verdict = "" if self.fits else "   DOES NOT FIT"
        total = f"{'at most':26} {self.total_bytes / GIB:8.2f} GiB"
        return [*shown, f"{total} of {self.available_bytes / GIB:.1f}{verdict}"]


def memory_plan(
    student: StudentRecipe, available_bytes: int | None = None, longest_row: int | None = None
) -> MemoryPlan:
    """The plan of a recipe, and the least number of GPUs that would do.

    `available_bytes` is one GPU's memory (an H100's if none) or this machine's; `longest_row` the
    tokens of the longest row where that is known, else rows are as long as they may be.
    `ranks_needed` is None when no number of GPUs does by which the batch divides.
    """
    if available_bytes is None:
        available_bytes = H100_BYTES if student.gpus else machine_bytes()
    needed: int | None = None
    for gpus in _numbers_of_gpus(student) if student.gpus else ():
        other = student.model_copy(update={"gpus": gpus})
        if _plan(other, available_bytes, longest_row, None).fits:
            needed = gpus
            break
    return _plan(student, available_bytes, longest_row, needed)


def _numbers_of_gpus(student: StudentRecipe) -> Iterator[int]:
    """Those by which the batch divides, from the least on; beyond a node whole ones."""
    passes = student.batch_size // student.micro_batch_size
    for groups in range(1, passes + 1):
        gpus = groups * student.sequence_parallel
        if passes % groups == 0 and (gpus <= GPUS_PER_NODE or gpus % GPUS_PER_NODE == 0):
            yield gpus


def machine_bytes() -> int:
    """Memory of this machine, or of the container it is."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as limit:
            return min(total, int(limit.read()))
    except (OSError, ValueError):  # no such limit, or `max`
        return total


def _plan(
    student: StudentRecipe, available_bytes: int, longest_row: int | None, needed: int | None
) -> MemoryPlan:
    shape, width = student.architecture, _width(student)
    longest = min(student.max_length, longest_row or student.max_length)
    tokens = _pass_tokens(student, longest) / student.sequence_parallel
    weights, gradients, optimiser, update = (int(part) for part in _states(student))
    share = longest / student.sequence_parallel
    moving = tokens * _moving_per_token(student, share)
    activations = tokens * _kept_per_token(student, share) + moving
    if student.sequence_parallel > 1:  # keys and values of the whole sequence, one layer's
        activations += 2 * width * shape.kv_heads * shape.head_dim * longest
    return MemoryPlan(
        ranks=student.ranks,
        on_gpus=student.gpus > 0,
        available_bytes=available_bytes,
        weights_bytes=weights,
        gradients_bytes=gradients,
        optimiser_bytes=optimiser,
        gathered_bytes=int(_gathered(student)),
        activation_bytes=int(activations),
        logits_bytes=int(_logits(student, tokens, moving)),
        update_bytes=update,
        ranks_needed=needed,
    )


def _width(student: StudentRecipe) -> int:
    return 2 if student.arithmetic == "bfloat16" else 4


def _pass_tokens(student: StudentRecipe, longest: int) -> int:
    """Tokens of the largest pass: a full bin, or all rows of a step if they do not fill it."""
    if not student.packing:
        return student.micro_batch_size * longest
    rows = -(-student.batch_size // student.data_parallel)
    return max(longest, min(student.micro_batch_size * student.max_length, rows * longest))


def _states(student: StudentRecipe) -> tuple[float, float, float, float]:
    """Bytes of weights, gradients and optimiser, and of what an update takes besides."""
    parameters = student.architecture.parameters
    if student.launch in ("fsdp", "deepspeed"):
        shard = parameters / student.ranks
        # Gradients are of float32 (sft/gradient_sums.py), so are weights under FSDP2; ZeRO-3 keeps
        # bfloat16 weights and float32 masters.
        if student.launch == "deepspeed" and student.arithmetic == "bfloat16":
            return 2 * shard, 4 * shard, 12 * shard, 0
        return 4 * shard, 4 * shard, 8 * shard, 0
    buckets = 2 if student.launch == "ddp" else 1  # DDP sends gradients from a copy
    # sft/master_adamw.py: masters, moments, then float32 gradients
    if student.arithmetic == "bfloat16":
        return 2 * parameters, 2 * buckets * parameters, 12 * parameters, 4 * parameters
    return 4 * parameters, 4 * buckets * parameters, 8 * parameters, 0


def _gathered(student: StudentRecipe) -> float:
    """Whole weights, and gradients not yet sent: of two layers, the embedding and the head.

    Never all at once: that leaves room for the sums on their way, which are of float32.
    """
    shape = student.architecture
    if student.launch not in ("fsdp", "deepspeed") or student.ranks == 1:
        return 0
    ends = shape.vocab_size * shape.hidden_size * (1 if shape.tied_embeddings else 2)
    layer = (shape.parameters - ends) / shape.layers
    return 2 * _width(student) * (ends + 2 * layer)


def _kept_per_token(student: StudentRecipe, longest: float) -> float:
    """Bytes a token of the pass keeps from forward to backward, over all layers."""
    shape = student.architecture
    kept = 2 if student.activation_offloading else shape.layers
    if student.gradient_checkpointing:
        return kept * _width(student) * shape.hidden_size
    return kept * _layer_per_token(student, longest)


def _moving_per_token(student: StudentRecipe, longest: float) -> float:
    """Bytes a token takes besides while one layer's gradients are computed."""
    shape = student.architecture
    # Gate, up and product, and the residual stream.
    moving = _width(student) * (3 * shape.intermediate_size + 4 * shape.hidden_size)
    again = _layer_per_token(student, longest) if student.gradient_checkpointing else 0
    return moving + again


def _layer_per_token(student: StudentRecipe, longest: float) -> float:
    """Bytes a token that one layer's operations keep for their gradients."""
    shape, width = student.architecture, _width(student)
    hidden, queries = shape.hidden_size, shape.heads * shape.head_dim
    keys = 2 * shape.kv_heads * shape.head_dim  # and values
    # A norm keeps its input in float32, the normalised input and what it gives to the next.
    norm = 2 * width * hidden if student.liger else (4 + 2 * width) * hidden
    feed_forward = (3 if student.liger else 4) * width * shape.intermediate_size
    attention = width * (2 * queries + keys) + _scores_per_token(shape, student, longest)
    return 2 * norm + feed_forward + attention


def _scores_per_token(shape: Architecture, student: StudentRecipe, longest: float) -> float:
    """Attention weights are kept on processors alone, and there for short rows (sft/packed_…)."""
    if student.gpus or not student.packing or longest > STACKED_UP_TO_TOKENS:
        return 0
    return (6 if student.arithmetic == "bfloat16" else 4) * shape.heads * longest


def _logits(student: StudentRecipe, tokens: float, moving_bytes: float) -> float:
    """Logits in float32 with their gradients; on GPUs what they take beyond a layer's `moving`.

    There they come a tile at a time, before any layer's gradient, and TRL's fused head adds up
    those of its weight and of what it reads in float32.
    """
    shape, width = student.architecture, _width(student)
    if not student.gpus:
        copies = 3 if student.arithmetic == "bfloat16" else 2  # float32 ones are scored as they are
        return copies * 4 * tokens * shape.vocab_size
    tile = width * min(tokens, LOGITS_AT_ONCE[0]) * min(shape.vocab_size, LOGITS_AT_ONCE[1])
    read = (4 + width) * tokens * shape.hidden_size
    head = tile + read + 4 * shape.vocab_size * shape.hidden_size
    return max(0, head - moving_bytes)
