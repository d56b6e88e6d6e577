"""The interval for a proportion."""

from scipy.stats import binomtest

from priorscope.stats._result import Estimate


def wilson(successes: int, n: int, *, confidence: float = 0.95) -> Estimate:
    """Estimate a proportion with Wilson's score interval (Wilson 1927, JASA 22:209).

    Parameters
    ----------
    successes : 0 .. n
    n : number of independent trials, at least 1
    confidence : in (0, 1)

    Raises
    ------
    ValueError : n is 0, or successes are not in 0 .. n
    """
    if n < 1:
        raise ValueError(f"a proportion needs at least one trial, found n = {n}")
    interval = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    method = f"Wilson score interval over {n:,} images"
    return Estimate(successes / n, float(interval.low), float(interval.high), method, n)
