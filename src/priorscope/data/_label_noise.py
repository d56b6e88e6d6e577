"""Wrong labels, on purpose."""

import numpy as np

from priorscope.data._labeled_images import LabeledImages, fingerprint
from priorscope.errors import InputError


def with_label_noise(
    images: LabeledImages, *, fraction: float, rng: np.random.Generator
) -> LabeledImages:
    """Return a part of the images another class, drawn uniformly from the other classes.

    Symmetric label noise (Angluin and Laird 1988), with the number of wrong labels fixed. From
    generators of the same seed, what is wrong at a smaller fraction is wrong in the same way at
    every larger one.

    Only training images get it. Control models: at a fraction of (C - 1) / C of C classes (0.9 of
    10) labels say nothing of the images any more, so every model must score chance; one that
    answers without looking scores chance at any fraction.

    Parameters
    ----------
    images : n images of at least two classes
    fraction : in [0, 1), rounded to whole images; 0 gives `images` itself

    Raises
    ------
    InputError : fraction out of range, or only one class
    """
    if not 0 <= fraction < 1:
        raise InputError("fraction out of range", found=fraction, allowed="at least 0, below 1")
    if fraction == 0:
        return images
    if images.num_classes < 2:
        raise InputError("label noise needs another class", found=images.class_names)
    order = rng.permutation(len(images))
    steps = rng.integers(1, images.num_classes, size=len(images))
    wrong = order[: int(np.floor(fraction * len(images) + 0.5))]
    labels = images.labels.copy()
    labels[wrong] = (labels[wrong] + steps[wrong]) % images.num_classes
    return LabeledImages(
        images.images, labels, images.class_names, fingerprint(images.images, labels)
    )
