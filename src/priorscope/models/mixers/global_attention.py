"""Every token attends to all tokens."""

import torch
import torch.nn.functional as F
from pydantic import PositiveInt
from torch import nn

from priorscope.models.mixers._relative_bias import RelativeBias, join_axes, offset_index
from priorscope.models.mixers._self_attention import (
    Attend,
    SelfAttention,
    average,
    heads_first,
)


class GlobalAttend(Attend):
    """Attend to all tokens, or to those that `mask`, bool [tokens, tokens], allows.

    `span` is that of the relative bias, None for no bias.
    """

    def __init__(
        self,
        grid_size: int,
        num_heads: int,
        *,
        mask: torch.Tensor | None = None,
        span: int | None = None,
        class_token: bool = False,
    ):
        super().__init__(grid_size)
        self.class_token = class_token
        self.mask: torch.Tensor | None
        self.register_buffer("mask", mask, persistent=False)
        self.relative = None if span is None else RelativeBias(span, num_heads)
        if span is not None:
            axis = offset_index(torch.arange(grid_size), torch.arange(grid_size), span)
            self.offsets: torch.Tensor
            self.register_buffer("offsets", join_axes(axis, axis, span), persistent=False)

    def forward(self, qkv: torch.Tensor) -> torch.Tensor:
        """Average values, [batch, tokens, 3, heads, head_dim]; see `Attend`."""
        query, key, value = heads_first(qkv)
        mask = self.bias()
        if self.mask is not None:
            mask = self.mask if mask is None else mask.masked_fill(~self.mask, -torch.inf)
        return average(query, key, value, mask).transpose(1, 2)

    def reach(self) -> torch.Tensor:
        """Say which tokens each may attend to; a class token sees all and is seen by all."""
        reach = super().reach() if self.mask is None else self.mask
        return F.pad(reach, (1, 0, 1, 0), value=True) if self.class_token else reach

    def bias(self) -> torch.Tensor | None:
        """Return the relative bias [heads, tokens, tokens]; that of a class token is zero."""
        if self.relative is None:
            return None
        bias = self.relative(self.offsets)
        return F.pad(bias, (1, 0, 1, 0)) if self.class_token else bias


def global_attention(
    *,
    embed_dim: int,
    grid_size: int,
    num_heads: PositiveInt = 4,
    relative_bias: bool = False,
    class_token: bool = False,
) -> nn.Module:
    """Build attention of every token to all tokens.

    Source: Dosovitskiy et al. (2020), "An Image is Worth 16x16 Words", arXiv:2010.11929; the
    relative bias is that of Swin (arXiv:2103.14030), over the whole grid.

    Raises
    ------
    InputError : the heads do not divide the width
    """
    span = grid_size if relative_bias else None
    attend = GlobalAttend(grid_size, num_heads, span=span, class_token=class_token)
    return SelfAttention(embed_dim, num_heads, attend)
