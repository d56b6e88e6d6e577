"""The paired permutation test."""

from typing import Literal

import numpy as np

from priorscope.stats._result import PairedTest

_DRAWS_IN_MEMORY = 2**20


def sign_flip_test(
    differences: np.ndarray,
    *,
    num_resamples: int,
    rng: np.random.Generator,
    clusters: np.ndarray | None = None,
    alternative: Literal["two-sided", "less", "greater"] = "two-sided",
) -> PairedTest:
    """Test whether paired differences have mean 0, by flipping their signs at random.

    Under the null the two scores of an image could be exchanged, which flips the sign of their
    difference. With clusters, all differences of a cluster are flipped together, which stays
    valid when images of a cluster (the same background, say) resemble each other. Monte Carlo
    p-value, (1 + extreme) / (1 + resamples): never 0, and valid at any number of
    resamples (Phipson & Smyth 2010, SAGMB 9:39).

    Equal absolute differences are interchangeable, so a group of m of them needs one draw from
    binomial(m, 1/2) in place of m signs: mean scores take few values, and 10,000 images cost
    about as much as 10.

    Parameters
    ----------
    differences : float [n], n at least 1
    num_resamples : at least 1
    clusters : [n] or None, any values that name clusters
    alternative : what a small p-value speaks for: `less`, that the mean is below 0

    Raises
    ------
    ValueError : differences are empty, not finite, or not one-dimensional
    """
    differences = np.asarray(differences, dtype=float)
    if differences.ndim != 1 or not len(differences) or not np.isfinite(differences).all():
        raise ValueError("a paired test needs finite differences [n], n at least 1")
    sums, unit = differences, "images"
    if clusters is not None:
        _, codes = np.unique(clusters, return_inverse=True)
        sums, unit = np.bincount(codes, weights=differences), "clusters"
    # Rounding groups what differs only by the order in which seeds were averaged.
    scale = np.abs(sums).max() or 1.0
    sizes, counts = np.unique(np.abs(sums / scale).round(12), return_counts=True)
    sizes, counts = sizes[sizes > 0], counts[sizes > 0]
    sign = {"two-sided": np.sign(sums.sum()), "less": -1, "greater": 1}[alternative]
    observed = sign * sums.sum() / scale
    tolerance = 1e-9 * len(sums)
    extreme = 0
    chunk = max(1, _DRAWS_IN_MEMORY // max(1, len(sizes)))
    for start in range(0, num_resamples, chunk):
        shape = (min(chunk, num_resamples - start), len(sizes))
        totals = (2 * rng.binomial(counts, 0.5, size=shape) - counts) @ sizes
        totals = np.abs(totals) if alternative == "two-sided" else totals
        extreme += int(np.sum(totals >= observed - tolerance))
    return PairedTest(
        difference=float(differences.mean()),
        p_value=(1 + extreme) / (1 + num_resamples),
        method=f"paired permutation over {len(sums):,} {unit}",
        n=len(differences),
    )
