"""Main effects and interactions of a balanced factorial experiment."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import f as fisher


@dataclass(frozen=True)
class Term:
    """One line of an analysis of variance.

    Attributes
    ----------
    factors : the factors of a main effect or interaction; empty for the replicates
    sum_sq, df : sum of squares and degrees of freedom
    share : of the total sum of squares, 0 .. 1; all terms sum to 1 (eta squared)
    share_adjusted : the same less what noise alone adds to it (omega squared, Hays 1963); may be
        below 0; nan without replicates, and for the replicates themselves what is left of 1
    f, p_value : of no effect, against the replicates; nan without replicates, and for them
    """

    factors: tuple[str, ...]
    sum_sq: float
    df: int
    share: float
    share_adjusted: float
    f: float
    p_value: float


def balanced_anova(values: np.ndarray, names: Sequence[str]) -> tuple[Term, ...]:
    """Split the variance of a full crossing with equally many replicates in every cell.

    All factors are fixed, and replicates (seeds) are the noise. In a balanced design the terms are
    orthogonal, so their order does not matter: each one's effects are what the means over its
    factors leave when those of all terms within it are taken away (Fisher 1935, The Design of
    Experiments).

    Parameters
    ----------
    values : float [levels of the first factor, ..., levels of the last, replicates]
    names : one a factor

    Returns
    -------
    main effects, two-factor interactions and so on in the order of `names`, then the replicates

    Raises
    ------
    ValueError : another number of names than factors, a factor with fewer than two levels, or
        values that are not finite
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != len(names) + 1 or not names:
        raise ValueError(f"{len(names)} names for values of shape {values.shape}")
    if min(values.shape[:-1]) < 2 or not values.shape[-1] or not np.isfinite(values).all():
        raise ValueError(f"expected two levels or more of finite values, found {values.shape}")
    num_factors, replicates = len(names), values.shape[-1]
    effects: dict[tuple[int, ...], np.ndarray] = {(): values.mean(keepdims=True)}
    for order in range(1, num_factors + 1):
        for axes in combinations(range(num_factors), order):
            others = tuple(axis for axis in range(num_factors + 1) if axis not in axes)
            within = [effect for term, effect in effects.items() if set(term) < set(axes)]
            effects[axes] = values.mean(axis=others, keepdims=True) - sum(within)
    del effects[()]
    total = float(((values - values.mean()) ** 2).sum())
    noise = float(((values - values.mean(axis=-1, keepdims=True)) ** 2).sum())
    noise_df = (replicates - 1) * int(np.prod(values.shape[:-1]))
    mean_noise = noise / noise_df if noise_df else float("nan")
    terms = []
    for axes, effect in effects.items():
        sum_sq = float((effect**2).sum()) * values.size / effect.size
        df = int(np.prod([values.shape[axis] - 1 for axis in axes]))
        ratio = sum_sq / df / mean_noise if mean_noise else float("inf")
        terms.append(
            Term(
                tuple(names[axis] for axis in axes),
                sum_sq,
                df,
                _ratio(sum_sq, total),
                _ratio(sum_sq - df * mean_noise, total + mean_noise),
                ratio,
                float(fisher.sf(ratio, df, noise_df)) if noise_df else float("nan"),
            )
        )
    left = 1 - sum(term.share_adjusted for term in terms)
    nothing = float("nan")
    replicate = Term((), noise, noise_df, _ratio(noise, total), left, nothing, nothing)
    return (*terms, replicate)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
