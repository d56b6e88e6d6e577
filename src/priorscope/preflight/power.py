"""What a planned study could show of its hypotheses, from stated variances or those of a pilot."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from math import isnan
from typing import Any, Literal

import numpy as np

from priorscope.claims.arm_scores import ArmScores
from priorscope.claims.claim_scores import claim_scores
from priorscope.claims.evidence import MANY_IMAGES
from priorscope.claims.inference import crossed
from priorscope.claims.terms import Claim, claim_of
from priorscope.components import resolve
from priorscope.metrics import Scale, chance_of, scale_of
from priorscope.preflight.conditions import silent_answers, tested_arms
from priorscope.probes import ProbeSet
from priorscope.runs.measure import bound, rows_asked
from priorscope.stats import (
    VarianceComponents,
    images_needed,
    minimum_detectable_effect,
    minimum_equivalence_margin,
    seeds_needed,
)
from priorscope.study.measures import measures_of
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
    claim : of the hypothesis
    detectable : the smallest effect, or for `equivalent` the smallest margin: by the variances as
        they are, and with those between seeds at the upper limits that a pilot's few seeds allow;
        twice the same where variances are stated; None where there are none, for a metric without
        a range
    num_seeds : of each model
    num_images, num_units : scenes, and what of them is random: scenes or clusters; without number
        where a network has one value
    seeds, images : needed for the declared margin, with the other as planned; None: no number is
        enough, or no margin was declared
    together : seeds and images that show the margin, where neither alone is enough
    scale : of the metric
    range : what the sum can be
    source : where the variances are from
    """

    hypothesis: Hypothesis
    claim: Claim
    detectable: tuple[float, float] | None
    num_seeds: tuple[int, ...]
    num_images: int
    num_units: int
    seeds: int | None
    images: int | None
    together: tuple[int, int] | None
    scale: Scale
    range: tuple[float, float]
    source: str


def plan_power(
    study: Study, probes: Mapping[str, ProbeSet], pilot: Sequence[ArmScores] | None = None
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
    return [_plan(hypothesis, study, probes, pilot, family) for hypothesis in study.hypotheses]


def as_plain(plans: Sequence[Plan]) -> list[dict[str, Any]]:
    """Return plans as values that JSON can hold; what the study says itself is left out."""
    names = [field.name for field in fields(Plan) if field.name not in ("hypothesis", "claim")]
    return [
        {name: getattr(plan, name) for name in names} | {"scale": asdict(plan.scale)}
        for plan in plans
    ]


def from_plain(study: Study, plain: Sequence[Mapping[str, Any]]) -> list[Plan]:
    """Read what `as_plain` returned for the hypotheses of a study."""
    plans = []
    for hypothesis, values in zip(study.hypotheses, plain, strict=True):
        tuples = {key: tuple(each) for key, each in values.items() if isinstance(each, list)}
        scale = Scale(**values["scale"])
        given = {**values, **tuples, "scale": scale}
        plans.append(Plan(hypothesis=hypothesis, claim=claim_of(hypothesis), **given))
    return plans


def stated_components(claim: Claim, span: float, images_per_unit: float) -> VarianceComponents:
    """Return the variances that are taken where nothing was measured, see the top of this file.

    Parameters
    ----------
    span : of the metric's range: 1 for shares, k for counts 0 .. k
    """
    share = (PROPORTION_VARIANCE if span == 1 else COUNT_VARIANCE) / 2
    squares: dict[object, float] = {}  # of the weights of a model's answers in a cell
    for term in claim.terms:
        key = (term.model, term.levels)
        squares[key] = squares.get(key, 0.0) + term.weight**2
    answers = sum(squares.values())
    image = share if len(claim.terms) == 1 else answers * share * (1 - _SHARED)
    # A cluster's mean keeps what its scenes share, and averages the rest.
    kept = (
        1.0 if images_per_unit == 1 else _WITHIN_CLUSTERS + (1 - _WITHIN_CLUSTERS) / images_per_unit
    )
    return VarianceComponents(
        seed=tuple(SEED_SD**2 * each * span**2 for each in squares.values()),
        image=image * kept * span**2,
        residual=tuple(share * each * kept * span**2 for each in squares.values()),
        images_per_unit=images_per_unit,
    )


@dataclass(frozen=True, eq=False)
class _Asked:
    """What a hypothesis scores: scale, chance, scenes and units; why no variances are stated."""

    scale: Scale
    chance: float
    num_images: int
    num_units: int
    unknown: str = "a metric without a range has no stated variances: give --pilot"


def _of_probe(claim: Claim, study: Study, probe: ProbeSet) -> _Asked:
    arms = tested_arms(claim, probe)
    metric = resolve("metrics", claim.metric, base=study.base)
    answers = silent_answers(probe, arms[0])
    scale = scale_of(metric, answers, claim.metric)
    return _Asked(scale, chance_of(metric, answers).expected, *_size(probe, arms))


def _of_measure(claim: Claim, study: Study, probes: Mapping[str, ProbeSet]) -> _Asked:
    asked = bound(claim.probe, measures_of(study.as_dict())[claim.probe], study.base)
    probe = probes[asked.measure.probe]
    rows = np.flatnonzero(probe.conditions["arm"] == probe.arms[0])
    if asked.kind != "predictions":
        rows = rows_asked(asked.measure, probe)
    clusters = None if probe.clusters is None else probe.clusters[rows]
    num_clusters = 0 if clusters is None else len(np.unique(clusters))
    unknown = "measures have no stated variances: give --pilot"
    num_units = num_clusters if num_clusters > 1 else len(rows)
    return _Asked(asked.scale, float("nan"), len(rows), num_units, unknown)


def _plan(
    hypothesis: Hypothesis,
    study: Study,
    probes: Mapping[str, ProbeSet],
    pilot: Sequence[ArmScores] | None,
    family: int,
) -> Plan:
    claim = claim_of(hypothesis)
    if hypothesis.measure is None:
        asked = _of_probe(claim, study, probes[claim.probe])
    else:
        asked = _of_measure(claim, study, probes)
    scale, num_images, num_units = asked.scale, asked.num_images, asked.num_units
    components, source = None, asked.unknown
    if scale.span is not None and hypothesis.measure is None:
        components = stated_components(claim, scale.span, num_images / num_units)
        source = "stated variances"
    measured = None if pilot is None else claim_scores(claim, pilot)
    if measured is not None:
        found = crossed(measured, 0.95).components
        source = "variances of the pilot"
        if any(isnan(value) for value in found.seed):
            source = "variances of the pilot, between seeds stated"
            found = None if components is None else _filled(found, components)
        if measured.parts[0].num_scenes == 1:  # one value of each network: images do not count
            num_images = num_units = MANY_IMAGES
        # The pilot's clusters may hold more or fewer scenes than the plan's.
        components = found and replace(found, images_per_unit=num_images / num_units)
    num_seeds = tuple(study.num_networks(model) for model, _ in claim.trained)
    alpha = hypothesis.alpha / family
    detectable = None
    if components is not None:
        effects = [
            _smallest(hypothesis, each, num_seeds, num_images, alpha)
            for each in (components, *components.at_most())
        ]
        detectable = (effects[0], max(effects))
    margin, seeds, images, together = hypothesis.margin, None, None, None
    if margin is not None and components is not None:
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
        claim=claim,
        detectable=detectable,
        num_seeds=num_seeds,
        num_images=num_images,
        num_units=num_units,
        seeds=seeds,
        images=images,
        together=together,
        scale=scale,
        range=claim.range(scale, asked.chance),
        source=source,
    )


def _smallest(
    hypothesis: Hypothesis,
    components: VarianceComponents,
    num_seeds: Sequence[int],
    num_images: int,
    alpha: float,
) -> float:
    plan = (components, num_seeds, num_images)
    if hypothesis.expect == "equivalent":
        return minimum_equivalence_margin(*plan, alpha=alpha, power=POWER)
    sides: Literal[1, 2] = 2 if hypothesis.expect == "different" else 1
    return minimum_detectable_effect(*plan, alpha=alpha, power=POWER, sides=sides)


def _filled(found: VarianceComponents, stated: VarianceComponents) -> VarianceComponents:
    """Take what was measured, and what one seed cannot tell from what was stated."""

    def known(measured: Sequence[float]) -> tuple[float, ...]:
        pairs = zip(measured, stated.seed, strict=True)
        return tuple(other if isnan(value) else value for value, other in pairs)

    residual = zip(found.residual, stated.residual, strict=True)
    return replace(
        found,
        seed=known(found.seed),
        seed_most=known(found.seed_most),
        residual=tuple(0.0 if isnan(value) else value for value, _ in residual),
    )


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
