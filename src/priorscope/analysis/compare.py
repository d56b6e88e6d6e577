"""Estimates with intervals, and comparisons of models in pairs."""

import zlib
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np

from priorscope.analysis.scores import ArmScores
from priorscope.stats import (
    CrossedContrast,
    PairedTest,
    crossed_contrast,
    holm,
    mcnemar,
    percentile_interval,
    sign_flip_test,
    wilson,
)

Row = dict[str, Any]
CHANCE = "chance"
MIN_CLUSTERS = 10  # flipping the signs of fewer cannot give p-values that survive a correction


@dataclass(frozen=True)
class Settings:
    """How uncertainty is computed.

    Attributes
    ----------
    alpha : intervals have confidence 1 - alpha
    num_resamples : of every bootstrap and every permutation test
    rng_seed : of all of them
    """

    alpha: float = 0.05
    num_resamples: int = 10_000
    rng_seed: int = 0

    def rng(self, *names: str) -> np.random.Generator:
        """Give the generator of one computation: its numbers do not depend on the others."""
        return np.random.default_rng([self.rng_seed, zlib.crc32("/".join(names).encode())])

    def interval(self, resampled: np.ndarray) -> tuple[float, float]:
        """Give the percentile interval of resamples, [num_resamples]."""
        low, high = percentile_interval(resampled, confidence=1 - self.alpha)
        return float(low), float(high)


def score_rows(arm: ArmScores) -> list[Row]:
    """Give the mean of each run: `scores.parquet`."""
    return [
        {
            "model": model,
            "seed": seed,
            **_names(arm),
            "value": float(scores.mean()),
            "n": len(scores),
        }
        for model, of_model in arm.scores.items()
        for seed, scores in zip(arm.seeds[model], of_model, strict=True)
    ]


def estimate_rows(arm: ArmScores, settings: Settings) -> list[Row]:
    """Give each model's mean over seeds and images, and chance: `estimates.parquet`.

    Wilson's interval where a model has one seed, scores are 0 or 1 and images are independent;
    otherwise that of `crossed_contrast`, cut to the range of the scores.
    """
    rows = []
    for model, scores in arm.scores.items():
        if arm.max_score == 1 and len(scores) == 1 and arm.units is None:
            of_model = wilson(int(scores.sum()), scores.size, confidence=1 - settings.alpha)
            method = f"{of_model.method} (one seed: these trained networks only)"
        else:
            of_model = crossed_contrast([scores], confidence=1 - settings.alpha, clusters=arm.units)
            method = of_model.method
        low, high = np.clip([of_model.low, of_model.high], 0, arm.max_score).tolist()
        rows.append(_estimate(model, arm, of_model.estimate, low, high, method, len(scores)))
    exact = "exact" if arm.chance.pmf is None else "exact: hypergeometric"
    return [*rows, _estimate(CHANCE, arm, arm.chance.expected, None, None, exact, None)]


def histogram_rows(arm: ArmScores, settings: Settings) -> list[Row]:
    """Give the share of images with each score, seeds together, and chance: `histograms.parquet`.

    Nothing where scores are not counts (top1).
    """
    if arm.chance.pmf is None:
        return []
    values = range(len(arm.chance.pmf))
    shares = {
        (model, value): (scores == value).astype(float)
        for model, scores in arm.scores.items()
        for value in values
    }
    rows = []
    for (model, value), is_value in shares.items():
        share = crossed_contrast([is_value], confidence=1 - settings.alpha, clusters=arm.units)
        low, high = share.low, share.high
        if len(is_value) == 1 and arm.units is None:
            exact = wilson(int(is_value.sum()), is_value.size, confidence=1 - settings.alpha)
            low, high = exact.low, exact.high
        low, high = max(low, 0.0), min(high, 1.0)
        rows.append(_share(model, arm, value, share.estimate, low, high))
    chance = [
        _share(CHANCE, arm, value, share, None, None) for value, share in enumerate(arm.chance.pmf)
    ]
    return rows + chance


def comparison_rows(arm: ArmScores, settings: Settings) -> list[Row]:
    """Compare all pairs of models: `comparisons.parquet`, still without `p_adjusted`.

    Interval and p-value are those of `crossed_contrast`, paired by images: with several seeds they
    speak of other seeds and other images, and agree with each other, which the percentile interval
    of the crossed bootstrap and a permutation test do not: the bootstrap's is too short for few
    seeds, and a permutation test speaks of given networks only. For two networks of one seed that
    is just what is asked, and the exact or permutation test of `paired_test` gives the p-value.
    """
    rows = []
    for a, b in combinations(arm.scores, 2):
        groups = [arm.scores[a], -arm.scores[b]]
        contrast = crossed_contrast(groups, confidence=1 - settings.alpha, clusters=arm.units)
        p_value, test = contrast.p_value, contrast.method.replace("interval", "test", 1)
        if max(contrast.num_seeds) == 1:
            rng = settings.rng(*_key(arm), a, b)
            exact = paired_test(groups[0][0] + groups[1][0], arm.units, settings, rng)
            if exact is not None:
                p_value, test = exact.p_value, f"{exact.method}, given the trained networks"
        rows.append(
            {
                "a": a,
                "b": b,
                **_names(arm),
                "difference": contrast.estimate,
                **possible(contrast, arm),
                "p_value": p_value,
                "test": test,
                "num_seeds": min(contrast.num_seeds),
                "n": contrast.n,
            }
        )
    return rows


def paired_test(
    differences: np.ndarray,
    clusters: np.ndarray | None,
    settings: Settings,
    rng: np.random.Generator,
    *,
    alternative: Literal["two-sided", "less", "greater"] = "two-sided",
) -> PairedTest | None:
    """Test the differences of two given networks image by image, exactly where that is possible.

    McNemar's test where scores are 0 or 1 and images are independent, else random flips of signs,
    by cluster. None where there are so few clusters that flips could not reach small p-values.

    Parameters
    ----------
    differences : float [n]
    """
    if clusters is None and np.isin(differences, (-1, 0, 1)).all():
        return mcnemar(differences > 0, differences < 0, alternative=alternative)
    if clusters is not None and len(np.unique(clusters)) < MIN_CLUSTERS:
        return None
    return sign_flip_test(
        differences,
        num_resamples=settings.num_resamples,
        rng=rng,
        clusters=clusters,
        alternative=alternative,
    )


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
        if (arm.metric, arm.max_score) != (control.metric, control.max_score) or not len(ids):
            continue
        differences = {
            model: scores[:, in_arm] - control.scores[model][:, in_control]
            for model, scores in arm.scores.items()
        }
        units = None if arm.units is None else arm.units[in_arm]
        for model, values in differences.items():
            found = crossed_contrast([values], confidence=1 - settings.alpha, clusters=units)
            rows.append(
                {"model": model, **_names(arm), "control": control.arm}
                | {"difference": found.estimate}
                | {**possible(found, arm), "num_seeds": len(values), "n": len(ids)}
            )
    return rows


def possible(
    contrast: CrossedContrast, arm: ArmScores, *, name: str = "", of_differences: bool = False
) -> Row:
    """Cut an interval at the largest difference that two scores, or two differences, can have.

    The ends are `low` and `high`, behind `name` where there is one.
    """
    most = float(arm.max_score) * (2 if of_differences else 1)
    prefix = f"{name}_" if name else ""
    return {f"{prefix}low": max(contrast.low, -most), f"{prefix}high": min(contrast.high, most)}


def _names(arm: ArmScores) -> Row:
    names = {"probe": arm.probe, "arm": arm.arm, "metric": arm.metric}
    return names | {"cell": arm.cell, **dict(arm.levels)}


def _key(arm: ArmScores) -> tuple[str, ...]:
    """Name what is resampled; studies without factors keep the numbers that they had."""
    return (arm.cell, arm.probe, arm.arm) if arm.cell else (arm.probe, arm.arm)


def _estimate(
    model: str,
    arm: ArmScores,
    estimate: float,
    low: float | None,
    high: float | None,
    method: str,
    num_seeds: int | None,
) -> Row:
    return {
        "model": model,
        **_names(arm),
        "estimate": estimate,
        "low": low,
        "high": high,
        "method": method,
        "num_seeds": num_seeds,
        "n": len(arm.ids),
    }


def _share(
    model: str, arm: ArmScores, score: int, fraction: float, low: float | None, high: float | None
) -> Row:
    return {
        "model": model,
        **_names(arm),
        "score": score,
        "fraction": fraction,
        "low": low,
        "high": high,
        "n": len(arm.ids),
    }
