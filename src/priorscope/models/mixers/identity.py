"""No token sees another: the control."""

from functools import partial

from torch import nn

from priorscope.models.mixers import _reach
from priorscope.models.mixers._pointwise import Between


def identity(*, embed_dim: int, grid_size: int) -> nn.Module:
    """Build the control that mixes nothing, as attention to a window of one token.

    In a skeleton with mean pooling, it leaves a bag of patches: a task that needs relations between
    patches must be at the level that the patches' counts allow.
    """
    return Between(embed_dim, grid_size, nn.Identity(), partial(_reach.itself, grid_size))
