"""What `gpu.py` checks before it times any arm: agreement with the CPU, and of graphs with steps.

Every function takes any device, so that all of this also runs where there is no GPU.
"""

import contextlib
import copy
import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from priorscope.data._preprocess import preprocess_for
from priorscope.training.autoaugment import autoaugment_cifar10
from priorscope.training.checkpoint import Checkpoints
from priorscope.training.loop import Epoch, train
from priorscope.training.recipe import Recipe

NUM_CLASSES = 10
# A device may be this many times as far from float64 as the CPU is in float32, and the floor is
# allowed to everybody: sums in another order, and Winograd's convolutions, are no mistake. Batch
# norm and ReLU make a network's own error large, so that no fixed bound would do; TF32's is larger
# than the factor allows. Beyond the ceiling, a comparison could not tell right from wrong.
FACTOR, FLOOR, CEILING = 10.0, 1e-4, 0.3


@dataclass(frozen=True)
class Agreement:
    """Relative errors (2-norm) in float32 against float64 on the CPU, of the CPU and the device."""

    logits_cpu: float
    logits: float
    gradients_cpu: float
    gradients: float

    @property
    def holds(self) -> bool:
        """Tell whether the device computes what the CPU computes."""
        pairs = ((self.logits, self.logits_cpu), (self.gradients, self.gradients_cpu))
        return all(here <= min(max(FACTOR * cpu, FLOOR), CEILING) for here, cpu in pairs)


def agreement(model: nn.Module, device: torch.device, image_px: int, batch: int) -> Agreement:
    """Compare logits and all gradients of a training step on `batch` random images.

    The images are large blots of colour: pixels of noise would all look alike after pooling, and
    batch norm would then divide rounding errors by almost nothing.
    """
    generator = torch.Generator().manual_seed(0)
    blots = torch.randn(batch, 3, 4, 4, generator=generator)
    images = F.interpolate(blots, size=(image_px, image_px), mode="bilinear")
    images += torch.randn(batch, 3, 1, 1, generator=generator)
    labels = torch.randint(NUM_CLASSES, (batch,), generator=generator)
    cpu = torch.device("cpu")
    exact = _step(model, images, labels, cpu, torch.float64)
    here = _step(model, images, labels, cpu, torch.float32)
    # TF32 multiplies with 10 bits; cuDNN takes it by default, matrix products do not.
    assert not torch.backends.cuda.matmul.allow_tf32
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        there = _step(model, images, labels, device, torch.float32)
    return Agreement(
        _error(here[0], exact[0]),
        _error(there[0], exact[0]),
        _error(here[1], exact[1]),
        _error(there[1], exact[1]),
    )


def _step(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    device: torch.device,
    dtype: torch.dtype,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits and joined gradients, float64 on the CPU, of a copy of the model."""
    copied = copy.deepcopy(model).train().to(device, dtype)
    copied.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    given = images.to(device, dtype, memory_format=torch.channels_last)
    logits = copied(given)
    F.cross_entropy(logits, labels.to(device)).backward()
    gradients = [p.grad.flatten() for p in copied.parameters() if p.grad is not None]
    return logits.detach().cpu().double(), torch.cat(gradients).cpu().double()


def _error(found: torch.Tensor, exact: torch.Tensor) -> float:
    return float((found - exact).norm() / exact.norm())


def differing_bytes(device: torch.device, image_px: int, num_images: int) -> int:
    """Count the bytes that AutoAugment makes otherwise on the device, given the same draws."""
    generator = torch.Generator().manual_seed(0)
    shape = (num_images, image_px, image_px, 3)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    here, there = (
        autoaugment_cifar10(images.to(place), torch.Generator().manual_seed(1)).cpu()
        for place in (torch.device("cpu"), device)
    )
    return int((here != there).sum())


@dataclass(frozen=True)
class GraphAgreement:
    """A graphed training against an eager one from the same start.

    Attributes
    ----------
    differing_weights : numbers of their ends in float32 that are not the same
    differing_after_stop : of the graphed one's end, and of one that was stopped and continued
    loss_error : the largest relative difference of an epoch's loss in bf16
    how : how the steps of the graphed one were executed, and how they were to be
    """

    differing_weights: int
    differing_after_stop: int
    loss_error: float
    how: tuple[str | None, str]

    @property
    def holds(self) -> bool:
        """Tell whether a graph computes what steps compute; bf16 rounds by 2 ** -8."""
        exact = not (self.differing_weights or self.differing_after_stop)
        return exact and self.loss_error <= 2**-8 and self.how[0] == self.how[1]


_RECIPE = Recipe(  # five steps an epoch, the last of another shape
    batch_size=32, epochs=10, clip_grad_norm=1.0, augment=("random_crop", "horizontal_flip")
)
_NUM_IMAGES = 4 * 32 + 8


class _Stopped(Exception):
    """Stands for a process that is killed."""


def graph_agreement(device: torch.device) -> GraphAgreement:
    """Train a small network with batch norm and dropout for 50 steps, eagerly and by graphs.

    Kernels are deterministic where PyTorch has such ones.
    """
    before = torch.are_deterministic_algorithms_enabled()
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.filterwarnings("ignore", message=".*deterministic")
        torch.use_deterministic_algorithms(True, warn_only=True)
        try:
            eager, _ = _trained(device, _RECIPE, graphs=False)
            graphed, epochs = _trained(device, _RECIPE)
            checkpoints = Checkpoints(Path(folder), every_seconds=0)
            with contextlib.suppress(_Stopped):
                _trained(device, _RECIPE, checkpoints=checkpoints, stops_after=6)
            resumed, _ = _trained(device, _RECIPE, checkpoints=checkpoints)
            in_bf16 = replace(_RECIPE, precision="bf16")
            curves = [_trained(device, in_bf16, graphs=graphs)[1] for graphs in (False, True)]
        finally:
            torch.use_deterministic_algorithms(before)
    return GraphAgreement(
        int((eager != graphed).sum()),
        int((resumed != graphed).sum()),
        max(abs(a.train_loss / b.train_loss - 1) for a, b in zip(*curves, strict=True)),
        (epochs[-1].how, "graphed" if device.type == "cuda" else "eager"),
    )


def _trained(
    device: torch.device,
    recipe: Recipe,
    *,
    graphs: bool = True,
    checkpoints: Checkpoints | None = None,
    stops_after: int | None = None,
) -> tuple[torch.Tensor, list[Epoch]]:
    """Train, and give all weights and moments in one vector, and the epochs."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(),
        nn.Dropout(0.2), nn.Linear(16 * 15 * 15, NUM_CLASSES),
    )  # fmt: skip
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (_NUM_IMAGES, 32, 32, 3), dtype=np.uint8)
    epochs: list[Epoch] = []

    def on_epoch(epoch: Epoch) -> None:
        epochs.append(epoch)
        if epoch.epoch == stops_after:
            raise _Stopped

    train(
        model,
        recipe,
        images,
        rng.integers(0, NUM_CLASSES, _NUM_IMAGES),
        preprocess=preprocess_for(images, None),
        seed=0,
        device=device,
        accuracies=lambda _: {"test_accuracy": float("nan")},
        on_epoch=on_epoch,
        checkpoints=checkpoints,
        graphs=graphs,
    )
    state = [value.flatten().double().cpu() for value in model.state_dict().values()]
    return torch.cat(state), epochs
