"""Differences of models on a probe at equal clean accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from priorscope.stats._result import CrossedContrast
from priorscope.stats.crossed_contrast import crossed_contrast

_STEP = 1e-5  # of a clean accuracy, by which its influence is measured


@dataclass(frozen=True)
class Trajectory:
    """What one run answered along its training, in the order of training.

    Attributes
    ----------
    clean : float [checkpoints, test images], 0 or 1: right on plain test images
    probe : float [checkpoints, scenes], scores on what the probe is about
    """

    clean: np.ndarray
    probe: np.ndarray


@dataclass(frozen=True)
class MatchedContrast:
    """A difference at equal clean accuracy, and the range of clean accuracy that it is over."""

    difference: CrossedContrast
    low: float
    high: float


def matched_contrast(
    a: Sequence[Trajectory],
    b: Sequence[Trajectory],
    *,
    confidence: float = 0.95,
    clusters: np.ndarray | None = None,
) -> MatchedContrast | None:
    """Compare two models' probe scores at equal clean accuracy, over new seeds and new scenes.

    Each run is a curve of probe score over clean accuracy, straight between its checkpoints, from
    where it was least accurate to where it was most. Its height is averaged over the range of clean
    accuracy that all runs passed through, and models are compared by that; nothing is extrapolated.
    The average is a weighted sum of the checkpoints' scores, so that each scene has one value in
    each run, and seeds and scenes are crossed as in any contrast. Clean accuracies are estimates
    too: what the choice of test images moves is added to the variance (the delta method).

    Parameters
    ----------
    a, b : the runs of each model, on the same test images and the same scenes
    confidence : in (0, 1)
    clusters : [scenes] or None, as in `crossed_contrast`

    Returns
    -------
    None where no clean accuracy was passed through by all runs

    Raises
    ------
    ValueError : runs with other numbers of checkpoints in `clean` and `probe`, or of images
    """
    runs = [*a, *b]
    _check(runs)
    paths = [_path(run.clean.mean(axis=1)) for run in runs]
    accuracies = [run.clean.mean(axis=1)[path] for run, path in zip(runs, paths, strict=True)]
    shared = _common_range(accuracies)
    if shared is None:
        return None
    weights = [_weights(each, *shared) for each in accuracies]
    heights = [
        weight @ run.probe[path] for run, path, weight in zip(runs, paths, weights, strict=True)
    ]
    groups = [np.stack(heights[: len(a)]), -np.stack(heights[len(a) :])]
    found = crossed_contrast(groups, confidence=confidence, clusters=clusters)
    means = [run.probe[path].mean(axis=1) for run, path in zip(runs, paths, strict=True)]
    signs = [1 / len(a)] * len(a) + [-1 / len(b)] * len(b)
    # Each test image moves every clean accuracy, and with them weights and common range.
    moved = np.zeros(runs[0].clean.shape[1])
    for number, (run, path) in enumerate(zip(runs, paths, strict=True)):
        for place, row in enumerate(path):
            slope = _slope(accuracies, means, signs, number, place)
            moved += slope * (run.clean[row] - run.clean[row].mean())
    of_images = float(moved.var(ddof=1)) / len(moved)
    error = float(np.sqrt(found.standard_error**2 + of_images))
    df = found.df
    if of_images:
        spread = found.standard_error**4 / found.df + of_images**2 / (len(moved) - 1)
        df = min(error**4 / spread, found.df) if found.standard_error else len(moved) - 1.0
    method = f"{found.method}; at equal clean accuracy, of {len(moved):,} test images"
    found = replace(found, standard_error=error, df=df, method=method)
    return MatchedContrast(found.at(confidence), *shared)


def _check(runs: Sequence[Trajectory]) -> None:
    shapes = {(run.clean.shape[1:], run.probe.shape[1:]) for run in runs}
    if len(shapes) != 1 or any(len(run.clean) != len(run.probe) for run in runs):
        found = [(run.clean.shape, run.probe.shape) for run in runs]
        raise ValueError(f"runs need as many checkpoints in both, on the same images: {found}")


def _path(accuracies: np.ndarray) -> np.ndarray:
    """Choose the checkpoints from the least accurate to the most accurate one behind it."""
    start = int(np.argmin(accuracies))
    return np.arange(start, start + int(np.argmax(accuracies[start:])) + 1)


def _common_range(accuracies: Sequence[np.ndarray]) -> tuple[float, float] | None:
    low = max(float(each[0]) for each in accuracies)
    high = min(float(each[-1]) for each in accuracies)
    return (low, high) if low < high else None


def _weights(accuracies: np.ndarray, low: float, high: float) -> np.ndarray:
    """Weigh a curve's points so that their sum is its mean height over a range; they sum to 1.

    The area under straight lines between the points, divided by the range's width. A stretch that
    leads back is taken off again, as in any integral along a path.
    """
    left, right = accuracies[:-1], accuracies[1:]
    width = right - left
    start, stop = np.clip(left, low, high), np.clip(right, low, high)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.where(width != 0, ((start + stop) / 2 - left) / width, 0.5)
    part = (stop - start) / (high - low)
    weights = np.zeros(len(accuracies))
    weights[:-1] += part * (1 - middle)
    weights[1:] += part * middle
    return weights


def _slope(
    accuracies: list[np.ndarray],
    means: list[np.ndarray],
    signs: list[float],
    run: int,
    place: int,
) -> float:
    """Differentiate the difference by one clean accuracy; the common range moves along."""

    def difference(step: float) -> float:
        each = [x.copy() for x in accuracies]
        each[run][place] += step
        shared = _common_range(each)
        if shared is None:
            return 0.0
        weights = [_weights(x, *shared) for x in each]
        return sum(s * float(w @ y) for s, w, y in zip(signs, weights, means, strict=True))

    return (difference(_STEP) - difference(-_STEP)) / (2 * _STEP)
