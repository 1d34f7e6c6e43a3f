"""FSDP2 on processors: accelerate knows how, but turns it on for GPUs alone."""

import os
from typing import Any


def shard_on_processors(trainer: Any) -> bool:
    """Make a trainer's accelerator shard its model over processes that talk by gloo.

    Call it when the accelerator has been made and the model not yet prepared (a Trainer's
    `create_accelerator_and_postprocess`). Does nothing, and returns False, unless `accelerate
    launch` was told to use FSDP and this is a process among several on the processor: there
    accelerate 1.15 would train a whole copy in each.
    """
    from accelerate.state import PartialState
    from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin

    state = trainer.accelerator.state
    asked = os.environ.get("ACCELERATE_USE_FSDP") == "true"
    if not asked or state.distributed_type != DistributedType.MULTI_CPU:
        return False
    plugin = FullyShardedDataParallelPlugin()  # its settings come from the launch file
    if state.mixed_precision != "no":
        plugin.set_mixed_precision(state.mixed_precision)
    state.fsdp_plugin = plugin
    # Every state made later takes its kind from the partial one; accelerate sets both as well.
    state.distributed_type = PartialState._shared_state["distributed_type"] = DistributedType.FSDP
    trainer.is_fsdp_enabled = True
    return True
