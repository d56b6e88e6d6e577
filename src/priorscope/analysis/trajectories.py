"""From the predictions along training to comparisons at equal clean accuracy: `matched.json`."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.analysis.compare import Row
from priorscope.analysis.matched import difference as difference_of
from priorscope.analysis.matched import fit_line, matched_difference, residual_difference
from priorscope.analysis.scores import TEST
from priorscope.components import companion, resolve
from priorscope.evaluation import Predictions, read_predictions
from priorscope.study.conditions import metric_for
from priorscope.study.levels import cell_name
from priorscope.study.store import read_run


def compare_trajectories(out: Path, record: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Compare models on what each probe is about, raw and at equal clean accuracy.

    The scenes are those that were kept along training, for the last point as well.

    Parameters
    ----------
    out : the study's output folder
    record : its `study.json`

    Returns
    -------
    `points`, one row a run x checkpoint x probe, and `pairs`, one row a pair of models x probe, in
    each cell of a study with factors; both empty where no run kept predictions along training. A
    run that lacks a file of predictions, of its end too, has no points on that probe

    Raises
    ------
    InputError : a damaged file
    """
    points: list[Row] = []
    for run in record["plan"]:
        folder = out / "runs" / run["run_id"]
        if (folder / "run.json").is_file():
            points += _points(folder, run, list(record["study"].get("probes") or {}))
    pairs: list[Row] = []
    for cell, probe in dict.fromkeys((p.get("cell", ""), p["probe"]) for p in points):
        found = [p for p in points if (p.get("cell", ""), p["probe"]) == (cell, probe)]
        pairs += [row | ({"cell": cell} if cell else {}) for row in _pairs(found)]
    return {"points": points, "pairs": pairs}


def _points(folder: Path, run: Mapping[str, Any], probes: list[str]) -> list[Row]:
    record = read_run(folder)
    epochs = [epoch for epoch in record.get("trajectory", []) if epoch != record["num_epochs"]]
    kept = [(epoch, folder / "trajectory" / f"epoch-{epoch:04d}") for epoch in epochs]
    if not kept:
        return []
    rows: list[Row] = []
    first, levels = kept[0][1], run.get("levels", {})
    places = [*(place for _, place in kept), folder / "predictions"]
    for probe in probes:
        # A curve without its end, or with a gap, would be compared with whole ones.
        needed = [place / f"{name}.parquet" for place in places for name in (TEST, probe)]
        if not all(file.is_file() for file in needed):
            continue
        for epoch, place in [*kept, (record["num_epochs"], None)]:
            clean, asked = (_scored(folder, first, place, name) for name in (TEST, probe))
            rows.append(
                {"model": run["model"], "seed": run["seed"], "epoch": epoch, "probe": probe}
                | {"arm": asked["arm"], "metric": asked["metric"], "clean": clean["mean"]}
                | {"score": asked["mean"], "largest": asked["largest"]}
                | {"num_scenes": min(clean["n"], asked["n"])}
                | ({"cell": cell_name(levels.items())} if levels else {})
            )
    return rows


def _scored(folder: Path, first: Path, place: Path | None, probe: str) -> Row:
    """Score the arm that a probe is about; the last point on the scenes of the first."""
    if place is not None:
        found = _main_arm(read_predictions(place / f"{probe}.parquet", in_place=True))
    else:
        kept = _main_arm(read_predictions(first / f"{probe}.parquet", in_place=True))
        found = _main_arm(
            read_predictions(folder / "predictions" / f"{probe}.parquet", in_place=True)
        )
        found = rows_of(found, np.isin(found.ids, kept.ids))
    metric = metric_for(found.targets)
    score = resolve("metrics", metric, base=folder)
    pmf = companion(score, "chance")(found).pmf
    return {
        "arm": found.arms[0],
        "metric": metric,
        "mean": float(score(found).mean()),
        "largest": 1 if pmf is None else len(pmf) - 1,
        "n": len(found),
    }


def _main_arm(predictions: Predictions) -> Predictions:
    return predictions.arm(predictions.arms[0])


def rows_of(predictions: Predictions, rows: np.ndarray) -> Predictions:
    """Select rows by a mask, bool [n]."""
    conditions = {key: column[rows] for key, column in predictions.conditions.items()}
    clusters = None if predictions.clusters is None else predictions.clusters[rows]
    return Predictions(
        predictions.logits[rows],
        predictions.targets[rows],
        predictions.ids[rows],
        conditions,
        predictions.class_names,
        clusters,
    )


def _pairs(points: list[Row]) -> list[Row]:
    """Compare every pair of models on one probe."""
    curves: dict[str, dict[int, list[tuple[float, float]]]] = {}
    for point in points:
        of_model = curves.setdefault(point["model"], {})
        of_model.setdefault(point["seed"], []).append((point["clean"], point["score"]))
    arrays = {model: [np.array(run) for run in runs.values()] for model, runs in curves.items()}
    about = {key: points[0][key] for key in ("probe", "arm", "metric")}
    num_scenes, largest = points[0]["num_scenes"], points[0]["largest"]
    every = np.concatenate([run for runs in arrays.values() for run in runs])
    line = fit_line(every, largest, num_scenes)
    rows = []
    for a, b in combinations(arrays, 2):
        raw = difference_of(*([run[-1, 1] for run in arrays[model]] for model in (a, b)))
        matched = matched_difference(arrays[a], arrays[b])
        residual = (
            None if line is None else residual_difference(arrays[a], arrays[b], line, num_scenes)
        )
        shared = None if matched is None else matched[1]
        rows.append(
            {"a": a, "b": b, **about, "n": num_scenes, "num_checkpoints": len(arrays[a][0])}
            | {"raw": asdict(raw)}
            | {"matched": None if matched is None else asdict(matched[0])}
            | {"clean_range": None if shared is None else list(shared)}
            | {"residual": None if residual is None else asdict(residual)}
            | {"line": None if line is None else asdict(line)}
        )
    return rows
