"""A depth-wise convolution whose kernels follow from the image's mean."""

from functools import partial

from pydantic import PositiveInt
from torch import nn

from priorscope.models._checks import check_divides_channels, check_odd
from priorscope.models._dwnet_blocks import HomogeneousMixing
from priorscope.models.mixers import _reach
from priorscope.models.mixers._pointwise import Between, note_on_covering


def dynamic_conv_homogeneous(
    *,
    embed_dim: int,
    grid_size: int,
    window_size: PositiveInt = 3,
    reduction: PositiveInt = 4,
) -> nn.Module:
    """Build a depth-wise convolution that is predicted from the mean token: shared and dynamic.

    What it mixes is the window, but since its kernels see the whole image, so does every output.
    `reduction` is by how much the predictor of the kernels narrows.

    Source: Han et al. (2021), "Demystifying Local Vision Transformer", arXiv:2106.04263.

    Raises
    ------
    InputError : even window, or the reduction does not divide the width
    """
    check_odd(window_size)
    check_divides_channels("reduction", reduction, embed_dim)
    mixing = HomogeneousMixing(embed_dim, window_size, reduction)
    note = note_on_covering(window_size, grid_size)
    return Between(embed_dim, grid_size, mixing, partial(_reach.everywhere, grid_size), note)
