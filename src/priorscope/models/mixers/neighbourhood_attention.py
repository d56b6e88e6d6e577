"""Every token attends to the window around it."""

import torch
import torch.nn.functional as F
from pydantic import PositiveInt
from torch import nn

from priorscope.models._checks import check_odd
from priorscope.models.mixers import _reach
from priorscope.models.mixers._relative_bias import RelativeBias, join_axes, offset_index
from priorscope.models.mixers._self_attention import Attend, SelfAttention
from priorscope.models.mixers.global_attention import GlobalAttend

# What it costs to bring one key to a block of queries, in products of a query with a key. It
# reproduces the measured order of block sizes (benchmarks/mixers.py --blocks).
GATHER_COST = 48


class BlockedAttend(Attend):
    """Attend to the window, block by block: a block's queries share the keys around the block.

    A block of b x b queries sees the (b + window - 1)^2 keys that the union of its windows needs,
    and a mask leaves each query its own. Time and memory are linear in the tokens.
    """

    def __init__(
        self, grid_size: int, window_size: int, num_heads: int, block_size: int, *, bias: bool
    ):
        super().__init__(grid_size)
        self.window_size, self.block_size = window_size, block_size
        self.num_blocks = -(-grid_size // block_size)
        self.num_keys = min(block_size + window_size - 1, grid_size)
        queries = torch.arange(self.num_blocks * block_size).clamp(max=grid_size - 1)
        start = torch.arange(self.num_blocks) * block_size - window_size // 2
        start = start.clamp(0, grid_size - self.num_keys)
        keys = start[:, None] + torch.arange(self.num_keys)  # [blocks, keys], one axis
        queries = queries.view(self.num_blocks, block_size)  # of which those past the grid are cut
        near = _reach.inner_window_on_axis(grid_size, window_size)
        near = near[queries[:, :, None], keys[:, None]]  # [blocks, queries, keys]
        self.keys: torch.Tensor
        self.mask: torch.Tensor
        self.register_buffer("keys", keys.flatten(), persistent=False)
        self.register_buffer("mask", _join_blocks(near), persistent=False)
        self.relative = RelativeBias(window_size, num_heads) if bias else None
        if bias:
            offsets = offset_index(queries, keys, window_size)
            self.offsets: torch.Tensor
            joined = [
                join_axes(rows, columns, window_size) for rows in offsets for columns in offsets
            ]
            self.register_buffer("offsets", torch.stack(joined), persistent=False)

    def forward(self, qkv: torch.Tensor) -> torch.Tensor:
        """Average values, [batch, tokens, 3, heads, head_dim]; see `Attend`."""
        batch, _, _, heads, head_dim = qkv.shape
        grid, blocks, side = self.grid_size, self.num_blocks, self.block_size
        width = heads * head_dim
        maps = qkv.reshape(batch, grid, grid, 3 * width)
        query, key_value = maps.split((width, 2 * width), dim=-1)
        if surplus := blocks * side - grid:
            query = F.pad(query, (0, 0, 0, surplus, 0, surplus))
        query = query.reshape(batch, blocks, side, blocks, side, heads, head_dim)
        query = query.permute(1, 3, 0, 5, 2, 4, 6).reshape(blocks**2, batch, heads, side**2, -1)
        key_value = key_value.index_select(1, self.keys).index_select(2, self.keys)
        key_value = key_value.view(
            batch, blocks, self.num_keys, blocks, self.num_keys, 2, heads, head_dim
        ).permute(5, 1, 3, 0, 6, 2, 4, 7)
        key, value = key_value.reshape(2, blocks**2, batch, heads, self.num_keys**2, -1)
        mixed = self._attend(query, key, value)
        mixed = mixed.view(blocks, blocks, batch, heads, side, side, head_dim)
        mixed = mixed.permute(2, 0, 4, 1, 5, 3, 6).reshape(
            batch, blocks * side, blocks * side, heads, head_dim
        )
        return mixed[:, :grid, :grid].flatten(1, 2)

    def _attend(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """Attend within blocks: tensors [blocks, batch, heads, queries or keys, head_dim]."""
        if self.relative is None:
            # Fused attention takes four axes; all images and heads share a block's mask.
            folded = (tensor.flatten(1, 2) for tensor in (query, key, value))
            mask = self.mask[:, None]
            return F.scaled_dot_product_attention(*folded, attn_mask=mask).view_as(query)
        bias = self.relative(self.offsets).transpose(0, 1)  # [blocks, heads, queries, keys]
        bias = bias.masked_fill(~self.mask[:, None], -torch.inf)[:, None]
        return F.scaled_dot_product_attention(query, key, value, attn_mask=bias)

    def reach(self) -> torch.Tensor:
        """Say which tokens each may attend to: bool [tokens, tokens]."""
        return _reach.inner_window(self.grid_size, self.window_size)

    def bias(self) -> torch.Tensor | None:
        """Give the relative bias [heads, tokens, tokens], or None."""
        if self.relative is None:
            return None
        axis = torch.arange(self.grid_size)
        index = offset_index(axis, axis, self.window_size)
        return self.relative(join_axes(index, index, self.window_size).to(self.mask.device))


def _join_blocks(near: torch.Tensor) -> torch.Tensor:
    """Join what queries see on each axis, [b, q, k], to what they see: [b x b, q x q, k x k]."""
    joined = near[:, None, :, None, :, None] & near[None, :, None, :, None, :]
    return joined.flatten(4, 5).flatten(2, 3).flatten(0, 1)


def choose_block(grid_size: int, window_size: int) -> int:
    """Find the block size that costs least; `grid_size` itself is dense attention with a mask."""

    def cost(block_size: int) -> float:
        if block_size == grid_size:
            return grid_size**4
        num_blocks = -(-grid_size // block_size)
        num_keys = min(block_size + window_size - 1, grid_size)
        return (num_blocks * num_keys) ** 2 * (block_size**2 + GATHER_COST)

    return min(range(1, grid_size + 1), key=cost)


def neighbourhood_attention(
    *,
    embed_dim: int,
    grid_size: int,
    window_size: PositiveInt = 3,
    num_heads: PositiveInt = 4,
    relative_bias: bool = False,
) -> nn.Module:
    """Build attention of every token to the `window_size` x `window_size` tokens around it.

    A window that meets the border moves inside the grid, so every token sees equally many. A window
    that covers the grid is global attention.

    Source: Hassani et al. (2022), "Neighborhood Attention Transformer", arXiv:2204.07143. The
    computation is not theirs: blocks of queries attend to the keys around the block under a mask
    (on small grids all queries are one block), exactly.

    Raises
    ------
    InputError : even window, or the heads do not divide the width
    """
    check_odd(window_size)
    covers = window_size >= grid_size
    note = (
        f"window_size {window_size} covers the grid of {grid_size} x {grid_size}: global attention"
        if covers
        else None
    )
    window_size = min(window_size, grid_size)
    block_size = choose_block(grid_size, window_size)
    attend: Attend
    if block_size == grid_size:
        mask = None if covers else _reach.inner_window(grid_size, window_size)
        span = window_size if relative_bias else None
        attend = GlobalAttend(grid_size, num_heads, mask=mask, span=span)
    else:
        attend = BlockedAttend(grid_size, window_size, num_heads, block_size, bias=relative_bias)
    return SelfAttention(embed_dim, num_heads, attend, note)
