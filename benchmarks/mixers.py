"""Time the attention mixers against timm's blocks, by tokens, and against attention under a mask.

    python benchmarks/mixers.py [--repeats N] [--threads N]
    python benchmarks/mixers.py --device cuda

Three tables, each with its bound: training throughput at 64 tokens beside the nearest block of
timm; cost against the number of tokens; time and peak memory of neighbourhood attention at 4,096
tokens beside dense attention under a mask. What is compared takes turns in one process; a ratio is
the median over the turns, with a 95 % interval (order statistics). A bound is met where the ratio
meets it, missed where the whole interval does not. The exit code is 1 when a bound is missed.
`benchmarks/neighbourhood_attention.py` compares other ways to compute the same. The bounds were set
for CPUs; on a GPU a time ends when the device has finished, and peak memory is that of PyTorch's
allocator there.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from scipy import stats
from timm.models.convit import Block as ConViTBlock
from timm.models.swin_transformer import SwinTransformerBlock
from timm.models.vision_transformer import Block as ViTBlock
from torch import nn

from priorscope.components import resolve
from priorscope.models._skeleton import Block
from priorscope.models.mixers import _reach
from priorscope.models.mixers._self_attention import SelfAttention
from priorscope.models.mixers.global_attention import GlobalAttend
from priorscope.runs.environment import describe

DIM, HEADS, MLP_RATIO, DEPTH = 80, 4, 3.0, 4
GRID, BATCH = 8, 64
LARGE, WINDOW = 64, 7  # 4,096 tokens
Step = Callable[[], object]


class OnMaps(nn.Module):
    """Let Swin's blocks, which take maps, take tokens."""

    def __init__(self, *blocks: nn.Module):
        super().__init__()
        self.blocks = nn.Sequential(*blocks)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map tokens [batch, tokens, embed_dim] to the same shape."""
        return self.blocks(tokens.unflatten(1, (GRID, GRID))).flatten(1, 2)


def our_blocks(name: str, **parameters) -> nn.Module:
    """Stack the skeleton's blocks with one mixer."""
    layers = []
    for layer in range(DEPTH):
        own = {"layer": layer} if name == "shifted_window_attention" else {}
        mixer = our_mixer(name, GRID, **own, **parameters)
        layers.append(Block(DIM, round(MLP_RATIO * DIM), mixer))
    return nn.Sequential(*layers)


def our_mixer(name: str, grid_size: int, **parameters) -> nn.Module:
    function = resolve("mixers", name, base=Path())
    return function(embed_dim=DIM, grid_size=grid_size, num_heads=HEADS, **parameters)


def timm_blocks(kind: str) -> nn.Module:
    """Stack timm's blocks of the same width and depth."""
    shape = {"num_heads": HEADS, "mlp_ratio": MLP_RATIO, "qkv_bias": True}
    if kind == "vit":
        return nn.Sequential(*(ViTBlock(DIM, **shape) for _ in range(DEPTH)))
    if kind == "convit":
        return nn.Sequential(*(ConViTBlock(DIM, **shape) for _ in range(DEPTH)))
    shape |= {"input_resolution": (GRID, GRID), "window_size": 4}
    shifts = [2 * (layer % 2) if kind == "shifted swin" else 0 for layer in range(DEPTH)]
    return OnMaps(*(SwinTransformerBlock(DIM, shift_size=shift, **shape) for shift in shifts))


def masked_dense(grid_size: int) -> nn.Module:
    """Build neighbourhood attention as fused dense attention under a mask of all pairs."""
    mask = _reach.inner_window(grid_size, WINDOW)
    return SelfAttention(DIM, HEADS, GlobalAttend(grid_size, HEADS, mask=mask))


AGAINST_TIMM = [
    ("global_attention", {}, "vit"),
    ("neighbourhood_attention", {"window_size": 3}, "vit"),
    ("window_attention", {"window_size": 4}, "swin"),
    ("window_attention", {"window_size": 4, "relative_bias": True}, "swin"),
    ("shifted_window_attention", {"window_size": 4}, "shifted swin"),
    ("shifted_window_attention", {"window_size": 4, "relative_bias": True}, "shifted swin"),
    ("gated_positional_attention", {}, "convit"),
    ("routed_attention", {}, "vit"),
    ("top_k_attention", {}, "vit"),
]


GROWING = [
    ("neighbourhood_attention", {"window_size": 7}),
    ("window_attention", {"window_size": 8}),
]
LARGE_MIXERS: dict[str, Callable[[], nn.Module]] = {
    "blocks": lambda: our_mixer("neighbourhood_attention", LARGE, window_size=WINDOW),
    "mask": lambda: masked_dense(LARGE),
}


def step_of(
    module: nn.Module, num_tokens: int, batch: int, device: torch.device, *, training: bool = True
) -> Step:
    """Return a forward pass on noise, with a backward pass in training; it waits for the device."""
    module.to(device)
    tokens = torch.randn(batch, num_tokens, DIM, device=device, requires_grad=training)

    def step() -> None:
        with torch.set_grad_enabled(training):
            output = module(tokens)
        if training:
            output.sum().backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return step


def in_turns(steps: Mapping[str, Step], repeats: int) -> dict[str, list[float]]:
    """Time each in turn, in seconds; every second round goes backwards."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for repeat in range(repeats + 2):
        for name in list(steps)[:: 1 if repeat % 2 else -1]:
            start = time.perf_counter()
            steps[name]()
            if repeat >= 2:  # the first fill caches
                seconds[name].append(time.perf_counter() - start)
    return seconds


def judge(above: list[float], below: list[float], sign: str, bound: float) -> tuple[str, bool]:
    """Write the ratio of times with its interval and bound, and say whether it misses the bound."""
    ratios = sorted(a / b for a, b in zip(above, below, strict=True))
    outside = int(stats.binom.ppf(0.025, len(ratios), 0.5))
    low, high = ratios[max(0, outside - 1)], ratios[min(len(ratios) - 1, len(ratios) - outside)]
    ratio = statistics.median(ratios)
    met = ratio >= bound if sign == ">=" else ratio <= bound
    missed = high < bound if sign == ">=" else low > bound
    words = "yes" if met else "NO" if missed else "not told apart"
    return f"{ratio:>7.2f}  [{low:5.2f}, {high:5.2f}]{f'{sign} {bound:g}':>8}  {words}", missed


def compare_with_timm(repeats: int, device: torch.device) -> bool:
    print(f"training, {GRID**2} tokens, {DEPTH} blocks of width {DIM}, batch {BATCH}, images/s")
    print(f"{'mixer':<40}{'ours':>6}  {'timm block':<12}{'timm':>6}{'ratio':>7}{'bound':>24}")
    missed = False
    for name, parameters, kind in AGAINST_TIMM:
        modules = {"ours": our_blocks(name, **parameters), "timm": timm_blocks(kind)}
        steps = {who: step_of(module, GRID**2, BATCH, device) for who, module in modules.items()}
        seconds = in_turns(steps, repeats)
        ours, timms = (BATCH / statistics.median(times) for times in seconds.values())
        words, is_missed = judge(seconds["timm"], seconds["ours"], ">=", 1)
        shown = name + (", relative bias" if "relative_bias" in parameters else "")
        print(f"{shown:<40}{ours:>6,.0f}  {kind:<12}{timms:>6,.0f}{words}")
        missed |= is_missed
    return missed


def compare_sizes(repeats: int, device: torch.device) -> bool:
    print("\ntraining of the mixer alone, batch 1, ms")
    print(f"{'mixer':<40}{'1,024':>8}{'4,096 tokens':>14}{'ratio':>7}{'bound':>24}")
    missed = False
    for name, parameters in GROWING:
        steps = {
            f"{grid}": step_of(our_mixer(name, grid, **parameters), grid**2, 1, device)
            for grid in (32, 64)
        }
        seconds = in_turns(steps, repeats)
        small, large = (1e3 * statistics.median(times) for times in seconds.values())
        words, is_missed = judge(seconds["64"], seconds["32"], "<=", 4.6)
        shown = f"{name}, window_size {parameters['window_size']}"
        print(f"{shown:<40}{small:>8.1f}{large:>14.1f}{words}")
        missed |= is_missed
    return missed


def compare_with_mask(repeats: int, device: torch.device) -> bool:
    print(f"\nneighbourhood attention, window_size {WINDOW}, {LARGE**2:,} tokens, batch 1")
    print(f"{'':<40}{'blocks':>8}{'under a mask':>14}{'ratio':>7}{'bound':>24}")
    missed = False
    for training in (False, True):
        words = "forward and backward" if training else "forward"
        steps = {
            name: step_of(make(), LARGE**2, 1, device, training=training)
            for name, make in LARGE_MIXERS.items()
        }
        seconds = in_turns(steps, max(3, repeats // 4))
        ours, dense = (1e3 * statistics.median(times) for times in seconds.values())
        judged, is_missed = judge(seconds["mask"], seconds["blocks"], ">=", 4)
        print(f"{words + ', ms':<40}{ours:>8.1f}{dense:>14.1f}{judged}")
        missed |= is_missed
        memory = [peak_mib(name, training, device) for name in LARGE_MIXERS]
        judged, is_missed = judge(memory[:1], memory[1:], "<=", 0.25)
        print(f"{words + ', MiB':<40}{memory[0]:>8.1f}{memory[1]:>14.1f}{judged}")
        missed |= is_missed
    return missed


def peak_mib(name: str, training: bool, device: torch.device) -> float:
    """Measure the peak memory of a mixer and one step of it, in a process of its own."""
    command = [sys.executable, __file__, "--device", str(device), "--peak", name]
    command += ["--training"] if training else []
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_peak(name: str, training: bool, device: torch.device) -> None:
    # A step on few tokens first: what PyTorch sets up once is not the mixer's.
    step_of(our_mixer("neighbourhood_attention", 8), 64, 1, device, training=training)()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        Path("/proc/self/clear_refs").write_text("5")  # from here on, Linux counts the peak anew
    before = _peak_kib(device)
    step_of(LARGE_MIXERS[name](), LARGE**2, 1, device, training=training)()
    print((_peak_kib(device) - before) / 1024)


def _peak_kib(device: torch.device) -> float:
    """Read the peak since it was last reset, at which it is what is held just then."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1024
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", type=torch.device, default="cpu", help="cpu, cuda or cuda:1")
    parser.add_argument("--peak", choices=LARGE_MIXERS, help=argparse.SUPPRESS)
    parser.add_argument("--training", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    device = arguments.device
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: PyTorch finds no CUDA GPU")
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    if arguments.peak:
        print_peak(arguments.peak, arguments.training, device)
        return 0
    tables = (compare_with_timm, compare_sizes, compare_with_mask)
    missed = [table(arguments.repeats, device) for table in tables]
    card = f"{torch.cuda.get_device_name(device)}\n" if device.type == "cuda" else ""
    print(f"\n{card}{describe()}")
    return int(any(missed))


if __name__ == "__main__":
    raise SystemExit(main())
