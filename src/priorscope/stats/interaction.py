"""Differences of differences, on the same images or on others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from priorscope.stats._result import CrossedContrast, VarianceComponents
from priorscope.stats.crossed_contrast import crossed_contrast

_COUNT = {2: "two", 3: "three", 4: "four"}


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
    `independent_sum`.

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
        difference = independent_sum([one, negated(other)], confidence=confidence)
    sides = [(effect.low > 0) - (effect.high < 0) for effect in (one, other)]
    crossing = {-1: "crosses", 1: "same sign", 0: "unclear"}[sides[0] * sides[1]]
    return Interaction(one, other, difference, crossing)


def independent_sum(
    contrasts: Sequence[CrossedContrast], *, confidence: float = 0.95
) -> CrossedContrast:
    """Add contrasts that were measured on other images and other networks.

    The variances add up, with the degrees of freedom of Welch (1947) and Satterthwaite (1946).

    Parameters
    ----------
    contrasts : one gives itself

    Returns
    -------
    the sum; its `n` are the images of the first, in whose units the components of the others are
    given too
    """
    if len(contrasts) == 1:
        return contrasts[0]
    first = contrasts[0]
    variances = np.array([each.standard_error**2 for each in contrasts])
    error = float(np.sqrt(variances.sum()))
    spread = float((variances**2 / np.array([each.df for each in contrasts])).sum())
    units = [each.n / each.components.images_per_unit for each in contrasts]
    scales = [units[0] / unit for unit in units]
    parts = [each.components for each in contrasts]
    found = CrossedContrast(
        estimate=sum(each.estimate for each in contrasts),
        standard_error=error,
        df=float(variances.sum() ** 2 / spread) if spread else float("inf"),
        components=VarianceComponents(
            seed=tuple(seed for part in parts for seed in part.seed),
            image=sum(scale * part.image for scale, part in zip(scales, parts, strict=True)),
            residual=tuple(
                scale * residual
                for scale, part in zip(scales, parts, strict=True)
                for residual in part.residual
            ),
            images_per_unit=first.components.images_per_unit,
            seed_most=tuple(seed for part in parts for seed in part.seed_most),
        ),
        num_seeds=tuple(number for each in contrasts for number in each.num_seeds),
        n=first.n,
        method=f"{first.method}; of {_COUNT.get(len(contrasts), len(contrasts))} independent sets "
        "of images",
    )
    return found.at(confidence)


def negated(contrast: CrossedContrast) -> CrossedContrast:
    """Turn a contrast's sign."""
    return replace(contrast, estimate=-contrast.estimate, low=-contrast.high, high=-contrast.low)
