"""What `gpu.py` checks and measures before it times any arm: agreement with the CPU.

Every function takes any device, so that all of this also runs where there is no GPU.
"""

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from priorscope.training.autoaugment import autoaugment_cifar10

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
    """Give logits and joined gradients, float64 on the CPU, of a copy of the model."""
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
