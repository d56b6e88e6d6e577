"""What a planned study could show of its hypotheses, from stated variances or those of a pilot."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isnan

import numpy as np

from priorscope.analysis.contrasts import Arms, contrast_scores
from priorscope.analysis.evidence import interval_confidence
from priorscope.probes import ProbeSet
from priorscope.stats import (
    VarianceComponents,
    images_needed,
    minimum_detectable_effect,
    minimum_equivalence_margin,
    seeds_needed,
)
from priorscope.study.conditions import chance_of, largest_score, tested_arms
from priorscope.study.spec import Hypothesis, Study

POWER = 0.8
# Stated variances, for scores of 0 .. 1. The standard deviation between seeds is what the three
# seeds of results/cifar10_nano had on the test images at most (0.0055). The variance of one score
# is the largest that 0/1 scores can have, 0.25, or for counts 0 .. k, over k squared, that of Top-4
# matching at chance, 0.64 / 16; half of it is taken to be the image's, half the network's own, and
# two models or conditions to share half of the image's part. Clusters are taken to explain 2 %.
SEED_SD = 0.0055
PROPORTION_VARIANCE, COUNT_VARIANCE = 0.25, 0.04
_SHARED, _WITHIN_CLUSTERS = 0.5, 0.02
_MORE_SEEDS = (5, 10, 20, 50)  # tried where neither seeds nor images alone are enough


@dataclass(frozen=True)
class Plan:
    """What a planned study shows of one hypothesis with 80 % power.

    Attributes
    ----------
    detectable : the smallest effect, or for `equivalent` the smallest margin
    num_seeds : of each model
    num_images, num_units : scenes, and what of them is random: scenes or clusters
    seeds, images : needed for the declared margin, with the other as planned; None: no number is
        enough, or no margin was declared
    together : seeds and images that show the margin, where neither alone is enough
    largest : the best score that an example can reach
    source : where the variances are from
    """

    hypothesis: Hypothesis
    detectable: float
    num_seeds: tuple[int, ...]
    num_images: int
    num_units: int
    seeds: int | None
    images: int | None
    together: tuple[int, int] | None
    largest: int
    source: str


def plan_power(
    study: Study, probes: Mapping[str, ProbeSet], pilot: Arms | None = None
) -> list[Plan]:
    """Say for each hypothesis what the study's seeds and scenes could show.

    Tests are held to alpha / hypotheses, the hardest of Holm's steps.

    Parameters
    ----------
    probes : as built, "test" included; in a study with factors those of any cell
    pilot : arms of a finished study; a hypothesis whose models and arms it has takes its variances
        from there, the variance between seeds only where the pilot has several
    """
    family = len(study.hypotheses)
    return [
        _plan(hypothesis, study, probes[hypothesis.probe], pilot, family)
        for hypothesis in study.hypotheses
    ]


def stated_components(
    hypothesis: Hypothesis, largest: int, images_per_unit: float
) -> VarianceComponents:
    """Give the variances that are taken where nothing was measured, see the top of this file."""
    contrast = hypothesis.contrast
    share = (PROPORTION_VARIANCE if largest == 1 else COUNT_VARIANCE) / 2
    groups = len(contrast.models) * len(hypothesis.cells())
    paired = contrast.conditions is not None
    answers = groups * (2 if paired else 1)  # of given networks, for each scene
    image = share if answers == 1 else answers * share * (1 - _SHARED)
    # A cluster's mean keeps what its scenes share, and averages the rest.
    kept = (
        1.0 if images_per_unit == 1 else _WITHIN_CLUSTERS + (1 - _WITHIN_CLUSTERS) / images_per_unit
    )
    scale = largest**2
    seed = SEED_SD**2 * (2 if paired else 1)
    residual = share * (2 if paired else 1) * kept
    return VarianceComponents(
        seed=(seed * scale,) * groups,
        image=image * kept * scale,
        residual=(residual * scale,) * groups,
        images_per_unit=images_per_unit,
    )


def _plan(
    hypothesis: Hypothesis, study: Study, probe: ProbeSet, pilot: Arms | None, family: int
) -> Plan:
    arms = tested_arms(hypothesis, probe)
    chance = chance_of(hypothesis.metric, probe, arms[0], where="metric", base=study.base)
    num_images, num_units = _size(probe, arms)
    largest = largest_score(chance)
    components = stated_components(hypothesis, largest, num_images / num_units)
    source = "stated variances"
    measured = None if pilot is None else contrast_scores(hypothesis, pilot)
    if measured is not None:
        found = measured.infer(interval_confidence(hypothesis)).components
        source = "variances of the pilot"
        if any(isnan(value) for value in found.seed):
            source = "variances of the pilot, between seeds stated"
        # The pilot's clusters may hold more or fewer scenes than the plan's.
        components = replace(_filled(found, components), images_per_unit=components.images_per_unit)
    num_seeds = (len(study.seeds),) * len(hypothesis.contrast.models) * len(hypothesis.cells())
    alpha = hypothesis.alpha / family
    sides = 2 if hypothesis.expect == "different" else 1
    if hypothesis.expect == "equivalent":
        detectable = minimum_equivalence_margin(
            components, num_seeds, num_images, alpha=alpha, power=POWER
        )
    else:
        detectable = minimum_detectable_effect(
            components, num_seeds, num_images, alpha=alpha, power=POWER, sides=sides
        )
    margin, seeds, images, together = hypothesis.margin, None, None, None
    if margin is not None:
        seeds = seeds_needed(components, num_images, margin=margin, alpha=alpha, power=POWER)
        images = images_needed(components, num_seeds, margin=margin, alpha=alpha, power=POWER)
        for more in _MORE_SEEDS if seeds is images is None else ():
            with_more = images_needed(
                components, (more,) * len(num_seeds), margin=margin, alpha=alpha, power=POWER
            )
            if with_more is not None:
                together = (more, with_more)
                break
    return Plan(
        hypothesis=hypothesis,
        detectable=detectable,
        num_seeds=num_seeds,
        num_images=num_images,
        num_units=num_units,
        seeds=seeds,
        images=images,
        together=together,
        largest=largest,
        source=source,
    )


def _filled(found: VarianceComponents, stated: VarianceComponents) -> VarianceComponents:
    """Take what was measured, and what one seed cannot tell from what was stated."""
    seed = tuple(
        other if isnan(value) else value
        for value, other in zip(found.seed, stated.seed, strict=True)
    )
    return replace(found, seed=seed)


def _size(probe: ProbeSet, arms: tuple[str, ...]) -> tuple[int, int]:
    """Count the scenes that all of the arms show, and the random units among them."""
    rows = [probe.conditions["arm"] == arm for arm in arms]
    ids = probe.ids[rows[0]]
    shared = np.isin(ids, probe.ids[rows[-1]])
    num_images = int(shared.sum())
    if probe.clusters is None:
        return num_images, num_images
    num_clusters = len(np.unique(probe.clusters[rows[0]][shared]))
    return num_images, num_clusters if num_clusters > 1 else num_images
