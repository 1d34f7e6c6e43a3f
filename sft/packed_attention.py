"""Attention over sequences laid end to end, for processors, which have no such kernel.

A micro-batch of B sequences comes as one row of T = sum of lengths tokens, with nothing padded.
Every other layer works on single tokens and does not care. Attention takes the row apart at the
boundaries, so that no sequence sees another: short sequences are stacked into a (B, longest)
block and attended to by plain matrix products, long ones go to torch's kernel one at a time.
"""

from typing import Any

import torch
from torch.nn import functional

NAME = "stillhouse_packed"

# Plain products beat torch's fused kernel on a processor while the scores fit its cache: 480
# against 360 tokens/s of training at 60-120 tokens a sequence. Their memory grows by the square.
STACKED_UP_TO_TOKENS = 512


def packed_attention(
    _module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    cu_seq_lens_q: torch.Tensor | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each sequence of a packed row.

    query (1, H, T, D); key and value (1, KV, T, D) with H a multiple of KV; cu_seq_lens_q
    (B + 1,) are the boundaries 0 … T. Returns (1, T, H, D). Without boundaries the whole row is
    one sequence.
    """
    assert attention_mask is None
    assert dropout == 0.0
    assert query.shape[0] == 1
    if cu_seq_lens_q is None:
        cu_seq_lens_q = torch.tensor([0, query.shape[2]])
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if int(cu_seq_lens_q.diff().max()) <= STACKED_UP_TO_TOKENS:
        return _stacked(query, key, value, cu_seq_lens_q, scale), None
    return _one_by_one(query, key, value, cu_seq_lens_q, scale), None


class _Move(torch.autograd.Function):
    """Rows of a tensor to new places; the gradient comes back by reading, not by adding.

    Indexing's own gradient adds into place one by one, which took 4 % of a training step.
    """

    @staticmethod
    def forward(
        ctx: Any,
        states: torch.Tensor,
        places: torch.Tensor,
        back: torch.Tensor,
        keep: torch.Tensor | None,
    ) -> torch.Tensor:
        """states[places]; `back` reads the gradient, zero where `keep` (n, 1, 1) is False."""
        ctx.save_for_backward(back, keep)
        return states.index_select(0, places)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Each row's gradient from the one place it went to."""
        back, keep = ctx.saved_tensors
        grad = grads[0].index_select(0, back)
        return (grad if keep is None else grad.mul_(keep)), None, None, None


def _stacked(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    bounds: torch.Tensor,
    scale: float,
) -> torch.Tensor:
    """All sequences at once as a (B, longest) block; places past a sequence's end are unread."""
    lengths = bounds.diff()
    rows, longest = len(lengths), int(lengths.max())
    heads, groups, width = query.shape[1], key.shape[1], query.shape[3]
    steps = torch.arange(longest)
    source = (bounds[:-1, None] + steps).clamp(max=query.shape[2] - 1).flatten()
    inside = (steps < lengths[:, None]).flatten()
    real = inside.nonzero().flatten()

    move: Any = _Move.apply

    def block(states: torch.Tensor) -> torch.Tensor:
        taken: torch.Tensor = move(states[0].transpose(0, 1), source, real, None)
        return taken.view(rows, longest, -1, width).transpose(1, 2)

    # Heads that share a key stand one below the other, so keys and values need no copies.
    shared = block(query).reshape(rows, groups, -1, width)
    scores = (shared @ block(key).transpose(2, 3)).view(rows, groups, -1, longest, longest)
    future = torch.full((longest, longest), float("-inf"), dtype=scores.dtype).triu(1)
    weights = torch.softmax((scores * scale + future).float(), dim=-1).to(value.dtype)
    mixed = weights.view(rows, groups, -1, longest) @ block(value)
    mixed = mixed.view(rows, heads, longest, width).transpose(1, 2)
    flat = mixed.reshape(rows * longest, heads, width)
    joined: torch.Tensor = move(flat, real, source, inside[:, None, None])
    return joined[None]


def _one_by_one(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    bounds: torch.Tensor,
    scale: float,
) -> torch.Tensor:
    """Each sequence by torch's own kernel: memory stays linear in its length."""
    lengths = bounds.diff().tolist()
    shared = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
    parts = zip(*(torch.split(x, lengths, 2) for x in (query, key, value)), strict=True)
    mixed = [
        functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale)
        for q, k, v in parts
    ]
    return torch.cat(mixed, 2).transpose(1, 2)


def register_packed_attention() -> str:
    """Make the attention known to transformers; returns the name to load models with."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, packed_attention)
    AttentionMaskInterface.register(NAME, lambda **_: None)
    return NAME
