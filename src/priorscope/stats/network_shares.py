"""A mean over pairs of networks, shared out among the networks: what makes its variance known."""

from typing import NamedTuple

import numpy as np


class NetworkShares(NamedTuple):
    """What each network adds to a mean over pairs of networks.

    Attributes
    ----------
    first : float [seeds of the first model, images]
    second : float [seeds of the second model, images]; None where pairs are of one model

    The mean over seeds of `first`, plus that of `second`, is the mean over pairs, image by image.
    One row stands for all seeds where so few pairs do not tell how networks differ.
    """

    first: np.ndarray
    second: np.ndarray | None


def network_shares(values: np.ndarray, *, one_model: bool) -> NetworkShares:
    """Share a mean over pairs of networks out among the networks, for `crossed_contrast`.

    Let k_ij be the measure of network i of the first model and network j of the second: the mean
    over images of h_ij, which has an image's influence on it where the measure is no mean. Their
    mean over pairs, K, is a U-statistic in the networks. Hoeffding (1948, Ann Math Stat 19:293):

        k_ij = k + a_i + b_j + c_ij     a, b, c of mean 0 and uncorrelated over random networks

    so that K - k = mean(a) + mean(b) + mean(c), and over new networks and new images

        Var K = Var a / r + Var b / s + Var c / pairs + (variance over images, networks held fixed)

    less what the last has already of the others, since k_ij is itself known from few images. Pairs
    of one model, i < j, have b = a, and so 2 mean(a): 4 Var a / r.

    That is the variance of a sum of two groups of networks, each with a score an image. The share
    of network i is half of K plus the estimate of a_i, of network j half of K plus that of b_j, by
    least squares over the pairs that there are; of one model it is K plus twice a_i. Every step is
    linear, so it is taken image by image. `crossed_contrast` of the shares then has the variance
    over images of K; adds the variance of each group's mean over seeds less the part of it that is
    the finite images', which the first has already; and leaves no group's addition below 0. A claim
    about several pairs adds the shares of a network up, each times its weight, so what pairs share
    is counted once and with its sign.

    Estimated a have some of c in them: Var c is counted as if the pairs of a network were one, or
    for 3 seeds of one model, which tell nothing else, as if it were all Var a. Two models leave out
    pairs of equal seed, so that two seeds have no network in two pairs: they and a model's only
    pair tell nothing of how networks differ, and are held fixed. How often intervals hold the kappa
    that errors were made with is in `benchmarks/pairs.py`.

    Parameters
    ----------
    values : float [seeds, seeds, images], h_ij; NaN for pairs that are left out
    one_model : whether both are seeds of one model; pairs i < j then count, whatever else is there

    Raises
    ------
    ValueError : no pair is left, or there are not as many seeds on both sides of one model
    """
    num_first, num_second, _ = values.shape
    used = np.isfinite(values).all(axis=2)
    if one_model:
        if num_first != num_second:
            raise ValueError(f"pairs of one model need as many rows as columns: {values.shape}")
        used &= np.triu(np.ones_like(used), k=1)
    rows, columns = np.nonzero(used)
    if not len(rows):
        raise ValueError("no pair of networks is left")
    of_pairs = values[rows, columns]  # [pairs, images]
    number = num_first if one_model else num_first + num_second
    design = np.zeros((len(rows), number))
    np.add.at(design, (np.arange(len(rows)), rows), 1.0)
    np.add.at(design, (np.arange(len(rows)), columns + (0 if one_model else num_first)), 1.0)
    if np.linalg.matrix_rank(design) < (number if one_model else number - 1):
        mean = of_pairs.mean(axis=0, keepdims=True)
        return NetworkShares(mean, None) if one_model else NetworkShares(mean / 2, mean / 2)
    effects = np.linalg.pinv(design) @ of_pairs  # of each network, up to what two models share
    first, second = effects[:num_first], effects[num_first:]
    if one_model:
        return NetworkShares(2 * first, None)
    both = (first.mean(axis=0) + second.mean(axis=0)) / 2
    return NetworkShares(first - first.mean(axis=0) + both, second - second.mean(axis=0) + both)
