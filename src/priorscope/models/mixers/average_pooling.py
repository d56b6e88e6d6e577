"""Every token becomes the mean of the window around it."""

from functools import partial

from pydantic import PositiveInt
from torch import nn

from priorscope.models._checks import check_odd
from priorscope.models.mixers import _reach
from priorscope.models.mixers._pointwise import Between, note_on_covering


def average_pooling(*, embed_dim: int, grid_size: int, window_size: PositiveInt = 3) -> nn.Module:
    """Build the mean over the odd window around each token; mixing has no parameters.

    At the border the mean is over the tokens that are there.

    Source: Yu et al. (2021), "MetaFormer Is Actually What You Need for Vision", arXiv:2111.11418.
    Deviations: between linear layers, as all mixers here, and the token itself is not subtracted.

    Raises
    ------
    InputError : even window
    """
    check_odd(window_size)
    note = note_on_covering(window_size, grid_size)
    reach = partial(_reach.centred_window, grid_size, window_size)
    pool = nn.AvgPool2d(window_size, 1, window_size // 2, count_include_pad=False)
    return Between(embed_dim, grid_size, pool, reach, note)
