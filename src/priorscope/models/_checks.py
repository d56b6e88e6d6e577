"""Refuse shapes that do not fit together, with what would fit."""

from typing import Annotated

from pydantic import Field

from priorscope.errors import InputError

NumBlocks = Annotated[int, Field(gt=0, le=1000)]  # a typing error must not build for hours


def grid_side(image_px: int, patch_size: int) -> int:
    """Count the patches along one side of the image.

    Raises
    ------
    InputError : the patch does not divide the image
    """
    if image_px % patch_size:
        raise InputError(
            "the patch must divide the image",
            where="patch_size",
            found=f"patch_size {patch_size}, image {image_px} px",
            allowed=_divisors(image_px),
        )
    return image_px // patch_size


def check_halving(grid_size: int, num_stages: int, *, image_px: int) -> None:
    """Refuse a grid that the stages of a pyramid cannot halve.

    Raises
    ------
    InputError : a stage would halve an odd side
    """
    shrink = 2 ** (num_stages - 1)
    if grid_size % shrink:
        raise InputError(
            f"{num_stages} stages halve the grid {num_stages - 1} times",
            where="patch_size",
            found=f"image {image_px} px, patch_size {image_px // grid_size}: "
            f"a grid of {grid_size} patches a side",
            allowed=[p for p in range(1, image_px + 1) if image_px % (p * shrink) == 0]
            or f"none at {image_px} px: take an image size that {shrink} divides, or fewer depths",
        )


def check_odd(window_size: int) -> None:
    """Refuse a window without a centre.

    Raises
    ------
    InputError : the window is even
    """
    if window_size % 2 == 0:
        raise InputError(
            "a window has a centre: it must be odd",
            where="window_size",
            found=window_size,
            allowed="an odd number of patches",
        )


def check_heads(num_heads: int, embed_dim: int) -> None:
    """Refuse heads that do not share the width evenly.

    Raises
    ------
    InputError : the heads do not divide the width
    """
    if embed_dim % num_heads:
        raise InputError(
            "the heads must divide the width",
            where="num_heads",
            found=f"num_heads {num_heads}, embed_dim {embed_dim}",
            allowed=_divisors(embed_dim),
        )


def check_divides_channels(name: str, value: int, embed_dim: int) -> None:
    """Refuse a parameter that does not divide the channels.

    Raises
    ------
    InputError : names the parameter
    """
    if embed_dim % value:
        raise InputError(
            f"{name} must divide the channels",
            where=name,
            found=f"{name} {value}, embed_dim {embed_dim}",
            allowed=_divisors(embed_dim),
        )


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]
