"""Steps in which one image passes through a model alone, and what batch norm makes of it.

It takes its moments over the images that pass at once. Where each of them has one value a channel,
a single image has no moments at all; where it has maps, they are that image's own.
"""

import math

import torch
from torch import nn

from priorscope.errors import InputError, PriorscopeWarning
from priorscope.training.recipe import Recipe
from priorscope.training.streams import seeded_streams

_TOO_FEW = "Expected more than 1 value per channel"  # PyTorch's word for it


def num_parts(batch_size: int, micro_batch_size: int) -> int:
    """Count the parts, as equal as can be, in which a batch passes through a model."""
    return math.ceil(batch_size / min(micro_batch_size, batch_size))


def fewest_at_once(num_images: int, batch_size: int, micro_batch_size: int | None) -> int:
    """Count the images of the smallest part of any batch of an epoch."""
    whole = min(batch_size, num_images)
    sizes = {whole, num_images % whole or whole}
    return min(size // num_parts(size, micro_batch_size or size) for size in sizes)


class SingleImage(PriorscopeWarning):
    """A batch norm takes its moments from one image alone."""


def single_image_note(model: nn.Module, recipe: Recipe, num_images: int) -> str | None:
    """Say that batch norms of the model see an image alone in an epoch; None where none does."""
    if fewest_at_once(num_images, recipe.batch_size, recipe.micro_batch_size) > 1:
        return None
    if not any(isinstance(each, nn.modules.batchnorm._BatchNorm) for each in model.modules()):
        return None
    change = _change(recipe, num_images)
    advice = f"; {change} to avoid it" if change else ""
    return (
        f"batch norm takes its moments from one image alone: {_found(recipe, num_images)}{advice}"
    )


def check_single_images(
    model: nn.Module, recipe: Recipe, num_images: int, image_px: int, *, where: str
) -> None:
    """Refuse a model that cannot train on one image, where an epoch has one that is alone.

    Parameters
    ----------
    model : on the CPU; its moments are those of a blank image afterwards
    num_images : of an epoch
    where : the model's key

    Raises
    ------
    InputError : says what to change
    """
    if fewest_at_once(num_images, recipe.batch_size, recipe.micro_batch_size) > 1:
        return
    try:
        with seeded_streams(0), torch.no_grad():
            model.train()(torch.zeros(1, 3, image_px, image_px))
    except Exception as error:  # what else fails in training is the business of others
        if _TOO_FEW in str(error):
            raise InputError(
                "batch norm cannot train on one image",
                where=where,
                found=_found(recipe, num_images),
                allowed="at least 2 images at once",
                hint=_change(recipe, num_images),
            ) from error


def _found(recipe: Recipe, num_images: int) -> str:
    whole = min(recipe.batch_size, num_images)
    batches = f"{num_images} training images in batches of {whole}"
    if recipe.micro_batch_size is None:
        last = num_images % whole
        return f"a last batch of 1 image, {batches}" if last == 1 else batches
    return f"a part of 1 image, {batches}, at most {recipe.micro_batch_size} at once"


def _change(recipe: Recipe, num_images: int) -> str | None:
    """Find the sizes next to the recipe's with which no image is alone, if there are any."""
    batch_size, micro_batch_size = recipe.batch_size, recipe.micro_batch_size
    sizes = range(2, num_images + 1)
    batch_sizes = (s for s in sizes if fewest_at_once(num_images, s, micro_batch_size) > 1)
    micro_sizes = (s for s in sizes if fewest_at_once(num_images, batch_size, s) > 1)
    options = [("batch_size", batch_size, batch_sizes)]
    if micro_batch_size is not None:
        options.append(("micro_batch_size", micro_batch_size, micro_sizes))
    for key, own, helpful in options:
        near = sorted(sorted(helpful, key=lambda size: abs(size - own))[:2])
        if near:
            return f"set recipe.{key} to {' or '.join(map(str, near))}"
    return None
