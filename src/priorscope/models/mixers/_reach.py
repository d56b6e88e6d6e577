"""Which tokens a token's output may depend on: bool [tokens, tokens], rows are outputs."""

import torch


def everywhere(grid_size: int) -> torch.Tensor:
    """Let every token depend on all."""
    return torch.ones(grid_size**2, grid_size**2, dtype=torch.bool)


def itself(grid_size: int) -> torch.Tensor:
    """Let every token depend on itself only."""
    return torch.eye(grid_size**2, dtype=torch.bool)


def centred_window(grid_size: int, window_size: int) -> torch.Tensor:
    """Let every token depend on the odd window around it, cut off at the border."""
    position = torch.arange(grid_size)
    near = (position[:, None] - position).abs() <= window_size // 2
    return torch.kron(near, near)  # rows x columns; torch.kron of bool is logical and


def inner_window(grid_size: int, window_size: int) -> torch.Tensor:
    """Let every token depend on exactly `window_size` x `window_size` tokens.

    These are the tokens around it or, near the border, the nearest window that lies inside the
    grid; all tokens where the window covers the grid.

    Source: Hassani et al. (2022), "Neighborhood Attention Transformer", arXiv:2204.07143.
    """
    near = inner_window_on_axis(grid_size, window_size)
    return torch.kron(near, near)


def inner_window_on_axis(grid_size: int, window_size: int) -> torch.Tensor:
    """Return `inner_window` along one side of the grid: bool [grid_size, grid_size]."""
    window_size = min(window_size, grid_size)
    position = torch.arange(grid_size)
    start = (position - window_size // 2).clamp(0, grid_size - window_size)[:, None]
    return (start <= position) & (position < start + window_size)


def tile(grid_size: int, window_size: int, shift: int) -> torch.Tensor:
    """Let every token depend on its tile of a tiling that starts `shift` tokens into the grid.

    Tiles are `window_size` x `window_size`; those at the border are cut off by it.
    """
    tiles = tile_on_axis(grid_size, window_size, shift)
    same = tiles[:, None] == tiles
    return torch.kron(same, same)


def tile_on_axis(grid_size: int, window_size: int, shift: int) -> torch.Tensor:
    """Number the tiles along one side of the grid: int64 [grid_size]."""
    return (torch.arange(grid_size) - shift + window_size).div(window_size, rounding_mode="floor")
