"""FSDP2 adds up the gradients of its ranks in float32, as it keeps them."""

from dataclasses import replace
from typing import Any


def sum_in_float32(accelerator: Any) -> None:
    """Let ranks send bfloat16 gradients to each other in float32, where weights are sharded.

    accelerate has them summed in the type of the arithmetic, and no launch file can say otherwise:
    each of 32 ranks then rounds the sum to 8 bits. Call it before the model is prepared.
    """
    import torch

    plugin: Any = getattr(accelerator.state, "fsdp_plugin", None)
    if (policy := getattr(plugin, "mixed_precision_policy", None)) is not None:
        plugin.mixed_precision_policy = replace(policy, reduce_dtype=torch.float32)
