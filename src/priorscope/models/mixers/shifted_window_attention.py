"""Every token attends to the tile that it lies in; every second block shifts the tiles."""

from pydantic import PositiveInt
from torch import nn

from priorscope.models.mixers._windows import WindowAttention


def shifted_window_attention(
    *,
    embed_dim: int,
    grid_size: int,
    layer: int,
    window_size: PositiveInt = 4,
    num_heads: PositiveInt = 4,
    relative_bias: bool = False,
) -> nn.Module:
    """Build attention within tiles, which blocks 1, 3, ... of a stage shift by half a window.

    As `window_attention` in blocks 0, 2, ...; the shift lets neighbouring tiles exchange. See
    `models/mixers/_windows.py` for the source.

    Raises
    ------
    InputError : the window does not divide the grid, or the heads not the width
    """
    return WindowAttention(
        embed_dim,
        grid_size,
        window_size,
        num_heads,
        shift=window_size // 2 if layer % 2 else 0,
        relative_bias=relative_bias,
    )
