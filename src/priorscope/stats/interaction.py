"""Differences of differences, on the same images or on others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from priorscope.stats._result import CrossedContrast
from priorscope.stats.crossed_contrast import crossed_contrast, two_sided


@dataclass(frozen=True)
class Interaction:
    """Two effects and their difference.

    Attributes
    ----------
    first, second : the effects
    estimate, low, high, p_value : of the first minus the second; the p-value is two-sided
    crossing : `crosses` where the intervals of both effects leave out zero on opposite sides,
        `same sign` where they do on one side, `unclear` otherwise
    method : how the interval was made
    """

    first: CrossedContrast
    second: CrossedContrast
    estimate: float
    low: float
    high: float
    p_value: float
    crossing: str
    method: str


def interaction(
    first: Sequence[np.ndarray],
    second: Sequence[np.ndarray],
    *,
    same_images: bool,
    confidence: float = 0.95,
    clusters: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
) -> Interaction:
    """Estimate how much larger one effect is than another, seeds and images both random.

    On the same images everything is paired by image, as in `crossed_contrast`. On different images
    the two effects are independent: variances add up, with the degrees of freedom of Welch (1947)
    and Satterthwaite (1946).

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
    effects = (
        crossed_contrast(first, confidence=confidence, clusters=clusters[0]),
        crossed_contrast(second, confidence=confidence, clusters=clusters[1]),
    )
    crossing = _crossing(*effects)
    if same_images:
        groups = [*first, *(-np.asarray(group) for group in second)]
        joint = crossed_contrast(groups, confidence=confidence, clusters=clusters[0])
        ends = (joint.estimate, joint.low, joint.high, joint.p_value)
        return Interaction(*effects, *ends, crossing, joint.method)
    estimate = effects[0].estimate - effects[1].estimate
    variances = [effect.standard_error**2 for effect in effects]
    error = float(np.sqrt(sum(variances)))
    spread = sum(v**2 / effect.df for v, effect in zip(variances, effects, strict=True))
    df = sum(variances) ** 2 / spread if spread else float("inf")
    half = float(student.ppf((1 + confidence) / 2, df)) * error
    ends = (estimate, estimate - half, estimate + half, two_sided(estimate, error, df))
    method = f"independent images; each effect: {effects[0].method}"
    return Interaction(*effects, *ends, crossing, method)


def _crossing(one: CrossedContrast, other: CrossedContrast) -> str:
    sides = [(effect.low > 0) - (effect.high < 0) for effect in (one, other)]
    return {-1: "crosses", 1: "same sign", 0: "unclear"}[sides[0] * sides[1]]
