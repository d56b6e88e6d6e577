"""From the predictions along training to comparisons at equal clean accuracy.

A model that is better on plain test images is likely better on a probe too, whatever its biases: a
bias is not a capability. `stats.matched_contrast` takes that away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from priorscope.analysis.compare import Row, compare, possible
from priorscope.analysis.findings import Trajectories, cell_of
from priorscope.claims import ArmScores, Settings
from priorscope.components import resolve
from priorscope.evaluation import Predictions, read_predictions
from priorscope.metrics import main_metric
from priorscope.stats import Trajectory, matched_contrast
from priorscope.study.spec import TEST_PROBE

UNBALANCED = (
    "the scenes that were kept along training lack classes that the probe has: earlier versions "
    "chose them so; run the study anew to compare at equal clean accuracy"
)


@dataclass(frozen=True, eq=False)
class _Kept:
    """What one run answered along its training on what a probe is about."""

    trajectory: Trajectory
    epochs: tuple[int, ...]
    clusters: np.ndarray | None
    has_all_classes: bool


def compare_trajectories(
    out: Path, runs: Sequence[Row], arms: Sequence[ArmScores], settings: Settings
) -> Trajectories:
    """Compare models on what each probe is about, on all scenes and at equal clean accuracy.

    At equal clean accuracy it is the scenes that were kept along training, at its end as well.

    Parameters
    ----------
    out : the study's output folder
    runs : `run.json` of the finished runs
    arms : as `read_scores` reads them

    Returns
    -------
    points and pairs, in each cell of a study with factors; none where no run kept predictions along
    training, or where the note says why not. A run that lacks a file of predictions, of its end
    too, has no points on that probe

    Raises
    ------
    InputError : a damaged file
    """
    points: list[Row] = []
    pairs: list[Row] = []
    about = {(arm.cell, arm.probe): arm for arm in reversed(arms) if arm.probe != TEST_PROBE}
    for arm in reversed(about.values()):
        kept: dict[str, dict[int, _Kept]] = {}
        for run in runs:
            if cell_of(run) == arm.cell:
                found = _read(out / "runs" / run["run_id"], run, arm)
                if found is not None:
                    kept.setdefault(run["model"], {})[run["seed"]] = found
        if not all(each.has_all_classes for runs in kept.values() for each in runs.values()):
            return Trajectories([], [], UNBALANCED)
        named = {"cell": arm.cell} if arm.cell else {}
        points += [point | named for point in _points(arm, kept)]
        pairs += [pair | named for pair in _pairs(arm, kept, settings)]
    return Trajectories(points, pairs, None)


def _read(folder: Path, record: Row, arm: ArmScores) -> _Kept | None:
    """Read a run's answers along training; None where it kept none, or a file is missing."""
    epochs = [epoch for epoch in record.get("trajectory", []) if epoch != record["num_epochs"]]
    places = [folder / "trajectory" / f"epoch-{epoch:04d}" for epoch in epochs]
    # A curve without its end, or with a gap, would be compared with whole ones.
    needed = [place / f"{name}.parquet" for place in [*places, folder / "predictions"]
              for name in (TEST_PROBE, arm.probe)]  # fmt: skip
    if not epochs or not all(file.is_file() for file in needed):
        return None
    clean, _, all_tested = _scored(folder, places, TEST_PROBE)
    asked, clusters, all_asked = _scored(folder, places, arm.probe)
    ends = (*epochs, record["num_epochs"])
    return _Kept(Trajectory(clean, asked), ends, clusters, all_tested and all_asked)


def _scored(
    folder: Path, places: Sequence[Path], probe: str
) -> tuple[np.ndarray, np.ndarray | None, bool]:
    """Score the arm that a probe is about, checkpoint by checkpoint; the end on the same scenes.

    Returns
    -------
    float [checkpoints, scenes], clusters of the scenes, and whether no class was left out
    """
    along = [_main_arm(place / f"{probe}.parquet") for place in places]
    whole = _main_arm(folder / "predictions" / f"{probe}.parquet")
    end = whole.take(np.isin(whole.ids, along[0].ids))
    metric = resolve("metrics", main_metric(end.targets), base=folder)
    clusters = end.clusters
    if clusters is not None and len(np.unique(clusters)) < 2:
        clusters = None
    lost = (whole.targets.ndim == 1 and len(along[0]) >= 10 * whole.num_classes) and (
        set(np.unique(whole.targets)) != set(np.unique(along[0].targets))
    )
    return np.stack([metric(each) for each in [*along, end]]), clusters, not lost


def _main_arm(path: Path) -> Predictions:
    """Read the first arm of a file, in the order of its ids."""
    predictions = read_predictions(path, in_place=True)
    of_arm = predictions.arm(predictions.arms[0])
    return of_arm.take(np.argsort(of_arm.ids, kind="stable"))


def _points(arm: ArmScores, kept: Mapping[str, Mapping[int, _Kept]]) -> list[Row]:
    return [
        {"model": model, "seed": seed, "epoch": epoch, "probe": arm.probe, "arm": arm.arm}
        | {"metric": arm.metric, "clean": float(clean.mean()), "score": float(score.mean())}
        | {"num_scenes": len(score)}
        for model, runs in kept.items()
        for seed, run in runs.items()
        for epoch, clean, score in zip(
            run.epochs, run.trajectory.clean, run.trajectory.probe, strict=True
        )
    ]


def _pairs(
    arm: ArmScores, kept: Mapping[str, Mapping[int, _Kept]], settings: Settings
) -> list[Row]:
    """Compare every pair of models on one probe."""
    rows = []
    for a, b in combinations(kept, 2):
        scores, raw = compare(arm, a, b, settings)
        runs = [list(kept[model].values()) for model in (a, b)]
        found = matched_contrast(
            *([run.trajectory for run in of_model] for of_model in runs),
            confidence=settings.confidence,
            clusters=runs[0][0].clusters,
        )
        row: Row = {"a": a, "b": b, "probe": arm.probe, "arm": arm.arm, "metric": arm.metric}
        row |= {"raw": {"estimate": raw.contrast.estimate, **possible(raw.contrast, scores.range)}}
        row |= {"raw_n": raw.contrast.n, "matched": None, "clean_range": None}
        row |= {"method": raw.contrast.method, "n": runs[0][0].trajectory.probe.shape[1]}
        row |= {"num_checkpoints": sorted({len(run.epochs) for each in runs for run in each})}
        if found is not None:
            contrast = found.difference
            row["matched"] = {"estimate": contrast.estimate, **possible(contrast, scores.range)}
            row["matched"] |= {"p_value": contrast.p_value, "num_seeds": min(contrast.num_seeds)}
            row |= {"clean_range": [found.low, found.high], "method": contrast.method}
        rows.append(row)
    return rows
