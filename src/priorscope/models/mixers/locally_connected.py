"""Every place has a kernel of its own: a convolution without weight sharing."""

from functools import partial

import torch
from pydantic import PositiveInt
from torch import nn

from priorscope.models._checks import check_divides_channels, check_odd
from priorscope.models._dwnet_blocks import mix_by_position
from priorscope.models.mixers import _reach
from priorscope.models.mixers._pointwise import Between, note_on_covering


class LocalKernels(nn.Module):
    """Weight each place's zero-padded window with the kernel of that place.

    `weight` is [groups, window x window, rows x columns]: neighbouring channels share a group's.
    """

    def __init__(self, embed_dim: int, grid_size: int, window_size: int, group_channels: int):
        super().__init__()
        self.kernel_shape = (window_size, window_size, grid_size, grid_size)
        shape = (embed_dim // group_channels, window_size**2, grid_size**2)
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.empty(embed_dim))
        bound = 1 / window_size  # as PyTorch's depth-wise convolution of that window
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Mix maps [batch, embed_dim, rows, columns]."""
        kernels = self.weight.view(1, -1, *self.kernel_shape).expand(len(maps), -1, -1, -1, -1, -1)
        return mix_by_position(maps.contiguous(), kernels) + self.bias[:, None, None]


def locally_connected(
    *,
    embed_dim: int,
    grid_size: int,
    window_size: PositiveInt = 3,
    group_channels: PositiveInt = 1,
) -> nn.Module:
    """Build local mixing with weights of its own for each place: local, not shared, static.

    With equal kernels everywhere it is `depthwise_conv`. There are `window_size`^2 weights for each
    place and each group of `group_channels` neighbouring channels, which share them; of these, the
    ones that fall outside the grid never meet a token. Its multiply-accumulates are not counted.

    Raises
    ------
    InputError : even window, or the group does not divide the width
    """
    check_odd(window_size)
    check_divides_channels("group_channels", group_channels, embed_dim)
    mixing = LocalKernels(embed_dim, grid_size, window_size, group_channels)
    note = note_on_covering(window_size, grid_size)
    reach = partial(_reach.centred_window, grid_size, window_size)
    return Between(embed_dim, grid_size, mixing, reach, note)
