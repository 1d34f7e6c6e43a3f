"""Packed attention sees each sequence alone: outputs and gradients equal those of torch's own."""

import pytest

torch = pytest.importorskip("torch")

from sft import packed_attention as packed  # noqa: E402


def random_states(lengths, heads, groups, width=8, seed=0):
    torch.manual_seed(seed)
    total = sum(lengths)
    shapes = [(1, heads, total, width), (1, groups, total, width), (1, groups, total, width)]
    return [torch.randn(shape, requires_grad=True) for shape in shapes]


def attend_apart(query, key, value, lengths):
    """Each sequence by torch's kernel in a call of its own: the reference."""
    share = query.shape[1] // key.shape[1]
    parts = zip(*(torch.split(x, lengths, 2) for x in (query, key, value)), strict=True)
    return torch.cat(
        [
            torch.nn.functional.scaled_dot_product_attention(
                q, k.repeat_interleave(share, 1), v.repeat_interleave(share, 1), is_causal=True
            )
            for q, k, v in parts
        ],
        2,
    ).transpose(1, 2)


@pytest.mark.parametrize("limit", [512, 0], ids=["stacked", "one by one"])
@pytest.mark.parametrize("lengths", [[5, 9, 1], [7], [3, 3], [9, 8, 7, 4, 3, 9]])
@pytest.mark.parametrize(("heads", "groups"), [(6, 2), (4, 4)])
def test_a_packed_row_equals_its_sequences_apart(monkeypatch, limit, lengths, heads, groups):
    monkeypatch.setattr(packed, "STACKED_UP_TO_TOKENS", limit)
    states = random_states(lengths, heads, groups)
    bounds = torch.tensor([0, *torch.tensor(lengths).cumsum(0).tolist()])
    ours, _ = packed.packed_attention(None, *states, None, cu_seq_lens_q=bounds)
    pull = torch.randn_like(ours)
    ours_grads = torch.autograd.grad((ours * pull).sum(), states)
    theirs = attend_apart(*states, lengths)
    their_grads = torch.autograd.grad((theirs * pull).sum(), states)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    for mine, other in zip(ours_grads, their_grads, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-5)


def test_a_row_without_boundaries_is_one_sequence():
    states = random_states([6], 2, 2)
    ours, _ = packed.packed_attention(None, *states, None)
    torch.testing.assert_close(ours, attend_apart(*states, [6]), atol=1e-5, rtol=1e-5)


def test_sequences_of_like_length_share_a_block():
    assert packed.like_lengths([100, 90, 75, 74, 60, 20]) == [[100, 90, 75], [74, 60], [20]]
    assert packed.like_lengths([7]) == [[7]]
