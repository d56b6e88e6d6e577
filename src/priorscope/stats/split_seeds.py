"""Whether the seeds of a model fall into groups: a training that sometimes fails, or leaps."""

from dataclasses import dataclass

import numpy as np

from priorscope.stats._cluster_means import unit_scores

_OF_NOISE = 4.0  # gaps that images alone explain are smaller
_OF_SPREAD = 4.0  # times the standard deviation within the groups
_OF_SPAN = 0.05  # of what scores can be: smaller gaps are of no concern
_OF_SPAN_TWO = 0.1  # of two seeds, of which nothing else is known


@dataclass(frozen=True)
class SplitSeeds:
    """Two groups of seeds that lie far apart.

    Attributes
    ----------
    lower, upper : int, the rows of the seeds in each group
    gap : between the groups, in the unit of the scores
    """

    lower: tuple[int, ...]
    upper: tuple[int, ...]
    gap: float

    @property
    def outlying(self) -> tuple[int, ...]:
        """Return the smaller group; of equally many the one that scores less."""
        return self.upper if len(self.upper) < len(self.lower) else self.lower


def split_seeds(
    scores: np.ndarray, *, span: float | None, clusters: np.ndarray | None = None
) -> SplitSeeds | None:
    """Split seeds at the largest gap between their mean scores, where it is more than spread.

    A gap counts where it is larger than four times what images alone let two seeds differ by, than
    four times the standard deviation within the two groups, and than a twentieth of the range of
    the scores (of two seeds a tenth). Seeds whose scores are about normal are seldom split; seeds
    of two humps nearly always, once both humps were drawn (`benchmarks/adversary.py`).

    Parameters
    ----------
    scores : float [seeds, images], of one model
    span : the range of the scores; None where it has no end: a part of their mean stands for it
    clusters : [images] or None, any values that name clusters

    Returns
    -------
    None where there is one seed, or no such gap
    """
    scores = np.asarray(scores, dtype=float)
    num_seeds = len(scores)
    if num_seeds < 2:
        return None
    means = scores.mean(axis=1)
    order = np.argsort(means, kind="stable")
    gaps = np.diff(means[order])
    cut = int(np.argmax(gaps)) + 1
    gap = float(gaps[cut - 1])
    span = abs(float(means.mean())) if span is None else span
    bounds = [span * (_OF_SPAN_TWO if num_seeds == 2 else _OF_SPAN)]
    (units,), *_ = unit_scores([scores], clusters)
    left = units - units.mean(axis=1, keepdims=True) - units.mean(axis=0) + units.mean()
    degrees = (num_seeds - 1) * (units.shape[1] - 1)
    noise = np.sqrt(float((left**2).sum()) / max(degrees, 1) / units.shape[1])
    bounds.append(_OF_NOISE * np.sqrt(2) * noise)
    if num_seeds > 2:
        groups = means[order[:cut]], means[order[cut:]]
        within = sum(float(((group - group.mean()) ** 2).sum()) for group in groups)
        bounds.append(_OF_SPREAD * np.sqrt(within / (num_seeds - 2)))
    if gap <= max(bounds):
        return None
    return SplitSeeds(tuple(order[:cut].tolist()), tuple(order[cut:].tolist()), gap)
