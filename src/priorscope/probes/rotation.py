"""The same picture, turned."""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torchvision.transforms.v2.functional import InterpolationMode, rotate

from priorscope.bias import Bias
from priorscope.data import LabeledImages
from priorscope.errors import InputError
from priorscope.probes._altered import GREY, altered_images, drawn_rows, to_bytes
from priorscope.probes._probe_set import ProbeSet

OVERLAPS = ("rotation",)  # see `preflight/overlaps.py`

Degrees = Annotated[float, Field(gt=0, lt=360)]


BIASES = {
    "rotation": Bias(
        "Turned",
        "it knows things upright",
        "answers do not depend on the angle",
        "Set against the upright disc.",
        control="disc",
    ),
}


def rotation(
    source: LabeledImages,
    *,
    rng: np.random.Generator,
    num_images: Annotated[int, Field(ge=1)] = 2000,
    degrees: tuple[Degrees, ...] = (90.0, 45.0, 15.0),
) -> ProbeSet:
    """Turn each image about its centre, inside a disc.

    - `rotation_<d>`: turned by d degrees, clockwise or counter-clockwise as drawn for each image
      (the same for all angles), outside the inscribed disc mid-grey;
    - `turned_back_<d>`, for the angles that are no multiple of 90: turned by half of d and back:
      what two interpolations blur, upright;
    - `disc`: the upright disc: no arm shows more or less of the picture than this one;
    - `intact`: the images as they are.

    Turns by multiples of 90 degrees move pixels and interpolate nothing; others are bilinear.

    Control models: one that answers by how many pixels have which colour (`pixel_set_mlp`) answers
    a turn by 90 degrees as the disc.

    Parameters
    ----------
    num_images : how many images, at most all of the source
    degrees : angles; the first is what the probe is about

    Returns
    -------
    ProbeSet : images [num_images * num_arms, image_px, image_px, 3], arm by arm; conditions `arm`,
        `degrees` (0 for the controls) and `change`

    Raises
    ------
    InputError : angles that stand twice; more images than there are
    """
    if not degrees or len(set(degrees)) < len(degrees):
        raise InputError("angles are given once each", where="degrees", found=list(degrees))
    rows = drawn_rows(source, num_images, rng)
    images = source.images[rows].astype(np.float32)
    signs = rng.choice([-1, 1], size=len(rows))
    arms, controls = {}, {}
    for angle in degrees:
        arms[f"rotation_{angle:g}"] = _in_disc(_turned(images, angle, signs))
        if angle % 90:
            back = _turned(_turned(images, angle / 2, signs), -angle / 2, signs)
            controls[f"turned_back_{angle:g}"] = _in_disc(back)
    controls["disc"] = _in_disc(images)
    values = [*degrees, *[0.0] * (len(controls) + 1)]
    return altered_images(source, rows, arms | controls, degrees=values)


def _turned(images: np.ndarray, angle: float, signs: np.ndarray) -> np.ndarray:
    """Turn images [n, side, side, 3] about their centres by `signs` times `angle` degrees."""
    turned = np.empty_like(images)
    for sign in (-1, 1):
        rows = signs == sign
        if angle % 90 == 0:
            turned[rows] = np.rot90(images[rows], sign * round(angle / 90), axes=(1, 2))
            continue
        chosen = torch.from_numpy(images[rows].transpose(0, 3, 1, 2))
        tilted = rotate(chosen, sign * angle, InterpolationMode.BILINEAR, fill=[GREY])
        turned[rows] = tilted.numpy().transpose(0, 2, 3, 1)
    return turned


def _in_disc(images: np.ndarray) -> np.ndarray:
    side = images.shape[1]
    places = np.arange(side) - (side - 1) / 2
    outside = np.hypot(places[:, None], places[None, :]) > side / 2 - 1
    shown = to_bytes(images)
    shown[:, outside] = GREY
    return shown
