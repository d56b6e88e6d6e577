"""Two one-sided tests of a contrast, for equivalence."""

from priorscope.stats._result import CrossedContrast, EquivalenceTest


def equivalence(
    contrast: CrossedContrast, margin: float, *, null: float = 0.0, alpha: float = 0.05
) -> EquivalenceTest:
    """Test that a contrast is nearer to `null` than a margin, by two one-sided tests.

    Schuirmann 1987, J Pharmacokinet Biopharm 15:657. Both nulls, "at or below null - margin" and
    "at or above null + margin", must be rejected, each at alpha; no further correction is due.

    Parameters
    ----------
    margin : above 0, in the unit of the scores, stated before the data were seen
    alpha : in (0, 0.5); decides `low` and `high` only

    Raises
    ------
    ValueError : margin or alpha out of range
    """
    if not 0 < margin < float("inf"):
        raise ValueError(f"a margin must be finite and above 0, found {margin}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha must lie between 0 and 0.5, found {alpha}")
    lower = contrast.tail("greater", null - margin)
    upper = contrast.tail("less", null + margin)
    low, high = contrast.interval(1 - 2 * alpha)
    return EquivalenceTest(
        p_value=max(lower, upper),
        p_lower=lower,
        p_upper=upper,
        low=low,
        high=high,
        margin=margin,
        method=f"two one-sided tests; {contrast.method}",
    )
