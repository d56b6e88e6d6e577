"""One cue taken away at a time from the same images: order, texture, edges, colour."""

from typing import Annotated

import numpy as np
from pydantic import Field, PositiveFloat
from scipy.ndimage import gaussian_filter

from priorscope.bias import Bias
from priorscope.data import LabeledImages
from priorscope.errors import InputError
from priorscope.probes._altered import altered_images, drawn_rows, to_bytes
from priorscope.probes._patches import patch_side, patches_of, put_together
from priorscope.probes._probe_set import ProbeSet

OVERLAPS = ("mixing", "rotation", "colour", "blur")  # see `preflight/overlaps.py`

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # of ITU-R BT.601
EDGE_LEVELS = 20.0  # differences of neighbours beyond which the smoothing takes them for edges
STEP, MOST_STEPS = 0.2, 400  # a step above 0.25 would be unstable


BIASES = {
    "patch_shuffle": Bias(
        "Patches trade places",
        "it needs the order of the parts",
        "it answers from the inside of patches",
        "What is high may still know shapes, if they fit into a patch.",
    ),
    "patch_rotation": Bias(
        "Patches turned in place",
        "it needs how things stand within patches",
        "it needs only what patches hold",
        "Edges across patches are broken too.",
    ),
    "blur": Bias(
        "Blurred",
        "it needs fine detail",
        "coarse shape and colour are enough",
        "Blur moves images away from the training images, whatever it takes.",
    ),
    "edge_preserving": Bias(
        "Texture smoothed, edges kept",
        "it needs fine texture",
        "edges and flat colours are enough",
        "As strong as the blur, image by image; only these two can be set against each other.",
    ),
    "grey": Bias(
        "Without colour",
        "it needs colour",
        "form and brightness are enough",
        "A colour that tells nothing is no loss either.",
    ),
    "channel_shuffle": Bias(
        "In wrong colours",
        "it goes by the colours it has learnt",
        "it goes by form and contrast",
        "Wrong colours mislead, where grey only withholds.",
    ),
}


def suppression(
    source: LabeledImages,
    *,
    rng: np.random.Generator,
    num_images: Annotated[int, Field(ge=1)] = 2000,
    patches: tuple[Annotated[int, Field(ge=2)], ...] = (8, 4, 2),
    blur_px: PositiveFloat = 1.5,
) -> ProbeSet:
    """Suppress one cue of the same images in each arm.

    - `patch_shuffle_<n>`: n x n patches in another order, drawn for each image: global order is
      gone, the inside of patches is whole;
    - `patch_rotation_<n>`, n the middle one of `patches`: every patch turned by 90, 180 or 270
      degrees in its place: the order of patches is whole, their orientation is not;
    - `blur`: Gaussian of `blur_px`: fine texture and edges are gone;
    - `edge_preserving`: fine texture is gone, edges stay; as strong as `blur`: for each image the
      smoothing goes on until the root mean square of its change is the blur's (or, on images of
      edges alone, for at most 400 steps; `change` says how far it came);
    - `grey`: luma in all channels; `channel_shuffle`: the channels in another order, drawn for each
      image: colours are gone, or wrong;
    - `intact`: the images as they are, the control of all.

    Blur and smoothing are the only two arms that are matched in strength. How much a shuffle or a
    loss of colour would have to do to be as strong is not defined: their scores do not rank cues.

    After Burgert et al. 2025 (arXiv:2509.20234), who suppress shape, texture and colour.
    Deviations: the smoothing is that of Perona & Malik 1990 (IEEE TPAMI 12:629) in place of a
    bilateral filter; patches of several sizes; strengths matched image by image; images are drawn
    without replacement.

    Control models: `pixel_set_mlp` sees no places, so patch shuffle and patch rotation leave its
    answers as they are; `bag_of_local_features` with such patches is left alone by patch shuffle.

    Parameters
    ----------
    num_images : how many images, at most all of the source
    patches : patches along a side, each dividing the image; the first is what the probe is about
    blur_px : standard deviation of the blur

    Returns
    -------
    ProbeSet : images [num_images * num_arms, image_px, image_px, 3], arm by arm; conditions `arm`,
        `patches` (along a side, 0 where an arm has none) and `change`

    Raises
    ------
    InputError : patches that do not divide the image, or stand twice; more images than there are
    """
    if not patches or len(set(patches)) < len(patches):
        raise InputError(
            "numbers of patches are given once each", where="patches", found=list(patches)
        )
    sides = {n: patch_side(n, source.image_px, where="patches") for n in patches}
    rows = drawn_rows(source, num_images, rng)
    images = source.images[rows]
    arms, num_patches = {}, []
    for n, side in sides.items():
        arms[f"patch_shuffle_{n}"] = _shuffled(images, side, rng)
        num_patches.append(n)
    turned = sorted(patches)[len(patches) // 2]
    arms[f"patch_rotation_{turned}"] = _rotated(images, sides[turned], rng)
    num_patches.append(turned)
    arms["blur"] = to_bytes(gaussian_filter(images.astype(np.float32), (0, blur_px, blur_px, 0)))
    strength = np.sqrt(np.square(arms["blur"].astype(np.float32) - images).mean(axis=(1, 2, 3)))
    arms["edge_preserving"] = to_bytes(smoothed(images, strength))
    arms["grey"] = to_bytes(np.repeat((images @ LUMA)[..., None], 3, axis=3))
    arms["channel_shuffle"] = _channels_shuffled(images, rng)
    return altered_images(source, rows, arms, patches=[*num_patches, 0, 0, 0, 0, 0])


def smoothed(images: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Smooth images inside edges until each has changed by its strength (Perona & Malik 1990).

    Heat flows between neighbours, and the less the more they differ: a difference of all three
    channels together of `EDGE_LEVELS` lets 37 % through. The last step is taken in part, so that
    the change is met.

    Parameters
    ----------
    images : uint8 [n, height, width, 3]
    strength : float [n], root mean square of the change, in levels

    Returns
    -------
    float32 [n, height, width, 3]
    """
    before = images.astype(np.float32)
    result, flowing, open_rows = before.copy(), before.copy(), np.flatnonzero(strength > 0)
    for _ in range(MOST_STEPS):
        if not len(open_rows):
            break
        now = flowing[open_rows]
        then = now + STEP * (_inflow(now, axis=1) + _inflow(now, axis=2))
        wanted = strength[open_rows] ** 2
        part = _part(now - before[open_rows], then - now, wanted)
        result[open_rows] = now + part[:, None, None, None] * (then - now)
        flowing[open_rows] = then
        open_rows = open_rows[part >= 1]
    return result


def _inflow(images: np.ndarray, axis: int) -> np.ndarray:
    """Sum what flows into each pixel from its two neighbours along an axis; nothing at borders."""
    step = np.diff(images, axis=axis)
    size = np.square(step).sum(axis=3, keepdims=True)
    flow = step * np.exp(-size / np.float32(EDGE_LEVELS**2))
    none = np.zeros_like(np.take(images, [0], axis=axis))
    return np.concatenate([flow, none], axis=axis) - np.concatenate([none, flow], axis=axis)


def _part(so_far: np.ndarray, step: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the part in (0, 1] of a step that brings the mean square of the change to `wanted`."""
    square, mixed, start = (
        (left * right).mean(axis=(1, 2, 3))
        for left, right in ((step, step), (so_far, step), (so_far, so_far))
    )
    root = np.sqrt(np.maximum(mixed**2 - square * (start - wanted), 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        part = (root - mixed) / square
    return np.where(square > 0, np.minimum(part, 1.0), 1.0).astype(np.float32)


def _shuffled(images: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Put the patches of each image in another order, never their own."""
    pieces = patches_of(images, side)
    orders = np.tile(np.arange(pieces.shape[1]), (len(images), 1))
    same = np.arange(len(images))
    while len(same):
        orders[same] = rng.permuted(orders[same], axis=1)
        same = same[(orders[same] == np.arange(pieces.shape[1])).all(axis=1)]
    return put_together(np.take_along_axis(pieces, orders[..., None, None, None], axis=1))


def _rotated(images: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    pieces = patches_of(images, side)
    quarters = rng.integers(1, 4, size=pieces.shape[:2])
    turned = pieces.copy()
    for count in (1, 2, 3):
        turned[quarters == count] = np.rot90(pieces[quarters == count], count, axes=(1, 2))
    return put_together(turned)


def _channels_shuffled(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    orders = np.array([[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    chosen = orders[rng.integers(len(orders), size=len(images))]
    return np.take_along_axis(images, chosen[:, None, None, :], axis=3)
