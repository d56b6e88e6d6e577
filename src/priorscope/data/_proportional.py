"""A sample in which every group has its share."""

from collections.abc import Sequence

import numpy as np


def proportional_sample(
    groups: Sequence[np.ndarray], most: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw a sample in which every group has its share of places, whatever the order of the rows.

    Rows are sorted by the groups, at random within them, and every k-th is taken from a random
    start on (systematic sampling; Cochran 1977, Sampling Techniques, 8.2): each row is as likely to
    be drawn as any other, each value of the first group gets its share of the places, rounded up
    or down, and those of the others nearly so.

    Parameters
    ----------
    groups : each [n], such as class, cluster; the first is kept to most closely
    most : at least 1; n or more takes everything

    Returns
    -------
    int64 [min(n, most)], ascending
    """
    n = len(groups[0])
    if n <= most:
        return np.arange(n)
    order = np.lexsort([rng.random(n), *reversed(groups)])
    places = (np.arange(most) + rng.random()) * n / most
    return np.sort(order[places.astype(np.int64)])
