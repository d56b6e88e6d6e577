"""Enlarge images for the control arms that fill the canvas."""

import numpy as np
import torch

CHUNK = 512  # keeps what is in flight small beside the output


def enlarge(
    images: np.ndarray,
    size_px: int,
    *,
    out: np.ndarray | None = None,
    rows: np.ndarray | None = None,
) -> np.ndarray:
    """Resize images bilinearly, with pixel centres aligned (as Pillow and OpenCV do).

    Parameters
    ----------
    images : uint8 [n, height, width, 3]
    size_px : the new side in pixels
    out : uint8 [m, size_px, size_px, 3] to write to; a new array by default
    rows : int [m], which images to resize, in which order; all by default

    Returns
    -------
    `out`
    """
    rows = np.arange(len(images)) if rows is None else rows
    if out is None:
        out = np.empty((len(rows), size_px, size_px, 3), dtype=np.uint8)
    for start in range(0, len(rows), CHUNK):
        chunk = torch.from_numpy(images[rows[start : start + CHUNK]]).permute(0, 3, 1, 2)
        resized = torch.nn.functional.interpolate(
            chunk, size=(size_px, size_px), mode="bilinear", align_corners=False
        )
        out[start : start + CHUNK] = resized.permute(0, 2, 3, 1).numpy()
    return out
