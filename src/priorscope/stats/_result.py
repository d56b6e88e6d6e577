"""What the statistics return: small frozen values."""

from dataclasses import dataclass, replace
from math import nan
from typing import Literal, Self

from scipy.special import stdtr, stdtrit

Direction = Literal["less", "greater"]


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
    """A test of no difference between two paired sets of scores.

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


@dataclass(frozen=True)
class VarianceComponents:
    """What a sum of models' means varies with: the parts that a planned study needs.

    With r_g seeds of group g and u units, the variance of the estimate is
    sum_g seed_g / r_g + image / u + sum_g residual_g / (r_g u).

    Attributes
    ----------
    seed : for each group, the variance of a trained network's mean over seeds, images being
        infinitely many; nan where the group has one seed
    image : variance over units of the summed groups, each averaged over infinitely many seeds;
        groups of one seed enter as they are, with what would be their residual
    residual : for each group, the variance of what is neither the seed's nor the unit's; nan
        where the group has one seed
    images_per_unit : 1 where images are the random unit, else images / clusters
    seed_most, image_most : the upper limits of `seed` and `image`, each with 85 % confidence:
        what few seeds, few images or clusters cannot rule out; none where variances are stated

    All are in squared units of the scores and at least 0: an estimate below is set to 0.
    """

    seed: tuple[float, ...]
    image: float
    residual: tuple[float, ...]
    images_per_unit: float = 1.0
    seed_most: tuple[float, ...] = ()
    image_most: float | None = None

    def at_most(self) -> tuple["VarianceComponents", "VarianceComponents"]:
        """Return the components with those of seeds, and with all, at their upper limits.

        A study is planned safely by whichever asks more: where images vary more, the standard
        error is larger, but the many images make it better known.
        """
        seeds = replace(self, seed=self.seed_most or self.seed)
        return seeds, replace(seeds, image=self.image_most or self.image)


@dataclass(frozen=True)
class CrossedContrast:
    """A sum of models' means over seeds and images, both random, with interval and test.

    Attributes
    ----------
    estimate : in the unit of the scores
    standard_error : of the estimate, over new seeds and new images
    df : degrees of freedom of `standard_error`, above 0, may be inf
    components : what the estimate varies with
    num_seeds : of each group
    n : number of images
    method : how the interval was made and what it speaks of, as a report should say it
    low, high : a two-sided interval
    p_value : two-sided, of the null that the contrast was made with
    """

    estimate: float
    standard_error: float
    df: float
    components: VarianceComponents
    num_seeds: tuple[int, ...]
    n: int
    method: str
    low: float = nan
    high: float = nan
    p_value: float = nan

    def at(self, confidence: float, null: float = 0.0) -> Self:
        """Set interval and p-value by the contrast's own distribution."""
        low, high = self.interval(confidence)
        tails = self.tail("less", null), self.tail("greater", null)
        p_value = 1.0 if self.estimate == null else min(1.0, 2 * min(tails))
        return replace(self, low=low, high=high, p_value=p_value)

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the two-sided interval of a confidence in (0, 1)."""
        half = float(stdtrit(self.df, (1 + confidence) / 2)) * self.standard_error
        return self.estimate - half, self.estimate + half

    def tail(self, direction: Direction, null: float = 0.0) -> float:
        """Return the one-sided p-value: small where the contrast is in that direction of `null`.

        Where nothing varied, a standard error of 0 gives 0 or 1.
        """
        distance = self.estimate - null
        if direction == "less":
            distance = -distance
        if not self.standard_error:
            return 0.0 if distance > 0 else 1.0
        return float(stdtr(self.df, -distance / self.standard_error))


@dataclass(frozen=True)
class EquivalenceTest:
    """Two one-sided tests that a contrast lies within a margin.

    Attributes
    ----------
    p_value : the larger of the two tests'; at most alpha where equivalence is shown
    p_lower, p_upper : of "at or below -margin", and of "at or above margin"
    low, high : the two-sided interval of confidence 1 - 2 alpha; it lies within the margin
        exactly where p_value is below alpha
    margin : as given
    method : the test's name
    """

    p_value: float
    p_lower: float
    p_upper: float
    low: float
    high: float
    margin: float
    method: str
