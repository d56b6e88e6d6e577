"""Every token attends to the window around it."""

import torch
import torch.nn.functional as F
from pydantic import PositiveInt
from torch import nn
from torch.autograd.function import once_differentiable

from priorscope.models._checks import check_odd
from priorscope.models.mixers import _reach
from priorscope.models.mixers._relative_bias import RelativeBias, join_axes, offset_index
from priorscope.models.mixers._self_attention import Attend, SelfAttention, average
from priorscope.models.mixers.global_attention import GlobalAttend

# What it costs to bring one key to a block of queries, in products of a query with a key. It
# reproduces the measured order of block sizes (benchmarks/neighbourhood_attention.py).
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
        last = grid_size - self.num_keys
        self.starts = [  # of the keys of each block, on either axis
            min(max(0, block * block_size - window_size // 2), last)
            for block in range(self.num_blocks)
        ]
        queries = torch.arange(self.num_blocks * block_size).clamp(max=grid_size - 1)
        queries = queries.view(self.num_blocks, block_size)  # of which those past the grid are cut
        keys = torch.tensor(self.starts)[:, None] + torch.arange(self.num_keys)
        near = _reach.inner_window_on_axis(grid_size, window_size)
        near = near[queries[:, :, None], keys[:, None]]  # [blocks, queries, keys]
        self.keys: torch.Tensor
        self.near: torch.Tensor
        self.register_buffer("keys", keys.flatten(), persistent=False)
        self.register_buffer("near", near, persistent=False)
        self.relative = RelativeBias(window_size, num_heads) if bias else None
        if bias:
            self.offsets: torch.Tensor
            offsets = offset_index(queries, keys, window_size)
            self.register_buffer("offsets", offsets, persistent=False)

    def forward(self, qkv: torch.Tensor) -> torch.Tensor:
        """Average values, [batch, tokens, 3, heads, head_dim]; see `Attend`."""
        maps = qkv.unflatten(1, (self.grid_size, self.grid_size))
        table = () if self.relative is None else (self.relative.table,)
        mixed = _RowByRow.apply(self, maps, *table)
        assert isinstance(mixed, torch.Tensor)
        return mixed.flatten(1, 2)

    def rows(self, row: int) -> tuple[slice, slice]:
        """Return the rows of the grid where the queries and the keys of a row of blocks lie."""
        first, start = row * self.block_size, self.starts[row]
        until = min(first + self.block_size, self.grid_size)
        return slice(first, until), slice(start, start + self.num_keys)

    def attend_row(self, query: torch.Tensor, key_value: torch.Tensor, row: int) -> torch.Tensor:
        """Attend from one row of blocks.

        `query` [batch, rows, grid_size, heads, head_dim] and `key_value` [batch, rows, grid_size,
        2, heads, head_dim] are those of the row of blocks; the answer is like `query`.
        """
        batch, num_rows, grid, heads, head_dim = query.shape
        blocks, side, num_keys = self.num_blocks, self.block_size, self.num_keys
        if num_rows < side or blocks * side > grid:
            query = F.pad(query, (0, 0, 0, 0, 0, blocks * side - grid, 0, side - num_rows))
        query = query.reshape(batch, side, blocks, side, heads, head_dim)
        query = query.permute(2, 0, 4, 1, 3, 5).reshape(blocks, batch * heads, side**2, head_dim)
        around = key_value.index_select(2, self.keys)
        around = around.view(batch, num_keys, blocks, num_keys, 2, heads, head_dim)
        key, value = around.permute(4, 2, 0, 5, 1, 3, 6).reshape(
            2, blocks, batch * heads, num_keys**2, head_dim
        )
        mixed = average(query, key, value, self._mask(row, batch))
        mixed = mixed.view(blocks, batch, heads, side, side, head_dim)
        mixed = mixed.permute(1, 3, 0, 4, 2, 5).reshape(batch, side, -1, heads, head_dim)
        return mixed[:, :num_rows, :grid]

    def _mask(self, row: int, batch: int) -> torch.Tensor:
        """Return what a row of blocks may see, or its bias: [blocks, 1 or batch x heads, q, k]."""
        near = self.near[row][None, :, None, :, None] & self.near[:, None, :, None, :]
        near = near.flatten(3, 4).flatten(1, 2)[:, None]
        if self.relative is None:
            return near
        offsets = [
            join_axes(self.offsets[row], columns, self.window_size) for columns in self.offsets
        ]
        bias = self.relative(torch.stack(offsets)).transpose(0, 1)  # [blocks, heads, q, k]
        return bias.masked_fill(~near, -torch.inf).repeat(1, batch, 1, 1)

    def reach(self) -> torch.Tensor:
        """Say which tokens each may attend to: bool [tokens, tokens]."""
        return _reach.inner_window(self.grid_size, self.window_size)

    def bias(self) -> torch.Tensor | None:
        """Return the relative bias [heads, tokens, tokens], or None."""
        if self.relative is None:
            return None
        axis = torch.arange(self.grid_size)
        index = offset_index(axis, axis, self.window_size)
        return self.relative(join_axes(index, index, self.window_size).to(self.keys.device))


class _RowByRow(torch.autograd.Function):
    """Attend from one row of blocks after the other, and again for the gradients.

    What blocks share is copied to each of them, three times the keys and values for a window of 7.
    Kept for one row at a time, the copies are no part of the peak memory; attention is computed
    twice in training instead.
    """

    @staticmethod
    def forward(ctx, attend: BlockedAttend, maps: torch.Tensor, *table: torch.Tensor):
        ctx.attend = attend
        ctx.save_for_backward(maps, *table)
        mixed = torch.empty_like(maps[:, :, :, 0])
        for row in range(attend.num_blocks):
            queries, keys = attend.rows(row)
            row_mixed = attend.attend_row(maps[:, queries, :, 0], maps[:, keys, :, 1:], row)
            mixed[:, queries] = row_mixed
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: torch.Tensor):
        attend, (maps, *table) = ctx.attend, ctx.saved_tensors
        of_maps, of_table = torch.zeros_like(maps), [torch.zeros_like(t) for t in table]
        for row in range(attend.num_blocks):
            queries, keys = attend.rows(row)
            totals = [of_maps[:, queries, :, 0], of_maps[:, keys, :, 1:], *of_table]
            _add_gradients(attend, maps, table, row, gradient[:, queries], totals)
        return None, of_maps, *of_table


def _add_gradients(
    attend: BlockedAttend,
    maps: torch.Tensor,
    table: list[torch.Tensor],
    row: int,
    gradient: torch.Tensor,
    totals: list[torch.Tensor],
) -> None:
    """Add a row's gradients to queries, keys and values, and table to `totals`."""
    queries, keys = attend.rows(row)
    with torch.enable_grad():
        query = maps[:, queries, :, 0].detach().requires_grad_()
        key_value = maps[:, keys, :, 1:].detach().requires_grad_()
        mixed = attend.attend_row(query, key_value, row)
    found = torch.autograd.grad(mixed, [query, key_value, *table], gradient)
    for total, part in zip(totals, found, strict=True):
        total += part


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
    (on small grids all queries are one block), exactly. The multiply-accumulates that
    are counted include what the mask throws away.

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
