"""Parts of the same picture hidden."""

from typing import Annotated

import numpy as np
from pydantic import Field

from priorscope.bias import Bias
from priorscope.data import LabeledImages
from priorscope.errors import InputError
from priorscope.probes._altered import GREY, altered_images, drawn_rows
from priorscope.probes._patches import patch_side, patches_of, put_together
from priorscope.probes._probe_set import ProbeSet

OVERLAPS = ("erasing",)  # see `preflight/overlaps.py`

Share = Annotated[float, Field(gt=0, lt=1)]


BIASES = {
    "hidden": Bias(
        "Scattered cells hidden",
        "it needs wholes, or is put off by edges of cells",
        "any part of the image is enough",
        "Grey cells are a pattern of their own.",
    ),
    "block": Bias(
        "One block hidden",
        "it goes by one place",
        "it goes by many places",
        "The block lies at random, on the object or beside it.",
    ),
}


def occlusion(
    source: LabeledImages,
    *,
    rng: np.random.Generator,
    num_images: Annotated[int, Field(ge=1)] = 2000,
    grid: Annotated[int, Field(ge=2)] = 8,
    shares: tuple[Share, ...] = (0.75, 0.5, 0.25),
) -> ProbeSet:
    """Hide a share of the cells of each image at random.

    - `hidden_<share>`: so many of grid x grid cells are mid-grey; the cells of a smaller share are
      among those of a larger one;
    - `block_<share>`: as much is hidden in one square block at a random place, the nearest whole
      number of cells along its side, and the control of how hiding is spread: what is left hangs
      together;
    - `intact`: the images as they are.

    After Naseer et al. 2021 (arXiv:2105.10497, "random PatchDrop"). Deviations: mid-grey in place
    of black; the block. Which cells lie on the object is not known of images in general.

    Control models: the logits of `linear` change by what the hidden places said and no more; a
    constant answer scores alike in all arms.

    Parameters
    ----------
    num_images : how many images, at most all of the source
    grid : cells along a side; they divide the image
    shares : of the cells; the first is what the probe is about

    Returns
    -------
    ProbeSet : images [num_images * num_arms, image_px, image_px, 3], arm by arm; conditions `arm`,
        `hidden` (the share that is hidden, exactly) and `change`

    Raises
    ------
    InputError : cells that do not divide the image; shares that stand twice or hide no cell or all;
        more images than there are
    """
    side, num_cells = patch_side(grid, source.image_px, where="grid"), grid * grid
    counts = [round(share * num_cells) for share in shares]
    if (
        not shares
        or len(set(counts)) < len(counts)
        or not 0 < min(counts) <= max(counts) < num_cells
    ):
        raise InputError(
            "shares are given once each, and hide at least one cell and not all",
            where="shares",
            found=list(shares),
            allowed=f"multiples of 1 / {num_cells}",
        )
    rows = drawn_rows(source, num_images, rng)
    cells = patches_of(source.images[rows], side)
    rank = rng.permuted(np.tile(np.arange(num_cells), (len(rows), 1)), axis=1)
    corner = rng.random((len(rows), 2))
    arms, blocks, hidden = {}, {}, []
    for share, count in zip(shares, counts, strict=True):
        arms[f"hidden_{share:g}"] = _hide(cells, rank < count)
        hidden.append(count / num_cells)
    for share in shares:
        along = min(max(round(grid * share**0.5), 1), grid - 1)
        blocks[f"block_{share:g}"] = _hide(cells, _blocks(corner, along, grid))
        hidden.append(along**2 / num_cells)
    return altered_images(source, rows, arms | blocks, hidden=[*hidden, 0.0])


def _hide(cells: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Make cells [n, cells, side, side, 3] mid-grey where `hidden`, bool [n, cells], says so."""
    shown = cells.copy()
    shown[hidden] = GREY
    return put_together(shown)


def _blocks(corner: np.ndarray, along: int, grid: int) -> np.ndarray:
    """Mark a block of cells at each corner, in [0, 1) of where it can begin: bool [n, cells]."""
    begin = np.floor(corner * (grid - along + 1)).astype(np.int64)[:, :, None]
    places = np.arange(grid)
    inside = (places >= begin) & (places < begin + along)  # [n, 2, grid]
    return (inside[:, 0, :, None] & inside[:, 1, None, :]).reshape(len(corner), grid * grid)
