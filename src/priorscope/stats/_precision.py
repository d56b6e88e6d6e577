"""The standard error of a sum of models' means, and how well it is known."""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaincinv

UPPER_LIMIT = 0.8
# Of several groups with equally many seeds:
BALANCED_LIMIT = 0.7
POOLED_SHARE = 0.3  # at 2 seeds a group


class Precision(NamedTuple):
    """Standard errors and their degrees of freedom, float [...]; df is above 0, may be inf."""

    standard_error: np.ndarray
    df: np.ndarray


def precision(
    image_part: np.ndarray | float,
    residual_part: float,
    seed_parts: np.ndarray,
    num_seeds: np.ndarray,
    num_units: float,
) -> Precision:
    """Add the parts of a variance, and give the sum's degrees of freedom.

    Seeds' means vary with the residual too, and so does the mean over images: the sum counts the
    residual once (Gallas 2006, Acad Radiol 13:353; the unbiased sum of Obuchowski & Rockette
    1995, Commun Stat Simul 24:285, with the image part held at 0 or above as by Hillis 2007,
    Stat Med 26:596).

    The degrees of freedom are Satterthwaite's (1946, Biometrics Bulletin 2:110), with two
    departures for few seeds, measured by `benchmarks/inference.py`:

    - The seeds' part stands at its upper confidence limit in place of its estimate. A part that
      came out small by chance promises many degrees of freedom just where the interval is too
      short already. 80 % keep the level of one group of 2 or 3 seeds, and of groups with unequal
      numbers, of which the smallest may vary most; groups of equally many are seldom small
      together: 70 %.
    - Where groups have equally many seeds, Welch's degrees of freedom of the seeds' part are moved
      towards those of a pooled variance, by 30 % for 2 seeds a group, 15 % for 3, 10 % for 4:
      Welch's alone make intervals of 2 + 2 seeds too long, a pooled variance makes them too short
      where one model's seeds vary more.

    Parameters
    ----------
    image_part : float [...], variance over units of the mean over seeds, / units; residual
        included
    residual_part : how much of `image_part` is residual
    seed_parts : float [groups, ...], the variance of the group's mean over seeds, residual
        included; groups of one seed are left out
    num_seeds : int [groups], at least 2
    num_units : images, or equally large clusters; what `image_part` has degrees of freedom from
    """
    image = np.maximum(image_part - residual_part, 0.0)
    seeds = seed_parts.sum(axis=0)
    # Seeds that tie by chance and no variance of images: what is left is the residual.
    image = np.where(image + seeds > 0, image, image_part)
    dfs = (num_seeds - 1.0).reshape(-1, *[1] * image.ndim)
    is_balanced = len(num_seeds) > 1 and len(set(num_seeds.tolist())) == 1
    level = BALANCED_LIMIT if is_balanced else UPPER_LIMIT
    limits = seed_parts * _to_limit(dfs, level)
    with np.errstate(divide="ignore", invalid="ignore"):  # no seeds' part, or no part at all
        seeds_df = limits.sum(axis=0) ** 2 / (limits**2 / dfs).sum(axis=0)
        if is_balanced:
            seeds_df += POOLED_SHARE / (num_seeds[0] - 1) * (dfs.sum() - seeds_df)
        seeds_df = np.where(seeds > 0, seeds_df, 1.0)
        limit = seeds * _to_limit(seeds_df, level)
        spread = image_part**2 / (num_units - 1) + limit**2 / seeds_df
        df = np.where(spread > 0, (image + limit) ** 2 / spread, np.inf)
    return Precision(np.sqrt(image + seeds), df)


def _to_limit(dfs: np.ndarray, level: float) -> np.ndarray:
    """Give what a mean square is multiplied with to reach its upper limit."""
    # chi2.ppf(1 - level, dfs), at a tenth of its time.
    return dfs / (2 * gammaincinv(dfs / 2, 1 - level))
