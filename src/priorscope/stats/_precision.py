"""The standard error of a sum of models' means, and how well it is known."""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaincinv

# Levels of the upper limits at which the seeds' part enters the degrees of freedom.
_ONE_GROUP = 0.7
_UNEQUAL = 0.6
_EQUAL_OF_TWO = 0.65
_EQUAL = 0.55
_POOLED_SHARE = 0.4  # at 2 seeds a group


class Precision(NamedTuple):
    """Standard errors and their degrees of freedom, float [...]; df is above 0, may be inf."""

    standard_error: np.ndarray
    df: np.ndarray


def precision(
    image_part: np.ndarray | float,
    residual_parts: np.ndarray,
    seed_parts: np.ndarray,
    num_seeds: np.ndarray,
    num_units: float,
) -> Precision:
    """Add the parts of a variance, and find the sum's degrees of freedom.

    The image part is the variance of the same networks held fixed: that of their mean over seeds,
    residual included. What the seeds add beyond it is, group by group, the variance of the group's
    mean over seeds less its own residual, which the image part has already, and at least 0. So a
    standard error over random seeds and images is never below that of fixed networks. (Without the
    bounds this is the unbiased sum of Obuchowski & Rockette 1995, Commun Stat Simul 24:285, and
    Gallas 2006, Acad Radiol 13:353; Hillis 2007, Stat Med 26:596, bounds the image part instead,
    which lets the sum fall below it.)

    The degrees of freedom are Satterthwaite's (1946, Biometrics Bulletin 2:110), with two
    departures for few seeds, measured by `benchmarks/inference.py` and `benchmarks/adversary.py`:

    - What the seeds add stands at its upper confidence limit in place of its estimate. A part that
      came out small by chance promises many degrees of freedom just where the interval is too
      short already. Its own spread is that of the mean square, residual included: subtracting a
      residual, which many images tell exactly, makes a part smaller and not better known. The
      limits have 70 % for one group, 65 % for groups of 2 seeds each, 55 % for others of equal
      sizes, 60 % for unequal ones: higher ones make intervals too long where seeds do not vary,
      lower ones too short where they vary about as much as images.
    - Where groups have equally many seeds, Welch's degrees of freedom of the seeds' part are moved
      towards those of a pooled variance, by 40 % for 2 seeds a group, 20 % for 3, 13 % for 4:
      Welch's alone make intervals of 2 + 2 seeds too long, a pooled variance makes them too short
      where one model's seeds vary more.

    There are never more degrees of freedom than fixed networks would have, and never fewer than the
    seeds alone have.

    Parameters
    ----------
    image_part : float [...], variance over units of the mean over seeds, / units; residual
        included
    residual_parts : float [groups, ...], how much of `image_part` is each group's residual
    seed_parts : float [groups, ...], the variance of the group's mean over seeds, residual
        included; groups of one seed are left out of both
    num_seeds : int [groups], at least 2
    num_units : images, or equally large clusters; what `image_part` has degrees of freedom from
    """
    image = np.asarray(image_part, dtype=float)
    most = num_units - 1.0
    if not len(num_seeds):
        return Precision(np.sqrt(image), np.where(image > 0, most, np.inf))
    dfs = (num_seeds - 1.0).reshape(-1, *[1] * image.ndim)
    is_equal = len(num_seeds) > 1 and len(set(num_seeds.tolist())) == 1
    level = _ONE_GROUP if len(num_seeds) == 1 else _UNEQUAL
    if is_equal:
        level = _EQUAL_OF_TWO if num_seeds[0] == 2 else _EQUAL
    added = np.maximum(seed_parts - residual_parts, 0.0).sum(axis=0)
    limits = seed_parts * _to_limit(dfs, level)
    with np.errstate(divide="ignore", invalid="ignore"):  # the seeds may not vary at all
        seeds_df = limits.sum(axis=0) ** 2 / (limits**2 / dfs).sum(axis=0)
        if is_equal:
            seeds_df += _POOLED_SHARE / (num_seeds[0] - 1) * (dfs.sum() - seeds_df)
        seeds_df = np.where(limits.sum(axis=0) > 0, seeds_df, 1.0)
        limit = seed_parts.sum(axis=0) * _to_limit(seeds_df, level)
        most_added = np.maximum(limit - residual_parts.sum(axis=0), 0.0)
        spread = image**2 / most + np.where(most_added > 0, limit, 0.0) ** 2 / seeds_df
        df = np.maximum((image + most_added) ** 2 / spread, seeds_df)
        df = np.where(spread > 0, np.minimum(df, most), np.inf)
    return Precision(np.sqrt(image + added), df)


def _to_limit(dfs: np.ndarray, level: float) -> np.ndarray:
    """Return what a mean square is multiplied with to reach its upper limit."""
    # chi2.ppf(1 - level, dfs), at a tenth of its time.
    return dfs / (2 * gammaincinv(dfs / 2, 1 - level))
