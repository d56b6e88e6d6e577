"""Contrasts of given networks whose scores are 0 or 1: exact tests and score intervals."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta, binom, norm

from priorscope.stats._result import CrossedContrast, Direction, VarianceComponents

_GIVEN = "these trained networks only"


def paired_proportions(
    a: np.ndarray, b: np.ndarray, *, confidence: float = 0.95
) -> "PairedProportions":
    """Estimate how much more often `a` succeeds than `b` on the same images.

    Interval and tests of a difference other than 0 are Tango's score method (1998, Stat Med 17:891;
    for equivalence Liu et al. 2002, ibid. 21:231), which keeps its level where few answers differ
    or none does; no difference is tested by McNemar's exact test (1947, Psychometrika 12:153).

    Parameters
    ----------
    a, b : [n], 0 or 1, the same images in the same order; n at least 2
    confidence : in (0, 1)

    Raises
    ------
    ValueError : shapes differ, or a score is neither 0 nor 1
    """
    a, b = _checked(a), _checked(b)
    if a.shape != b.shape:
        raise ValueError(f"scores must be paired, found shapes {a.shape} and {b.shape}")
    n, only_a, only_b = len(a), int((a > b).sum()), int((b > a).sum())
    plain = _plain(a - b, "Tango\N{RIGHT SINGLE QUOTATION MARK}s score interval", n)
    return PairedProportions(**plain, only_a=only_a, only_b=only_b).at(confidence)


def single_proportion(
    scores: np.ndarray, against: float = 0.0, *, confidence: float = 0.95
) -> "SingleProportion":
    """Estimate how far above a stated share one network's successes lie, exactly.

    The interval is Clopper and Pearson's (1934, Biometrika 26:404), the tests are binomial.

    Parameters
    ----------
    scores : [n], 0 or 1; n at least 2
    against : taken off, in [0, 1]
    confidence : in (0, 1)

    Raises
    ------
    ValueError : a score is neither 0 nor 1
    """
    scores = _checked(scores)
    plain = _plain(scores - against, "exact binomial interval", len(scores))
    return SingleProportion(**plain, successes=int(scores.sum()), against=against).at(confidence)


@dataclass(frozen=True)
class PairedProportions(CrossedContrast):
    """A difference of two paired proportions: on `only_a` of n images only the first succeeds."""

    only_a: int = 0
    only_b: int = 0

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return Tango's score interval."""
        z = float(norm.ppf((1 + confidence) / 2))
        low = _root(lambda difference: self._score(difference) - z, -1.0, self.estimate)
        high = _root(lambda difference: self._score(difference) + z, self.estimate, 1.0)
        return low, high

    def tail(self, direction: Direction, null: float = 0.0) -> float:
        """Test no difference by McNemar's exact test, another one by Tango's score test."""
        if not null:
            wins = self.only_a if direction == "greater" else self.only_b
            return float(binom.sf(wins - 1, self.only_a + self.only_b, 0.5))
        if not -1 < null < 1:
            return 0.0 if (null < 0) == (direction == "greater") else 1.0
        score = self._score(null)
        return float(norm.sf(score if direction == "greater" else -score))

    def _score(self, difference: float) -> float:
        """Return the statistic of a difference, about standard normal where it is the true one."""
        n, only_a, only_b = self.n, self.only_a, self.only_b
        linear = difference * (2 * n - only_a + only_b) - only_a - only_b
        constant = -only_b * difference * (1 - difference)
        root = sqrt(max(linear**2 - 8 * n * constant, 0.0))
        share_b = (root - linear) / (4 * n)  # the most likely share of "only b" at this difference
        variance = n * (2 * share_b + difference * (1 - difference))
        distance = only_a - only_b - n * difference
        if variance <= 0:
            return 0.0 if not distance else inf * (1 if distance > 0 else -1)
        return distance / sqrt(variance)


@dataclass(frozen=True)
class SingleProportion(CrossedContrast):
    """A proportion less a stated one."""

    successes: int = 0
    against: float = 0.0

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the interval of Clopper and Pearson, less what is stated."""
        tail, k, n = (1 - confidence) / 2, self.successes, self.n
        low = float(beta.ppf(tail, k, n - k + 1)) if k else 0.0
        high = float(beta.isf(tail, k + 1, n - k)) if k < n else 1.0
        return low - self.against, high - self.against

    def tail(self, direction: Direction, null: float = 0.0) -> float:
        """Test by the binomial distribution."""
        share = min(max(self.against + null, 0.0), 1.0)
        if direction == "greater":
            return float(binom.sf(self.successes - 1, self.n, share))
        return float(binom.cdf(self.successes, self.n, share))


def _plain(differences: np.ndarray, method: str, n: int) -> dict:
    """Return what the two share with every contrast of given networks."""
    variance = float(differences.var(ddof=1))
    return {
        "estimate": float(differences.mean()),
        "standard_error": sqrt(variance / n),
        "df": n - 1.0,
        "components": VarianceComponents((nan,), variance, (nan,), seed_most=(nan,)),
        "num_seeds": (1,),
        "n": n,
        "method": f"{method} over {n:,} images, {_GIVEN}",
    }


def _checked(scores: np.ndarray) -> np.ndarray:
    scores = np.asarray(scores, dtype=float)
    if scores.ndim != 1 or len(scores) < 2 or not np.isin(scores, (0, 1)).all():
        raise ValueError(f"expected two scores or more of 0 and 1, found shape {scores.shape}")
    return scores


def _root(of: Callable[[float], float], low: float, high: float) -> float:
    """Find where a falling function is zero, or the end nearer to it where it never is."""
    inside = 1e-12
    low, high = max(low, -1 + inside), min(high, 1 - inside)
    if of(low) <= 0:
        return max(round(low, 9), -1.0)
    if of(high) >= 0:
        return min(round(high, 9), 1.0)
    return float(brentq(of, low, high, xtol=1e-12))  # type: ignore[arg-type]
