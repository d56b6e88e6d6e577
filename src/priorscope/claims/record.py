"""A verdict as a row of `verdicts.json`: what was declared, what was scored, what was measured."""

from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite, isnan
from typing import Any

import numpy as np

from priorscope.claims.claim_scores import ClaimScores
from priorscope.claims.evidence import Evidence, Interval, confidence_of
from priorscope.stats import CrossedContrast, VarianceComponents
from priorscope.study.spec import Hypothesis, as_plain

Row = dict[str, Any]


def row_of(
    hypothesis: Hypothesis,
    scores: ClaimScores | None,
    evidence: Evidence | None,
    interval: Interval | None,
) -> Row:
    """Write all of a verdict but the verdict itself; without numbers the keys are the same."""
    return _declared(hypothesis) | _scored(scores) | _measured(hypothesis, evidence, interval)


def _declared(hypothesis: Hypothesis) -> Row:
    plain = as_plain(hypothesis)
    contrast = {key: each for key, each in plain["contrast"].items() if key != "between" or each}
    return {
        "id": hypothesis.id,
        "statement": hypothesis.statement,
        "contrast": contrast,
        "probe": hypothesis.probe,
        "metric": hypothesis.metric,
        **({} if hypothesis.measure is None else {"measure": hypothesis.measure}),
        "condition": hypothesis.condition,
        **({} if hypothesis.at is None else {"at": hypothesis.at}),
        "expect": hypothesis.expect,
        "margin": hypothesis.margin,
        "alpha": hypothesis.alpha,
    }


def _scored(scores: ClaimScores | None) -> Row:
    """Describe the scores of a claim: arms, scale, range, and every seed's own."""
    if scores is None:
        return dict.fromkeys(("arms", "scale", "range", "seed_scores", "seed_effects", "chance"))
    least, most = (end if isfinite(end) else None for end in scores.range)
    return {
        "arms": list(scores.arms),
        "scale": asdict(scores.scale),
        "range": [least, most],
        "seed_scores": {
            name: {str(seed): score for seed, score in of_group.items()}
            for name, of_group in scores.seed_scores().items()
        },
        "seed_effects": scores.seed_effects(),
        "chance": scores.chance_words or None,
    }


def _measured(hypothesis: Hypothesis, found: Evidence | None, interval: Interval | None) -> Row:
    """Write the numbers of a hypothesis, or the same keys without numbers."""
    names = ("estimate", "low", "high", "confidence", "p_value", "p_contrary", "method", "n")
    names += ("num_seeds", "few_seeds", "split", "standard_error", "df", "detectable")
    names += ("detectable_estimated", "bootstrap_low", "bootstrap_high", "components")
    alone = round(confidence_of(hypothesis, hypothesis.alpha), 6)
    if found is None or interval is None:
        unadjusted = {"confidence": alone, "low": None, "high": None}
        return dict.fromkeys(names) | {"unadjusted": unadjusted}
    inference = found.inference
    contrast: CrossedContrast = inference.contrast
    return {
        "estimate": contrast.estimate,
        "low": interval.low,
        "high": interval.high,
        "confidence": round(interval.confidence, 6),
        "unadjusted": {"confidence": alone, "low": contrast.low, "high": contrast.high},
        "p_value": found.p_value,
        "p_contrary": found.p_contrary,
        "method": "; p: ".join(filter(None, (contrast.method, inference.own_test))),
        "num_seeds": min(contrast.num_seeds),
        "few_seeds": inference.few_seeds,
        "split": {name: list(seeds) for name, seeds in inference.split.items()},
        "n": contrast.n,
        "standard_error": contrast.standard_error,
        "df": contrast.df if np.isfinite(contrast.df) else None,
        "detectable": found.detectable[1],
        "detectable_estimated": found.detectable[0],
        "bootstrap_low": found.bootstrap[0],
        "bootstrap_high": found.bootstrap[1],
        "components": _plain(contrast.components),
    }


def _plain(components: VarianceComponents) -> Row:
    """Write variances as values that JSON can hold; what is not known is none."""

    def known(values: Sequence[float]) -> list[float | None]:
        return [None if isnan(value) else value for value in values]

    return {
        "seed": known(components.seed),
        "seed_most": known(components.seed_most),
        "image": components.image,
        "image_most": components.image_most,
        "residual": known(components.residual),
        "images_per_unit": components.images_per_unit,
    }
