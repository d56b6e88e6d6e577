"""Estimates with intervals, and comparisons of models in pairs."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from priorscope.analysis.scores import ArmScores
from priorscope.stats import crossed_bootstrap, holm, percentile_interval, sign_flip_test, wilson

Row = dict[str, Any]
CHANCE = "chance"
MIN_CLUSTERS = 10  # resampling fewer gives intervals that are far too short, or of no length


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


def resampled_means(arm: ArmScores, settings: Settings) -> dict[str, np.ndarray]:
    """Resample the mean of every model, float [num_resamples], paired by resampled images."""
    rng = settings.rng(*_key(arm), "means")
    return _bootstrap(arm.scores, arm, settings, rng)


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


def estimate_rows(
    arm: ArmScores, resampled: Mapping[str, np.ndarray], settings: Settings
) -> list[Row]:
    """Give each model's mean over seeds and images, and chance: `estimates.parquet`.

    Wilson's interval where a model has one seed, scores are 0 or 1 and images are independent;
    otherwise the crossed bootstrap.
    """
    rows = []
    for model, scores in arm.scores.items():
        low, high, method = _interval(
            scores, arm, resampled[model], settings, proportion=arm.max_score == 1
        )
        rows.append(_estimate(model, arm, float(scores.mean()), low, high, method, len(scores)))
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
    rng = settings.rng(*_key(arm), "histograms")
    resampled = _bootstrap(shares, arm, settings, rng)
    rows = []
    for (model, value), is_value in shares.items():
        low, high, _ = _interval(is_value, arm, resampled[model, value], settings, proportion=True)
        rows.append(_share(model, arm, value, float(is_value.mean()), low, high))
    chance = [
        _share(CHANCE, arm, value, share, None, None) for value, share in enumerate(arm.chance.pmf)
    ]
    return rows + chance


def comparison_rows(
    arm: ArmScores, resampled: Mapping[str, np.ndarray], settings: Settings
) -> list[Row]:
    """Compare all pairs of models: `comparisons.parquet`, still without `p_adjusted`.

    The interval is paired by images and varies seeds too. The test flips the signs of per-image
    differences of scores averaged over seeds: it asks about these trained networks on other
    images, not about other seeds, which is why `test` says so.
    """
    rows = []
    for a, b in combinations(arm.scores, 2):
        low, high = settings.interval(resampled[a] - resampled[b])
        test = sign_flip_test(
            arm.scores[a].mean(axis=0) - arm.scores[b].mean(axis=0),
            num_resamples=settings.num_resamples,
            rng=settings.rng(*_key(arm), a, b),
            clusters=_clusters(arm),
        )
        rows.append(
            {
                "a": a,
                "b": b,
                **_names(arm),
                "difference": test.difference,
                "low": low,
                "high": high,
                "p_value": test.p_value,
                "test": f"{test.method}, given the trained networks",
                "num_seeds": min(len(arm.scores[a]), len(arm.scores[b])),
                "n": test.n,
            }
        )
    return rows


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
        if arm.max_score != control.max_score or not len(ids):
            continue
        differences = {
            model: scores[:, in_arm] - control.scores[model][:, in_control]
            for model, scores in arm.scores.items()
        }
        clusters = _clusters(arm)
        rng = settings.rng(*_key(arm), control.arm, "controls")
        resampled = crossed_bootstrap(
            list(differences.values()),
            num_resamples=settings.num_resamples,
            rng=rng,
            clusters=None if clusters is None else clusters[in_arm],
        )
        for column, (model, values) in zip(resampled.T, differences.items(), strict=True):
            low, high = settings.interval(column)
            rows.append(
                {"model": model, **_names(arm), "control": control.arm}
                | {"difference": float(values.mean())}
                | {"low": low, "high": high, "num_seeds": len(values), "n": len(ids)}
            )
    return rows


def _bootstrap(
    scores: Mapping[Any, np.ndarray],
    arm: ArmScores,
    settings: Settings,
    rng: np.random.Generator,
) -> dict[Any, np.ndarray]:
    """Resample the mean of each entry, [seeds, n], over seeds and images."""
    means = crossed_bootstrap(
        list(scores.values()),
        num_resamples=settings.num_resamples,
        rng=rng,
        clusters=_clusters(arm),
    )
    return dict(zip(scores, means.T, strict=True))


def _interval(
    scores: np.ndarray,
    arm: ArmScores,
    resampled: np.ndarray,
    settings: Settings,
    *,
    proportion: bool,
) -> tuple[float, float, str]:
    """Choose the interval of a mean of scores [seeds, n], and say how it was made."""
    num_seeds, n = scores.shape
    clusters = _clusters(arm)
    few = (
        f", its {_num_clusters(arm)} clusters too few to resample"
        if arm.clusters is not None
        else ""
    )
    if proportion and num_seeds == 1 and clusters is None:
        found = wilson(int(scores.sum()), n, confidence=1 - settings.alpha)
        remark = "one seed: these trained networks only"
        return found.low, found.high, f"{found.method} ({remark}{few})"
    images = f"{n:,} images{few}"
    if clusters is not None:
        images = f"{_num_clusters(arm)} clusters of {n:,} images"
    method = (
        f"bootstrap over {images} (one seed: these trained networks only)"
        if num_seeds == 1
        else f"crossed bootstrap over {num_seeds} seeds and {images}"
    )
    return *settings.interval(resampled), method


def _clusters(arm: ArmScores) -> np.ndarray | None:
    """Give the clusters where there are enough to resample; otherwise images are resampled."""
    return None if _num_clusters(arm) < MIN_CLUSTERS else arm.clusters


def _num_clusters(arm: ArmScores) -> int:
    return 0 if arm.clusters is None else len(np.unique(arm.clusters))


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
