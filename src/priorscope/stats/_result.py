"""What the statistics return: small frozen values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """An estimate with its interval.

    Attributes
    ----------
    estimate, low, high : in the unit of the scores
    method : how the interval was made, as a report should say it
    n : number of examples
    """

    estimate: float
    low: float
    high: float
    method: str
    n: int


@dataclass(frozen=True)
class PairedTest:
    """A two-sided test of no difference between two paired sets of scores.

    Attributes
    ----------
    difference : mean of first minus second, in the unit of the scores
    p_value : in (0, 1]
    method : the test's name and what it flips or counts
    n : number of pairs
    """

    difference: float
    p_value: float
    method: str
    n: int


@dataclass(frozen=True)
class Distribution:
    """A distribution over the whole numbers 0 .. len(pmf) - 1.

    Attributes
    ----------
    pmf : one probability a value; they sum to 1
    expected : the expectation, from the closed form where there is one
    """

    pmf: tuple[float, ...]
    expected: float
