"""From bytes to what a network sees: the same for training, test and every probe."""

import functools
import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from priorscope.data._pictures import Pictures


@dataclass(frozen=True, eq=False)
class Rearrangement:
    """What an intervention does to every image: position i shows pixel `order[i]`.

    Attributes
    ----------
    name, seed, parameters : of the intervention, as the study gives them
    order : int64 [image_px ** 2], a permutation; positions are counted row by row
    """

    name: str
    seed: int
    parameters: dict[str, Any]
    order: np.ndarray

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Move the pixels of images [n, image_px, image_px, channels], all alike."""
        return images.reshape(len(images), len(self.order), -1)[:, self.order].reshape(images.shape)

    def describe(self) -> dict[str, Any]:
        """Return name, parameters, and a hash of the order (SHA-256, 16 hex digits)."""
        order = np.ascontiguousarray(self.order, dtype=np.int64)
        fingerprint = hashlib.sha256(order.data).hexdigest()[:16]
        plain = {"name": self.name, "seed": self.seed, **self.parameters}
        return plain | {"fingerprint": fingerprint}


@dataclass(frozen=True)
class Preprocess:
    """Resize to `image_px`, normalise each channel by the training images' moments, move pixels.

    The intervention comes last and once for all: training images have been augmented by then, so
    that a shift still moves what an image shows, and not positions that mean nothing any more; and
    training, test and probe images cannot but be rearranged alike.

    Attributes
    ----------
    image_px : side of the network's input in pixels
    mean, std : of each channel over all training pixels, in 0 .. 1
    rearrangement : of the study's intervention, if it has one
    pictures : how each image is resized for a network that was trained elsewhere; None resizes all
        of them at once, as in training, and a network that is given so has no rearrangement
    """

    image_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    rearrangement: Rearrangement | None = field(default=None)
    pictures: Pictures | None = None

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Map uint8 [batch, h, w, 3] to float32 [batch, 3, image_px, image_px], channels last.

        Resizing is bilinear, with antialiasing when it shrinks, unless `pictures` says otherwise.
        """
        if self.pictures is not None:
            return self.pictures(images, self.image_px, self.mean, self.std)
        images = resize(images, self.image_px)
        scale, shift = _row_affine(self, images.device)
        rows = images.flatten(2)
        # One new array of floats, not three: on a CPU, fresh memory costs more than the sums.
        rows = (rows.float() if rows.dtype == torch.uint8 else rows.clone()).mul_(scale).add_(shift)
        if self.rearrangement is not None:
            order = _order_on(self.rearrangement, images.device)
            rows = rows.view(len(images), -1, 3).index_select(1, order)
        return rows.view(*images.shape).permute(0, 3, 1, 2)


def resize(images: torch.Tensor, image_px: int) -> torch.Tensor:
    """Resize [batch, h, w, 3] of bytes or floats to a square, float32 unless it has that size.

    Bilinear, with antialiasing when it shrinks.
    """
    if images.shape[1:3] == (image_px, image_px):
        return images
    planes = images.permute(0, 3, 1, 2).float()
    resized = F.interpolate(planes, size=(image_px, image_px), mode="bilinear", antialias=True)
    return resized.permute(0, 2, 3, 1)


@functools.cache
def _row_affine(of: Preprocess, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return factor and offset for a whole row of pixels, each float32 [image_px * 3].

    Broadcasting over three channels alone is 20 times slower on a CPU; the tensors are kept, so
    that a GPU need not wait for the host at every batch, and for good: a CUDA graph reads them
    where they were when it was captured.
    """
    scale = torch.tensor([1 / (255 * s) for s in of.std] * of.image_px)
    shift = torch.tensor([-m / s for m, s in zip(of.mean, of.std, strict=True)] * of.image_px)
    return scale.to(device), shift.to(device)


@functools.cache
def _order_on(rearrangement: Rearrangement, device: torch.device) -> torch.Tensor:
    """Keep the order on the device; rearrangements are told apart by identity."""
    return torch.from_numpy(np.array(rearrangement.order, dtype=np.int64)).to(device)


def preprocess_for(train_images: np.ndarray, image_px: int | None) -> Preprocess:
    """Measure the channels' moments on training images, uint8 [n, h, w, 3].

    A constant channel keeps a standard deviation of one grey level, so that nothing is divided
    by zero.
    """
    total, square = np.zeros(3), np.zeros(3)
    for start in range(0, len(train_images), 1024):  # a memory map is read piece by piece
        piece = train_images[start : start + 1024].reshape(-1, 3).astype(np.float64)
        total += piece.sum(axis=0)
        square += np.square(piece).sum(axis=0)
    num_pixels = train_images[..., 0].size
    mean = total / num_pixels
    std = np.sqrt(np.maximum(square / num_pixels - mean**2, 1.0))
    as_tuple = [tuple(float(round(v, 6)) for v in moment / 255) for moment in (mean, std)]
    return Preprocess(image_px or train_images.shape[1], *as_tuple)  # type: ignore[arg-type]


def autocast_for(precision: str, device: torch.device, *, cache: bool = True) -> torch.autocast:
    """Return the context in which a network computes: fp32, or products in bf16 or fp16.

    `cache` keeps a weight that was cast for as long as the context is open.
    """
    dtype = torch.float16 if precision == "fp16" else torch.bfloat16
    return torch.autocast(device.type, dtype, enabled=precision != "fp32", cache_enabled=cache)


def sent(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Copy a tensor from the host to a device; the host does not wait for it.

    A GPU fetches from pinned memory by itself. From any other, the driver copies more than a few
    kilobytes only after all that was asked of the device before.
    """
    if device.type == "cuda" and values.device.type == "cpu":
        values = values.pin_memory()
    return values.to(device, non_blocking=True)


def sent_rows(images: np.ndarray, rows: np.ndarray, device: torch.device) -> torch.Tensor:
    """Copy rows of images [n, height, width, 3], which may be a memory map, to a device.

    The host does not wait for the device. `rows` are int64 [batch].
    """
    if device.type != "cuda":
        return torch.from_numpy(images[rows]).to(device, non_blocking=True)
    shape = (len(rows), *images.shape[1:])
    staged = torch.empty(shape, dtype=torch.uint8, pin_memory=True)
    np.take(images, rows, axis=0, out=staged.numpy(), mode="clip")  # other modes copy once more
    return staged.to(device, non_blocking=True)
