"""A learned bias of the attention scores for each offset between two tokens and each head."""

import torch
from torch import nn


class RelativeBias(nn.Module):
    """A table [(2 span - 1)^2, heads] for offsets of -span + 1 .. span - 1 rows and columns.

    Source: Liu et al. (2021), "Swin Transformer", arXiv:2103.14030, section 3.2.
    """

    def __init__(self, span: int, num_heads: int):
        super().__init__()
        self.span = span
        self.table = nn.Parameter(torch.empty((2 * span - 1) ** 2, num_heads))
        nn.init.trunc_normal_(self.table, std=0.02)

    def forward(self, offsets: torch.Tensor) -> torch.Tensor:
        """Look the biases up: int64 [...] from `offset_index` to float [heads, ...]."""
        # Of many tokens share an offset; gradients of a lookup by embedding are summed fast.
        return nn.functional.embedding(offsets, self.table).movedim(-1, 0)


def offset_index(query: torch.Tensor, key: torch.Tensor, span: int) -> torch.Tensor:
    """Number the offsets between positions on one axis, to be joined by `join_axes`.

    `query` [..., q] and `key` [..., k] give int64 [..., q, k], 0 .. 2 span - 2. Offsets beyond the
    span get the number of the nearest: no score that counts may have one.
    """
    offset = query[..., :, None] - key[..., None, :]
    return offset.clamp(1 - span, span - 1) + span - 1


def join_axes(rows: torch.Tensor, columns: torch.Tensor, span: int) -> torch.Tensor:
    """Join offsets [q, k] of rows and of columns to [q x q, k x k], row by row."""
    joined = rows[:, None, :, None] * (2 * span - 1) + columns[None, :, None, :]
    return joined.flatten(2, 3).flatten(0, 1)
