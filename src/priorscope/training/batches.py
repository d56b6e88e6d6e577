"""An epoch's batches, augmented: several of them at once where that saves launches."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from priorscope.data import resize, sent
from priorscope.errors import RunFailed, out_of_memory
from priorscope.training.augment import apply, draw, joined
from priorscope.training.pool import free_bytes
from priorscope.training.recipe import Recipe

# Of augmented images that lie ready. On a CPU so many as stay in its caches: 512 of 32 px, each of
# which AutoAugment makes in half the time that it takes in a batch of 64. While they are made on an
# accelerator, up to _WORKING times as much is in use, at most this part of what is free.
_ON_CPU, _ELSEWHERE, _WORKING, _PART_OF_FREE_MEMORY = 3 * 2**19, 2**26, 20, 0.2


@dataclass(frozen=True)
class Batch:
    """What a step is computed from.

    Attributes
    ----------
    pixels : uint8 [batch, height, width, 3], on the device
    target : int64 [batch], on the device
    drawn_until : the state of the generator of augmentation once this batch was drawn
    """

    pixels: torch.Tensor
    target: torch.Tensor
    drawn_until: torch.Tensor


def batches_in_block(device: torch.device, batch_bytes: int, *, augmented: bool) -> int:
    """Choose how many batches of so many bytes are augmented at once; nothing but time hangs on it.

    Whatever is asked for once for several batches need not be asked for each: a GPU computes it
    faster than it can be asked. A CPU that only copies images has nothing to gain.
    """
    most: float = _ON_CPU if augmented else 0
    if device.type != "cpu":
        most = min(_ELSEWHERE, _PART_OF_FREE_MEMORY * free_bytes(device) / _WORKING)
    return max(1, int(most // batch_bytes))


def augmented_batches(
    rows: torch.Tensor,
    pool: Callable[[torch.Tensor], torch.Tensor],
    labels: torch.Tensor,
    recipe: Recipe,
    image_px: int,
    generator: torch.Generator,
    device: torch.device,
) -> Iterator[Batch]:
    """Yield the batches of `rows`, augmented by the recipe.

    Parameters are drawn batch by batch, as if each batch were augmented alone, so that the
    generator runs ahead of the batches: `Batch.drawn_until` says where each of them left it.

    Parameters
    ----------
    rows : int64 [n] on the host, in order
    pool : from rows to their images on the device, see `image_pool`
    labels : int64 [all images], on the host
    image_px : side to which images are resized before they are augmented, if the recipe says so
    generator : on the host

    Raises
    ------
    RunFailed : memory does not suffice for one batch
    """
    start, num_batches = 0, 0  # of a block; their number is chosen when the first batch is known
    while start < len(rows):
        before = generator.get_state()
        block = rows[start : start + max(1, num_batches) * recipe.batch_size]
        try:
            pixels, drawn_until = _augmented(block, pool, recipe, image_px, generator)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            if num_batches <= 1:
                raise RunFailed("out of memory in the augmentation of a batch") from error
            generator.set_state(before)
            num_batches = math.ceil(num_batches / 2)
            continue
        targets = sent(labels[block], device)
        parts = (each.split(recipe.batch_size) for each in (pixels, targets))
        for part, target, state in zip(*parts, drawn_until, strict=True):
            yield Batch(part, target, state)
        start += len(block)
        num_batches = num_batches or batches_in_block(
            device, pixels.numel(), augmented=bool(recipe.augment)
        )


def _augmented(
    rows: torch.Tensor,
    pool: Callable[[torch.Tensor], torch.Tensor],
    recipe: Recipe,
    image_px: int,
    generator: torch.Generator,
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return the images of consecutive batches, and the generator's state after each of them."""
    drawn, drawn_until = [], []
    for batch in rows.split(recipe.batch_size):
        drawn.append(draw(recipe.augment, len(batch), generator))
        drawn_until.append(generator.get_state())
    pixels = pool(rows)
    if recipe.resize == "before_augment":
        pixels = resize(pixels, image_px).round().to(torch.uint8)
    return apply(pixels, recipe.augment, joined(drawn)), drawn_until
