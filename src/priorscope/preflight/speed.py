"""What the machine can do at most, and what share of it each stage of a run reaches.

A stage is compared with what bounds it: products of matrices with the *matrix peak*, stages that
only move bytes with the *copy bandwidth* (the roofline of Williams, Waterman and Patterson 2009,
doi:10.1145/1498765.1498785, by its two ends). Work is what the stage cannot do without: layers
without products, and bytes that it moves more than once, make its share smaller.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import nn

from priorscope.data import autocast_for
from priorscope.evaluation.predict import predict
from priorscope.probes import ProbeSet
from priorscope.runs.model_size import ModelSize
from priorscope.runs.prepare import StudyData
from priorscope.runs.prepare_models import build_model
from priorscope.study.spec import Study
from priorscope.training.augment import augment
from priorscope.training.loop import train
from priorscope.training.memory_format import lay_out
from priorscope.training.optimize import build_optimizer
from priorscope.training.pool import image_pool

PRODUCTS, BYTES = "matrix peak", "copy bandwidth"
SECONDS = 0.5  # for each figure, at the least three repeats
# Times that an optimizer's step reads or writes an array as large as the weights, in fp32.
_ARRAYS = {"adam": 7, "adamw": 7, "sgd": 5}
_PREDICTED = 500  # images, or as many as there are


@dataclass(frozen=True)
class Limits:
    """What the machine can do at most: FLOP/s by precision, and bytes/s read and written."""

    matrix_peak: Mapping[str, float]
    copy_bandwidth: float


@dataclass(frozen=True)
class Stage:
    """One stage of a run on one batch.

    Attributes
    ----------
    arm : the model; empty for the input pipeline, which all share
    seconds : median of a batch
    work : operations of a batch (two for each multiply-accumulate), or bytes read and written
    bound : `matrix peak` or `copy bandwidth`
    """

    arm: str
    name: str
    num_images: int
    seconds: float
    work: float
    bound: str

    @property
    def images_per_second(self) -> float:
        """Return the images of a batch by its seconds."""
        return self.num_images / self.seconds

    def share(self, limits: Limits, precision: str) -> float:
        """Return what part of the machine's limit the stage reaches."""
        peak = limits.matrix_peak.get(precision, limits.matrix_peak["fp32"])
        limit = peak if self.bound == PRODUCTS else limits.copy_bandwidth
        return self.work / self.seconds / limit


def measure_limits(device: torch.device) -> Limits:
    """Measure the largest product of matrices that is worth its time, and a copy beyond caches."""
    on_cpu = device.type == "cpu"
    side, num_bytes = (1024, 1 << 28) if on_cpu else (8192, 1 << 30)
    types = {"fp32": torch.float32, "bf16": torch.bfloat16}
    peaks = {name: matrix_peak(device, side, dtype) for name, dtype in types.items()}
    return Limits(peaks, copy_bandwidth(device, num_bytes))


def matrix_peak(
    device: torch.device, side: int, dtype: torch.dtype, seconds: float = 2 * SECONDS
) -> float:
    """Measure the FLOP/s of a product of square matrices, the best of several rounds."""
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    out = torch.empty_like(a)
    return 2 * side**3 / min(_rounds(lambda: torch.mm(a, b, out=out), device, seconds))


def copy_bandwidth(device: torch.device, num_bytes: int, seconds: float = 2 * SECONDS) -> float:
    """Measure the bytes/s, read and written, of a large copy on the device, the best of several."""
    source = torch.zeros(num_bytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * num_bytes / min(_rounds(lambda: target.copy_(source), device, seconds))


def pipeline_stages(study: Study, data: StudyData, device: torch.device) -> list[Stage]:
    """Time what turns training images into a network's input, step by step, and all of it."""
    recipe, preprocess = study.recipe, data.preprocess
    n = min(recipe.batch_size, len(data.train))
    pool = image_pool(data.train.images, device)
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(0))
    batches = itertools.cycle([batch for batch in order.split(n) if len(batch) == n])
    generator = torch.Generator().manual_seed(0)  # on the host, as in training
    pixels = pool(next(batches))
    seen_bytes = n * 3 * preprocess.image_px**2
    calls: dict[str, tuple[Callable[[], object], float]] = {
        "gather": (lambda: pool(next(batches)), 2 * pixels.numel())
    }
    for name in recipe.augment:
        calls[name] = (lambda n=name: augment(pixels, (n,), generator), 2 * pixels.numel())
    calls["normalise"] = (lambda: preprocess(pixels), pixels.numel() + 4 * seen_bytes)

    def whole() -> torch.Tensor:
        batch = pool(next(batches))
        return preprocess(augment(batch, recipe.augment, generator))

    calls["input pipeline"] = (whole, sum(work for _, work in calls.values()))
    return [
        Stage("", name, n, statistics.median(_rounds(call, device)), work, BYTES)
        for name, (call, work) in calls.items()
    ]


def arm_stages(
    name: str,
    study: Study,
    data: StudyData,
    probes: Mapping[str, ProbeSet],
    size: ModelSize,
    device: torch.device,
) -> Iterator[Stage]:
    """Time a model's training step, its parts, and its predictions on the test and probe images."""
    recipe, preprocess = study.recipe, data.preprocess
    n = min(recipe.micro_batch_size or recipe.batch_size, recipe.batch_size, len(data.train))
    model = build_model(
        study.models[name],
        num_classes=data.train.num_classes,
        image_px=preprocess.image_px,
        seed=0,
        base=study.base,
        where=f"models.{name}",
    )
    lay_out(model, device)
    inputs = preprocess(torch.from_numpy(data.train.images[:n].copy()).to(device))
    answers = torch.from_numpy(data.train.labels[:n].copy()).to(device)
    forward = 2.0 * size.about_macs * n
    products = {"forward": forward, "backward": 2 * forward}
    for stage, seconds in _step_seconds(model, study, inputs, answers, device).items():
        if stage in products:
            yield Stage(name, stage, n, seconds, products[stage], PRODUCTS)
        else:
            moved = 4.0 * _ARRAYS[recipe.optimizer] * size.num_parameters
            yield Stage(name, stage, n, seconds, moved, BYTES)
    seconds = _loop_seconds(model, study, data, n, device)
    yield Stage(name, "training loop", n, seconds, 3 * forward, PRODUCTS)
    shown = {"evaluation": data.test.images}
    shown |= {f"probe {probe}": probes[probe].images for probe in study.probes}
    for stage, images in shown.items():
        few = images[:_PREDICTED]
        options = {"preprocess": preprocess, "device": device, "precision": recipe.precision}
        times = _rounds(lambda few=few, o=options: predict(model, few, **o), device)
        work = 2.0 * size.about_macs * len(few)
        yield Stage(name, stage, len(few), statistics.median(times), work, PRODUCTS)


def _step_seconds(
    model: nn.Module,
    study: Study,
    inputs: torch.Tensor,
    answers: torch.Tensor,
    device: torch.device,
) -> dict[str, float]:
    """Time the parts of a training step in turn: medians of forward, backward and optimizer."""
    optimizer = build_optimizer(model, study.recipe, device)
    parts: dict[str, list[float]] = {"forward": [], "backward": [], "optimizer": []}
    model.train()
    started = time.perf_counter()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        while len(parts["forward"]) < 4 or time.perf_counter() - started < 3 * SECONDS:
            optimizer.zero_grad(set_to_none=True)
            marks = [_now(device)]
            with autocast_for(study.recipe.precision, device):
                logits = model(inputs).float()
            loss = F.cross_entropy(logits, answers)
            marks.append(_now(device))
            loss.backward()
            marks.append(_now(device))
            optimizer.step()
            marks.append(_now(device))
            for times, a, b in zip(parts.values(), marks[:-1], marks[1:], strict=True):
                times.append(b - a)
    # The first step allocates.
    return {name: statistics.median(times[1:]) for name, times in parts.items()}


def _loop_seconds(
    model: nn.Module, study: Study, data: StudyData, n: int, device: torch.device
) -> float:
    """Time a batch in the training loop itself, input pipeline included: median of the epochs."""
    seconds: list[float] = []
    steps = min(4, max(1, len(data.train) // n))
    train(
        model,
        replace(study.recipe, epochs=4, batch_size=n, micro_batch_size=None, compile=False),
        data.train.images[: steps * n],
        data.train.labels[: steps * n],
        preprocess=data.preprocess,
        seed=0,
        device=device,
        accuracies=lambda _: {"test_accuracy": float("nan")},
        on_epoch=lambda epoch: seconds.append(epoch.seconds / steps),
    )
    return statistics.median(seconds[1:])


def _rounds(
    call: Callable[[], object], device: torch.device, seconds: float = SECONDS
) -> Sequence[float]:
    """Time rounds of calls, each long enough for the clock and a GPU's queue: seconds a call."""
    call()
    started = _now(device)
    call()
    once = max(_now(device) - started, 1e-7)
    calls, times = max(1, min(100, int(0.02 / once))), []
    begun = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begun < seconds:
        started = _now(device)
        for _ in range(calls):
            call()
        times.append((_now(device) - started) / calls)
    return times


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
