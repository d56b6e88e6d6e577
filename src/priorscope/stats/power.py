"""What a planned study can show, from the variances of its parts."""

from collections.abc import Callable, Sequence
from math import ceil, isnan
from typing import Literal, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2, norm, qmc
from scipy.stats import t as student

from priorscope.stats._precision import Precision, precision
from priorscope.stats._result import VarianceComponents

_MOST_SEEDS = 10_000
_MOST_IMAGES = 10**12
_LOG2_POINTS = 10


class _Plan(NamedTuple):
    """What a study would find: its true standard error, and those that it may estimate."""

    standard_error: float
    estimated: Precision

    def half_widths(self, tail: float) -> np.ndarray:
        """Return half the lengths of intervals in true standard errors, float [points]."""
        critical = student.isf(tail, self.estimated.df)
        return critical * self.estimated.standard_error / (self.standard_error or 1.0)


def minimum_detectable_effect(
    components: VarianceComponents,
    num_seeds: Sequence[int],
    num_images: int,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    sides: Literal[1, 2] = 2,
) -> float:
    """Return the smallest true distance from the null that a planned study finds often enough.

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
    half = plan.half_widths(alpha / sides)
    return _smallest(lambda effect: _rejects(effect, half, sides), plan, power)


def minimum_equivalence_margin(
    components: VarianceComponents,
    num_seeds: Sequence[int],
    num_images: int,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """Return the smallest margin within which a true difference of 0 is shown often enough.

    Parameters, errors: as `minimum_detectable_effect`.
    """
    _check(alpha, power)
    plan = _planned(components, num_seeds, num_images)
    half = plan.half_widths(alpha)
    return _smallest(lambda margin: _shows(margin, 0.0, half), plan, power)


def detection_power(
    effect: float,
    components: VarianceComponents,
    num_seeds: Sequence[int],
    num_images: int,
    *,
    alpha: float = 0.05,
    sides: Literal[1, 2] = 2,
) -> float:
    """Return the probability to reject the null at a true distance from it: a t test.

    Parameters, errors: as `minimum_detectable_effect`; `effect` in the unit of the scores.
    """
    _check(alpha)
    plan = _planned(components, num_seeds, num_images)
    if not plan.standard_error:
        return 1.0 if effect else alpha
    return _rejects(abs(effect) / plan.standard_error, plan.half_widths(alpha / sides), sides)


def equivalence_power(
    margin: float,
    components: VarianceComponents,
    num_seeds: Sequence[int],
    num_images: int,
    *,
    alpha: float = 0.05,
    difference: float = 0.0,
) -> float:
    """Return the probability that two one-sided tests show equivalence, at a true difference.

    Parameters, errors: as `minimum_detectable_effect`; `margin` and `difference` in the unit of
    the scores, margin above 0.
    """
    _check(alpha)
    if not margin > 0:
        raise ValueError(f"a margin must be above 0, found {margin}")
    plan = _planned(components, num_seeds, num_images)
    unit = plan.standard_error
    if not unit:
        return float(abs(difference) < margin)
    return _shows(margin / unit, difference / unit, plan.half_widths(alpha))


def seeds_needed(
    components: VarianceComponents,
    num_images: int,
    *,
    margin: float,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int | None:
    """Return the seeds, the same in each group, that show a margin; at least 2.

    Parameters
    ----------
    margin : above 0, in the unit of the scores; to be shown where the true difference is 0

    Returns
    -------
    None where 10,000 seeds are not enough, because images vary too much

    Raises
    ------
    ValueError : as `minimum_detectable_effect`
    """
    _check(alpha, power)

    def shows(seeds: int) -> bool:
        num_seeds = [seeds] * len(components.seed)
        return equivalence_power(margin, components, num_seeds, num_images, alpha=alpha) >= power

    return _first(shows, 2, _MOST_SEEDS)


def images_needed(
    components: VarianceComponents,
    num_seeds: Sequence[int],
    *,
    margin: float,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int | None:
    """Return the images that show a margin with the planned seeds.

    Parameters, errors: as `seeds_needed`.

    Returns
    -------
    None where 10^12 images are not enough, because seeds vary too much
    """
    _check(alpha, power)

    def shows(units: int) -> bool:
        images = ceil(units * components.images_per_unit)
        return equivalence_power(margin, components, num_seeds, images, alpha=alpha) >= power

    units = _first(shows, 2, _MOST_IMAGES)
    return None if units is None else ceil(units * components.images_per_unit)


def _planned(components: VarianceComponents, num_seeds: Sequence[int], num_images: int) -> _Plan:
    if len(num_seeds) != len(components.seed) or min(num_seeds) < 1:
        raise ValueError(
            f"expected {len(components.seed)} numbers of seeds, at least 1: {list(num_seeds)}"
        )
    units = num_images / components.images_per_unit
    if units < 2:
        raise ValueError(f"a plan needs two images or clusters, found {units:g}")
    image_part, seed_parts, residual_parts, sizes = components.image / units, [], [], []
    for seed, residual, size in zip(components.seed, components.residual, num_seeds, strict=True):
        part = 0.0 if isnan(residual) else residual / (size * units)
        image_part += part
        if size > 1:
            if isnan(seed):
                raise ValueError("the variance between seeds is not known: state it")
            residual_parts.append(part)
            seed_parts.append(seed / size + part)
            sizes.append(size)
    variance = image_part - sum(residual_parts) + sum(seed_parts)
    # What a study may estimate: its mean squares are chi-squared, and independent.
    dfs = np.array([units, *sizes]) - 1.0
    points = qmc.Sobol(len(dfs), scramble=False).random_base2(_LOG2_POINTS)
    levels = points.T + 0.5 / points.shape[0]
    ratios = np.stack([_mean_square(of, df) for of, df in zip(levels, dfs, strict=True)])
    parts = np.reshape(seed_parts, (-1, 1)) * ratios[1:]
    residual = np.reshape(residual_parts, (-1, 1))
    estimated = precision(image_part * ratios[0], residual, parts, np.array(sizes), units)
    return _Plan(float(np.sqrt(variance)), estimated)


def _mean_square(levels: np.ndarray, df: float) -> np.ndarray:
    """Return quantiles of chi-squared / df."""
    if df < 50:
        return chi2.ppf(levels, df) / df
    # Wilson & Hilferty 1931, PNAS 17:684: here good to 4 digits, and many times as fast.
    return (1 - 2 / (9 * df) + norm.ppf(levels) * np.sqrt(2 / (9 * df))) ** 3


def _rejects(effect: float, half: np.ndarray, sides: int) -> float:
    """Average the power of a t test over the standard errors that may be estimated.

    All lengths are in units of the true standard error.
    """
    power = norm.sf(half - effect)
    if sides == 2:
        power = power + norm.cdf(-half - effect)
    return float(power.mean())


def _shows(margin: float, difference: float, half: np.ndarray) -> float:
    """Average the power of two one-sided tests likewise (Schuirmann 1987).

    Both reject where the interval lies within the margin: estimates within margin - half of 0.
    """
    inside = margin - half
    power = norm.cdf(inside - difference) - norm.cdf(-inside - difference)
    return float(np.maximum(power, 0.0).mean())


def _smallest(of: Callable[[float], float], plan: _Plan, power: float) -> float:
    """Find where a rising power, of lengths in true standard errors, reaches what is wanted."""
    if not plan.standard_error:
        return 0.0
    high = 1.0
    while of(high) < power:
        high *= 2
    root = brentq(lambda size: of(size) - power, 0.0, high, xtol=1e-9 * high)
    return plan.standard_error * float(root)  # type: ignore[arg-type]


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
