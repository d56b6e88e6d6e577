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
    """
    from statsmodels.stats.multitest import multipletests  # it brings pandas: slow to import

    p_values = np.asarray(p_values, dtype=float)
    return np.asarray(multipletests(p_values, method="holm")[1]) if len(p_values) else p_values
