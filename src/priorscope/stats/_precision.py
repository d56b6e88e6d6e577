"""The standard error of a sum of models' means, and how well it is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from scipy.stats import chi2

UPPER_LIMIT = 0.8


@dataclass(frozen=True)
class Precision:
    """A standard error and its degrees of freedom, above 0, may be inf."""

    standard_error: float
    df: float


def precision(
    image_part: float,
    residual_part: float,
    seed_parts: Sequence[float] | np.ndarray,
    num_seeds: Sequence[int] | np.ndarray,
    num_units: float,
) -> Precision:
    """Add the parts of a variance, and give the sum's degrees of freedom.

    Seeds' means vary with the residual too, and so does the mean over images: the sum counts the
    residual once (Gallas 2006, Acad Radiol 13:353; the unbiased sum of Obuchowski & Rockette
    1995, Commun Stat Simul 24:285, with the image part held at 0 or above as by Hillis 2007,
    Stat Med 26:596).

    The degrees of freedom are Satterthwaite's, but with the seeds' part at its upper 80 %
    confidence limit in place of its estimate. With few seeds, a part that came out small by chance
    promises many degrees of freedom just where the interval is too short already: at the estimate
    (Hillis 2007) intervals of one model with 2 or 3 seeds covered the truth in 87 and 92 % where
    seeds vary most, at the limit in 95 %. `benchmarks/inference.py` measures it.

    Parameters
    ----------
    image_part : variance over units of the seeds' mean, / units; above 0, residual included
    residual_part : how much of `image_part` is residual
    seed_parts : for each group of several seeds the variance of its mean over seeds, residual
        included
    num_seeds : of the same groups, at least 2
    num_units : images or clusters
    """
    image = max(image_part - residual_part, 0.0)
    seeds = float(np.sum(seed_parts))
    if not seeds and not image:
        # Seeds that tie by chance and no variance of images: what is left is the residual.
        image = image_part
    spread = image**2 / (num_units - 1)
    at_limit = image
    if seeds:
        parts, dfs = np.asarray(seed_parts), np.asarray(num_seeds) - 1
        limits = parts * _to_limit(dfs)
        seeds_df = limits.sum() ** 2 / (limits**2 / dfs).sum()
        limit = seeds * float(_to_limit(seeds_df))
        spread += limit**2 / float(seeds_df)
        at_limit += limit
    return Precision(sqrt(image + seeds), at_limit**2 / spread if spread else inf)


def _to_limit(dfs: np.ndarray | float) -> np.ndarray:
    """Give what a mean square is multiplied with to reach its upper limit."""
    return np.asarray(dfs / chi2.ppf(1 - UPPER_LIMIT, dfs))
