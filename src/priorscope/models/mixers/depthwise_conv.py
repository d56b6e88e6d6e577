"""Every channel is convolved with a kernel of its own."""

from functools import partial

from pydantic import PositiveInt
from torch import nn

from priorscope.models._checks import check_odd
from priorscope.models.mixers import _reach
from priorscope.models.mixers._pointwise import Between, note_on_covering


def depthwise_conv(*, embed_dim: int, grid_size: int, window_size: PositiveInt = 3) -> nn.Module:
    """Build a depth-wise convolution: local, shared by all places, the same for all images.

    It is zero-padded. Kernels wider than 2 `grid_size` - 1 have weights that never meet a token.

    Source: Han et al. (2021), "Demystifying Local Vision Transformer", arXiv:2106.04263.

    Raises
    ------
    InputError : even window
    """
    check_odd(window_size)
    note = note_on_covering(window_size, grid_size)
    reach = partial(_reach.centred_window, grid_size, window_size)
    mixing = nn.Conv2d(
        embed_dim, embed_dim, window_size, padding=window_size // 2, groups=embed_dim
    )
    return Between(embed_dim, grid_size, mixing, reach, note)
