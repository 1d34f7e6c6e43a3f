"""`python as_on_gpus.py JOB.json`: a training on processors whose ranks take the ways of GPUs.

Their loss is TRL's fused head's, their meshes and weights are laid as accelerate lays them there.
Only the product of attention over a sequence that ranks share is ours: torch has that for GPUs
alone, so each rank gathers the others' keys and values.
"""

import os
import sys
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["ACCELERATE_TORCH_DEVICE"] = "cpu"

import torch
from accelerate.state import DistributedType, PartialState
from torch import distributed
from transformers import AttentionInterface
from trl.trainer.sft_trainer import SFTTrainer

from sft import train
from sft.completion_trainer import CompletionTrainer

shared_by: Any = None  # the group of ranks that share a sequence


class Gathered(torch.autograd.Function):
    """A tensor of each rank of the group; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, own: torch.Tensor) -> tuple[torch.Tensor, ...]:
        parts = [torch.empty_like(own) for _ in range(distributed.get_world_size(shared_by))]
        distributed.all_gather(parts, own, group=shared_by)
        return tuple(parts)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        together = torch.stack(grads)
        distributed.all_reduce(together, group=shared_by)
        return together[distributed.get_rank(shared_by)]


def places(rank: int, ranks: int, length: int) -> torch.Tensor:
    """Where a rank's tokens stand: torch gives it one piece from the front and one from the end."""
    half = length // 2
    starts = (rank * half, (2 * ranks - 1 - rank) * half)
    return torch.cat([torch.arange(start, start + half) for start in starts])


def shared_attention(_: Any, query: Any, key: Any, value: Any, *__: Any, **___: Any) -> Any:
    """Causal attention of this rank's queries over the whole sequence."""
    rank, ranks = distributed.get_rank(shared_by), distributed.get_world_size(shared_by)
    copies, length = query.shape[1] // key.shape[1], query.shape[2]
    keys, values = (
        torch.cat(Gathered.apply(part.contiguous()), 2).repeat_interleave(copies, 1)
        for part in (key, value)
    )
    later = torch.cat([places(other, ranks, length) for other in range(ranks)])
    scores = query @ keys.transpose(2, 3) * query.shape[-1] ** -0.5
    scores.masked_fill_(places(rank, ranks, length)[:, None] < later, float("-inf"))
    return (scores.softmax(-1) @ values).transpose(1, 2), None


def make_trainer(*arguments: Any, make: Any = train.make_trainer) -> Any:
    """The trainer; where its ranks share sequences, their attention too."""
    global shared_by
    trainer = make(*arguments)
    if (mesh := trainer.accelerator.torch_device_mesh) is not None:
        shared_by = mesh["cp"].get_group()
        AttentionInterface.register("sdpa", shared_attention)
    return trainer


def trls_loss(trainer: Any, model: Any, inputs: Any, _: bool = False, **scored: Any) -> Any:
    return SFTTrainer.compute_loss(trainer, model, inputs, False, **scored)


if __name__ == "__main__":
    PartialState._prepare_backend = lambda *_: ("gloo", DistributedType.MULTI_GPU)
    train._need_gpus = lambda _: None
    train.peak_memory_bytes = lambda _: 0
    train.make_trainer = make_trainer
    CompletionTrainer.compute_loss = trls_loss
    sys.exit(train.main(sys.argv[1:]))
