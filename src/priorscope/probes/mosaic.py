"""Mosaics of several classes: the report's *Combined CIFAR-10*, with control arms.

Deviations from the report: any number of scenes (the report had 100), any grid (2 x 2), and two
control arms, which separate "several objects at once" from "smaller than in training". Images
keep their own size: a recipe's resizing is the model's affair and the same for every arm.
"""

from math import isqrt
from typing import Annotated

import numpy as np
from pydantic import Field, PositiveInt

from priorscope.data import LabeledImages
from priorscope.errors import InputError
from priorscope.probes._draw_scenes import draw_images, present_classes
from priorscope.probes._probe_set import ProbeSet
from priorscope.probes._resize import enlarge

OVERLAPS = ("mixing",)  # see `preflight/overlaps.py`

GREY = 128


def mosaic(
    source: LabeledImages,
    *,
    rng: np.random.Generator,
    num_images: PositiveInt = 2000,
    grid: Annotated[int, Field(ge=2, le=8)] = 2,
    controls: bool = True,
) -> ProbeSet:
    """Put images of grid x grid distinct classes side by side; the targets are all their classes.

    Classes are drawn uniformly without replacement, then an image uniformly within each class.
    Each scene gives one row in every arm, all on the same canvas:

    - `mosaic`: the tiles side by side; scale 1 / grid;
    - `single_tile`: one tile of the mosaic, drawn uniformly, alone in its place on mid-grey;
    - `enlarged_tile`: the same tile enlarged bilinearly to the whole canvas; scale 1.

    The same seed gives the same mosaics with and without controls.

    Control models: one that answers without looking must score chance (k^2 / C of k = grid^2 tiles
    and C classes, 1.6 for 4 of 10); `pixel_set_mlp` sees no places, so another order of the same
    tiles must not change its answer.

    Parameters
    ----------
    num_images : how many scenes
    grid : tiles along a side; grid ** 2 classes must have images
    controls : whether to build the two control arms

    Returns
    -------
    ProbeSet : images [num_images * num_arms, grid * image_px, grid * image_px, 3], arm by arm;
        targets multi-hot; conditions `arm`, `scale` (the tile's side in canvases), `num_tiles`

    Raises
    ------
    InputError : the grid has more tiles than there are classes with images
    """
    classes, num_tiles = present_classes(source), grid * grid
    if num_tiles > len(classes):
        largest = isqrt(len(classes))
        raise InputError(
            "a mosaic needs a class of its own for each tile",
            where="grid",
            found=f"{grid} ({num_tiles} tiles, {len(classes)} classes)",
            allowed=f"2 .. {largest}" if largest >= 2 else "no grid: 4 classes are the fewest",
        )
    chosen = rng.permuted(np.tile(classes, (num_images, 1)), axis=1)[:, :num_tiles]
    tiles = draw_images(source, chosen, rng)
    shown = rng.integers(num_tiles, size=num_images)

    arms = ("mosaic", "single_tile", "enlarged_tile") if controls else ("mosaic",)
    scenes, px = np.arange(num_images), source.image_px
    images = np.empty((len(arms) * num_images, grid * px, grid * px, 3), dtype=np.uint8)
    # [arm, scene, tile row, y, tile column, x, channel]: a view, so tiles land in their places.
    places = images.reshape(len(arms), num_images, grid, px, grid, px, 3)
    for tile in range(num_tiles):
        places[0, :, tile // grid, :, tile % grid] = source.images[tiles[:, tile]]
    targets = np.zeros((len(arms), num_images, source.num_classes), dtype=bool)
    targets[0, scenes[:, None], chosen] = True
    if controls:
        single = tiles[scenes, shown]
        images[num_images : 2 * num_images] = GREY
        places[1, scenes, shown // grid, :, shown % grid] = source.images[single]
        enlarge(source.images, grid * px, rows=single, out=images[2 * num_images :])
        targets[1:, scenes, chosen[scenes, shown]] = True

    return ProbeSet(
        images,
        targets.reshape(len(images), source.num_classes),
        np.tile(scenes, len(arms)),
        {
            "arm": np.repeat(arms, num_images),
            "scale": np.repeat((1 / grid, 1 / grid, 1.0)[: len(arms)], num_images),
            "num_tiles": np.repeat((num_tiles, 1, 1)[: len(arms)], num_images),
        },
        source.class_names,
    )
