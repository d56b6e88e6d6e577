"""How fast an arm trains on a device, and for what part of that time the device works.

Five ways to train: priorscope's loop with eager steps, with graphed ones, and with graphs of the
compiled model; the same module stepped by hand as PyTorch's tutorials do, on one batch that is
ready; and the step of timm's own train script, on a batch of bytes that is ready, of the
architecture that timm has for an arm. Every function takes any device.
"""

import functools
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import timm
import torch
import torch.nn.functional as F
from timm.optim import create_optimizer_v2  # type: ignore[reportPrivateImportUsage]
from timm.utils import dispatch_clip_grad  # type: ignore[reportPrivateImportUsage]
from torch import nn
from torch.profiler import ProfilerActivity, profile

from priorscope.data._preprocess import autocast_for, preprocess_for
from priorscope.training.loop import Epoch, train
from priorscope.training.recipe import Recipe

DATA_PX, NUM_CLASSES = 32, 10
OURS = ("eager", "graphed", "compiled")
MODES = (*OURS, "bare", "timm")
_SMALL_VIT = {"img_size": 32, "patch_size": 4, "embed_dim": 192, "depth": 12, "num_heads": 3}
TIMMS = {  # arm -> what timm calls it
    "resnet50": ("resnet50", {}),
    "vit": ("vit_base_patch16_224", {}),
    "local_vit_swin": ("swin_base_patch4_window7_224", {"drop_path_rate": 0.0}),
    "vit_5m": ("vit_tiny_patch16_224", _SMALL_VIT),
    "vit_22m": ("vit_small_patch16_224", _SMALL_VIT | {"embed_dim": 384, "num_heads": 6}),
}
Work = tuple[str, int, int]  # of a kernel: name, begin and end in ns


@dataclass(frozen=True)
class Rate:
    """Images/s, and for each image the seconds in which the device works.

    `kernels` are those that take most of them, each with its part.
    """

    images_per_second: float
    busy: float
    kernels: tuple[tuple[str, float], ...] = ()

    @property
    def idle(self) -> float:
        """Tell for what part of the time the device has nothing to do."""
        return max(0.0, 1 - self.busy * self.images_per_second)


@dataclass(frozen=True)
class Lengths:
    """Steps of an epoch that is timed, and of one that is profiled; epochs after the first."""

    timed: int
    profiled: int
    epochs: int


def measure(
    mode: str,
    name: str,
    build: Callable[[], nn.Module],
    recipe: Recipe,
    image_px: int,
    device: torch.device,
    lengths: Lengths,
) -> Rate | None:
    """Measure one way to train an arm; None where timm does not have it.

    Raises
    ------
    RuntimeError : memory does not suffice for the recipe's batch, or steps are not graphed
    """
    if mode in OURS:
        of_epochs = functools.partial(_epochs_of_ours, mode, build(), recipe, image_px, device)
    elif mode == "bare":
        step = _bare_step(build(), recipe, image_px, device)
        of_epochs = functools.partial(_epochs_of_steps, step, device)
    elif name in TIMMS:
        step = _timms_step(name, recipe, image_px, device)
        of_epochs = functools.partial(_epochs_of_steps, step, device)
    else:
        return None
    seconds, _ = of_epochs(lengths.timed, lengths.epochs, profiled=False)
    _, work = of_epochs(lengths.profiled, 1, profiled=True)
    images, watched = (recipe.batch_size * steps for steps in (lengths.timed, lengths.profiled))
    busy = covered(((begin, end) for _, begin, end in work))
    return Rate(images / statistics.median(seconds), busy / watched, largest(work))


def _epochs_of_ours(
    mode: str,
    model: nn.Module,
    recipe: Recipe,
    image_px: int,
    device: torch.device,
    steps: int,
    epochs: int,
    *,
    profiled: bool,
) -> tuple[list[float], list[Work]]:
    """Train by the loop: seconds of the epochs after the first, and what is done in the last."""
    rng = np.random.default_rng(0)
    n = steps * recipe.batch_size
    images = rng.integers(0, 256, (n, DATA_PX, DATA_PX, 3), dtype=np.uint8)
    seen: list[Epoch] = []
    watch = Watch(device)

    def on_epoch(epoch: Epoch) -> None:
        seen.append(epoch)
        if profiled and epoch.epoch == epochs:
            watch.begin()

    train(
        model,
        replace(recipe, epochs=epochs + 1, compile=mode == "compiled"),
        images,
        rng.integers(0, NUM_CLASSES, n),
        preprocess=preprocess_for(images, image_px),
        seed=0,
        device=device,
        accuracies=lambda _: {"test_accuracy": float("nan")},
        on_epoch=on_epoch,
        graphs=mode != "eager",
    )
    work = watch.end() if profiled else []
    if (fitted := seen[-1].micro_batch_size) and fitted < recipe.batch_size:
        raise RuntimeError(f"memory suffices for {fitted} images at once, not for the whole batch")
    if device.type == "cuda" and mode != "eager" and seen[-1].how != "graphed":
        raise RuntimeError(f"not graphed: {seen[-1].how}")
    return [epoch.seconds for epoch in seen[1:]], work


def _epochs_of_steps(
    step: Callable[[], None],
    device: torch.device,
    steps: int,
    epochs: int,
    *,
    profiled: bool,
) -> tuple[list[float], list[Work]]:
    """Repeat a step in epochs, as `_epochs_of_ours`; the device is waited for at their ends."""
    watch, seconds = Watch(device), []
    for epoch in range(epochs + 1):
        if profiled and epoch == epochs:
            watch.begin()
        started = time.perf_counter()
        for _ in range(steps):
            step()
        wait(device)
        seconds.append(time.perf_counter() - started)
    return seconds[1:], watch.end() if profiled else []


def _bare_step(
    model: nn.Module, recipe: Recipe, image_px: int, device: torch.device
) -> Callable[[], None]:
    """Return the step that PyTorch's tutorials write, with the recipe's precision and optimizer."""
    model.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    optimizer = kinds[recipe.optimizer](
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    shape = (recipe.batch_size, 3, image_px, image_px)
    images = torch.randn(shape, device=device).to(memory_format=torch.channels_last)
    answers = torch.randint(NUM_CLASSES, (recipe.batch_size,), device=device)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with autocast_for(recipe.precision, device):
            loss = F.cross_entropy(
                model(images).float(), answers, label_smoothing=recipe.label_smoothing
            )
        loss.backward()
        if recipe.clip_grad_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_grad_norm)
        optimizer.step()

    return step


def _timms_step(
    name: str, recipe: Recipe, image_px: int, device: torch.device
) -> Callable[[], None]:
    """Return what timm's train script does with a batch that its loader has brought as bytes."""
    architecture, options = TIMMS[name]
    if image_px not in (32, 224):  # a dry run
        options = {**options, **({} if name == "resnet50" else {"img_size": image_px})}
    with device:
        model = timm.create_model(architecture, num_classes=NUM_CLASSES, **options)
    model.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimizer = create_optimizer_v2(
        model, opt=recipe.optimizer, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing).to(device)
    shape = (recipe.batch_size, 3, image_px, image_px)
    pixels = torch.randint(256, shape, dtype=torch.uint8, device=device)
    answers = torch.randint(NUM_CLASSES, (recipe.batch_size,), device=device)
    mean, std = (
        torch.tensor([255 * each] * 3, device=device).view(1, 3, 1, 1) for each in (0.5, 0.25)
    )

    def step() -> None:
        images = pixels.float().sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)
        with autocast_for(recipe.precision, device):
            loss = loss_of(model(images), answers)
        loss.backward()
        if recipe.clip_grad_norm is not None:
            dispatch_clip_grad(model.parameters(), recipe.clip_grad_norm)
        optimizer.step()
        optimizer.zero_grad()

    return step


class Watch:
    """Note what a device does between two moments."""

    def __init__(self, device: torch.device):
        self._device = device
        on_cuda = device.type == "cuda"
        self._profile = profile(
            activities=[ProfilerActivity.CUDA if on_cuda else ProfilerActivity.CPU]
        )

    def begin(self) -> None:
        """Begin, once the device has nothing more to do."""
        wait(self._device)
        self._profile.start()

    def end(self) -> list[Work]:
        """Return all kernels and copies since `begin`, once they have ended."""
        wait(self._device)
        self._profile.stop()
        kind = self._device.type.upper()
        events = self._profile.profiler.kineto_results.events()  # type: ignore[union-attr]
        return [
            (event.name(), event.start_ns(), event.start_ns() + event.duration_ns())
            for event in events
            if event.device_type().name == kind and not event.is_user_annotation()
        ]


def covered(intervals: Iterable[tuple[int, int]]) -> float:
    """Return the seconds that at least one interval, begin and end in ns, covers."""
    total, until = 0, 0
    for begin, end in sorted(intervals):
        total += max(0, end - max(begin, until))
        until = max(until, end)
    return total / 1e9


def largest(work: Iterable[Work], most: int = 6) -> tuple[tuple[str, float], ...]:
    """Return the kernels that take most of the time, all calls together, and their parts of it."""
    times: Counter[str] = Counter()
    for name, begin, end in work:
        times[name] += end - begin
    total = max(1, times.total())
    return tuple((name, time / total) for name, time in times.most_common(most))


def wait(device: torch.device) -> None:
    """Let the host wait until the device has done what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
