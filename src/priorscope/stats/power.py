"""What a planned study can show, from the variances of its parts."""

from collections.abc import Callable, Sequence
from math import ceil, isfinite, isnan
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2, nct, norm
from scipy.stats import t as student

from priorscope.stats._precision import Precision, precision
from priorscope.stats._result import VarianceComponents

_MOST_SEEDS = 2**20
_MOST_IMAGES = 2**50


def minimum_detectable_effect(
    components: VarianceComponents,
    num_seeds: Sequence[int],
    num_images: int,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    sides: Literal[1, 2] = 2,
) -> float:
    """Give the smallest true distance from the null that a planned study finds often enough.

    Parameters
    ----------
    components : of a pilot (`crossed_contrast`), or as stated
    num_seeds : planned, for each group. One seed: that network is what the study speaks of, and
        its seed's variance does not count
    num_images : planned; clusters are as large as the components say
    alpha : of the test, in (0, 1); after Holm's correction for m hypotheses, alpha / m
    power : wanted probability to reject, in (alpha, 1)
    sides : of the test

    Raises
    ------
    ValueError : a number out of range, or several seeds planned where the variance between seeds
        is not known (nan)
    """
    _check(alpha, power)
    plan = _planned(components, num_seeds, num_images)
    return _smallest(lambda effect: _rejects(effect, plan, alpha, sides), plan, power)


def minimum_equivalence_margin(
    components: VarianceComponents,
    num_seeds: Sequence[int],
    num_images: int,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """Give the smallest margin within which a true difference of 0 is shown often enough.

    Parameters, errors: as `minimum_detectable_effect`.
    """
    _check(alpha, power)
    plan = _planned(components, num_seeds, num_images)
    return _smallest(lambda margin: _shows(margin, 0.0, plan, alpha), plan, power)


def detection_power(
    effect: float,
    components: VarianceComponents,
    num_seeds: Sequence[int],
    num_images: int,
    *,
    alpha: float = 0.05,
    sides: Literal[1, 2] = 2,
) -> float:
    """Give the probability to reject the null at a true distance from it: the noncentral t's.

    Parameters, errors: as `minimum_detectable_effect`; `effect` in the unit of the scores.
    """
    _check(alpha)
    return _rejects(effect, _planned(components, num_seeds, num_images), alpha, sides)


def equivalence_power(
    margin: float,
    components: VarianceComponents,
    num_seeds: Sequence[int],
    num_images: int,
    *,
    alpha: float = 0.05,
    difference: float = 0.0,
) -> float:
    """Give the probability that two one-sided tests show equivalence, at a true difference.

    Parameters, errors: as `minimum_detectable_effect`; `margin` and `difference` in the unit of
    the scores, margin above 0.
    """
    _check(alpha)
    if not margin > 0:
        raise ValueError(f"a margin must be above 0, found {margin}")
    return _shows(margin, difference, _planned(components, num_seeds, num_images), alpha)


def seeds_needed(
    components: VarianceComponents,
    num_images: int,
    *,
    effect: float | None = None,
    margin: float | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    sides: Literal[1, 2] = 2,
) -> int | None:
    """Give the seeds, the same in each group, that find an effect or show a margin; at least 2.

    Parameters
    ----------
    effect, margin : one of the two, above 0, in the unit of the scores; a margin is to be shown
        where the true difference is 0

    Returns
    -------
    None where no number of seeds is enough, because images vary too much

    Raises
    ------
    ValueError : as `minimum_detectable_effect`
    """
    _check(alpha, power)

    def reached(seeds: int) -> bool:
        plan = _planned(components, [seeds] * len(components.seed), num_images)
        return _reached(plan, effect, margin, alpha, sides) >= power

    return _first(reached, 2, _MOST_SEEDS)


def images_needed(
    components: VarianceComponents,
    num_seeds: Sequence[int],
    *,
    effect: float | None = None,
    margin: float | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    sides: Literal[1, 2] = 2,
) -> int | None:
    """Give the images that find an effect or show a margin with the planned seeds.

    Parameters, errors: as `seeds_needed`.

    Returns
    -------
    None where no number of images is enough, because seeds vary too much
    """
    _check(alpha, power)

    def reached(units: int) -> bool:
        images = ceil(units * components.images_per_unit)
        plan = _planned(components, num_seeds, images)
        return _reached(plan, effect, margin, alpha, sides) >= power

    units = _first(reached, 2, _MOST_IMAGES)
    return None if units is None else ceil(units * components.images_per_unit)


def _planned(
    components: VarianceComponents, num_seeds: Sequence[int], num_images: int
) -> Precision:
    if len(num_seeds) != len(components.seed) or min(num_seeds) < 1:
        raise ValueError(
            f"expected {len(components.seed)} numbers of seeds, at least 1: {list(num_seeds)}"
        )
    units = num_images / components.images_per_unit
    if units < 2:
        raise ValueError(f"a plan needs two images or clusters, found {units:g}")
    image_part, residual_part, seed_parts, sizes = components.image / units, 0.0, [], []
    for seed, residual, size in zip(components.seed, components.residual, num_seeds, strict=True):
        part = 0.0 if isnan(residual) else residual / (size * units)
        image_part += part
        if size > 1:
            if isnan(seed):
                raise ValueError("the variance between seeds is not known: state it")
            residual_part += part
            seed_parts.append(seed / size + part)
            sizes.append(size)
    return precision(image_part, residual_part, seed_parts, sizes, units)


def _rejects(effect: float, plan: Precision, alpha: float, sides: int) -> float:
    """Give the power of a t test: the noncentral t distribution beyond the critical value."""
    if not plan.standard_error:
        return 1.0 if effect else alpha
    distance = abs(effect) / plan.standard_error
    critical = student.isf(alpha / sides, plan.df)
    if isfinite(plan.df):
        above = nct.sf(critical, plan.df, distance)
        below = nct.cdf(-critical, plan.df, distance) if sides == 2 else 0.0
    else:
        above = norm.sf(critical - distance)
        below = norm.cdf(-critical - distance) if sides == 2 else 0.0
    return float(above + below)


def _shows(margin: float, difference: float, plan: Precision, alpha: float) -> float:
    """Average the power of two one-sided tests over the estimated standard error.

    Given the ratio w of the estimated to the true standard error, both tests reject where the
    estimate lies within margin - t w SE of 0; w^2 df is chi-squared (Schuirmann 1987).
    """
    if not plan.standard_error:
        return float(abs(difference) < margin)
    levels = (np.arange(2000) + 0.5) / 2000
    ratio = np.sqrt(chi2.ppf(levels, plan.df) / plan.df) if isfinite(plan.df) else np.ones(1)
    inside = margin / plan.standard_error - student.isf(alpha, plan.df) * ratio
    centre = difference / plan.standard_error
    chance = norm.cdf(inside - centre) - norm.cdf(-inside - centre)
    return float(np.where(inside > 0, chance, 0.0).mean())


def _reached(
    plan: Precision, effect: float | None, margin: float | None, alpha: float, sides: int
) -> float:
    wanted = effect if margin is None else margin
    if (effect is None) == (margin is None) or wanted is None or not wanted > 0:
        raise ValueError(f"give an effect or a margin above 0, found {effect} and {margin}")
    return (
        _rejects(wanted, plan, alpha, sides) if margin is None else _shows(wanted, 0, plan, alpha)
    )


def _smallest(of: Callable[[float], float], plan: Precision, power: float) -> float:
    """Find where a rising power reaches what is wanted."""
    if not plan.standard_error:
        return 0.0
    high = plan.standard_error
    while of(high) < power:
        high *= 2
    return brentq(lambda size: of(size) - power, 0.0, high, xtol=1e-9 * high)  # type: ignore[return-value]


def _first(reached: Callable[[int], bool], low: int, most: int) -> int | None:
    """Find the first number that reaches what all larger ones reach; None above `most`."""
    high = low
    while not reached(high):
        low, high = high + 1, high * 2
        if high > most:
            return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle + 1, high)
    return high


def _check(alpha: float, power: float = 0.8) -> None:
    if not 0 < alpha < power < 1:
        raise ValueError(f"expected 0 < alpha < power < 1, found alpha {alpha}, power {power}")
