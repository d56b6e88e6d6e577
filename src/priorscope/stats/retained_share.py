"""How much of a score above chance is left when something is taken away."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from priorscope.stats._result import Estimate
from priorscope.stats.crossed_contrast import crossed_contrast

_FARTHEST = 16.0  # of an end from the estimate; beyond it there is none
_FINE = 1e-5


def retained_share(
    altered: np.ndarray,
    control: np.ndarray,
    *,
    chance: float,
    confidence: float = 0.95,
    clusters: np.ndarray | None = None,
) -> Estimate | None:
    """Estimate (altered - chance) / (control - chance) of a model's mean scores.

    The interval holds the shares r for which altered - chance - r (control - chance) does not
    differ from zero, by the crossed interval of `crossed_contrast`: over other seeds and other
    images, with numerator and denominator paired by both. It needs no normal ratio and covers as
    that interval does.

    Fieller 1954 (Journal of the Royal Statistical Society B 16:175). Deviation: the variance is
    that of crossed random effects, estimated at each r.

    Parameters
    ----------
    altered, control : float [seeds, images], of the same networks on the same scenes
    chance : what a constant answer scores on both
    clusters : [images], the random units where they are not the images

    Returns
    -------
    estimate, low, high; NaN for an end that the data do not bound. None where the control is not
    above chance with this confidence: there is nothing of which a share could be left
    """

    def at(share: float) -> tuple[float, float]:
        rest = altered - chance - share * (control - chance)
        found = crossed_contrast([rest], confidence=confidence, clusters=clusters)
        return found.low, found.high

    whole = crossed_contrast([control - chance], confidence=confidence, clusters=clusters)
    if not whole.low > 0:
        return None
    estimate = float((altered.mean() - chance) / whole.estimate)
    low, high = at(estimate)
    return Estimate(
        estimate,
        _end(lambda share: at(share)[0], estimate, low / whole.estimate),
        _end(lambda share: at(share)[1], estimate, high / whole.estimate),
        f"Fieller, {whole.method}",
        whole.n,
    )


def _end(bound: Callable[[float], float], estimate: float, step: float) -> float:
    """Find where an end of the interval of what is left over passes zero, beginning a step away."""
    if not step:  # nothing varies: the interval is the estimate alone
        return estimate
    inner = estimate
    while bound(estimate + step) * step > 0:
        inner, step = estimate + step, 1.6 * step
        if abs(step) > _FARTHEST:
            return float("nan")
    return brentq(bound, inner, estimate + step, xtol=_FINE)  # type: ignore[return-value]
