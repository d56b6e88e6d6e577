"""Augmentation of whole batches of bytes, on the device that holds them.

Each function maps uint8 images [batch, height, width, 3] and an explicit generator to new images of
the same shape; every image is treated independently of the others. A generator on the CPU serves
images on any device: the host draws and sends what it drew, and waits for nothing.
"""

import torch
import torch.nn.functional as F

from priorscope.training.autoaugment import autoaugment_cifar10


def random_crop(
    images: torch.Tensor, generator: torch.Generator, padding_px: int = 4
) -> torch.Tensor:
    """Shift each image by up to `padding_px` in both axes, uniformly; what enters is black.

    Equals a random crop of the image padded by `padding_px` zeros on all sides.
    """
    return _cropped(images, *_draw_shifts(images, generator, padding_px), padding_px)


def horizontal_flip(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Mirror each image left to right with probability one half."""
    flipped = _draw_flips(images, generator)
    return torch.where(flipped[:, None, None, None], images.flip(2), images)


def random_crop_and_flip(
    images: torch.Tensor, generator: torch.Generator, padding_px: int = 4
) -> torch.Tensor:
    """Do what `random_crop` and then `horizontal_flip` do, with the same draws, in one gather."""
    top, left = _draw_shifts(images, generator, padding_px)
    return _cropped(images, top, left, padding_px, _draw_flips(images, generator))


def _draw_shifts(
    images: torch.Tensor, generator: torch.Generator, padding_px: int
) -> tuple[torch.Tensor, torch.Tensor]:
    shape = (2, len(images))
    shifts = torch.randint(
        0, 2 * padding_px + 1, shape, generator=generator, device=generator.device
    )
    top, left = shifts.to(images.device, non_blocking=True)
    return top, left


def _draw_flips(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    chances = torch.rand(len(images), generator=generator, device=generator.device)
    return (chances < 0.5).to(images.device, non_blocking=True)


def _cropped(
    images: torch.Tensor,
    top: torch.Tensor,
    left: torch.Tensor,
    padding_px: int,
    flipped: torch.Tensor | None = None,
) -> torch.Tensor:
    """Take the window at `top`, `left` of each padded image; mirror it where `flipped` says so."""
    batch, height, width, channels = images.shape
    padded = F.pad(images, (0, 0, padding_px, padding_px, padding_px, padding_px))
    device, (padded_height, padded_width) = images.device, padded.shape[1:3]
    rows = top[:, None] + torch.arange(height, device=device)  # [batch, height]
    columns = torch.arange(width, device=device).expand(batch, width)
    if flipped is not None:
        columns = torch.where(flipped[:, None], width - 1 - columns, columns)
    columns = left[:, None] + columns  # [batch, width]
    rows += padded_height * torch.arange(batch, device=device)[:, None]
    # One gather of whole pixels from a flat list of them is the fastest form on a CPU.
    pixels = (padded_width * rows[:, :, None] + columns[:, None, :]).flatten()
    return padded.view(-1, channels).index_select(0, pixels).view_as(images)


AUGMENTATIONS = {
    "random_crop": random_crop,
    "horizontal_flip": horizontal_flip,
    "autoaugment_cifar10": autoaugment_cifar10,
}


def augment(
    images: torch.Tensor, names: tuple[str, ...], generator: torch.Generator
) -> torch.Tensor:
    """Apply the named augmentations to uint8 images [batch, height, width, 3] in order."""
    left = [*names]
    while left:
        if left[:2] == ["random_crop", "horizontal_flip"]:
            images, left = random_crop_and_flip(images, generator), left[2:]
        else:
            images, left = AUGMENTATIONS[left[0]](images, generator), left[1:]
    return images
