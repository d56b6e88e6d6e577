"""Choose the images of a probe's scenes."""

import numpy as np

from priorscope.data import LabeledImages
from priorscope.errors import InputError


def present_classes(source: LabeledImages) -> np.ndarray:
    """List the classes that have images, int64 [num_present].

    Raises
    ------
    InputError : there are no images at all
    """
    if not len(source):
        raise InputError("a probe needs test images", found="0 images", allowed="at least 1")
    return np.flatnonzero(np.bincount(source.labels, minlength=source.num_classes))


def draw_images(source: LabeledImages, classes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one image of each given class, uniformly and with replacement.

    Parameters
    ----------
    classes : int64 [...], classes that have images

    Returns
    -------
    int64 [...], indices into `source`
    """
    order = np.argsort(source.labels, kind="stable")
    counts = np.bincount(source.labels, minlength=source.num_classes)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return order[first[classes] + rng.integers(0, counts[classes])]
