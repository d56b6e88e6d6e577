"""Where an effect that changes with a number passes through zero."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ZeroCrossing:
    """The levels between which an effect changes its sign.

    Attributes
    ----------
    estimate : where straight lines between the estimates pass through zero; their mean where
        they do so more than once
    low, high : measured levels: at `low` the effect is clearly on one side of zero, at `high`
        clearly on the other; between them it is on neither, unless it changes more than once
    method : how it was found, as a report should say it
    """

    estimate: float
    low: float
    high: float
    method: str


def zero_crossing(
    levels: Sequence[float], estimates: np.ndarray, low: np.ndarray, high: np.ndarray
) -> ZeroCrossing | None:
    """Find between which levels an effect turns from one sign to the other.

    Only where the effect's intervals leave out zero at both ends, on opposite sides: an effect that
    is nowhere shown has no sign to change. The interval goes from the last level whose interval
    lies on the first side to the first level whose interval lies on the other. What happens between
    two measured levels is not known, be it a line or a step, so it is never narrower than the
    levels that bracket the change. Where the effect is clearly on the first side again after it was
    clearly on the other, it reaches over all changes.

    Parameters
    ----------
    levels : [k], rising, at least two
    estimates, low, high : float [k], the effect at each level and its interval

    Returns
    -------
    None where no change of sign is shown

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
    side = (below > 0).astype(int) - (above < 0)
    if not side[0] * side[-1] < 0:
        return None
    on_first, on_other = (np.flatnonzero(side == which) for which in (side[0], side[-1]))
    last = on_first[on_first < on_other[0]][-1]
    first = on_other[on_other > on_first[-1]][0]
    return ZeroCrossing(
        estimate=float(np.mean(_where_zero(grid, effect))),
        low=float(grid[last]),
        high=float(grid[first]),
        method=f"levels that bracket the change of sign, of {len(grid)}; "
        "estimate by straight lines between them",
    )


def _where_zero(grid: np.ndarray, line: np.ndarray) -> list[float]:
    """Find the levels at which a line through points is zero, points that are zero included."""
    found = grid[line == 0].tolist()
    for i in np.flatnonzero(line[:-1] * line[1:] < 0):
        share = line[i] / (line[i] - line[i + 1])
        found.append(float(grid[i] + share * (grid[i + 1] - grid[i])))
    return found
