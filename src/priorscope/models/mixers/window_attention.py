"""Every token attends to the tile that it lies in."""

from pydantic import PositiveInt
from torch import nn

from priorscope.models.mixers._windows import WindowAttention


def window_attention(
    *,
    embed_dim: int,
    grid_size: int,
    window_size: PositiveInt = 4,
    num_heads: PositiveInt = 4,
    relative_bias: bool = False,
) -> nn.Module:
    """Build attention within the tiles of `window_size` x `window_size` tokens (even ones too).

    No token ever sees beyond its tile, however many blocks follow each other. A window that covers
    the grid is global attention. See `models/mixers/_windows.py` for the source.

    Raises
    ------
    InputError : the window does not divide the grid, or the heads not the width
    """
    return WindowAttention(
        embed_dim, grid_size, window_size, num_heads, relative_bias=relative_bias
    )
