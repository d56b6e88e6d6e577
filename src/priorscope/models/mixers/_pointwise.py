"""The frame of the mixers that are no attention: a linear layer on each token on either side."""

from collections.abc import Callable

import torch
from torch import nn


class Between(nn.Module):
    """Apply `mixing`, a module on maps [batch, embed_dim, rows, columns], between linear layers.

    `reach` gives bool [tokens, tokens], as `reach()` of the mixers does.
    """

    def __init__(
        self,
        embed_dim: int,
        grid_size: int,
        mixing: nn.Module,
        reach: Callable[[], torch.Tensor],
        note: str | None = None,
    ):
        super().__init__()
        self.grid_size, self.reach, self.note = grid_size, reach, note
        self.value = nn.Linear(embed_dim, embed_dim)
        self.mixing = mixing
        self.proj = nn.Linear(embed_dim, embed_dim)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Mix tokens [batch, tokens, embed_dim]."""
        maps = self.value(tokens).transpose(1, 2).unflatten(2, (self.grid_size, self.grid_size))
        return self.proj(self.mixing(maps).flatten(2).transpose(1, 2))


def note_on_covering(window_size: int, grid_size: int) -> str | None:
    """Say that a window which is cut off at the border reaches from every place to every other."""
    if window_size // 2 < grid_size - 1:
        return None
    return (
        f"window_size {window_size} reaches across the grid of {grid_size} x {grid_size}: "
        "global mixing"
    )
