"""What full fine-tuning of a student needs: bytes on each GPU, GPUs, hours. An estimate.

Weights, gradients and optimiser follow ZeRO (Rajbhandari et al. 2020, arXiv 1910.02054): with
everything sharded, 16 bytes a parameter over all GPUs (bf16 weight 2, bf16 gradient 2, float32
master weight, first and second moment 12). Activations are counted for one sequence at the full
length with a checkpoint at every layer's input (Korthikanti et al. 2022, arXiv 2205.05198).
"""

from dataclasses import dataclass

from sft.student import StudentRecipe

GIB = 2**30
H100_BYTES = 80 * 10**9
H100_BF16_FLOPS = 989e12  # dense peak of the SXM part, NVIDIA's data sheet
MODEL_FLOPS_UTILISATION = 0.4  # usual for FSDP at these sizes; replace by a measured one
BYTES_PER_PARAMETER = 16
OVERHEAD_BYTES = 4 * GIB  # CUDA context, NCCL buffers
FRAGMENTATION = 1.05
# One layer while it is recomputed: bytes a token for attention (norms, q, k, v, output and their
# gradients) and for the feed-forward part (gate, up, product and their gradients), in bf16.
LAYER_HIDDEN_COPIES = 16
LAYER_FEED_FORWARD_COPIES = 6
LOGITS_AT_ONCE_TOKENS = 1024  # the fused head scores this many tokens at a time
MAX_GPUS = 4096


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Bytes on the fullest GPU when a student trains on `gpus` of `gpu_bytes` each."""

    gpus: int
    gpu_bytes: int
    state_bytes: int
    gathered_bytes: int
    activation_bytes: int
    overhead_bytes: int
    gpus_needed: int | None

    @property
    def total_bytes(self) -> int:
        """All of it, with the allocator's waste."""
        used = self.state_bytes + self.gathered_bytes + self.activation_bytes
        return int(used * FRAGMENTATION) + self.overhead_bytes

    @property
    def fits(self) -> bool:
        """Whether that is less than one GPU has."""
        return self.total_bytes <= self.gpu_bytes


def memory_plan(
    student: StudentRecipe, gpus: int | None = None, gpu_bytes: int = H100_BYTES
) -> MemoryPlan:
    """The plan on `gpus` GPUs (the recipe's own number if none), and the least that would do.

    `gpus_needed` is None when no number does: then the activations alone are too much and
    student.sequence_parallel must rise. A model trained on the processor counts as one GPU.
    """
    count = max(1, student.gpus if gpus is None else gpus)
    needed = student.sequence_parallel
    while needed <= MAX_GPUS and not _plan(student, needed, gpu_bytes, None).fits:
        needed *= 2
    return _plan(student, count, gpu_bytes, needed if needed <= MAX_GPUS else None)


def _plan(student: StudentRecipe, gpus: int, gpu_bytes: int, needed: int | None) -> MemoryPlan:
    shape, width = student.architecture, 2 if student.dtype == "bfloat16" else 4
    tokens = student.max_length * student.micro_batch_size / student.sequence_parallel
    layer_copies = (
        LAYER_HIDDEN_COPIES * shape.hidden_size
        + LAYER_FEED_FORWARD_COPIES * shape.intermediate_size
    )
    layers_kept = 1 if student.gradient_checkpointing else shape.layers
    activations = tokens * width * (shape.layers * shape.hidden_size + layers_kept * layer_copies)
    # Logits of a slice in float32, with their gradient; weights of the head gathered once.
    activations += 2 * 4 * min(tokens, LOGITS_AT_ONCE_TOKENS) * shape.vocab_size
    embedding = shape.vocab_size * shape.hidden_size
    layer = (shape.parameters - 2 * embedding) / shape.layers
    gathered = width * (embedding + 2 * layer) if gpus > 1 else 0
    return MemoryPlan(
        gpus=gpus,
        gpu_bytes=gpu_bytes,
        state_bytes=int(BYTES_PER_PARAMETER * shape.parameters / gpus),
        gathered_bytes=int(gathered),
        activation_bytes=int(activations),
        overhead_bytes=OVERHEAD_BYTES,
        gpus_needed=needed,
    )


def training_gpu_hours(
    student: StudentRecipe,
    tokens_per_epoch: int,
    mean_tokens: float = 0.0,
    utilisation: float = MODEL_FLOPS_UTILISATION,
    peak_flops: float = H100_BF16_FLOPS,
) -> float:
    """GPU-hours of training: 6 N flops a token (Kaplan et al. 2020, arXiv 2001.08361).

    With `mean_tokens`, the length of a row, causal attention is added: 6 · layers · hidden ·
    length a token. Recomputation is part of the utilisation, as usual for that figure.
    """
    shape = student.architecture
    per_token = 6.0 * shape.parameters + 6.0 * shape.layers * shape.hidden_size * mean_tokens
    flops = per_token * tokens_per_epoch * student.epochs
    return flops / (utilisation * peak_flops) / 3600
