"""Depth-wise mixing whose kernels follow, at each place, from the token there."""

from functools import partial

from pydantic import PositiveInt
from torch import nn

from priorscope.models._checks import check_divides_channels, check_odd
from priorscope.models._dwnet_blocks import InhomogeneousMixing
from priorscope.models.mixers import _reach
from priorscope.models.mixers._pointwise import Between, note_on_covering


def dynamic_conv_inhomogeneous(
    *,
    embed_dim: int,
    grid_size: int,
    window_size: PositiveInt = 3,
    reduction: PositiveInt = 4,
    group_channels: PositiveInt = 16,
) -> nn.Module:
    """Build depth-wise mixing with a kernel for each place, predicted there: local and dynamic.

    `group_channels` neighbouring channels share a kernel; `reduction` is by how much the predictor
    of the kernels narrows. Its multiply-accumulates are not counted but for the predictor.

    Source: Han et al. (2021), "Demystifying Local Vision Transformer", arXiv:2106.04263; see
    `dwnet` for what is inferred.

    Raises
    ------
    InputError : even window, or the reduction or the group does not divide the width
    """
    check_odd(window_size)
    check_divides_channels("reduction", reduction, embed_dim)
    check_divides_channels("group_channels", group_channels, embed_dim)
    mixing = InhomogeneousMixing(embed_dim, window_size, reduction, group_channels)
    note = note_on_covering(window_size, grid_size)
    reach = partial(_reach.centred_window, grid_size, window_size)
    return Between(embed_dim, grid_size, mixing, reach, note)
