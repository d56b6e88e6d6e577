"""The frame of the attention mixers: queries, keys and values, and the projection behind them."""

import torch
import torch.nn.functional as F
from torch import nn

from priorscope.models._checks import check_heads
from priorscope.models.mixers import _reach

# Keys up to which two products are faster than fused attention on a CPU with two threads; compare
# windows of 4 x 4 in `benchmarks/mixers.py`.
_SHORT = 16


class Attend(nn.Module):
    """What attention mixers differ in: how values are averaged.

    `forward(qkv)` maps [batch, tokens, 3, heads, head_dim] to [batch, tokens, heads, head_dim].
    """

    def __init__(self, grid_size: int):
        super().__init__()
        self.grid_size = grid_size

    def reach(self) -> torch.Tensor:
        """Say which tokens each may attend to: bool [tokens, tokens]."""
        return _reach.everywhere(self.grid_size)

    def bias(self) -> torch.Tensor | None:
        """Return what is added to the scores, [heads, tokens, tokens], or None."""
        return None

    def weights(self, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        """Compute the weights that `forward` averages with, densely.

        `query` and `key` [batch, heads, tokens, head_dim] give [batch, heads, tokens, tokens].
        """
        scores = attention_scores(query, key)
        if (bias := self.bias()) is not None:
            scores = scores + bias
        return scores.masked_fill(~self.reach().to(scores.device), -torch.inf).softmax(-1)


def attention_scores(query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    """Multiply queries with keys [..., tokens, head_dim], scaled: [..., tokens, tokens]."""
    return query * query.shape[-1] ** -0.5 @ key.transpose(-2, -1)


def average(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    """Average values [..., tokens, head_dim] with softmax of the scores plus a bias.

    Minus infinity in a bias, or False in one of bool, forbids a pair.
    """
    learns = bias is not None and bias.requires_grad
    if query.device.type == "cpu" and (learns or key.shape[-2] <= _SHORT):
        # PyTorch's fused attention learns no bias on a CPU, and its plain form is slower than this.
        scores = attention_scores(query, key)
        if bias is not None and bias.dtype == torch.bool:
            scores = scores.masked_fill(~bias, -torch.inf)
        elif bias is not None:
            scores = scores + bias.to(query)
        return scores.softmax(-1) @ value
    return F.scaled_dot_product_attention(query, key, value, attn_mask=bias)


class SelfAttention(nn.Module):
    """Multi-head self-attention over tokens [batch, tokens, embed_dim].

    Raises
    ------
    InputError : the heads do not divide the width
    """

    def __init__(self, embed_dim: int, num_heads: int, attend: Attend, note: str | None = None):
        super().__init__()
        check_heads(num_heads, embed_dim)
        self.num_heads, self.note = num_heads, note
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.attend = attend

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Mix tokens [batch, tokens, embed_dim]."""
        qkv = self.qkv(tokens).unflatten(2, (3, self.num_heads, -1))
        return self.proj(self.attend(qkv).flatten(2))

    def weights(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return weights [batch, heads, tokens, tokens] for tokens [batch, tokens, embed_dim]."""
        query, key, _ = heads_first(self.qkv(tokens).unflatten(2, (3, self.num_heads, -1)))
        return self.attend.weights(query, key)

    def reach(self) -> torch.Tensor:
        """Say which tokens each token's output may depend on: bool [tokens, tokens]."""
        return self.attend.reach()


def heads_first(qkv: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """View [batch, tokens, 3, heads, head_dim] as three of [batch, heads, tokens, head_dim]."""
    # Unbound first: the backward pass then writes the three gradients to their places at once.
    return tuple(part.transpose(1, 2) for part in qkv.unbind(2))
