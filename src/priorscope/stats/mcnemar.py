"""The exact test for two paired sets of 0/1 scores."""

from typing import Literal

import numpy as np
from scipy.stats import binomtest

from priorscope.stats._result import PairedTest


def mcnemar(
    a: np.ndarray,
    b: np.ndarray,
    *,
    alternative: Literal["two-sided", "less", "greater"] = "two-sided",
) -> PairedTest:
    """Test whether two classifiers succeed equally often on the same images, exactly.

    Given the number of images on which exactly one of them succeeds, the number of those that `a`
    wins is binomial(1/2) under the null (McNemar 1947, Psychometrika 12:153; exact form).

    Parameters
    ----------
    a, b : bool or 0/1 [n], the same images in the same order
    alternative : what a small p-value speaks for: `less`, that `a` succeeds less often

    Raises
    ------
    ValueError : shapes differ or are empty, or a score is neither 0 nor 1
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise ValueError(f"scores must be paired, found shapes {a.shape} and {b.shape}")
    if not (np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all()):
        raise ValueError("McNemar's test needs scores of 0 and 1")
    only_a, only_b = int(np.sum(a > b)), int(np.sum(b > a))
    discordant = only_a + only_b
    p_value = 1.0
    if discordant:
        p_value = float(binomtest(only_a, discordant, alternative=alternative).pvalue)
    return PairedTest((only_a - only_b) / len(a), p_value, "exact McNemar", len(a))
