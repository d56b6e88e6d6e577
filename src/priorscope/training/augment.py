"""Augmentation of batches of bytes, on the device that holds them: draw, then apply.

What happens to each image is drawn batch by batch, from an explicit generator; what was drawn for
several batches can be joined, and is applied to the images of all of them at once. Every image is
treated independently of the others, so how many batches are joined changes nothing.

What is drawn is one tensor for each augmentation, whose last axis is the batch. A generator on the
CPU serves images on any device: the host draws and sends what it drew, and waits for nothing.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F

from priorscope.data import sent
from priorscope.training.autoaugment import apply_policy, draw_policy

PADDING_PX = 4
Drawn = tuple[torch.Tensor, ...]  # for each augmentation, what happens to the images of a batch


def draw_shifts(
    batch: int, generator: torch.Generator, padding_px: int = PADDING_PX
) -> torch.Tensor:
    """Draw where in a padded image its crop begins: top and left, int64 [2, batch]."""
    shape, device = (2, batch), generator.device
    return torch.randint(0, 2 * padding_px + 1, shape, generator=generator, device=device)


def crop(
    images: torch.Tensor,
    shifts: torch.Tensor,
    padding_px: int = PADDING_PX,
    flipped: torch.Tensor | None = None,
) -> torch.Tensor:
    """Take the window at `shifts` of each image, padded with black; mirror what is `flipped`.

    `shifts` are int64 [2, batch], `flipped` is bool [batch].
    """
    batch, height, width, channels = images.shape
    padded = F.pad(images, (0, 0, padding_px, padding_px, padding_px, padding_px))
    device, (padded_height, padded_width) = images.device, padded.shape[1:3]
    top, left = sent(shifts, device)
    rows = top[:, None] + torch.arange(height, device=device)  # [batch, height]
    columns = torch.arange(width, device=device).expand(batch, width)
    if flipped is not None:
        columns = torch.where(sent(flipped, device)[:, None], width - 1 - columns, columns)
    columns = left[:, None] + columns  # [batch, width]
    rows += padded_height * torch.arange(batch, device=device)[:, None]
    # One gather of whole pixels from a flat list of them is the fastest form on a CPU.
    pixels = (padded_width * rows[:, :, None] + columns[:, None, :]).flatten()
    return padded.view(-1, channels).index_select(0, pixels).view_as(images)


def random_crop(
    images: torch.Tensor, generator: torch.Generator, padding_px: int = PADDING_PX
) -> torch.Tensor:
    """Shift each image by up to `padding_px` in both axes, uniformly; what enters is black.

    Equals a random crop of the image padded by `padding_px` zeros on all sides.
    """
    return crop(images, draw_shifts(len(images), generator, padding_px), padding_px)


def draw_flips(batch: int, generator: torch.Generator) -> torch.Tensor:
    """Draw which images are mirrored, with probability one half: bool [batch]."""
    return torch.rand(batch, generator=generator, device=generator.device) < 0.5


def flip(images: torch.Tensor, flipped: torch.Tensor) -> torch.Tensor:
    """Mirror left to right the images of which `flipped`, bool [batch], says so."""
    there = sent(flipped, images.device)[:, None, None, None]
    return torch.where(there, images.flip(2), images)


def horizontal_flip(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Mirror each image left to right with probability one half."""
    return flip(images, draw_flips(len(images), generator))


class Augmentation(NamedTuple):
    """The two halves of an augmentation: `apply(images, draw(len(images), generator))`."""

    draw: Callable[[int, torch.Generator], torch.Tensor]
    apply: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


AUGMENTATIONS = {
    "random_crop": Augmentation(draw_shifts, crop),
    "horizontal_flip": Augmentation(draw_flips, flip),
    "autoaugment_cifar10": Augmentation(draw_policy, apply_policy),
}


def draw(names: Sequence[str], batch: int, generator: torch.Generator) -> Drawn:
    """Draw what the named augmentations do to the images of a batch, in order."""
    return tuple(AUGMENTATIONS[name].draw(batch, generator) for name in names)


def joined(drawn: Sequence[Drawn]) -> Drawn:
    """Join what was drawn for consecutive batches."""
    if len(drawn) == 1:
        return drawn[0]
    return tuple(torch.cat(of_batches, dim=-1) for of_batches in zip(*drawn, strict=True))


def apply(images: torch.Tensor, names: Sequence[str], drawn: Drawn) -> torch.Tensor:
    """Do to uint8 images [batch, height, width, 3] what was drawn for them, name by name."""
    left = [*zip(names, drawn, strict=True)]
    while left:
        if [name for name, _ in left[:2]] == ["random_crop", "horizontal_flip"]:
            (_, shifts), (_, flipped) = left[:2]  # both in one gather
            images, left = crop(images, shifts, PADDING_PX, flipped), left[2:]
        else:
            (name, of_name), *left = left
            images = AUGMENTATIONS[name].apply(images, of_name)
    return images


def augment(images: torch.Tensor, names: Sequence[str], generator: torch.Generator) -> torch.Tensor:
    """Draw the named augmentations for uint8 images [batch, height, width, 3], and apply them."""
    return apply(images, names, draw(names, len(images), generator))
