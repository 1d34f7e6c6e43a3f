"""Where weights are sharded, gradients are added up in float32 and no loss is rounded."""

from dataclasses import replace
from typing import Any


def sum_in_float32(accelerator: Any) -> None:
    """Let ranks send bfloat16 gradients to each other in float32, under FSDP2 and DeepSpeed.

    Both have them summed in the type of the arithmetic, DeepSpeed those of a step's passes too, and
    no launch file of accelerate's can say otherwise: each of 32 ranks then rounds the sum to 8
    bits. So FSDP2 does with what the model gives back: a loss of 5.521 was 5.531. Call it before
    the model is prepared.
    """
    import torch

    deepspeed: Any = getattr(accelerator.state, "deepspeed_plugin", None)
    if deepspeed is not None and deepspeed.deepspeed_config.get("bf16", {}).get("enabled"):
        deepspeed.deepspeed_config["communication_data_type"] = "fp32"
        deepspeed.deepspeed_config["data_types"] = {"grad_accum_dtype": "fp32"}
    plugin: Any = getattr(accelerator.state, "fsdp_plugin", None)
    if (policy := getattr(plugin, "mixed_precision_policy", None)) is not None:
        # None: what layers give to each other stays bfloat16, as it is computed.
        kept = replace(policy, reduce_dtype=torch.float32, output_dtype=None)
        plugin.mixed_precision_policy = kept
