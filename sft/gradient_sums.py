"""FSDP2 adds up the gradients of its ranks in float32, as it keeps them, and rounds no loss."""

from dataclasses import replace
from typing import Any


def sum_in_float32(accelerator: Any) -> None:
    """Let ranks send bfloat16 gradients to each other in float32, where weights are sharded.

    accelerate has them summed in the type of the arithmetic, and no launch file can say otherwise:
    each of 32 ranks then rounds the sum to 8 bits. So it does with what the model gives back: a
    loss of 5.521 was 5.531. Call it before the model is prepared.
    """
    import torch

    plugin: Any = getattr(accelerator.state, "fsdp_plugin", None)
    if (policy := getattr(plugin, "mixed_precision_policy", None)) is not None:
        # None: what layers give to each other stays bfloat16, as it is computed.
        kept = replace(policy, reduce_dtype=torch.float32, output_dtype=None)
        plugin.mixed_precision_policy = kept
