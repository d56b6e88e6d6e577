"""Probes that show the same images in several states, one arm a state."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from priorscope.data import LabeledImages, proportional_sample
from priorscope.errors import InputError
from priorscope.probes._draw_scenes import present_classes
from priorscope.probes._probe_set import ProbeSet

INTACT = "intact"
GREY = 128


def drawn_rows(source: LabeledImages, num_images: int, rng: np.random.Generator) -> np.ndarray:
    """Draw images without replacement, each class by its share: int64 [num_images], ascending.

    Raises
    ------
    InputError : more than there are
    """
    present_classes(source)
    if num_images > len(source):
        raise InputError(
            "more images than the source has, and none is shown twice",
            where="num_images",
            found=num_images,
            allowed=f"1 .. {len(source)}",
        )
    return proportional_sample([source.labels], num_images, rng)


def altered_images(
    source: LabeledImages,
    rows: np.ndarray,
    arms: Mapping[str, np.ndarray],
    **conditions: Sequence[Any],
) -> ProbeSet:
    """Put arms of the same images below each other, and the images as they are at the end.

    Parameters
    ----------
    rows : int64 [m], the images of `source` that are shown
    arms : name -> uint8 [m, image_px, image_px, 3], the first what the probe is about
    conditions : column -> one value an arm, that of `intact` last

    Returns
    -------
    ProbeSet : targets are class ids; conditions `arm`, those given, and `change`: the root mean
        square of how far an image's values moved, in levels of 0 .. 255
    """
    intact = source.images[rows]
    shown = [*arms.values(), intact]
    change = [_root_mean_square(images, intact) for images in shown]
    names = [*arms, INTACT]
    columns = {
        name: np.repeat(np.asarray(values), len(rows)) for name, values in conditions.items()
    }
    return ProbeSet(
        np.concatenate(shown),
        np.tile(source.labels[rows], len(names)),
        np.tile(np.arange(len(rows)), len(names)),
        {"arm": np.repeat(names, len(rows)), **columns, "change": np.concatenate(change)},
        source.class_names,
    )


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Round floats [...] to uint8; what lies outside 0 .. 255 becomes the nearer end."""
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)


def _root_mean_square(images: np.ndarray, intact: np.ndarray) -> np.ndarray:
    moved = images.astype(np.float32) - intact
    return np.sqrt(np.square(moved).mean(axis=(1, 2, 3)))
