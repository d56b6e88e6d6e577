"""Every token attends to the k tokens that suit it best, wherever they are."""

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import PositiveInt
from torch import nn

from priorscope.models.mixers._self_attention import (
    Attend,
    SelfAttention,
    attention_scores,
    heads_first,
)


class TopKAttend(Attend):
    """Attend to the `k` keys of the largest scores."""

    def __init__(self, grid_size: int, k: int):
        super().__init__(grid_size)
        self.k = k

    def forward(self, qkv: torch.Tensor) -> torch.Tensor:
        """Average values, [batch, tokens, 3, heads, head_dim]; see `Attend`."""
        query, key, value = heads_first(qkv)
        mask = None
        if self.k < key.shape[2]:
            # Scores are computed twice: fused attention under a mask costs less than their softmax.
            with torch.no_grad():
                scores = query @ key.transpose(-2, -1)
                mask = mask_of(scores, kth_largest(scores, self.k))
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2)

    def weights(self, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        """Compute the weights: [batch, heads, tokens, tokens].

        Of each row k are above zero, and with them all that tie with the k-th.
        """
        scores = attention_scores(query, key)
        least = kth_largest(scores.detach(), min(self.k, key.shape[2]))
        return scores.masked_fill(scores < least, -torch.inf).softmax(-1)


def kth_largest(scores: torch.Tensor, k: int) -> torch.Tensor:
    """Find the k-th largest along the last axis, which is kept with length 1."""
    num = scores.shape[-1]
    if scores.device.type != "cpu" or scores.dtype not in {torch.float32, torch.float64}:
        return scores.topk(k, sorted=False).values.amin(-1, keepdim=True)
    # NumPy sorts short rows with vector instructions, ten times as fast as PyTorch finds the top.
    return torch.from_numpy(np.sort(scores.numpy(), axis=-1)[..., num - k : num - k + 1].copy())


def mask_of(scores: torch.Tensor, least: torch.Tensor) -> torch.Tensor:
    """Mask the scores below the least that counts: as bool, or on a CPU as 0 and minus infinity."""
    if scores.device.type != "cpu":
        return scores >= least
    # There attention adds numbers, and makes them of bool no faster than it averages by them.
    mask = torch.ge(scores, least, out=torch.empty_like(scores))
    return mask.reciprocal_().neg_().add_(1)  # 1 - 1/1 and 1 - 1/0


def top_k_attention(
    *,
    embed_dim: int,
    grid_size: int,
    k: PositiveInt = 9,
    num_heads: PositiveInt = 4,
) -> nn.Module:
    """Build attention of every token to the `k` tokens of the largest scores: sparse, not local.

    Where scores tie at the k-th, all of them count. All tokens' scores are computed, so it saves no
    time: it is here to tell sparsity from locality. `k` = window_size^2 sees as much as a window.

    Source: Zhao et al. (2019), "Explicit Sparse Transformer", arXiv:1912.11637.

    Raises
    ------
    InputError : the heads do not divide the width
    """
    num_tokens = grid_size**2
    note = f"k {k} covers the {num_tokens} tokens: global attention" if k >= num_tokens else None
    return SelfAttention(embed_dim, num_heads, TopKAttend(grid_size, k), note)
