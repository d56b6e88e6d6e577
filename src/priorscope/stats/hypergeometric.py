"""What a classifier that knows nothing scores in top-k matching."""

import numpy as np
from scipy.stats import hypergeom

from priorscope.stats._result import Distribution


def top_k_chance(num_classes: int, num_present: int, k: int) -> Distribution:
    """Return the distribution of how many of k classes named at random are present.

    A ranking that does not depend on the image names k of `num_classes` classes without
    replacement, so the number of hits is hypergeometric; its expectation is
    k * num_present / num_classes (10 classes, 4 present, k = 4: 1.6).

    Parameters
    ----------
    num_classes : at least 1
    num_present : 0 .. num_classes
    k : 0 .. num_classes

    Returns
    -------
    Distribution over 0 .. min(k, num_present)

    Raises
    ------
    ValueError : k or num_present out of range
    """
    if not (0 <= k <= num_classes and 0 <= num_present <= num_classes):
        raise ValueError(
            f"k = {k} and num_present = {num_present} must lie in 0 .. num_classes = {num_classes}"
        )
    hits = np.arange(min(k, num_present) + 1)
    pmf = hypergeom.pmf(hits, num_classes, num_present, k)
    return Distribution(tuple(pmf.tolist()), k * num_present / num_classes)
