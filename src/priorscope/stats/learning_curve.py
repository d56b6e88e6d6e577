"""Learning curves: how many times more data one model needs to reach another's accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm as normal
from scipy.stats import t as student

_SAME = 1e-9  # scores that differ by rounding only


@dataclass(frozen=True)
class Bounded:
    """A number that may be known only to lie above or below a value."""

    value: float
    bound: Literal["exact", "above", "below"] = "exact"


@dataclass(frozen=True)
class DataMultiplier:
    """How many times more data are needed, with its interval; see `data_multiplier`.

    Attributes
    ----------
    estimate, low, high : 1 where both models need equally many; `above` and `below` where the
        accuracy lies outside the measured curve
    method : how curve and interval were made, as a report should say it
    """

    estimate: Bounded
    low: Bounded
    high: Bounded
    method: str


def isotonic(curve: np.ndarray) -> np.ndarray:
    """Return the nearest curve, by least squares, that never falls.

    The min-max formula of isotonic regression with equal weights (Robertson, Wright and Dykstra
    1988, Order Restricted Statistical Inference, 1.4.4), for many curves of few points at once.

    Parameters
    ----------
    curve : float [..., sizes], at rising sizes

    Returns
    -------
    float [..., sizes], not falling
    """
    curve = np.asarray(curve, dtype=float)
    num_sizes = curve.shape[-1]
    sums = np.concatenate([np.zeros((*curve.shape[:-1], 1)), curve.cumsum(-1)], axis=-1)
    risen = np.empty_like(curve)
    for i in range(num_sizes):
        lengths = np.arange(i + 1, num_sizes + 1)[:, None] - np.arange(i + 1)  # [ends, starts]
        means = (sums[..., i + 1 :, None] - sums[..., None, : i + 1]) / lengths
        risen[..., i] = means.min(axis=-2).max(axis=-1)
    # Rounding of the sums must not let a level stretch fall.
    return np.maximum.accumulate(risen, axis=-1)


def size_reaching(curve: np.ndarray, sizes: Sequence[float], target: np.ndarray) -> np.ndarray:
    """Find the smallest size at which a curve reaches a score.

    Between two sizes the curve is a straight line over the logarithm of the size. Nothing is
    extrapolated.

    Parameters
    ----------
    curve : float [..., sizes], not falling
    sizes : above 0, rising
    target : float [...]

    Returns
    -------
    float [...]: the size; inf where the curve ends below the target, 0 where it starts above it
    """
    logs = np.log(np.asarray(sizes, dtype=float))
    curve, target = np.broadcast_arrays(curve, np.asarray(target, dtype=float)[..., None])
    target = target[..., 0]
    reached = curve >= target[..., None] - _SAME
    first = reached.argmax(axis=-1)
    before = np.maximum(first - 1, 0)
    low, high = (np.take_along_axis(curve, i[..., None], -1)[..., 0] for i in (before, first))
    rise = np.where(high > low, high - low, 1.0)
    share = np.where(first > 0, np.minimum((target - low) / rise, 1.0), 0.0)
    found = np.exp(logs[before] + share * (logs[first] - logs[before]))
    found = np.where((first == 0) & (high > target + _SAME), 0.0, found)
    return np.where(reached.any(axis=-1), found, np.inf)


def sizes_bracketing(
    curve: np.ndarray, sizes: Sequence[float], target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the measured sizes between which a curve reaches a score, whatever lies between them.

    Parameters
    ----------
    curve : float [..., sizes], not falling
    sizes : above 0, rising
    target : float [...]

    Returns
    -------
    float [...] each: the last size below the score, 0 where there is none; and the first size that
    has reached it, inf where there is none
    """
    grid = np.concatenate([[0.0], np.asarray(sizes, dtype=float), [np.inf]])
    reached = curve >= np.asarray(target, dtype=float)[..., None] - _SAME
    first = np.where(reached.any(axis=-1), reached.argmax(axis=-1), curve.shape[-1])
    return grid[first], grid[first + 1]


def data_multiplier(
    a: np.ndarray,
    b: np.ndarray,
    sizes: Sequence[float],
    *,
    at: int,
    resampled: tuple[np.ndarray, np.ndarray] | None = None,
    num_seeds: int = 1,
    confidence: float = 0.95,
) -> DataMultiplier:
    """Say how many times more data model B needs to reach model A's score at one size.

    A's score at that size is looked up on B's learning curve. Both curves are made to never fall
    first (`isotonic`), since more data of the same kind do not make a learner worse, but noise of
    few seeds makes a curve look as if: it is then undefined where a score is reached. The estimate
    takes the curve as straight over log(size) between two sizes. The interval takes nothing of it
    for known: a rising curve may reach a score anywhere between the sizes that bracket it, so that
    these are its ends. Beyond the largest and the smallest size the answer is a bound.

    Parameters
    ----------
    a, b : float [sizes], mean scores at rising sizes
    sizes : numbers of training images, above 0, rising, at least two
    at : index of the size at which A's score is taken
    resampled : bootstrap resamples of a and b, each float [num_resamples, sizes]; without them the
        interval is the two sizes that bracket A's score
    num_seeds : S, of each model at each size. With several, resamples are moved away from a and b
        by sqrt(S / (S - 1)) t / z, with the quantiles of Student's distribution of 2 (S - 1)
        degrees of freedom and of the normal one: resampling S seeds shows (S - 1) / S of their
        variance, and the answer rests on means of two models at least
    confidence : of the interval, in (0, 1): percentiles of the resamples' lower and upper sizes

    Raises
    ------
    ValueError : fewer than two sizes, sizes that do not rise, scores of another shape or not finite

    Notes
    -----
    `benchmarks/adversary.py` has the coverage for sizes that lie 2, 4 and 8 times apart.
    """
    a, b, grid = (np.asarray(each, dtype=float) for each in (a, b, sizes))
    if len(grid) < 2 or (grid <= 0).any() or (np.diff(grid) <= 0).any():
        raise ValueError(f"a learning curve needs at least two rising sizes, found {list(sizes)}")
    curves = [a, b, *(resampled or ())]
    if any(c.shape[-1:] != grid.shape or not np.isfinite(c).all() for c in curves):
        raise ValueError(
            f"expected finite scores at {len(grid)} sizes: {[c.shape for c in curves]}"
        )

    def bounded(size: float) -> Bounded:
        if np.isinf(size):
            return Bounded(float(grid[-1] / grid[at]), "above")
        return Bounded(size / grid[at]) if size else Bounded(float(grid[0] / grid[at]), "below")

    estimate = bounded(float(size_reaching(isotonic(b), sizes, isotonic(a)[at])))
    method = (
        f"isotonic over {len(grid)} sizes, linear in log(size); "
        "interval: the measured sizes that bracket it"
    )
    pairs = a[None], b[None]
    if resampled is not None:
        factor = _spread(num_seeds, confidence)
        pairs = tuple(c + factor * (r - c) for c, r in zip((a, b), resampled, strict=True))
        method += ", percentile bootstrap"
        method += f", widened for {num_seeds} seeds" if factor > 1 else ""
    lower, upper = sizes_bracketing(isotonic(pairs[1]), sizes, isotonic(pairs[0])[..., at])
    outer = int(np.floor((1 - confidence) / 2 * (len(lower) - 1)))
    low, high = float(np.sort(lower)[outer]), float(np.sort(upper)[-1 - outer])
    return DataMultiplier(estimate, bounded(low), bounded(high), method)


def _spread(num_seeds: int, confidence: float) -> float:
    """Return the factor by which few seeds make a bootstrap too narrow."""
    if num_seeds < 2:
        return 1.0
    at = (1 + confidence) / 2
    quantiles = student.ppf(at, 2 * (num_seeds - 1)) / normal.ppf(at)
    return float(np.sqrt(num_seeds / (num_seeds - 1)) * quantiles)
