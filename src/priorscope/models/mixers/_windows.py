"""Attention within the tiles of a grid, which may be shifted: what both window mixers share."""

import torch
from torch import nn

from priorscope.errors import InputError
from priorscope.models._checks import check_heads
from priorscope.models.mixers import _reach
from priorscope.models.mixers._relative_bias import RelativeBias, join_axes, offset_index
from priorscope.models.mixers._self_attention import attention_scores, average, heads_first


class WindowAttention(nn.Module):
    """Multi-head self-attention within the tiles of a grid.

    Tiles start `shift` rows and columns into the grid. A shifted tile that meets the border is cut
    off by it: the parts of the grid that share a window after the cyclic shift do not see each
    other.

    Source: Liu et al. (2021), "Swin Transformer", arXiv:2103.14030, sections 3.1 and 3.2.
    Deviation: what tokens of a window may not see is masked by minus infinity, not by -100.

    Raises
    ------
    InputError : the window does not divide the grid, or the heads not the width
    """

    def __init__(
        self,
        embed_dim: int,
        grid_size: int,
        window_size: int,
        num_heads: int,
        *,
        shift: int = 0,
        relative_bias: bool,
    ):
        super().__init__()
        check_heads(num_heads, embed_dim)
        self.note = (
            f"window_size {window_size} covers the grid of {grid_size} x {grid_size}: "
            "global attention"
            if window_size >= grid_size
            else None
        )
        window_size = min(window_size, grid_size)
        if grid_size % window_size:
            raise InputError(
                "the window must divide the grid",
                where="window_size",
                found=f"window_size {window_size}, grid of {grid_size} x {grid_size}",
                allowed=[w for w in range(1, grid_size + 1) if grid_size % w == 0],
            )
        self.grid_size, self.window_size, self.num_heads = grid_size, window_size, num_heads
        self.shift = shift if window_size < grid_size else 0
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.relative = RelativeBias(window_size, num_heads) if relative_bias else None
        if relative_bias:
            axis = offset_index(torch.arange(window_size), torch.arange(window_size), window_size)
            self.offsets: torch.Tensor
            joined = join_axes(axis, axis, window_size)
            self.register_buffer("offsets", joined, persistent=False)
        self.mask: torch.Tensor | None
        self.register_buffer("mask", self._mask() if self.shift else None, persistent=False)

    def _mask(self) -> torch.Tensor:
        """Say who sees whom in each window after the shift: bool [windows, tokens, tokens]."""
        tiles = _reach.tile_on_axis(self.grid_size, self.window_size, self.shift)
        tiles = tiles.roll(-self.shift).view(-1, self.window_size)
        same = tiles[:, :, None] == tiles[:, None]  # [windows, tokens, tokens] on one axis
        joined = same[:, None, :, None, :, None] & same[None, :, None, :, None, :]
        return joined.flatten(4, 5).flatten(2, 3).flatten(0, 1)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Mix tokens [batch, tokens, embed_dim]."""
        qkv = self.qkv(self._to_windows(tokens)).unflatten(2, (3, self.num_heads, -1))
        query, key, value = heads_first(qkv)  # each [batch x windows, heads, tokens, head_dim]
        mask = None if self.relative is None else self.relative(self.offsets)
        if self.mask is not None:
            allowed = self.mask[:, None]
            mask = allowed if mask is None else mask.masked_fill(~allowed, -torch.inf)
            mask = mask.repeat(len(tokens), 1, 1, 1)
        mixed = average(query, key, value, mask)
        return self.proj(self._from_windows(mixed.transpose(1, 2).flatten(2)))

    def _to_windows(self, tokens: torch.Tensor) -> torch.Tensor:
        """Rearrange [batch, tokens, embed_dim] to [batch x windows, tokens, embed_dim]."""
        side, embed_dim = self.window_size, tokens.shape[2]
        maps = tokens.unflatten(1, (self.grid_size, self.grid_size))
        if self.shift:
            maps = maps.roll((-self.shift, -self.shift), (1, 2))
        tiled = maps.unflatten(2, (-1, side)).unflatten(1, (-1, side)).transpose(2, 3)
        return tiled.reshape(-1, side**2, embed_dim)

    def _from_windows(self, windows: torch.Tensor) -> torch.Tensor:
        """Undo `_to_windows`."""
        side, grid = self.window_size, self.grid_size
        num_windows = grid // side
        tiled = windows.view(-1, num_windows, num_windows, side, side, windows.shape[2])
        maps = tiled.transpose(2, 3).reshape(-1, grid, grid, windows.shape[2])
        if self.shift:
            maps = maps.roll((self.shift, self.shift), (1, 2))
        return maps.flatten(1, 2)

    def weights(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return weights [batch, heads, tokens, tokens] for tokens [batch, tokens, embed_dim]."""
        query, key, _ = heads_first(self.qkv(tokens).unflatten(2, (3, self.num_heads, -1)))
        scores = attention_scores(query, key)
        if self.relative is not None:
            # Within a tile, rows and columns differ by less than the window.
            axis = torch.arange(self.grid_size, device=tokens.device)
            index = offset_index(axis, axis, self.window_size)
            scores = scores + self.relative(join_axes(index, index, self.window_size))
        return scores.masked_fill(~self.reach().to(tokens.device), -torch.inf).softmax(-1)

    def reach(self) -> torch.Tensor:
        """Say which tokens each token's output may depend on: bool [tokens, tokens]."""
        return _reach.tile(self.grid_size, self.window_size, self.shift)
