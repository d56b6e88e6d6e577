"""What all models scored on one arm of a probe."""

from dataclasses import dataclass, field

import numpy as np

from priorscope.metrics import Chance, Scale
from priorscope.study.levels import Levels, cell_name
from priorscope.study.spec import CHANCE as CHANCE  # what a contrast calls it, and a table


@dataclass(frozen=True, eq=False)
class ArmScores:
    """What all models scored on one arm of a probe, or of a measure, example by example.

    Attributes
    ----------
    probe, arm, metric : names; of a measure its own, and no metric
    ids : int64 [n], ascending; the columns of `scores`. A measure with one value a network has one
    clusters : str [n] or None
    chance : of the metric on these targets; a measure has none, and NaN stands for it
    scale : range and unit of the metric's mean
    scores : model -> float [seeds, n], in the plan's order of models and seeds; none of a measure
        of two
    seeds : model -> its seeds, the rows of `scores` and both sides of `pairs`
    levels : the level of each factor of the study, at which all of these runs stand
    examples : hash of ids and targets: arms of two cells that share it answered the same examples
    num_tied : model -> for each seed, rows whose most likely class is not one alone
    budget : the part of the recipe's epochs that these runs were trained for
    pairs : of a measure of two: models in the plan's order -> float [seeds of the first, seeds of
        the second, n], NaN for pairs of networks that are left out
    """

    probe: str
    arm: str
    metric: str
    ids: np.ndarray
    clusters: np.ndarray | None
    chance: Chance
    scale: Scale
    scores: dict[str, np.ndarray]
    seeds: dict[str, tuple[int, ...]]
    levels: Levels = ()
    examples: str = ""
    num_tied: dict[str, tuple[int, ...]] = field(default_factory=dict)
    budget: float = 1.0
    pairs: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)

    def pair(self, first: str, second: str) -> np.ndarray | None:
        """Return the values of a pair of models, by seeds of `first`.

        None where there are none, or a network is in no pair that counts.
        """
        if (second, first) in self.pairs and first != second:
            values = self.pairs[second, first].swapaxes(0, 1)
        elif (first, second) in self.pairs:
            values = self.pairs[first, second]
        else:
            return None
        counts = np.asarray(np.isfinite(values).all(axis=2))
        if first == second:
            counts = counts | counts.T
        return values if counts.any(axis=1).all() and counts.any(axis=0).all() else None

    @property
    def cell(self) -> str:
        """Name the cell of the study; empty in a study without factors."""
        return cell_name(self.levels)

    @property
    def units(self) -> np.ndarray | None:
        """Return the clusters where they are the random units: where there are two or more."""
        return None if self.clusters is None or len(np.unique(self.clusters)) < 2 else self.clusters
