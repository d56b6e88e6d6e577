"""Patches of an image, as positions."""

import numpy as np

from priorscope.errors import InputError


def patches(image_px: int, patch_px: int) -> np.ndarray:
    """List the positions of each patch: int64 [patches, patch_px ** 2], both row by row.

    Raises
    ------
    InputError : the patches do not divide the image
    """
    if image_px % patch_px:
        fitting = [size for size in range(1, image_px + 1) if image_px % size == 0]
        raise InputError(
            f"patches do not divide the image of {image_px} px",
            where="patch_px",
            found=patch_px,
            allowed=fitting,
        )
    side = image_px // patch_px
    positions = np.arange(image_px**2).reshape(side, patch_px, side, patch_px)
    return positions.transpose(0, 2, 1, 3).reshape(side**2, patch_px**2)


def in_image(of_patches: np.ndarray, contents: np.ndarray) -> np.ndarray:
    """Put `contents` where `of_patches` stand, both int64 [patches, pixels]: int64 [positions]."""
    order = np.empty(of_patches.size, dtype=np.int64)
    order[of_patches] = contents
    return order
