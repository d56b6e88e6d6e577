"""Differences of differences, on the same images or on others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from priorscope.stats._result import CrossedContrast, VarianceComponents
from priorscope.stats.crossed_contrast import crossed_contrast, two_sided


@dataclass(frozen=True)
class Interaction:
    """Two effects and their difference.

    Attributes
    ----------
    first, second : the effects
    difference : the first minus the second
    crossing : `crosses` where the intervals of both effects leave out zero on opposite sides,
        `same sign` where they do on one side, `unclear` otherwise
    """

    first: CrossedContrast
    second: CrossedContrast
    difference: CrossedContrast
    crossing: str


def interaction(
    first: Sequence[np.ndarray],
    second: Sequence[np.ndarray],
    *,
    same_images: bool,
    confidence: float = 0.95,
    clusters: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
) -> Interaction:
    """Estimate how much larger one effect is than another, seeds and images both random.

    On the same images everything is paired by image, as in `crossed_contrast`; on other images see
    `independent_difference`.

    Parameters
    ----------
    first, second : groups of an effect as `crossed_contrast` takes them, signed, each float [seeds,
        images]: [a, -b] for a difference of models
    same_images : whether image i is the same one in both
    clusters : of the images of each

    Raises
    ------
    ValueError : as `crossed_contrast`
    """
    one = crossed_contrast(first, confidence=confidence, clusters=clusters[0])
    other = crossed_contrast(second, confidence=confidence, clusters=clusters[1])
    if same_images:
        groups = [*first, *(-np.asarray(group) for group in second)]
        difference = crossed_contrast(groups, confidence=confidence, clusters=clusters[0])
    else:
        difference = independent_difference(one, other, confidence=confidence)
    sides = [(effect.low > 0) - (effect.high < 0) for effect in (one, other)]
    crossing = {-1: "crosses", 1: "same sign", 0: "unclear"}[sides[0] * sides[1]]
    return Interaction(one, other, difference, crossing)


def independent_difference(
    first: CrossedContrast, second: CrossedContrast, *, confidence: float = 0.95
) -> CrossedContrast:
    """Take one contrast off another that was measured on other images and other networks.

    The variances add up, with the degrees of freedom of Welch (1947) and Satterthwaite (1946).

    Returns
    -------
    the difference; its `n` are the images of the first, in whose units the components of the
    second are given too
    """
    estimate = first.estimate - second.estimate
    variances = (first.standard_error**2, second.standard_error**2)
    error = float(np.sqrt(sum(variances)))
    spread = variances[0] ** 2 / first.df + variances[1] ** 2 / second.df
    df = sum(variances) ** 2 / spread if spread else float("inf")
    half = float(student.ppf((1 + confidence) / 2, df)) * error
    one, other = first.components, second.components
    units = [effect.n / effect.components.images_per_unit for effect in (first, second)]
    scale = units[0] / units[1]
    return CrossedContrast(
        estimate=estimate,
        low=estimate - half,
        high=estimate + half,
        p_value=two_sided(estimate, error, df),
        standard_error=error,
        df=df,
        components=VarianceComponents(
            seed=(*one.seed, *other.seed),
            image=one.image + scale * other.image,
            residual=(*one.residual, *(scale * residual for residual in other.residual)),
            images_per_unit=one.images_per_unit,
        ),
        num_seeds=(*first.num_seeds, *second.num_seeds),
        n=first.n,
        method=f"{first.method}; of two independent sets of images",
    )
