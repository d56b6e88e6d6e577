"""Objects on large background pictures: the report's *Background* probe, with control arms.

Deviations from the report: the background pictures are drawn by us (or come from the user's own
folder: the report's 20 photographs are not ours to give), there may be any number of scenes (the
report had 200) and any canvas (128 px), and two control arms separate the background's effect
from that of the object's smaller scale. Objects are pasted as they are, without augmentation.
"""

from pathlib import Path

import numpy as np
from pydantic import PositiveInt

from priorscope.data import LabeledImages
from priorscope.errors import InputError
from priorscope.probes._background_pictures import background_pictures
from priorscope.probes._draw_scenes import draw_images, present_classes
from priorscope.probes._probe_set import ProbeSet
from priorscope.probes._resize import enlarge

GREY = 128


def large_background(
    source: LabeledImages,
    *,
    rng: np.random.Generator,
    num_images: PositiveInt = 2000,
    canvas_px: PositiveInt = 128,
    backgrounds: Path | None = None,
    num_backgrounds: PositiveInt | None = None,
    picture_px: PositiveInt | None = None,
    controls: bool = True,
) -> ProbeSet:
    """Paste an object at a random place on a random crop of a background picture.

    Classes and backgrounds cycle, as in the report: scene i has the (i % C)-th of the C classes
    and background (i // C) % B of the B pictures, with an image drawn uniformly within the class.
    Each scene gives one row in every arm, all on the same canvas:

    - `background`: the object on the crop; scale image_px / canvas_px;
    - `grey`: the same object at the same place and scale on mid-grey;
    - `enlarged`: the same object enlarged bilinearly to the whole canvas; scale 1.

    Control models: one that answers by the background alone must score chance (1 / C on every arm),
    since every background meets every class equally often; `pixel_set_mlp` sees no places, so where
    the object lies on grey must not change its answer.

    The same seed gives the same objects and places with and without controls, and with any
    backgrounds.

    Parameters
    ----------
    num_images : how many scenes
    canvas_px : side of the canvas in pixels, at least the image's
    backgrounds : a folder of pictures (its files in order of name), which are cropped at their own
        size and so must not be smaller than the canvas; without one, pictures are drawn. They
        become upright RGB of 8 bits as the images of `image_folder` do
    num_backgrounds : how many pictures; by default 20 drawn ones (as many as in the report),
        or the whole folder. Beyond the number of kinds, kinds repeat with other random numbers
    picture_px : side of the drawn pictures in pixels; 2 * canvas_px by default. They show
        the same view at any size, so that a larger picture means a closer crop
    controls : whether to build the two control arms

    Returns
    -------
    ProbeSet : images [num_images * num_arms, canvas_px, canvas_px, 3], arm by arm; targets
        int64; conditions `arm`, `scale` (the object's side in canvases), `background` (picture,
        grey or none); clusters: the name of the scene's background picture, in every arm

    Raises
    ------
    InputError : the canvas is smaller than the image, the picture smaller than the canvas, the
        folder is missing or has too few pictures, or a picture cannot be read or its range is
        not known
    """
    px = source.image_px
    if canvas_px < px:
        raise InputError(
            "the canvas is smaller than the image",
            where="canvas_px",
            found=canvas_px,
            allowed=f"at least {px}",
        )
    names, read = background_pictures(backgrounds, num_backgrounds, canvas_px, picture_px)

    classes, scenes = present_classes(source), np.arange(num_images)
    labels = classes[scenes % len(classes)]
    background = scenes // len(classes) % len(names)
    objects = draw_images(source, labels, rng)
    top, left = rng.integers(canvas_px - px + 1, size=(2, num_images))
    corners = rng.random((num_images, 2))
    seeds = rng.integers(2**63, size=len(names))

    arms = ("background", "grey", "enlarged") if controls else ("background",)
    images = np.empty((len(arms) * num_images, canvas_px, canvas_px, 3), dtype=np.uint8)
    for k in range(min(len(names), background.max() + 1)):
        picture = read(k, np.random.default_rng(seeds[k]))  # one at a time: they may be large
        of_this = np.flatnonzero(background == k)
        room = np.array(picture.shape[:2]) - canvas_px + 1
        for scene, (y, x) in zip(of_this, (corners[of_this] * room).astype(int), strict=True):
            images[scene] = picture[y : y + canvas_px, x : x + canvas_px]
    if controls:
        images[num_images : 2 * num_images] = GREY
        enlarge(source.images, canvas_px, rows=objects, out=images[2 * num_images :])
    for arm in range(min(2, len(arms))):
        for scene, y, x in zip(scenes, top, left, strict=True):
            row = arm * num_images + scene
            images[row, y : y + px, x : x + px] = source.images[objects[scene]]

    return ProbeSet(
        images,
        np.tile(labels, len(arms)),
        np.tile(scenes, len(arms)),
        {
            "arm": np.repeat(arms, num_images),
            "scale": np.repeat((px / canvas_px, px / canvas_px, 1.0)[: len(arms)], num_images),
            "background": np.repeat(("picture", "grey", "none")[: len(arms)], num_images),
        },
        source.class_names,
        np.tile(np.array(names)[background], len(arms)),
    )
