"""What the data say about a declared hypothesis: estimate, p-values, and what could be shown."""

from dataclasses import dataclass

import numpy as np

from priorscope.claims.claim_scores import ClaimScores
from priorscope.claims.inference import Inference, Settings, infer
from priorscope.stats import (
    crossed_bootstrap,
    minimum_detectable_effect,
    minimum_equivalence_margin,
    percentile_interval,
)
from priorscope.study.spec import Hypothesis

MANY_IMAGES = 10**9  # as if without number
_MOST_RESAMPLES = 2000  # of the bootstrap that is a check only
OPPOSITE = {"less": "greater", "greater": "less"}


@dataclass(frozen=True)
class Evidence:
    """What was measured for one hypothesis.

    Attributes
    ----------
    inference : estimate, standard error and tests, over seeds and scenes
    p_value : of what is claimed; small where the data show it
    p_contrary : of what would refute it; 1 where nothing could
    bootstrap : the unadjusted interval by the pigeonhole bootstrap, as a check
    detectable : the smallest effect (for equivalence: margin) that a study of this size shows with
        80 % power at alpha / family, by the variances as estimated and by their upper limits
    """

    inference: Inference
    p_value: float
    p_contrary: float
    bootstrap: tuple[float, float]
    detectable: tuple[float, float]


@dataclass(frozen=True)
class Interval:
    """A two-sided interval and its confidence."""

    low: float
    high: float
    confidence: float


def gather(
    hypothesis: Hypothesis, scores: ClaimScores, family: int, settings: Settings
) -> Evidence:
    """Estimate a claim's sum, and test what is claimed of it and what would refute it.

    `family` is the number of hypotheses of the study.
    """
    confidence = confidence_of(hypothesis, hypothesis.alpha)
    inference = infer(scores, settings, "verdict", hypothesis.id, confidence=confidence)
    p_value, p_contrary = p_values(hypothesis, inference)
    return Evidence(
        inference=inference,
        p_value=p_value,
        p_contrary=p_contrary,
        bootstrap=_bootstrap(scores, confidence, settings, hypothesis.id),
        detectable=_detectable(hypothesis, inference, family),
    )


def p_values(hypothesis: Hypothesis, found: Inference) -> tuple[float, float]:
    """Return the p-value of what is claimed, and that of what would refute it.

    =========== ============================== ===========================================
    expect      claimed                        what would refute it
    =========== ============================== ===========================================
    less        below 0, one-sided             above 0, one-sided
    greater     above 0, one-sided             below 0, one-sided
    equivalent  within the margin, two         beyond the margin on either side: the smaller
                one-sided tests                of two one-sided p-values, doubled
    different   not 0, two-sided               within the margin, two one-sided tests;
                                               without a margin nothing
    =========== ============================== ===========================================
    """
    expect, margin = hypothesis.expect, hypothesis.margin
    if expect in ("less", "greater"):
        return found.tail(expect), found.tail(OPPOSITE[expect])
    within = 1.0 if margin is None else found.within(margin)
    if expect == "different":
        return found.two_sided(), within
    assert margin is not None, "the study was refused otherwise"
    return within, found.beyond(margin)


def confidence_of(hypothesis: Hypothesis, alpha: float, *, contrary: bool = False) -> float:
    """Return the confidence of the two-sided interval that agrees with a test at alpha.

    Parameters
    ----------
    contrary : whether the test is that of the contrary, see `p_values`
    """
    one_sided = hypothesis.expect in ("less", "greater")
    one_sided = one_sided or (hypothesis.expect == "equivalent") != contrary
    return 1 - (2 if one_sided else 1) * alpha


def deciding_interval(
    hypothesis: Hypothesis, evidence: Evidence, verdict: str, steps: tuple[float, float]
) -> Interval:
    """Return the interval that a verdict's decision can be read off.

    Its level is that of the test that decided, at the step of Holm's correction that the test had:
    an interval without zero, or within or beyond the margin, is then the same statement as an
    adjusted p-value below alpha. An inconclusive verdict has the wider of the intervals of its two
    tests, which shows neither.

    Parameters
    ----------
    steps : of the claim's test and of the contrary's, see `stats.holm_steps`
    """
    of_claim, of_contrary = (
        confidence_of(hypothesis, hypothesis.alpha / step, contrary=contrary)
        for step, contrary in zip(steps, (False, True), strict=True)
    )
    has_contrary = hypothesis.expect != "different" or hypothesis.margin is not None
    confidence = {"supported": of_claim, "refuted": of_contrary}.get(verdict)
    if confidence is None:
        confidence = max(of_claim, of_contrary) if has_contrary else of_claim
    return Interval(*evidence.inference.contrast.interval(confidence), confidence)


def _detectable(hypothesis: Hypothesis, found: Inference, family: int) -> tuple[float, float]:
    """Return what could be shown, by the variances as estimated and at their upper limits."""
    contrast, alpha = found.contrast, hypothesis.alpha / family
    components = contrast.components
    # One value of each network is planned as if images were without number.
    num_images = contrast.n if contrast.n > 1 else MANY_IMAGES
    effects = []
    for each in (components, *components.at_most()):
        plan = (each, contrast.num_seeds, num_images)
        if hypothesis.expect == "equivalent":
            effects.append(minimum_equivalence_margin(*plan, alpha=alpha))
        else:
            sides = 2 if hypothesis.expect == "different" else 1
            effects.append(minimum_detectable_effect(*plan, alpha=alpha, sides=sides))
    return effects[0], max(effects)


def _bootstrap(
    scores: ClaimScores, confidence: float, settings: Settings, name: str
) -> tuple[float, float]:
    rng, total = settings.rng("bootstrap", name), np.zeros(1)
    for part in scores.parts:
        means = crossed_bootstrap(
            part.signed(),
            num_resamples=min(settings.num_resamples, _MOST_RESAMPLES),
            rng=rng,
            clusters=part.clusters,
        )
        total = total + means.sum(axis=1)
    low, high = percentile_interval(total, confidence=confidence)
    return float(low), float(high)
