"""The same picture smaller and larger, on a canvas of the same size."""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from priorscope.bias import Bias
from priorscope.data import LabeledImages
from priorscope.errors import InputError
from priorscope.probes._altered import GREY, altered_images, drawn_rows
from priorscope.probes._probe_set import ProbeSet

OVERLAPS = ("scale",)  # see `preflight/overlaps.py`
BIASES = {
    "scale": Bias(
        "At other sizes",
        "it knows things at the size it was trained on",
        "answers do not depend on the size",
        "Small scales lose detail too: the arms resampled and cropped say how much.",
    ),
}


def scale(
    source: LabeledImages,
    *,
    rng: np.random.Generator,
    num_images: Annotated[int, Field(ge=1)] = 2000,
    scales: tuple[Annotated[float, Field(gt=0, le=4)], ...] = (0.5, 0.75, 1.5),
) -> ProbeSet:
    """Show each image at other scales; the canvas stays.

    - `scale_<s>`, s below 1: the whole image resized to s of its side, in the middle of mid-grey;
    - `scale_<s>`, s above 1: its middle, 1 / s of its side, resized to the whole canvas;
    - `resampled_<s>`, for each s below 1: the image resized to s of its side and back: what the
      smaller picture lost in detail, at the size that networks know. `scale_<s>` against it is
      scale alone;
    - `cropped_<s>`, for each s above 1: the same middle at its own size on mid-grey: what the
      larger picture lost at its borders;
    - `intact`: the images as they are.

    Resizing is bilinear, with an antialiasing filter where it makes smaller, of whole pixels: an s
    stands for the nearest side.

    Control models: one that answers by an image's mean colour alone answers `resampled` nearly as
    `intact`.

    Parameters
    ----------
    num_images : how many images, at most all of the source
    scales : of a picture's side, not 1; the first is what the probe is about

    Returns
    -------
    ProbeSet : images [num_images * num_arms, image_px, image_px, 3], arm by arm; conditions `arm`,
        `scale` (1 for the controls) and `change`

    Raises
    ------
    InputError : scales that stand twice, that change nothing or leave less than two pixels; more
        images than there are
    """
    px = source.image_px
    sides = {each: round(px * each) if each < 1 else round(px / each) for each in scales}
    if not scales or len(sides) < len(scales) or not all(2 <= s < px for s in sides.values()):
        raise InputError(
            "scales are given once each, and change a picture's side by a pixel or more",
            where="scales",
            found=list(scales),
            allowed=f"{2 / px:g} .. {1 - 1 / px:g} or {px / (px - 1):g} .. {px / 2:g}",
        )
    rows = drawn_rows(source, num_images, rng)
    images = source.images[rows]
    arms, controls = {}, {}
    for each, side in sides.items():
        if each < 1:
            small = _resized(images, side)
            arms[f"scale_{each:g}"] = _on_grey(small, px)
            controls[f"resampled_{each:g}"] = _resized(small, px)
        else:
            start = (px - side) // 2
            middle = images[:, start : start + side, start : start + side]
            arms[f"scale_{each:g}"] = _resized(middle, px)
            controls[f"cropped_{each:g}"] = _on_grey(middle, px)
    values = [*scales, *[1.0] * (len(scales) + 1)]
    return altered_images(source, rows, arms | controls, scale=values)


def _resized(images: np.ndarray, side: int) -> np.ndarray:
    tensor = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    resized = torch.nn.functional.interpolate(
        tensor, size=(side, side), mode="bilinear", align_corners=False, antialias=True
    )
    return resized.numpy().transpose(0, 2, 3, 1)


def _on_grey(pictures: np.ndarray, px: int) -> np.ndarray:
    side = pictures.shape[1]
    start = (px - side) // 2
    canvas = np.full((len(pictures), px, px, 3), GREY, dtype=np.uint8)
    canvas[:, start : start + side, start : start + side] = pictures
    return canvas
