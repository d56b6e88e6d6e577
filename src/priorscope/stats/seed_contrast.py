"""Differences of models of which each trained network has one value."""

from collections.abc import Sequence

import numpy as np

from priorscope.stats._precision import precision
from priorscope.stats._result import CrossedContrast, VarianceComponents
from priorscope.stats.crossed_contrast import to_upper_limit


def seed_contrast(
    groups: Sequence[np.ndarray], *, null: float = 0.0, confidence: float = 0.95
) -> CrossedContrast:
    """Estimate the sum of the groups' means, where seeds alone are random.

    Student's t interval of one group; of several the variances of their means add up, with the
    degrees of freedom that `crossed_contrast` has where images are infinitely many. A group of one
    seed is held fixed, and with one seed each nothing varies: `standard_error` is then 0.

    Parameters
    ----------
    groups : each float [seeds of that group], signed already
    null : what `p_value` tests
    confidence : in (0, 1)

    Raises
    ------
    ValueError : no groups, a group without seeds, values that are not finite, or a confidence
        outside (0, 1)
    """
    values = [np.asarray(group, dtype=float) for group in groups]
    if not values or any(each.ndim != 1 or not each.size for each in values):
        raise ValueError(f"each group needs values [seeds]: {[each.shape for each in values]}")
    if not all(np.isfinite(each).all() for each in values):
        raise ValueError("values must be finite")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, found {confidence}")
    sizes = np.array([len(each) for each in values])
    variances = np.array([each.var(ddof=1) if len(each) > 1 else np.nan for each in values])
    several = sizes > 1
    parts = variances[several] / sizes[several]
    found = precision(0.0, np.zeros_like(parts), parts, sizes[several], np.inf)
    most = variances * to_upper_limit(sizes - 1.0)
    contrast = CrossedContrast(
        estimate=float(sum(each.mean() for each in values)),
        standard_error=float(found.standard_error),
        df=float(found.df),
        components=VarianceComponents(
            seed=tuple(variances.tolist()),
            image=0.0,
            residual=tuple(np.where(several, 0.0, np.nan).tolist()),
            seed_most=tuple(most.tolist()),
        ),
        num_seeds=tuple(sizes.tolist()),
        n=1,
        method=_method(sizes.tolist()),
    )
    return contrast.at(confidence, null)


def _method(sizes: Sequence[int]) -> str:
    if max(sizes) == 1:
        return "one value of each of these trained networks: nothing tells how others would differ"
    method = f"t interval over {' + '.join(map(str, sizes))} seeds"
    if min(sizes) == 1:
        method += "; a single seed stands for that trained network only"
    return method
