"""Time other ways to compute neighbourhood attention, and all block sizes: how ours was chosen.

    python benchmarks/neighbourhood_attention.py [--grid N] [--window N] [--repeats N]

All ways are exact; each trains on the same noise (forward and backward), in turns in one process.
"products" is what a query costs in products with keys, what is thrown away under masks included.
"""

import argparse
import statistics
import time

import torch

from priorscope.models.mixers import _reach
from priorscope.models.mixers._self_attention import Attend, SelfAttention
from priorscope.models.mixers.global_attention import GlobalAttend
from priorscope.models.mixers.neighbourhood_attention import BlockedAttend, choose_block
from priorscope.runs.environment import describe

DIM, HEADS = 80, 4


class GatheringAttend(Attend):
    """Return every query a copy of its window's keys and values."""

    def __init__(self, grid_size: int, window_size: int):
        super().__init__(grid_size)
        near = _reach.inner_window(grid_size, window_size)
        self.keys = near.nonzero()[:, 1].view(grid_size**2, window_size**2)

    def forward(self, qkv: torch.Tensor) -> torch.Tensor:
        """Average values, [batch, tokens, 3, heads, head_dim]."""
        query, key, value = qkv.unbind(2)
        key, value = key[:, self.keys], value[:, self.keys]  # [batch, tokens, keys, heads, d]
        query = query * query.shape[-1] ** -0.5
        weights = torch.einsum("bqhd,bqkhd->bqhk", query, key).softmax(-1)
        return torch.einsum("bqhk,bqkhd->bqhd", weights, value)


class OffsetAttend(Attend):
    """Go through the places of the window, all queries at a time."""

    def __init__(self, grid_size: int, window_size: int):
        super().__init__(grid_size)
        near = _reach.inner_window_on_axis(grid_size, window_size)
        self.places = near.nonzero()[:, 1].view(grid_size, window_size).T

    def forward(self, qkv: torch.Tensor) -> torch.Tensor:
        """Average values, [batch, tokens, 3, heads, head_dim]."""
        maps = qkv.unflatten(1, (self.grid_size, self.grid_size))
        query, key, value = maps.unbind(3)
        query = query * query.shape[-1] ** -0.5
        scores = [(query * place).sum(-1) for place in self.shifted(key)]
        weights = torch.stack(scores, -1).softmax(-1).unbind(-1)
        mixed = torch.zeros_like(query)
        for weight, place in zip(weights, self.shifted(value), strict=True):
            mixed = mixed + weight[..., None] * place
        return mixed.flatten(1, 2)

    def shifted(self, maps: torch.Tensor):
        """Return for each place of the window what lies there."""
        for rows in self.places:
            for columns in self.places:
                yield maps.index_select(1, rows).index_select(2, columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--grid", type=int, default=64)
    parser.add_argument("--window", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    grid, window = arguments.grid, arguments.window
    torch.manual_seed(0)
    dense = GlobalAttend(grid, HEADS, mask=_reach.inner_window(grid, window))
    ways: dict[str, tuple[Attend, int]] = {"mask of all pairs": (dense, grid**2)}
    ways["a copy of its keys for each query"] = (GatheringAttend(grid, window), window**2)
    ways["place by place of the window"] = (OffsetAttend(grid, window), window**2)
    chosen = choose_block(grid, window)
    for block in sorted({2, 4, 6, 8, 12, 16, chosen} - {grid}):
        attend = BlockedAttend(grid, window, HEADS, block, bias=False)
        shown = f"blocks of {block} x {block}" + (" (chosen)" if block == chosen else "")
        ways[shown] = (attend, attend.num_keys**2)

    mixer = SelfAttention(DIM, HEADS, dense)
    tokens = torch.randn(1, grid**2, DIM, requires_grad=True)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(arguments.repeats + 1):
        for name, (attend, _) in ways.items():
            mixer.attend = attend
            start = time.perf_counter()
            output = mixer(tokens)
            output.square().sum().backward()
            if repeat:  # the first fills caches, and shows that all ways give the same
                seconds[name].append(time.perf_counter() - start)
            elif name == "mask of all pairs":
                expected = output.detach()
            else:
                torch.testing.assert_close(output, expected)
    print(f"window {window}, grid {grid} x {grid}, width {DIM}, {HEADS} heads, batch 1\n")
    print(f"{'way':<36}{'products':>9}{'median ms':>11}{'best ms':>9}{'speed-up':>10}")
    base = seconds["mask of all pairs"]
    for name, (_, products) in ways.items():
        times = seconds[name]
        faster = statistics.median(a / b for a, b in zip(base, times, strict=True))
        row = f"{name:<36}{products:>9,}{1e3 * statistics.median(times):>11.1f}"
        print(f"{row}{1e3 * min(times):>9.1f}{faster:>10.1f}")
    print(f"\n{describe()}")


if __name__ == "__main__":
    main()
