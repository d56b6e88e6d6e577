"""Correction for many comparisons."""

import numpy as np


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust p-values so that the family-wise error rate is kept (Holm 1979, Scand J Stat 6:65).

    Parameters
    ----------
    p_values : float [m], in [0, 1]; m may be 0

    Returns
    -------
    float [m], never below `p_values`, at most 1: compare with the family's alpha

    Raises
    ------
    ValueError : a p-value that is no number in [0, 1]: sorted last, it would count as the largest
    """
    from statsmodels.stats.multitest import multipletests  # it brings pandas: slow to import

    p_values = np.asarray(p_values, dtype=float)
    if not ((p_values >= 0) & (p_values <= 1)).all():
        raise ValueError(f"p-values lie in [0, 1], found {p_values.tolist()}")
    return np.asarray(multipletests(p_values, method="holm")[1]) if len(p_values) else p_values


def holm_steps(p_values: np.ndarray) -> np.ndarray:
    """Return what each p-value is multiplied with by Holm's correction, before it is cut at 1.

    A p-value is significant in its family at alpha exactly where it is below alpha / step: an
    interval of that level agrees with the corrected test.

    Parameters
    ----------
    p_values : float [m], in [0, 1]

    Returns
    -------
    float [m], 1 .. m
    """
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(p_values, kind="stable")
    places = np.arange(len(p_values), 0, -1)
    largest = np.maximum.accumulate(places * p_values[order])
    steps = np.empty(len(p_values))
    with np.errstate(divide="ignore", invalid="ignore"):
        steps[order] = np.where(p_values[order] > 0, largest / p_values[order], places)
    return np.clip(steps, 1, len(p_values))  # rounding may leave a step just outside
