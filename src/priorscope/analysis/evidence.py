"""What the data say about a declared hypothesis: estimate, interval, and two p-values."""

from dataclasses import dataclass

import numpy as np

from priorscope.analysis.compare import Settings, paired_test
from priorscope.analysis.contrasts import Contrasted
from priorscope.stats import (
    CrossedContrast,
    crossed_bootstrap,
    equivalence,
    minimum_detectable_effect,
    minimum_equivalence_margin,
    one_sided,
    percentile_interval,
)
from priorscope.study.spec import Hypothesis

_MOST_RESAMPLES = 2000  # of the bootstrap that is a check only
_ROUNDING = 1e-12  # of the largest score: a smaller standard error is none
OPPOSITE = {"less": "greater", "greater": "less"}


@dataclass(frozen=True)
class Evidence:
    """What was measured for one hypothesis.

    Attributes
    ----------
    contrast : estimate, standard error and their make, over seeds and scenes
    low, high, confidence : the interval that agrees with the test of what is claimed: of 1 - 2
        alpha for a direction and for equivalence, of 1 - alpha for `different`
    p_value : of what is claimed; small where the data show it
    p_contrary : of what would refute it; 1 where nothing could
    method : of interval and test, as a report should say it
    bootstrap : the same interval by the pigeonhole bootstrap, as a check
    detectable : the smallest effect (for equivalence: margin) that this precision shows with 80 %
        power at alpha / family
    precise : whether anything varied; where nothing did, a standard error of zero is no estimate
        of precision, and both p-values are 1 but where an exact test gives them
    """

    contrast: CrossedContrast
    low: float
    high: float
    confidence: float
    p_value: float
    p_contrary: float
    method: str
    bootstrap: tuple[float, float]
    detectable: float
    precise: bool = True


def interval_confidence(hypothesis: Hypothesis) -> float:
    """Give the confidence of the two-sided interval that agrees with the test of the claim."""
    return 1 - (1 if hypothesis.expect == "different" else 2) * hypothesis.alpha


def gather(hypothesis: Hypothesis, scores: Contrasted, family: int, settings: Settings) -> Evidence:
    """Estimate a contrast, and test what is claimed of it and what would refute it.

    `family` is the number of hypotheses of the study.
    """
    confidence = interval_confidence(hypothesis)
    contrast = scores.infer(confidence)
    precise = contrast.standard_error > _ROUNDING * scores.largest
    p_value, p_contrary = p_values(hypothesis, contrast) if precise else (1.0, 1.0)
    method = contrast.method
    # Equivalence has a null of its own, which no exchange of signs tests.
    if scores.paired and max(contrast.num_seeds) == 1 and hypothesis.expect != "equivalent":
        exact = _exact(hypothesis, scores, settings)
        if exact is not None:
            p_value, opposite, test = exact
            p_contrary = p_contrary if opposite is None else opposite
            method = f"{method}; p: {test}"
    alpha = hypothesis.alpha / family
    plan = (contrast.components, contrast.num_seeds, contrast.n)
    sides = 2 if hypothesis.expect == "different" else 1
    return Evidence(
        contrast=contrast,
        low=contrast.low,
        high=contrast.high,
        confidence=confidence,
        p_value=p_value,
        p_contrary=p_contrary,
        method=method,
        bootstrap=_bootstrap(scores, confidence, settings, hypothesis.id),
        detectable=minimum_equivalence_margin(*plan, alpha=alpha)
        if hypothesis.expect == "equivalent"
        else minimum_detectable_effect(*plan, alpha=alpha, sides=sides),
        precise=precise,
    )


def p_values(hypothesis: Hypothesis, contrast: CrossedContrast) -> tuple[float, float]:
    """Give the p-value of what is claimed, and that of what would refute it.

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
    if hypothesis.expect in ("less", "greater"):
        opposite = "greater" if hypothesis.expect == "less" else "less"
        return one_sided(contrast, hypothesis.expect), one_sided(contrast, opposite)
    margin = hypothesis.margin
    within = 1.0 if margin is None else equivalence(contrast, margin).p_value
    if hypothesis.expect == "different":
        return contrast.p_value, within
    assert margin is not None, "the study was refused otherwise"
    beyond = min(one_sided(contrast, "greater", margin), one_sided(contrast, "less", -margin))
    return within, min(1.0, 2 * beyond)


def _exact(
    hypothesis: Hypothesis, scores: Contrasted, settings: Settings
) -> tuple[float, float | None, str] | None:
    """Test given networks image by image: p of the claim, of the opposite direction, and method.

    Only where the null is no difference. `different` has no opposite direction; its contrary, that
    the difference is within the margin, stays with the two one-sided tests. None where there are
    fewer clusters than `compare.MIN_CLUSTERS`.
    """
    differences = np.sum([group[0] for group in scores.groups], axis=0)

    def test(alternative):
        rng = settings.rng("verdict", hypothesis.id, alternative)
        return paired_test(differences, scores.clusters, settings, rng, alternative=alternative)

    if hypothesis.expect == "different":
        both = test("two-sided")
        return None if both is None else (both.p_value, None, both.method)
    claimed, contrary = test(hypothesis.expect), test(OPPOSITE[hypothesis.expect])
    if claimed is None or contrary is None:
        return None
    return claimed.p_value, contrary.p_value, claimed.method


def _bootstrap(
    scores: Contrasted, confidence: float, settings: Settings, name: str
) -> tuple[float, float]:
    rng, totals = settings.rng("bootstrap", name), []
    for part in (scores, scores.other):
        if part is not None:
            means = crossed_bootstrap(
                part.groups,
                num_resamples=min(settings.num_resamples, _MOST_RESAMPLES),
                rng=rng,
                clusters=part.clusters,
            )
            totals.append(means.sum(axis=1))
    resampled = totals[0] - totals[1] if len(totals) > 1 else totals[0]
    low, high = percentile_interval(resampled, confidence=confidence)
    return float(low), float(high)
