"""Images as patches."""

from math import isqrt

import numpy as np

from priorscope.errors import InputError


def patch_side(along_a_side: int, image_px: int, *, where: str) -> int:
    """Return the side of a patch in pixels.

    Raises
    ------
    InputError : so many patches do not divide the image
    """
    if image_px % along_a_side:
        fitting = [n for n in range(2, image_px + 1) if image_px % n == 0]
        raise InputError(
            f"patches do not divide the image of {image_px} px",
            where=where,
            found=along_a_side,
            allowed=fitting,
        )
    return image_px // along_a_side


def patches_of(images: np.ndarray, side: int) -> np.ndarray:
    """Cut images [n, height, width, 3] into patches [n, patches, side, side, 3], row by row."""
    n, height, width, channels = images.shape
    cut = images.reshape(n, height // side, side, width // side, side, channels)
    return cut.transpose(0, 1, 3, 2, 4, 5).reshape(n, -1, side, side, channels)


def put_together(patches: np.ndarray) -> np.ndarray:
    """Put patches of square images back in their places: the inverse of `patches_of`."""
    n, count, side, _, channels = patches.shape
    along = isqrt(count)
    grid = patches.reshape(n, along, along, side, side, channels).transpose(0, 1, 3, 2, 4, 5)
    return grid.reshape(n, along * side, along * side, channels)
