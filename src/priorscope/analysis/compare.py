"""Estimates with intervals, and comparisons of models in pairs."""

from itertools import combinations
from typing import Any

import numpy as np

from priorscope.claims import CHANCE, ArmScores, ClaimScores, Inference, Settings, infer
from priorscope.claims.claim_scores import weighted_scores
from priorscope.metrics import Scale
from priorscope.stats import CrossedContrast, Estimate, crossed_contrast, holm, wilson

Row = dict[str, Any]


def score_rows(arm: ArmScores) -> list[Row]:
    """List the mean of each run: `scores.parquet`."""
    return [
        {"model": model, "seed": seed, **_names(arm)}
        | {"value": float(scores.mean()), "n": len(scores)}
        for model, of_model in arm.scores.items()
        for seed, scores in zip(arm.seeds[model], of_model, strict=True)
    ]


def estimate_rows(arm: ArmScores, settings: Settings) -> list[Row]:
    """List each model's mean over seeds and images, and chance: `estimates.parquet`."""
    rows = []
    for model, scores in arm.scores.items():
        found = estimate(scores, arm.scale, settings, clusters=arm.units)
        rows.append(_estimate(model, arm, found, len(scores)))
    chance = arm.chance
    exact = Estimate(chance.expected, np.nan, np.nan, chance.words, len(arm.ids))
    return [*rows, _estimate(CHANCE, arm, exact, None)]


def estimate(
    scores: np.ndarray, scale: Scale, settings: Settings, *, clusters: np.ndarray | None = None
) -> Estimate:
    """Estimate a model's mean score with an interval, cut to the metric's range where it has one.

    Wilson's interval where a model has one seed, scores are 0 or 1 and images are independent, and
    where 0/1 scores did not vary at all; otherwise that of `crossed_contrast`.

    Parameters
    ----------
    scores : float [seeds, images]
    """
    values = np.unique(scores)
    proportion = (scale.low, scale.high) == (0, 1) and bool(np.isin(values, (0, 1)).all())
    if proportion and (len(values) == 1 or (len(scores) == 1 and clusters is None)):
        n = scores.shape[1] if clusters is None else len(np.unique(clusters))
        found = wilson(round(float(scores.mean()) * n), n, confidence=settings.confidence)
        speaks_of = "one seed: these trained networks only"
        if len(scores) > 1:
            speaks_of = f"the answers of {len(scores)} seeds did not vary"
        method = f"{found.method} ({speaks_of})"
        return Estimate(float(scores.mean()), found.low, found.high, method, scores.shape[1])
    contrast = crossed_contrast([scores], confidence=settings.confidence, clusters=clusters)
    low, high = within(contrast.low, contrast.high, scale.low, scale.high)
    return Estimate(contrast.estimate, low, high, contrast.method, contrast.n)


def histogram_rows(arm: ArmScores, settings: Settings) -> list[Row]:
    """List the share of images with each score, seeds together, and chance: `histograms.parquet`.

    Nothing where scores are not counts. A score between two counts, of classes that tie, counts as
    either with the chance that its tie is broken so.
    """
    if arm.chance.pmf is None or len(arm.chance.pmf) <= 2:
        return []
    whole, found = Scale("", 0.0, 1.0), {}
    for model, scores in arm.scores.items():
        for value in range(len(arm.chance.pmf)):
            near = np.maximum(1 - np.abs(scores - value), 0.0)
            found[model, value] = estimate(near, whole, settings, clusters=arm.units)
    for value, share in enumerate(arm.chance.pmf):
        found[CHANCE, value] = Estimate(share, np.nan, np.nan, arm.chance.words, len(arm.ids))
    return [
        {"model": model, **_names(arm), "score": value, "fraction": share.estimate}
        | {**_ends(share), "n": len(arm.ids)}
        for (model, value), share in found.items()
    ]


def comparison_rows(arm: ArmScores, settings: Settings) -> list[Row]:
    """Compare all pairs of models: `comparisons.parquet`, still without `p_adjusted`.

    By the inference of the verdicts (`claims.infer`): with several seeds interval and p-value speak
    of other seeds and other images; of two networks of one seed the exact test asks whether they
    differ on other images.
    """
    rows = []
    for a, b in combinations(arm.scores, 2):
        scores, found = compare(arm, a, b, settings)
        contrast = found.contrast
        rows.append(
            {"a": a, "b": b, **_names(arm), "difference": contrast.estimate}
            | possible(contrast, scores.range)
            | {"p_value": found.two_sided(), "test": found.test, "few_seeds": found.few_seeds}
            | {"num_seeds": min(contrast.num_seeds), "n": contrast.n}
        )
    return rows


def compare(arm: ArmScores, a: str, b: str, settings: Settings) -> tuple[ClaimScores, Inference]:
    """Infer how much higher `a` scores than `b` on one arm."""
    scores = weighted_scores(arm, {a: 1.0, b: -1.0})
    key = (arm.cell, arm.probe, arm.arm) if arm.cell else (arm.probe, arm.arm)
    return scores, infer(scores, settings, *key, a, b)


def with_holm(rows: list[Row]) -> list[Row]:
    """Add `p_adjusted`: all rows are one family (all pairs x probes x arms of the study)."""
    adjusted = holm(np.array([row["p_value"] for row in rows]))
    return [row | {"p_adjusted": float(p)} for row, p in zip(rows, adjusted, strict=True)]


def control_rows(arms: list[ArmScores], settings: Settings) -> list[Row]:
    """Compare a probe's first arm with each of its controls, within models: `controls.parquet`.

    Scenes are paired by id, and so are seeds: the same trained network answered both arms. Arms
    whose scores have another range (a mosaic's 0 .. 4 against one tile's 0 .. 1) are left out.

    Parameters
    ----------
    arms : of one probe, the condition under test first
    """
    arm, rows = arms[0], []
    for control in arms[1:]:
        ids, in_arm, in_control = np.intersect1d(arm.ids, control.ids, return_indices=True)
        if (arm.metric, arm.scale) != (control.metric, control.scale) or not len(ids):
            continue
        units = None if arm.units is None else arm.units[in_arm]
        for model, scores in arm.scores.items():
            values = scores[:, in_arm] - control.scores[model][:, in_control]
            found = crossed_contrast([values], confidence=settings.confidence, clusters=units)
            rows.append(
                {"model": model, **_names(arm), "control": control.arm}
                | {"difference": found.estimate}
                | {**possible(found, difference_range(arm.scale)), "num_seeds": len(values)}
                | {"n": len(ids)}
            )
    return rows


def tie_rows(arm: ArmScores) -> list[Row]:
    """List the runs of which several classes share the largest logit on some rows."""
    return [
        {"model": model, "seed": seed, **_names(arm), "num_tied": tied, "n": len(arm.ids)}
        for model, of_model in arm.num_tied.items()
        for seed, tied in zip(arm.seeds[model], of_model, strict=True)
        if tied
    ]


def possible(contrast: CrossedContrast, of: tuple[float, float], *, name: str = "") -> Row:
    """Cut an interval at what the sum can be.

    The ends are `low` and `high`, behind `name` where there is one.
    """
    prefix = f"{name}_" if name else ""
    low, high = within(contrast.low, contrast.high, *of)
    return {f"{prefix}low": low, f"{prefix}high": high}


def difference_range(scale: Scale, *, of_differences: bool = False) -> tuple[float, float]:
    """Return what a difference of two means can be, or one of two differences."""
    most = np.inf if scale.span is None else scale.span * (2 if of_differences else 1)
    return -most, most


def within(low: float, high: float, least: float | None, most: float | None) -> tuple[float, float]:
    """Cut an interval to a range whose ends may be open."""
    low = low if least is None else max(low, least)
    return low, high if most is None else min(high, most)


def _names(arm: ArmScores) -> Row:
    names = {"probe": arm.probe, "arm": arm.arm, "metric": arm.metric}
    return names | {"cell": arm.cell, **dict(arm.levels)}


def _estimate(model: str, arm: ArmScores, found: Estimate, num_seeds: int | None) -> Row:
    about = {"model": model, **_names(arm), "estimate": found.estimate, **_ends(found)}
    return about | {"method": found.method, "num_seeds": num_seeds, "n": found.n}


def _ends(found: Estimate) -> Row:
    """Return the ends of an interval; what is exact has none."""
    ends = {"low": found.low, "high": found.high}
    return {name: end if np.isfinite(end) else None for name, end in ends.items()}
