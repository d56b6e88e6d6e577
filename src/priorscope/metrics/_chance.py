"""What a classifier that knows nothing scores."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chance:
    """The score of a ranking of the classes that does not depend on the image.

    Attributes
    ----------
    expected : mean score
    pmf : probability of each score 0 .. len(pmf) - 1; None where scores are not counts
    """

    expected: float
    pmf: tuple[float, ...] | None = None
