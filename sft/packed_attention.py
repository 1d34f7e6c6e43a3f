"""Attention over sequences laid end to end, for processors, which have no such kernel.

A micro-batch of B sequences comes as one row of T = sum of lengths tokens, with nothing padded.
Every other layer works on single tokens and does not care. Attention takes the row apart at the
boundaries, so that no sequence sees another: short sequences of like length are stacked into a
(B, longest) block and attended to by plain matrix products, long ones go to torch's kernel one at
a time.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from sft.attention_choice import STACKED_UP_TO_TOKENS

NAME = "stillhouse_packed"

# A block's shortest sequence is at least this share of its longest: what lies past a sequence's
# end is computed for nothing, by the square of the length.
LIKE_LENGTHS = 0.75


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
    groups = like_lengths(cu_seq_lens_q.diff().tolist())
    sizes = [sum(lengths) for lengths in groups]
    parts = zip(groups, *(torch.split(x, sizes, 2) for x in (query, key, value)), strict=True)
    mixed = [
        (_stacked if max(lengths) <= STACKED_UP_TO_TOKENS else _one_by_one)(q, k, v, lengths, scale)
        for lengths, q, k, v in parts
    ]
    return torch.cat(mixed, 1), None


def like_lengths(lengths: Sequence[int]) -> list[list[int]]:
    """The lengths in their order, cut where they change by more than a block should span."""
    groups = [[lengths[0]]]
    for length in lengths[1:]:
        shortest, longest = min(*groups[-1], length), max(*groups[-1], length)
        if shortest >= LIKE_LENGTHS * longest:
            groups[-1].append(length)
        else:
            groups.append([length])
    return groups


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
    lengths: Sequence[int],
    scale: float,
) -> torch.Tensor:
    """All sequences at once as a (B, longest) block; places past a sequence's end are unread."""
    rows, longest = len(lengths), max(lengths)
    heads, groups, width = query.shape[1], key.shape[1], query.shape[3]
    sizes, steps = torch.tensor(lengths), torch.arange(longest)
    starts = sizes.cumsum(0) - sizes
    source = (starts[:, None] + steps).clamp(max=query.shape[2] - 1).flatten()
    inside = (steps < sizes[:, None]).flatten()
    real = inside.nonzero().flatten()

    move: Any = _Move.apply

    def block(states: torch.Tensor) -> torch.Tensor:
        taken: torch.Tensor = move(states[0].transpose(0, 1), source, real, None)
        return taken.view(rows, longest, -1, width).transpose(1, 2)

    # Heads that share a key stand one below the other, so keys and values need no copies.
    shared = block(query * scale).reshape(rows, groups, -1, width)
    scores = (shared @ block(key).transpose(2, 3)).view(rows, groups, -1, longest, longest)
    future = torch.full((longest, longest), float("-inf"), dtype=scores.dtype).triu(1)
    # torch adds up bfloat16 in float32 here by itself: float32 copies took 36 ms instead of 13
    # for 16 sequences of 169 tokens and nine heads, forward and backward, on one core.
    weights = torch.softmax(scores + future, dim=-1)
    mixed = weights.view(rows, groups, -1, longest) @ block(value)
    mixed = mixed.view(rows, heads, longest, width).transpose(1, 2)
    flat = mixed.reshape(rows * longest, heads, width)
    joined: torch.Tensor = move(flat, real, source, inside[:, None, None])
    return joined[None]


def _one_by_one(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    lengths: Sequence[int],
    scale: float,
) -> torch.Tensor:
    """Each sequence by torch's own kernel: memory stays linear in its length."""
    shared = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
    parts = zip(*(torch.split(x, list(lengths), 2) for x in (query, key, value)), strict=True)
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
