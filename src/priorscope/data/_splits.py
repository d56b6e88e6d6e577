"""Stratified, seeded parts of a split."""

import numpy as np

from priorscope.data._labeled_images import LabeledImages
from priorscope.errors import InputError


def subset(images: LabeledImages, *, fraction: float, rng: np.random.Generator) -> LabeledImages:
    """Draw a part of a split, class by class.

    From generators of the same seed, a smaller part is contained in every larger one.

    Parameters
    ----------
    images : n images
    fraction : in (0, 1]; 1 gives `images` itself, and draws nothing

    Returns
    -------
    the part, in the order of the split: `fraction` of each class, rounded to whole images

    Raises
    ------
    InputError : fraction out of range, or a class would have no image
    """
    if not 0 < fraction <= 1:
        raise InputError("fraction out of range", found=fraction, allowed="above 0, at most 1")
    if fraction == 1:
        return images
    return images.take(stratified(images.labels, fraction, rng, images.class_names))


def hold_out(
    images: LabeledImages, *, fraction: float, rng: np.random.Generator
) -> tuple[LabeledImages, LabeledImages]:
    """Split off a part of the training images, class by class, for selection.

    Parameters
    ----------
    images : n images
    fraction : in [0, 1); 0 holds nothing out, and draws nothing

    Returns
    -------
    train, held_out : disjoint, together all of `images`, each in the order of the split

    Raises
    ------
    InputError : fraction out of range, or a class would have no image on one side
    """
    if not 0 <= fraction < 1:
        raise InputError("fraction out of range", found=fraction, allowed="at least 0, below 1")
    if fraction == 0:
        return images, images.take(np.zeros(0, dtype=np.int64))
    held_out = stratified(images.labels, fraction, rng, images.class_names)
    train = np.delete(np.arange(len(images)), held_out)
    lost = set(images.labels[held_out].tolist()) - set(images.labels[train].tolist())
    if lost:
        name = images.class_names[min(lost)]
        raise InputError(f"no image of class {name} left to train on", found=f"{fraction} held out")
    return images.take(train), images.take(held_out)


def stratified(
    labels: np.ndarray, fraction: float, rng: np.random.Generator, class_names: tuple[str, ...]
) -> np.ndarray:
    """Draw `fraction` of each class that is present: int64 [m], ascending indices."""
    drawn = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        num_drawn = int(np.floor(fraction * len(members) + 0.5))
        if num_drawn == 0:
            raise InputError(
                f"no image of class {class_names[label]} would be drawn",
                found=f"fraction {fraction} of {len(members)} images",
                allowed=f"a fraction of at least {0.5 / len(members):.3g}",
            )
        drawn.append(members[:num_drawn])
    return np.sort(np.concatenate(drawn)) if drawn else np.zeros(0, dtype=np.int64)
