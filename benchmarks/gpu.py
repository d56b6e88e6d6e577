"""Check one CUDA GPU against the CPU, and time the training of every arm on it, in one command.

    python benchmarks/gpu.py [--seconds N] [--only NAME ...] [--modes eager compiled]
    python benchmarks/gpu.py --device cpu --tiny     # every code path, no number worth keeping

First, for each arm, logits and gradients in fp32 without TF32 against the CPU, and AutoAugment
byte by byte with the same draws. Then the card's matrix peak (bf16) and copy bandwidth. Then
images/s of `training.loop.train` with the study's own recipe, images resident on the device as
bytes: `paper` at 224 px and `cifar10` at 32 px, eager and with torch.compile.

MFU is 3 x forward FLOPs x images/s by the measured matrix peak. `limit` is the rate at which those
products would take their time at the peak and Adam its traffic (28 bytes a parameter and step) at
the copy bandwidth. `run` is the training of the study's epochs on 50,000 images, extrapolated,
without tests.

It stops itself after `--seconds`; what was not reached is a dash. The exit code is 2 without a
GPU, 1 when a check fails, an arm fails, or an H200 misses a goal.
"""

import argparse
import gc
import signal
import statistics
import sys
import time
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from gpu_checks import (
    FACTOR,
    NUM_CLASSES,
    Agreement,
    agreement,
    differing_bytes,
)

from priorscope.data._preprocess import preprocess_for
from priorscope.study.checked import ModelSize
from priorscope.study.environment import describe
from priorscope.study.load import load_study
from priorscope.study.prepare import build_model, measure_model
from priorscope.study.spec import Component
from priorscope.study.speed import copy_bandwidth, matrix_peak
from priorscope.training.loop import Epoch, train
from priorscope.training.recipe import Recipe

STUDIES = ("paper", "cifar10")
DATA_PX, NUM_TRAIN = 32, 50_000
GOALS = {"resnet50": 3500, "vit": 3700}  # images/s on one H200
GOAL_CARD = "H200"
MODES = ("eager", "compiled")
ADAM_BYTES = 28  # weights, gradients and two moments are read, all but gradients written, in fp32


@dataclass(frozen=True)
class Scale:
    """How much is done: on a GPU, or with `--tiny` only so much that every line is executed."""

    checked: int  # images of a check
    steps: int
    epochs: int  # the first warms up
    matrix: int
    copied: int


FULL = Scale(checked=8, steps=30, epochs=4, matrix=8192, copied=1 << 30)
TINY = Scale(checked=4, steps=2, epochs=2, matrix=64, copied=1 << 12)


@dataclass
class Arm:
    """A model with its study's recipe, and what is found out about it."""

    name: str
    component: Component
    recipe: Recipe
    image_px: int
    goal: int | None  # images/s
    size: ModelSize | None = None
    agrees: Agreement | None = None
    rates: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def build(self) -> torch.nn.Module:
        """Build the model with the weights of seed 0."""
        study = load_study("paper")  # packaged arms name no file: any base will do
        shape = {"num_classes": NUM_CLASSES, "image_px": self.image_px}
        return build_model(self.component, **shape, seed=0, base=study.base, where=self.name)


@dataclass
class Card:
    """What is found out about the device; None until then."""

    differing_bytes: int | None = None
    peak: float | None = None
    bandwidth: float | None = None


class _TimeIsUp(BaseException):
    """The budget is spent; no `except Exception` of a compiler may swallow it."""


def list_arms(tiny: bool, only: list[str] | None) -> list[Arm]:
    """List the arms of both studies; tiny ones get two images of at most 64 px a step."""
    arms = []
    for study in map(load_study, STUDIES):
        image_px, recipe = study.recipe.image_px or DATA_PX, study.recipe
        if tiny:
            image_px = min(64, image_px)
            recipe = replace(recipe, batch_size=2)
            recipe = replace(recipe, image_px=recipe.image_px and image_px)
        for name, component in study.models.items():
            if only is None or name in only:
                goal = None if tiny else GOALS.get(name)
                arms.append(Arm(name, component, recipe, image_px, goal))
    return arms


def rate(arm: Arm, device: torch.device, scale: Scale, *, compiled: bool) -> float:
    """Give images/s of the training loop, the median over epochs after the first."""
    rng = np.random.default_rng(0)
    n = scale.steps * arm.recipe.batch_size
    images = rng.integers(0, 256, (n, DATA_PX, DATA_PX, 3), dtype=np.uint8)
    epochs: list[Epoch] = []
    train(
        arm.build(),
        replace(arm.recipe, epochs=scale.epochs, compile=compiled),
        images,
        rng.integers(0, NUM_CLASSES, n),
        preprocess=preprocess_for(images, arm.image_px),
        seed=0,
        device=device,
        accuracies=lambda _: {"test_accuracy": float("nan")},
        on_epoch=epochs.append,
    )
    if (fitted := epochs[-1].micro_batch_size) and fitted < arm.recipe.batch_size:
        raise RuntimeError(f"memory suffices for {fitted} images at once, not for the whole batch")
    return statistics.median(epoch.images_per_second for epoch in epochs[1:])


def work(arms: list[Arm], card: Card, device: torch.device, scale: Scale, modes: list[str]) -> None:
    """Fill in what is known of arms and card, the most needed first."""
    card.peak = matrix_peak(device, scale.matrix, torch.bfloat16)
    card.bandwidth = copy_bandwidth(device, scale.copied)
    card.differing_bytes = differing_bytes(device, DATA_PX, 64 * scale.checked)
    for arm in arms:
        model = arm.build()
        shape = {"num_classes": NUM_CLASSES, "image_px": arm.image_px}
        arm.size = measure_model(model, **shape, where=arm.name)
        arm.agrees = agreement(model, device, arm.image_px, scale.checked)
        tell(f"{arm.name} at {arm.image_px} px: agreement {'ok' if arm.agrees.holds else 'NO'}")
    for mode in modes:
        for arm in arms:
            try:
                arm.rates[mode] = rate(arm, device, scale, compiled=mode == "compiled")
                tell(f"{arm.name} at {arm.image_px} px, {mode}: {arm.rates[mode]:,.1f} images/s")
            except Exception as error:  # another arm may well work
                arm.failures.append(f"{arm.name} {mode}: {type(error).__name__}: {error}")
                tell(f"failed: {arm.failures[-1]}")
            torch.compiler.reset()
            gc.collect()
            if device.type == "cuda":
                torch.cuda.empty_cache()


def tell(text: str) -> None:
    """Say how far the work is; the table on standard output comes at the end."""
    print(text, file=sys.stderr, flush=True)


def print_table(arms: list[Arm], card: Card, modes: list[str]) -> None:
    """Print one row an arm, a dash where the time was up."""
    if card.peak and card.bandwidth:
        print(f"matrix peak (bf16) {card.peak / 1e12:.4g} TFLOP/s, ", end="")
        print(f"copy bandwidth {card.bandwidth / 1e9:.4g} GB/s")
    if card.differing_bytes is not None:
        print(f"AutoAugment with the same draws: {card.differing_bytes} bytes differ, must be 0")
    print(f"float32 errors against float64, at most {FACTOR:g} x the CPU's\n")
    head = f"{'arm':<17}{'px':>4}{'batch':>6}{'M par.':>8}{'GMACs':>7}"
    head += f"{'logits (CPU)':>19}{'gradients (CPU)':>19}{'':>5}"
    head += "".join(f"{mode + ' img/s':>16}{'MFU':>7}" for mode in modes)
    print(f"{head}{'limit':>9}{'goal':>8}{'':>5}{'run':>13}")
    for arm in arms:
        print(row(arm, card, modes))


def row(arm: Arm, card: Card, modes: list[str]) -> str:
    """Write an arm's row."""
    text = f"{arm.name:<17}{arm.image_px:>4}{arm.recipe.batch_size:>6}"
    if arm.size is None or arm.agrees is None:
        return f"{text}  –"
    text += f"{arm.size.num_parameters / 1e6:>8.1f}{arm.size.macs / 1e9:>7.2f}"
    for here, cpu in (
        (arm.agrees.logits, arm.agrees.logits_cpu),
        (arm.agrees.gradients, arm.agrees.gradients_cpu),
    ):
        text += f"{f'{here:.1e} ({cpu:.1e})':>19}"
    text += f"{'ok' if arm.agrees.holds else 'NO':>5}"
    flops = 6 * arm.size.macs  # three forward passes of two FLOPs a MAC
    for mode in modes:
        measured = arm.rates.get(mode)
        text += f"{'–':>16}{'–':>7}" if measured is None else f"{measured:>16,.1f}"
        if measured is not None and card.peak:
            text += f"{100 * measured * flops / card.peak:>6.1f}%"
    if card.peak and card.bandwidth:
        adam = ADAM_BYTES * arm.size.num_parameters / card.bandwidth / arm.recipe.batch_size
        text += f"{1 / (flops / card.peak + adam):>9,.0f}"
    best = max(arm.rates.values(), default=None)
    text += f"{f'{arm.goal:,}' if arm.goal else '':>8}"
    if best is None:
        return text
    text += f"{'' if not arm.goal else 'ok' if best >= arm.goal else 'NO':>5}"
    return text + f"{arm.recipe.epochs * NUM_TRAIN / best / 60:>9,.0f} min"


def passed(arms: list[Arm], card: Card, card_name: str) -> bool:
    """Tell whether all checks were made and hold, and on the goals' card the goals are reached."""
    reached = all(
        max(arm.rates.values()) >= (arm.goal or 0)
        for arm in arms
        if arm.rates and GOAL_CARD in card_name
    )
    agreed = all(arm.agrees is not None and arm.agrees.holds for arm in arms)
    return reached and agreed and card.differing_bytes == 0 and not any(a.failures for a in arms)


def main() -> int:
    names = [name for study in STUDIES for name in load_study(study).models]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=540, help="it stops itself after these")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small images and few steps")
    parser.add_argument("--only", nargs="+", choices=names)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("error: no CUDA GPU here; --device cpu --tiny runs the code without", file=sys.stderr)
        return 2
    if device.type != "cuda" and not arguments.tiny:
        print("error: on a CPU this takes days: add --tiny", file=sys.stderr)
        return 2
    card_name = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    arms, card = list_arms(arguments.tiny, arguments.only), Card()

    def stop(*_: object) -> None:
        raise _TimeIsUp

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, arguments.seconds)
    started, in_time = time.perf_counter(), True
    try:
        work(arms, card, device, TINY if arguments.tiny else FULL, arguments.modes)
    except _TimeIsUp:
        in_time = False
    signal.setitimer(signal.ITIMER_REAL, 0)

    late = "" if in_time else ": time is up, what was not reached is a dash"
    print(f"{card_name}, {time.perf_counter() - started:.0f} s{late}")
    print_table(arms, card, arguments.modes)
    for failure in (failure for arm in arms for failure in arm.failures):
        print(f"failed: {failure}")
    if arguments.tiny:
        print("\n--tiny: these numbers say nothing about any device")
    print(f"\n{describe()}")
    return 0 if passed(arms, card, card_name) else 1


if __name__ == "__main__":
    raise SystemExit(main())
