"""The same picture in another place."""

from typing import Annotated

import numpy as np
from pydantic import Field, PositiveInt

from priorscope.bias import Bias
from priorscope.data import LabeledImages
from priorscope.errors import InputError
from priorscope.probes._altered import GREY, altered_images, drawn_rows
from priorscope.probes._probe_set import ProbeSet

OVERLAPS = ("translation",)  # see `preflight/overlaps.py`

DIRECTIONS = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])  # y, x


BIASES = {
    "shift": Bias(
        "Moved by a few pixels",
        "answers depend on the place",
        "answers do not depend on the place",
        "Set against the same piece in the middle.",
        control="centred",
    ),
}


def translation(
    source: LabeledImages,
    *,
    rng: np.random.Generator,
    num_images: Annotated[int, Field(ge=1)] = 2000,
    shifts: tuple[PositiveInt, ...] = (4, 2, 1),
) -> ProbeSet:
    """Move the middle of each image over mid-grey by so many pixels.

    - `shift_<px>`: the image without its border, as wide as the largest shift, moved up, down, left
      or right; the direction is drawn for each image and the same for all shifts;
    - `centred`: the same piece in the middle, the control: no arm shows more or less of the picture
      than this one, and none is resized;
    - `intact`: the images as they are.

    What a shift brings in would tell by itself where the picture was (a reflected border, a torus'
    seam), and moving a window over a larger picture changes what is shown. Here all of the picture
    stays, on a plain ground whose size tells the shift and nothing else.

    After Azulay & Weiss 2019 (arXiv:1805.12177). Deviation: grey ground and whole shifts only.

    Control models: circular convolutions of stride 1 with global pooling answer every shift as the
    centred picture; `pixel_set_mlp` does so too.

    Parameters
    ----------
    num_images : how many images, at most all of the source
    shifts : in pixels; the first is what the probe is about

    Returns
    -------
    ProbeSet : images [num_images * num_arms, image_px, image_px, 3], arm by arm; conditions `arm`,
        `shift_px` and `change`

    Raises
    ------
    InputError : shifts that stand twice or leave less than half of the picture's side; more images
        than there are
    """
    px = source.image_px
    most = px // 4
    if not shifts or len(set(shifts)) < len(shifts) or max(shifts) > most:
        raise InputError(
            "shifts are given once each, and leave half of the picture's side",
            where="shifts",
            found=list(shifts),
            allowed=f"1 .. {most} for images of {px} px",
        )
    rows = drawn_rows(source, num_images, rng)
    border = max(shifts)
    piece = source.images[rows][:, border : px - border, border : px - border]
    side = px - 2 * border
    directions = DIRECTIONS[rng.integers(len(DIRECTIONS), size=len(rows))]
    arms = {}
    for name, shift in [*((f"shift_{px}", px) for px in shifts), ("centred", 0)]:
        arms[name] = np.full((len(rows), px, px, 3), GREY, dtype=np.uint8)
        for direction in DIRECTIONS:
            moved = (directions == direction).all(axis=1)
            top, left = border + shift * direction
            arms[name][moved, top : top + side, left : left + side] = piece[moved]
    return altered_images(source, rows, arms, shift_px=[*shifts, 0, 0])
