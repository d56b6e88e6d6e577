"""Check one CUDA GPU against the CPU, and time the training of every arm on it, in one command.

    python benchmarks/gpu.py [--seconds N] [--only NAME ...] [--modes MODE ...] [--agreement all]
    python benchmarks/gpu.py --dry-run               # every code path on a CPU, no number of worth

First AutoAugment byte by byte with the same draws, graphed against eager steps, and for one arm (or
`all`) logits and gradients in fp32 without TF32 against the CPU; then the card's matrix peak (bf16)
and copy bandwidth. Then images/s of `training.loop.train` with the study's own recipe, images
resident on the device as bytes, of `paper` at 224 px and `cifar10` at 32 px: eager, graphed, and as
graphs of the compiled model. Beside them, on the same card, the same module stepped by hand on a
batch that is ready (`bare`), and the step of timm's train script where timm has the architecture.

Behind each rate stands its idle share: the part of an epoch in which no kernel and no copy is under
way, by PyTorch's profiler. MFU is 3 x forward FLOPs x images/s of the best of our rates by the
measured matrix peak. `limit` is the rate at which those products would take their time at the peak
and Adam its traffic (28 bytes a parameter and step) at the copy bandwidth. `run` is the training of
the study's epochs on 50,000 images, extrapolated, without tests.

It stops itself after `--seconds`; what was not reached is a dash. The exit code is 2 without a
GPU, 1 when a check or an arm fails or a goal is missed: graphed steps idle for at most a tenth of
an epoch and are ahead of timm's; on an H200 an arm reaches its images/s, or nine tenths of what its
kernels alone allow (`kernels` in place of `ok`; `--kernels` names them).
"""

import argparse
import gc
import signal
import sys
import time
from dataclasses import dataclass, replace

import torch
from gpu_arms import STUDIES, Arm, Card, list_arms
from gpu_checks import agreement, differing_bytes, graph_agreement
from gpu_rates import DATA_PX, MODES, Lengths, measure
from gpu_table import missed, passed, print_kernels, print_table

from priorscope.preflight.speed import copy_bandwidth, matrix_peak
from priorscope.runs.environment import describe
from priorscope.study.load import load_study


@dataclass(frozen=True)
class Scale:
    """How much is done: on a GPU, or in a dry run only so much that every line is executed."""

    checked: int  # images of a check
    matrix: int
    copied: int
    small: Lengths  # of arms at the data's own size
    large: Lengths


FULL = Scale(8, 8192, 1 << 30, Lengths(48, 8, 2), Lengths(10, 5, 2))
DRY = Scale(4, 64, 1 << 12, Lengths(2, 2, 1), Lengths(2, 2, 1))


class _TimeIsUp(BaseException):
    """The budget is spent; no `except Exception` of a compiler may swallow it."""


def work(
    arms: list[Arm],
    card: Card,
    device: torch.device,
    scale: Scale,
    modes: list[str],
    num_agreements: int,
) -> None:
    """Fill in what is known of arms and card, the most needed first."""
    card.differing_bytes = differing_bytes(device, DATA_PX, 64 * scale.checked)
    card.graphs = graph_agreement(device)
    card.peak = matrix_peak(device, scale.matrix, torch.bfloat16, seconds=0.5)
    card.bandwidth = copy_bandwidth(device, scale.copied, seconds=0.5)
    tell(f"graphed against eager: {card.graphs}")
    for number, arm in enumerate(arms):
        arm.measure_size()
        if number < num_agreements:
            model = arm.build(torch.device("cpu"))
            arm.agrees = agreement(model, device, arm.image_px, scale.checked)
            holds = "ok" if arm.agrees.holds else "NO"
            tell(f"{arm.name} at {arm.image_px} px: agreement {holds}")
    # Compiling takes longer than all else: first the other rates of every arm.
    for late in (False, True):
        for arm in arms:
            for mode in modes:
                if (mode == "compiled") == late:
                    _rate(arm, mode, device, scale)


def _rate(arm: Arm, mode: str, device: torch.device, scale: Scale) -> None:
    """Measure one rate of an arm, or note why it fails: another may well work."""
    lengths = scale.small if arm.image_px == DATA_PX else scale.large
    try:
        rate = measure(
            mode, arm.name, lambda: arm.build(device), arm.recipe, arm.image_px, device, lengths
        )
        if rate is not None:
            arm.rates[mode] = rate
            tell(f"{arm.name} {mode}: {rate.images_per_second:,.1f} images/s, {rate.idle:.0%} idle")
    except Exception as error:
        arm.failures.append(f"{arm.name} {mode}: {type(error).__name__}: {error}")
        tell(f"failed: {arm.failures[-1]}")
    if mode == "compiled":
        torch.compiler.reset()
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def tell(text: str) -> None:
    """Say how far the work is; the table on standard output comes at the end."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    names = [name for study in STUDIES for name in load_study(study).models]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=150, help="it stops itself after these")
    parser.add_argument("--dry-run", action="store_true", help="on the CPU: tiny, few steps")
    parser.add_argument("--only", nargs="+", choices=names)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--kernels", action="store_true", help="where each step's time goes")
    parser.add_argument("--agreement", choices=("one", "all"), default="one")
    arguments = parser.parse_args()
    device = torch.device("cpu" if arguments.dry_run else "cuda")
    if device.type == "cuda" and not torch.cuda.is_available():
        print("error: no CUDA GPU here; --dry-run runs the code without", file=sys.stderr)
        return 2
    card_name = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    arms, card = list_arms(arguments.dry_run, arguments.only), Card()
    num_agreements = len(arms) if arguments.agreement == "all" else 1

    def stop(*_: object) -> None:
        raise _TimeIsUp

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, arguments.seconds)
    started, in_time = time.perf_counter(), True
    scale = DRY if arguments.dry_run else FULL
    try:
        work(arms, card, device, scale, arguments.modes, num_agreements)
    except _TimeIsUp:
        in_time = False
    signal.setitimer(signal.ITIMER_REAL, 0)

    late = "" if in_time else ": time is up, what was not reached is a dash"
    print(f"{card_name}, {time.perf_counter() - started:.0f} s{late}")
    print_table(arms, card, arguments.modes)
    if arguments.kernels:
        print_kernels(arms, arguments.modes)
    for failure in (failure for arm in arms for failure in arm.failures):
        print(f"failed: {failure}")
    if arguments.dry_run:
        print("\n--dry-run: these numbers say nothing about any device")
        arms = [replace(arm, rates={}) for arm in arms]  # nor about goals
    for goal in (goal for arm in arms for goal in missed(arm, card_name)):
        print(f"missed: {goal}")
    print(f"\n{describe()}")
    return 0 if passed(arms, card, card_name, num_agreements) else 1


if __name__ == "__main__":
    raise SystemExit(main())
