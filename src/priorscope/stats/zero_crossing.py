"""Where an effect that changes with a number passes through zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class ZeroCrossing:
    """The level at which an effect changes its sign, with its interval.

    Attributes
    ----------
    estimate, low, high : levels; an end may lie beyond the levels that were measured
    low_bound, high_bound : "exact", or on which side of the measured levels the end lies
    """

    estimate: float
    low: float
    high: float
    low_bound: Literal["exact", "below"]
    high_bound: Literal["exact", "above"]
    method: str


def zero_crossing(
    levels: Sequence[float], estimates: np.ndarray, low: np.ndarray, high: np.ndarray
) -> ZeroCrossing | None:
    """Find the level at which an effect turns from one sign to the other.

    Between two levels effect and ends of its interval are straight lines. The interval of the
    crossing holds every level at which the effect's own interval holds zero (inversion of a test).
    It covers at least as often as the effect's intervals do where the true effect is a straight
    line between levels, since the ends of an interpolated interval lie further apart than those of
    the interpolated effect's own. Nothing is extrapolated.

    Parameters
    ----------
    levels : [k], rising, at least two
    estimates, low, high : float [k], the effect at each level and its interval

    Returns
    -------
    None where the estimates do not change their sign exactly once

    Raises
    ------
    ValueError : levels that do not rise, other lengths, or numbers that are not finite
    """
    grid, *ends = (np.asarray(each, dtype=float) for each in (levels, estimates, low, high))
    if len(grid) < 2 or (np.diff(grid) <= 0).any():
        raise ValueError(f"a crossing needs at least two rising levels, found {list(levels)}")
    if any(end.shape != grid.shape or not np.isfinite(end).all() for end in ends):
        raise ValueError(f"expected finite effects at {len(grid)} levels")
    effect, below, above = ends
    signs = np.sign(effect)[effect != 0]
    if (np.diff(signs) != 0).sum() != 1:
        return None
    # Zero lies inside where the lower end is below it and the upper end above it.
    inside = [*_where_zero(grid, below), *_where_zero(grid, above)]
    inside += [level for level, a, b in zip(grid, below, above, strict=True) if a <= 0 <= b]
    return ZeroCrossing(
        estimate=float(np.mean(_where_zero(grid, effect))),
        low=float(min(inside)),
        high=float(max(inside)),
        low_bound="below" if below[0] <= 0 <= above[0] else "exact",
        high_bound="above" if below[-1] <= 0 <= above[-1] else "exact",
        method=f"inversion of intervals at {len(grid)} levels, straight lines between them",
    )


def _where_zero(grid: np.ndarray, line: np.ndarray) -> list[float]:
    """Find the levels at which a line through points is zero, points that are zero included."""
    found = grid[line == 0].tolist()
    for i in np.flatnonzero(line[:-1] * line[1:] < 0):
        share = line[i] / (line[i] - line[i + 1])
        found.append(float(grid[i] + share * (grid[i + 1] - grid[i])))
    return found
