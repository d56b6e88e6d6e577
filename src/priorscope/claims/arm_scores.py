"""What all models scored on one arm of a probe."""

from dataclasses import dataclass, field

import numpy as np

from priorscope.metrics import Chance, Scale
from priorscope.study.levels import Levels, cell_name
from priorscope.study.spec import CHANCE as CHANCE  # what a contrast calls it, and a table


@dataclass(frozen=True, eq=False)
class ArmScores:
    """What all models scored on one arm of a probe, example by example.

    Attributes
    ----------
    probe, arm, metric : names
    ids : int64 [n], ascending; the columns of `scores`
    clusters : str [n] or None
    chance : of the metric on these targets
    scale : range and unit of the metric's mean
    scores : model -> float [seeds, n], in the plan's order of models and seeds
    seeds : model -> its seeds, the rows of `scores`
    levels : the level of each factor of the study, at which all of these runs stand
    examples : hash of ids and targets: arms of two cells that share it answered the same examples
    num_tied : model -> for each seed, rows whose most likely class is not one alone
    budget : the part of the recipe's epochs that these runs were trained for
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

    @property
    def cell(self) -> str:
        """Name the cell of the study; empty in a study without factors."""
        return cell_name(self.levels)

    @property
    def units(self) -> np.ndarray | None:
        """Return the clusters where they are the random units: where there are two or more."""
        return None if self.clusters is None or len(np.unique(self.clusters)) < 2 else self.clusters
