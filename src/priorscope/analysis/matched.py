"""Probe differences at equal clean accuracy: a bias is not a capability.

A model that is better on plain test images is likely better on a probe too, whatever its biases.
Two ways to take that away, both from checkpoints along training:

- *matched*: each run's probe score as a function of its clean accuracy, by linear interpolation
  between its checkpoints, averaged over the range of clean accuracy that all runs of both models
  passed through. Nothing is extrapolated.
- *residual*: what a trained network scores above the line from clean accuracy to probe score that
  all checkpoints of all models share, fitted on logit axes (effective robustness, Taori et al.
  2020, arXiv:2007.00644; they fit the line to other models of a testbed, we to the checkpoints of
  the compared ones, so that a residual is relative to their mean).

Values are one a run, and their intervals Welch's over seeds: they speak of other seeds on the same
scenes. One seed gives no interval.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import linregress, ttest_ind


@dataclass(frozen=True)
class Difference:
    """A difference of two models' means over seeds; no interval where either has one seed."""

    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Line:
    """logit(score / largest) = intercept + slope logit(clean); applied by `predict`."""

    intercept: float
    slope: float
    largest: float

    def predict(self, clean: np.ndarray) -> np.ndarray:
        """Give the score that the line expects at a clean accuracy in (0, 1)."""
        return self.largest * expit(self.intercept + self.slope * logit(clean))


def common_range(curves: Sequence[np.ndarray]) -> tuple[float, float] | None:
    """Give the range of clean accuracy that every run passed through, or None.

    Parameters
    ----------
    curves : for each run its points, float [checkpoints, 2]: clean accuracy, probe score
    """
    low = max(float(points[:, 0].min()) for points in curves)
    high = min(float(points[:, 0].max()) for points in curves)
    return (low, high) if low < high else None


def mean_score(points: np.ndarray, low: float, high: float) -> float:
    """Average a run's probe score over a range of clean accuracy that it passed through.

    The mean of the curve through its points in the order of clean accuracy; points of the same
    clean accuracy count as one, with their mean.

    Parameters
    ----------
    points : float [checkpoints, 2]
    low, high : low < high, within the run's own range
    """
    clean, inverse = np.unique(points[:, 0], return_inverse=True)
    score = np.bincount(inverse, weights=points[:, 1]) / np.bincount(inverse)
    inner = clean[(clean > low) & (clean < high)]
    knots = np.array([low, *inner, high])
    heights = np.interp(knots, clean, score)
    area = float(((heights[1:] + heights[:-1]) / 2 * np.diff(knots)).sum())
    return area / (high - low)


def matched_difference(
    a: Sequence[np.ndarray], b: Sequence[np.ndarray]
) -> tuple[Difference, tuple[float, float]] | None:
    """Compare two models at equal clean accuracy, and give the range in which that was possible.

    Parameters
    ----------
    a, b : for each seed its points, float [checkpoints, 2]

    Returns
    -------
    None where no clean accuracy was passed through by all runs
    """
    shared = common_range([*a, *b])
    if shared is None:
        return None
    of_a, of_b = ([mean_score(points, *shared) for points in model] for model in (a, b))
    return difference(of_a, of_b), shared


def fit_line(points: np.ndarray, largest: float, num_scenes: int) -> Line | None:
    """Fit probe score on clean accuracy by least squares on logit axes.

    Shares of 0 and 1 are moved inside by half a scene.

    Parameters
    ----------
    points : float [checkpoints of all runs, 2]
    largest : the best score that a scene can reach

    Returns
    -------
    None where all checkpoints have the same clean accuracy
    """
    clean = _inside(points[:, 0], num_scenes)
    if np.ptp(clean) == 0:
        return None
    found = linregress(logit(clean), logit(_inside(points[:, 1] / largest, num_scenes)))
    return Line(float(found.intercept), float(found.slope), largest)  # type: ignore[attr-defined]


def residual_difference(
    a: Sequence[np.ndarray], b: Sequence[np.ndarray], line: Line, num_scenes: int
) -> Difference:
    """Compare what two models' last checkpoints score above the shared line."""

    def above(model: Sequence[np.ndarray]) -> list[float]:
        last = np.array([points[-1] for points in model])
        return (last[:, 1] - line.predict(_inside(last[:, 0], num_scenes))).tolist()

    return difference(above(a), above(b))


def difference(a: Sequence[float], b: Sequence[float], *, confidence: float = 0.95) -> Difference:
    """Give the difference of two models' means over seeds, with Welch's interval."""
    estimate = float(np.mean(a) - np.mean(b))
    if min(len(a), len(b)) < 2:
        return Difference(estimate, None, None)
    if np.ptp(a) == np.ptp(b) == 0:  # Welch's degrees of freedom would be 0 / 0
        return Difference(estimate, estimate, estimate)
    with warnings.catch_warnings():  # SciPy warns where the seeds of one model score alike
        warnings.simplefilter("ignore", RuntimeWarning)
        test = ttest_ind(a, b, equal_var=False)
    interval = test.confidence_interval(confidence)  # type: ignore[attr-defined]
    return Difference(estimate, float(interval.low), float(interval.high))


def _inside(share: np.ndarray, num_scenes: int) -> np.ndarray:
    return np.clip(share, 0.5 / num_scenes, 1 - 0.5 / num_scenes)
