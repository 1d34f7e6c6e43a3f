"""How long a training takes: 6 flops a parameter and token (Kaplan et al. 2020, arXiv 2001.08361).

Causal attention adds 6 · layers · width of all heads · length a token; recomputation is part of
the utilisation, as usual for that figure. Published runs reach from 4 % (OpenThinker-7B, 640 hours
of H100s, with the optimiser offloaded) over 20 % (s1-32B: 4.7 M tokens, 5 epochs, 16 H100s for 26
minutes, arXiv 2501.19393) to the 40 % and more of well-tuned FSDP.
"""

import os
from dataclasses import dataclass

from sft.student import StudentRecipe

H100_BF16_FLOPS = 989e12  # dense peak of the SXM part, NVIDIA's data sheet
# Share of the peak that trains: low, expected, high. Replace by what the first steps show.
GPU_UTILISATION = (0.15, 0.3, 0.45)
# Training smol-135m on two cores: 330 tokens/s in bfloat16 with AVX-512, 66 to 73 in float32 with
# AVX2 alone; half and one and a half of it.
FLOPS_PER_CORE = {"bfloat16": (0.65e11, 1.3e11, 2.0e11), "float32": (0.15e11, 0.3e11, 0.45e11)}


@dataclass(frozen=True, slots=True)
class TrainingTime:
    """Low, expected and high, all processes together; `tokens_per_s` in the order of speed."""

    tokens: int
    tokens_per_s: tuple[float, float, float]
    devices: int
    on_gpus: bool

    @property
    def wall_s(self) -> tuple[float, float, float]:
        """Seconds of the passes over the data: at best, as expected, at worst."""
        slow, expected, fast = self.tokens_per_s
        return self.tokens / fast, self.tokens / expected, self.tokens / slow

    @property
    def gpu_hours(self) -> tuple[float, float, float]:
        """The same as hours of single GPUs; none on the processor."""
        low, expected, high = (seconds * self.devices / 3600 for seconds in self.wall_s)
        return (low, expected, high) if self.on_gpus else (0.0, 0.0, 0.0)


def training_time(
    student: StudentRecipe, tokens_per_epoch: int, mean_tokens: float = 0.0
) -> TrainingTime:
    """The time of all epochs over `tokens_per_epoch`; `mean_tokens` is the length of a row."""
    shape = student.architecture
    heads = shape.heads * shape.head_dim
    per_token = 6.0 * shape.parameters + 6.0 * shape.layers * heads * mean_tokens
    if student.gpus:
        rates = [student.gpus * H100_BF16_FLOPS * share for share in GPU_UTILISATION]
    else:
        rates = [(os.cpu_count() or 1) * flops for flops in FLOPS_PER_CORE[student.arithmetic]]
    slow, expected, fast = (rate / per_token for rate in rates)
    tokens = round(tokens_per_epoch * student.epochs)
    return TrainingTime(tokens, (slow, expected, fast), max(1, student.gpus), student.gpus > 0)
