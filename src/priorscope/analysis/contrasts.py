"""From a declared contrast to the paired scores that it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from priorscope.analysis.scores import ArmScores
from priorscope.stats import CrossedContrast, crossed_contrast, independent_difference
from priorscope.study.levels import Value
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
    examples : hash of the scenes that were answered
    other : the same at a second level of a factor whose scenes are other ones; it is taken off
    """

    groups: tuple[np.ndarray, ...]
    clusters: np.ndarray | None
    arms: tuple[str, ...]
    largest: int
    paired: bool
    examples: str = ""
    other: "Contrasted | None" = None

    def infer(self, confidence: float) -> CrossedContrast:
        """Estimate the contrast over seeds and scenes."""
        found = crossed_contrast(self.groups, confidence=confidence, clusters=self.clusters)
        if self.other is None:
            return found
        return independent_difference(found, self.other.infer(confidence), confidence=confidence)

    @property
    def one_seed(self) -> bool:
        """Tell whether any of its models has one seed only."""
        one = min(len(group) for group in self.groups) == 1
        return one or (self.other is not None and self.other.one_seed)


def by_name(arms: list[ArmScores]) -> dict[tuple[str, str, str, str], ArmScores]:
    """Order arms by cell, probe, arm and metric; the arm that a probe is about stands first."""
    return {(arm.cell, arm.probe, arm.arm, arm.metric): arm for arm in arms}


def contrast_scores(hypothesis: Hypothesis, arms: Arms) -> Contrasted | None:
    """Give the scores of a hypothesis, or None where any model has no predictions at all.

    Chance and a level are taken off the scores of `a`. Two conditions are paired by scene within
    each trained network, and `b`'s difference is taken off `a`'s. Two levels of a factor are paired
    by scene where both have the same scenes.
    """
    found = [_scores_at(hypothesis, arms, levels) for levels in hypothesis.cells()]
    one, other = found[0], found[-1]
    if len(found) == 1 or one is None or other is None:
        return one if other is not None else None
    if one.examples != other.examples:
        return replace(one, other=other, paired=False)
    groups = (*one.groups, *(-group for group in other.groups))
    return replace(one, groups=groups, paired=False)


def _scores_at(
    hypothesis: Hypothesis, arms: Arms, levels: Mapping[str, Value]
) -> Contrasted | None:
    """Give the scores of a hypothesis in one cell of the study."""
    contrast = hypothesis.contrast
    if contrast.conditions is not None:
        first, second = (_arm(hypothesis, arms, levels, name) for name in contrast.conditions)
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
        arm = _arm(hypothesis, arms, levels, hypothesis.condition)
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
    return Contrasted(
        groups=tuple(groups),
        clusters=clusters,
        arms=contrast.conditions or (arm.arm,),
        largest=arm.max_score,
        paired=(contrast.conditions is None) == (len(groups) == 2),
        examples=arm.examples,
    )


def _arm(
    hypothesis: Hypothesis, arms: Arms, levels: Mapping[str, Value], name: str | None
) -> ArmScores | None:
    """Find an arm by name; None means the first of the probe, which is what it is about."""
    for (_, probe, arm, metric), scores in arms.items():
        if (probe, metric) == (hypothesis.probe, hypothesis.metric) and (
            dict(scores.levels) == levels and name in (None, arm)
        ):
            return scores
    return None
