"""Scores of clusters whose mean is the mean over images."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Units(NamedTuple):
    """Scores of random units.

    Attributes
    ----------
    scores : for each group float [seeds, units]
    images_per_unit : images / units
    effective : as how many equally large units they count, 2 .. units
    """

    scores: list[np.ndarray]
    images_per_unit: float
    effective: float


def unit_scores(groups: Sequence[np.ndarray], clusters: np.ndarray | None) -> Units:
    """Return each seed one score a random unit: an image, or a whole cluster.

    The mean over images is a ratio, sum of scores over sum of sizes. Its linear part at cluster c
    of size m_c is mean + (sum_c - m_c mean) / mean size: these have the mean over images as their
    plain mean, and their variance over clusters / clusters is the ratio's variance to first order
    (Cochran 1977, Sampling Techniques, 6.4). Where clusters are equally large they are the
    clusters' means.

    Unequal clusters know their variance less well than as many equal ones: they count as
    (sum_c m_c^2)^2 / sum_c m_c^4, which supposes that images of a cluster are alike (Carter,
    Schnepel & Steigerwald 2017, Rev Econ Stat 99:698, for a mean).

    Parameters
    ----------
    groups : each float [seeds, images]
    clusters : [images], any values that name clusters; None: images are the units

    Raises
    ------
    ValueError : not one cluster an image, or fewer than two clusters
    """
    num_images = groups[0].shape[1]
    if clusters is None:
        return Units(list(groups), 1.0, num_images)
    clusters = np.asarray(clusters)
    if clusters.shape != (num_images,):
        raise ValueError(f"expected one cluster for each of {num_images} images: {clusters.shape}")
    _, codes, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        raise ValueError("one cluster says nothing of others: an interval needs two or more")
    size = num_images / len(sizes)
    order = np.argsort(codes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    units = []
    for group in groups:
        sums = np.add.reduceat(group[:, order], starts, axis=1)
        means = group.mean(axis=1, keepdims=True)
        units.append(means + (sums - sizes * means) / size)
    shares = (sizes / size) ** 2
    effective = max(float(shares.sum() ** 2 / (shares**2).sum()), 2.0)
    return Units(units, size, effective)
