"""Every channel's tokens go through one MLP over places."""

from functools import partial

import torch
from pydantic import PositiveFloat
from torch import nn

from priorscope.models.mixers import _reach
from priorscope.models.mixers._pointwise import Between


class TokenMLP(nn.Module):
    """Mix the places of each channel by linear, GELU, linear; all channels share the weights."""

    def __init__(self, num_tokens: int, hidden: int):
        super().__init__()
        self.fc1 = nn.Linear(num_tokens, hidden)
        self.fc2 = nn.Linear(hidden, num_tokens)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Mix maps [batch, embed_dim, rows, columns]."""
        mixed = self.fc2(nn.functional.gelu(self.fc1(maps.flatten(2))))
        return mixed.unflatten(2, maps.shape[2:])


def global_static(
    *, embed_dim: int, grid_size: int, token_mlp_ratio: PositiveFloat = 0.5
) -> nn.Module:
    """Build the token mixing of MLP-Mixer: global, not shared by places, the same for all images.

    The MLP over places has `token_mlp_ratio` hidden units for each unit of `embed_dim`.

    Source: Tolstikhin et al. (2021), "MLP-Mixer", arXiv:2105.01601. Deviation: it stands between
    linear layers on each token, as all mixers here.
    """
    hidden = max(1, round(token_mlp_ratio * embed_dim))
    mixing = TokenMLP(grid_size**2, hidden)
    return Between(embed_dim, grid_size, mixing, partial(_reach.everywhere, grid_size))
