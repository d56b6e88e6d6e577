"""From a declared contrast to the paired scores that it is made of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from priorscope.analysis.scores import ArmScores
from priorscope.stats import (
    CrossedContrast,
    crossed_bootstrap,
    crossed_contrast,
    independent_difference,
)
from priorscope.study.cells import cells_of_hypothesis
from priorscope.study.spec import CHANCE, Hypothesis

Arms = Mapping[tuple[str, str, str, str], ArmScores]  # by cell, probe, arm and metric


@dataclass(frozen=True, eq=False)
class Contrasted:
    """The scores of a contrast, signed, so that its null is 0 and its estimate a sum of means.

    Attributes
    ----------
    groups : one for each model, float [seeds, scenes]
    clusters : [scenes] or None, the random units where they are not the scenes
    arms : the one or two arms that the scores are from
    largest : the best score that an example can reach
    paired : whether the groups sum to a difference between two answers to the same scene
    other : what is subtracted on other scenes, where a contrast is between levels of a factor that
        changes them
    """

    groups: tuple[np.ndarray, ...]
    clusters: np.ndarray | None
    arms: tuple[str, ...]
    largest: int
    paired: bool
    other: "Contrasted | None" = None

    def infer(self, confidence: float) -> CrossedContrast:
        """Estimate the contrast over seeds and scenes."""
        own = crossed_contrast(self.groups, confidence=confidence, clusters=self.clusters)
        if self.other is None:
            return own
        return independent_difference(own, self.other.infer(confidence), confidence=confidence)

    def resampled(self, num_resamples: int, rng: np.random.Generator) -> np.ndarray:
        """Give the contrast in bootstrap resamples of seeds and scenes, float [num_resamples]."""
        means = crossed_bootstrap(
            self.groups, num_resamples=num_resamples, rng=rng, clusters=self.clusters
        ).sum(axis=1)
        return means if self.other is None else means - self.other.resampled(num_resamples, rng)

    @property
    def one_seed(self) -> bool:
        """Tell whether any of its models has one seed only."""
        alone = min(len(group) for group in self.groups) == 1
        return alone or (self.other is not None and self.other.one_seed)


def by_name(arms: list[ArmScores]) -> dict[tuple[str, str, str, str], ArmScores]:
    """Order arms by cell, probe, arm and metric; the arm that a probe is about stands first."""
    return {(arm.cell, arm.probe, arm.arm, arm.metric): arm for arm in arms}


def contrast_scores(
    hypothesis: Hypothesis, arms: Arms, factors: Iterable[str] = ()
) -> Contrasted | None:
    """Give the scores of a hypothesis, or None where any model has no predictions at all.

    Between two levels of a factor, scenes are paired where both levels show the same ones; where
    they do not, the two sides are independent. Networks are others at each level in any case.

    Parameters
    ----------
    factors : names, in the study's order
    """
    sides = [
        _scores_in(cell, hypothesis, arms)
        for cell in cells_of_hypothesis(hypothesis, list(factors))
    ]
    if any(side is None for side in sides):
        return None
    (first, shown), *others = sides  # type: ignore[misc]
    if not others:
        return first
    ((second, also_shown),) = others
    if shown != also_shown:
        return replace(first, other=second, paired=False)
    negated = tuple(-group for group in second.groups)
    return replace(first, groups=(*first.groups, *negated), paired=False)


def _scores_in(cell: str, hypothesis: Hypothesis, arms: Arms) -> tuple[Contrasted, str] | None:
    """Give the scores of a hypothesis in one cell, and what tells its scenes from others.

    Chance and a level are taken off the scores of `a`. Two conditions are paired by scene within
    each trained network, and `b`'s difference is taken off `a`'s.
    """
    contrast = hypothesis.contrast
    if contrast.conditions is not None:
        first, second = (_arm(cell, hypothesis, arms, name) for name in contrast.conditions)
        if first is None or second is None or not set(contrast.models) <= set(first.scores):
            return None
        _, in_first, in_second = np.intersect1d(first.ids, second.ids, return_indices=True)
        groups = [
            first.scores[model][:, in_first] - second.scores[model][:, in_second]
            for model in contrast.models
        ]
        clusters = None if first.units is None else first.units[in_first]
        arm = first
    else:
        arm = _arm(cell, hypothesis, arms, hypothesis.condition)
        if arm is None or not set(contrast.models) <= set(arm.scores):
            return None
        groups = [arm.scores[model] for model in contrast.models]
        clusters = arm.units
    if contrast.b == CHANCE:
        groups[0] = groups[0] - arm.chance.expected
    elif contrast.level is not None:
        groups[0] = groups[0] - contrast.level
    elif len(groups) == 2:
        groups[1] = -groups[1]
    found = Contrasted(
        groups=tuple(groups),
        clusters=clusters,
        arms=contrast.conditions or (arm.arm,),
        largest=arm.max_score,
        paired=(contrast.conditions is None) == (len(groups) == 2),
    )
    return found, arm.examples


def _arm(cell: str, hypothesis: Hypothesis, arms: Arms, name: str | None) -> ArmScores | None:
    """Find an arm by name; None means the first of the probe, which is what it is about."""
    if name is not None:
        return arms.get((cell, hypothesis.probe, name, hypothesis.metric))
    for (at, probe, _, metric), arm in arms.items():
        if (at, probe, metric) == (cell, hypothesis.probe, hypothesis.metric):
            return arm
    return None
