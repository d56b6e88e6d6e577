"""Time the training of seeds of one arm as one batched program against one seed after another.

    python benchmarks/seeds_in_parallel.py [--repeats N] [--only NAME ...] [--compile]
    python benchmarks/seeds_in_parallel.py --wall [--repeats N] [--only NAME ...]

Three seeds of arms of packaged studies, at the studies' batch sizes on images of 32 px. A step is
forward, cross entropy, backward and Adam. The ways take turns in one process, and before they are
timed their losses must agree over three steps.

- `vmap`: parameters stacked, the forward pass vmapped (`torch.func`). Gradients taken inside,
  `vmap(grad)`, cost about as much or more
- `by hand`: parameters stacked, every linear layer one batched product, convolutions grouped
- `compiled`, with `--compile`: torch.compile of the lone models, and of the vmapped forward pass

The first table is CPU time on one thread, which other work on the machine disturbs little: one
seed's step; its matrix products (those of fused attention are not counted) as a share of the peak
of one core; the speedup by a batched program. `limit` is what batching could gain if it shared all
that a step costs whatever its batch, and made nothing else faster. That cost is no more than a step
of two images, T2: of S steps T remains S T - (S - 1) T2, and never less than T.

The second table, `--wall`, is wall time on the whole machine: one seed after another with as many
threads as cores, batched programs with as many, and for each core a process of one thread that
trains all seeds (a study that keeps every core busy). It needs a quiet machine.

On 2026-11-24, with torch 2.14 on two cores, no way to batch these arms brought more than 1.04 in
CPU time: batches of 64 leave a limit of 1.06, batches of 16 one of 1.3, and batching costs more
than it saves; the step of the linear model, with a limit of 3, became slower. That is why
priorscope has no batched program. The tables are in results/benchmarks.md.
"""

import argparse
import contextlib
import copy
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from multiprocessing.connection import Connection

import torch
import torch.nn.functional as F
from joined_seeds import NUM_SEEDS, joined_by_hand
from torch import nn
from torch.func import functional_call, stack_module_state, vmap
from torch.utils.flop_counter import FlopCounterMode

from priorscope.runs.environment import describe
from priorscope.runs.prepare_models import build_model
from priorscope.study.load import load_study

ARMS = {
    "cifar10_nano": ("cnn", "vit", "local_vit"),
    "locality_dial": ("window_3",),
    "han_axes": ("depthwise_conv", "global_static"),
    "crossover": ("global", "linear"),
}
NUM_CLASSES, IMAGE_PX = 10, 32
Step = Callable[[], torch.Tensor]  # gives the losses, one a seed


class Arm:
    """An arm of a study: its models, and a batch of noise for each seed."""

    def __init__(self, study: str, name: str):
        spec = load_study(study)
        self.title, self.batch_size = f"{study}: {name}", spec.recipe.batch_size
        self.build = partial(
            build_model,
            spec.models[name],
            num_classes=NUM_CLASSES,
            image_px=IMAGE_PX,
            base=spec.base,
            where=name,
        )

    def model(self, seed: int) -> nn.Module:
        """Build the arm's model with the weights of a seed."""
        return self.build(seed=seed).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def batch(self, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw images and answers."""
        rng = torch.Generator().manual_seed(seed)
        images = torch.randn(self.batch_size, 3, IMAGE_PX, IMAGE_PX, generator=rng)
        answers = torch.randint(NUM_CLASSES, (self.batch_size,), generator=rng)
        return images.contiguous(memory_format=torch.channels_last), answers

    def all_seeds(self) -> tuple[list[nn.Module], torch.Tensor, torch.Tensor]:
        """Return the seeds' models, images [seeds x batch, ...] and answers."""
        batches = zip(*(self.batch(seed) for seed in range(NUM_SEEDS)), strict=True)
        images, answers = (torch.cat(parts) for parts in batches)
        return [self.model(seed) for seed in range(NUM_SEEDS)], images, answers

    def lone(self, seed: int, *, num_images: int | None = None, compiled: bool = False) -> Step:
        """Step one seed."""
        model = self.model(seed)
        if compiled:
            model.compile()
        images, answers = (part[:num_images] for part in self.batch(seed))
        return stepped(
            model.parameters(), lambda: F.cross_entropy(model(images), answers).unsqueeze(0)
        )

    def in_turn(self, *, compiled: bool = False) -> Step:
        """Step one seed after another."""
        steps = [self.lone(seed, compiled=compiled) for seed in range(NUM_SEEDS)]
        return lambda: torch.cat([step() for step in steps])

    def by_hand(self) -> Step:
        """Step all seeds as one network."""
        models, images, answers = self.all_seeds()
        joined = joined_by_hand(models, self.batch_size)

        def losses_of() -> torch.Tensor:
            losses = F.cross_entropy(joined(images), answers, reduction="none")
            return losses.view(NUM_SEEDS, -1).mean(1)

        return stepped(joined.parameters(), losses_of)

    def vmapped(self, *, compiled: bool = False) -> Step:
        """Step all seeds by torch.func."""
        models, images, answers = self.all_seeds()
        parameters, buffers = stack_module_state(models)
        structure = copy.deepcopy(models[0]).to("meta")

        def losses_of(parameters, buffers, images, answers):
            logits = functional_call(structure, (parameters, buffers), (images,))
            return F.cross_entropy(logits, answers)

        batched = vmap(losses_of)
        if compiled:
            batched = torch.compile(batched)
        images, answers = (x.unflatten(0, (NUM_SEEDS, -1)) for x in (images, answers))
        return stepped(parameters.values(), lambda: batched(parameters, buffers, images, answers))


def stepped(parameters: Iterable[torch.Tensor], losses_of: Callable[[], torch.Tensor]) -> Step:
    """Step on losses, one a seed; gradients of their sum are each seed's own."""
    optimizer = torch.optim.Adam(parameters, lr=1e-4)

    def step() -> torch.Tensor:
        optimizer.zero_grad(set_to_none=True)
        losses = losses_of()
        losses.sum().backward()
        optimizer.step()
        return losses.detach()

    return step


def agree(ways: Mapping[str, Step], reference: str) -> None:
    """Let every way take three steps from the same weights: their losses must be the same."""
    expected = torch.stack([ways[reference]() for _ in range(3)])
    for name, step in ways.items():
        if name != reference:
            torch.testing.assert_close(
                torch.stack([step() for _ in range(3)]),
                expected,
                rtol=1e-4,
                atol=0,
                msg=lambda words, name=name: f"{name}: {words}",
            )


def batched_ways(arm: Arm) -> dict[str, Step]:
    """Return the batched programs that can run the arm."""
    ways = {"vmap": arm.vmapped()}
    with contextlib.suppress(NotImplementedError):
        ways["by hand"] = arm.by_hand()
    return ways


def in_turns(
    ways: Mapping[str, Callable[[], object]], repeats: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Time each in turn; every second round goes backwards, and the first two count for nothing."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(repeats + 2):
        for name in list(ways)[:: 1 if repeat % 2 else -1]:
            started = clock()
            ways[name]()
            if repeat >= 2:
                seconds[name].append(clock() - started)
    return seconds


def ratio(above: list[float], below: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def table_of_cpu_time(arms: list[Arm], repeats: int, *, compiled: bool) -> None:
    torch.set_num_threads(1)
    columns = ["vmap", "by hand"]
    columns += ["compiled", "compiled vmap"] if compiled else []
    print(f"CPU time on one thread; speedup of {NUM_SEEDS} seeds over one after another\n")
    print(f"{'':<26}{'batch':>6}{'ms':>8}{'of peak':>9}{'T2, ms':>8}{'limit':>7}", end="")
    print("".join(f"{name:>{max(9, len(name) + 2)}}" for name in columns))
    square = torch.randn(1024, 1024)
    for arm in arms:
        with FlopCounterMode(display=False) as counter:
            arm.lone(0)()
        ways = {"one after another": arm.in_turn(), **batched_ways(arm)}
        if compiled:
            ways["compiled"] = arm.in_turn(compiled=True)
            ways["compiled vmap"] = arm.vmapped(compiled=True)
        agree(ways, "one after another")
        others = {"two images": arm.lone(0, num_images=2), "product": lambda: square @ square}
        seconds = in_turns(ways | others, repeats, time.process_time)
        lone, two, product = (
            statistics.median(seconds[name]) for name in ("one after another", *others)
        )
        of_peak = counter.get_total_flops() / (lone / NUM_SEEDS) / (2 * len(square) ** 3 / product)
        row = f"{arm.title:<26}{arm.batch_size:>6}{1e3 * lone / NUM_SEEDS:>8.1f}{of_peak:>9.2f}"
        row += (
            f"{1e3 * two:>8.1f}{lone / max(lone - (NUM_SEEDS - 1) * two, lone / NUM_SEEDS):>7.2f}"
        )
        for name in columns:
            times = seconds.get(name)
            words = f"{ratio(seconds['one after another'], times):.2f}" if times else "-"
            row += f"{words:>{max(9, len(name) + 2)}}"
        print(row, flush=True)


def train_on_demand(study: str, name: str, pipe: Connection) -> None:
    """In a process of its own: step all seeds one after another, whenever asked, until False."""
    torch.set_num_threads(1)
    step = Arm(study, name).in_turn()
    while pipe.recv():
        step()
        pipe.send(True)


@contextlib.contextmanager
def processes(study: str, name: str, number: int) -> Iterator[Callable[[], None]]:
    """Start processes that each have all seeds; give what lets them all take a step."""
    context = multiprocessing.get_context("spawn")
    pipes = []
    for _ in range(number):
        ours, theirs = context.Pipe()
        context.Process(target=train_on_demand, args=(study, name, theirs), daemon=True).start()
        pipes.append(ours)

    def step() -> None:
        for pipe in pipes:
            pipe.send(True)
        for pipe in pipes:
            pipe.recv()

    yield step
    for pipe in pipes:
        pipe.send(False)


def table_of_wall_time(names: list[tuple[str, str]], repeats: int) -> None:
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    columns = ["vmap", "by hand", "processes"]
    print(f"wall time on {cores} cores; speedup of {NUM_SEEDS} seeds over one after another\n")
    print(f"{'':<26}{'batch':>6}{'ms':>8}{''.join(f'{name:>12}' for name in columns)}")
    for study, name in names:
        arm = Arm(study, name)
        ways = {"one after another": arm.in_turn(), **batched_ways(arm)}
        agree(ways, "one after another")
        with processes(study, name, cores) as in_processes:
            turns = {**ways, "processes": in_processes}
            seconds = in_turns(turns, repeats, time.perf_counter)
        # Meanwhile each of the processes has trained all seeds.
        seconds["processes"] = [turn / cores for turn in seconds["processes"]]
        lone = seconds["one after another"]
        row = f"{arm.title:<26}{arm.batch_size:>6}{1e3 * statistics.median(lone) / NUM_SEEDS:>8.1f}"
        for way in columns:
            row += f"{f'{ratio(lone, seconds[way]):.2f}' if way in seconds else '-':>12}"
        print(row, flush=True)


def main() -> None:
    names = [(study, name) for study, arms in ARMS.items() for name in arms]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--only", nargs="+", choices=sorted({name for _, name in names}))
    parser.add_argument("--compile", action="store_true", help="minutes more for each arm")
    parser.add_argument("--wall", action="store_true", help="wall time, all cores")
    arguments = parser.parse_args()
    chosen = [pair for pair in names if arguments.only is None or pair[1] in arguments.only]
    if arguments.wall:
        table_of_wall_time(chosen, arguments.repeats)
    else:
        arms = [Arm(*pair) for pair in chosen]
        table_of_cpu_time(arms, arguments.repeats, compiled=arguments.compile)
    print(f"\nload average {os.getloadavg()[0]:.1f}\n{describe()}")


if __name__ == "__main__":
    main()
