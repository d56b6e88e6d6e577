"""From stored predictions to per-example scores that can be compared in pairs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.components import companion, resolve
from priorscope.errors import InputError
from priorscope.evaluation import Predictions, read_predictions
from priorscope.metrics import Chance
from priorscope.study.conditions import metric_for
from priorscope.study.levels import Levels, cell_name, cells_of, recorded_factors
from priorscope.study.spec import digest

TEST = "test"  # the plain test images: a probe that every run has


@dataclass(frozen=True, eq=False)
class ArmScores:
    """What all models scored on one arm of a probe, example by example.

    Attributes
    ----------
    probe, arm, metric : names
    ids : int64 [n], ascending; the columns of `scores`
    clusters : str [n] or None
    chance : of the metric on these targets
    scores : model -> float [seeds, n], in the plan's order of models and seeds
    seeds : model -> its seeds, the rows of `scores`
    levels : the level of each factor of the study, at which all of these runs stand
    examples : hash of ids and targets: arms of two cells that share it answered the same examples
    """

    probe: str
    arm: str
    metric: str
    ids: np.ndarray
    clusters: np.ndarray | None
    chance: Chance
    scores: dict[str, np.ndarray]
    seeds: dict[str, tuple[int, ...]]
    levels: Levels = ()
    examples: str = ""

    @property
    def cell(self) -> str:
        """Name the cell of the study; empty in a study without factors."""
        return cell_name(self.levels)

    @property
    def units(self) -> np.ndarray | None:
        """Give the clusters where they are the random units; images are where there are not two."""
        return None if self.clusters is None or len(np.unique(self.clusters)) < 2 else self.clusters

    @property
    def max_score(self) -> int:
        """Give the best score that an example can reach."""
        return 1 if self.chance.pmf is None else len(self.chance.pmf) - 1


def read_scores(out: Path, record: dict[str, Any]) -> tuple[list[ArmScores], list[str]]:
    """Score the predictions of all finished runs of a study, by cell, by probe and by arm.

    Models and seeds are brought together within a cell and never across cells.

    Every arm is scored by the metric that fits its targets, and by what else hypotheses and
    controls name.

    Parameters
    ----------
    out : the study's output folder
    record : its `study.json`

    Returns
    -------
    the arms in the study's order (cells, then probes, "test" first), and the files of predictions
    that are not there, relative to `out`

    Raises
    ------
    InputError : a file is damaged, or two runs did not answer the same examples
    """
    models = list(dict.fromkeys(run["model"] for run in record["plan"]))
    arms, missing = [], []
    declared = list(record["study"].get("hypotheses") or [])
    declared += record["study"].get("controls") or []
    probes: list[str] = list(record["study"].get("probes") or {})
    for levels, probe in product(
        cells_of(recorded_factors(record["study"])), dict.fromkeys([TEST, *probes])
    ):
        files: list[tuple[dict[str, Any], Path]] = []
        for run in record["plan"]:
            if run.get("levels", {}) != dict(levels):
                continue
            folder = Path("runs") / run["run_id"]
            path = folder / "predictions" / f"{probe}.parquet"
            # Without run.json the run is not finished, whatever lies there.
            if (out / folder / "run.json").is_file() and (out / path).is_file():
                files.append((run, out / path))
            else:
                missing.append(path.as_posix())
        named = [
            each["metric"]
            for each in declared
            if each.get("probe", TEST) == probe and each.get("metric")
        ]
        arms += _score_probe(probe, levels, models, files, named) if files else []
    return arms, missing


def _score_probe(
    probe: str,
    levels: Levels,
    models: list[str],
    files: list[tuple[dict[str, Any], Path]],
    named: list[str],
) -> list[ArmScores]:
    first_path = files[0][1]
    first = _arms(read_predictions(first_path, in_place=True), first_path)
    scored = [(arm, metric_for(predictions.targets)) for arm, predictions in first.items()]
    fitting = {metric for _, metric in scored}
    scored += [
        (arm, metric) for metric in dict.fromkeys(named) if metric not in fitting for arm in first
    ]
    rows: dict[tuple[str, str, str], list[np.ndarray]] = {}  # (arm, metric, model) -> by seed
    seeds: dict[str, list[int]] = {}
    for run, path in files:
        found = _arms(read_predictions(path, in_place=True), path)
        _check_same_examples(first, found, first_path, path)
        seeds.setdefault(run["model"], []).append(run["seed"])
        for arm, metric in scored:
            score = resolve("metrics", metric, base=path.parent)
            with _where(path, arm):
                rows.setdefault((arm, metric, run["model"]), []).append(score(found[arm]))
    with_scores = [model for model in models if model in seeds]
    return [
        ArmScores(
            probe,
            arm,
            metric,
            first[arm].ids,
            first[arm].clusters,
            companion(resolve("metrics", metric, base=first_path.parent), "chance")(first[arm]),
            {model: np.stack(rows[arm, metric, model]) for model in with_scores},
            {model: tuple(seeds[model]) for model in with_scores},
            levels,
            digest([first[arm].ids.tolist(), first[arm].targets.tolist()]),
        )
        for arm, metric in scored
    ]


@contextmanager
def _where(path: Path, arm: str) -> Iterator[None]:
    """Add file and arm to what a metric says about a row."""
    try:
        yield
    except InputError as error:
        raise InputError(
            error.problem,
            where=f"{path}, arm {arm}, {error.where or 'targets'}",
            found=error.found,
            allowed=error.allowed,
            hint=error.hint,
        ) from None


def _arms(predictions: Predictions, path: Path) -> dict[str, Predictions]:
    """Split predictions by arm, each in the order of its ids."""
    arms = {}
    for name in predictions.arms:
        of_arm = predictions.arm(name)
        order = np.argsort(of_arm.ids, kind="stable")
        ids = of_arm.ids[order]
        if len(repeated := ids[1:][ids[1:] == ids[:-1]]):
            raise InputError(
                "an id stands twice within an arm",
                where=path,
                found=f"id {repeated[0]} in arm {name}",
            )
        arms[name] = replace(
            of_arm,
            logits=of_arm.logits[order],
            targets=of_arm.targets[order],
            ids=ids,
            conditions={key: column[order] for key, column in of_arm.conditions.items()},
            clusters=None if of_arm.clusters is None else of_arm.clusters[order],
        )
    return arms


def _check_same_examples(
    first: dict[str, Predictions], other: dict[str, Predictions], path: Path, other_path: Path
) -> None:
    """Refuse to compare runs that did not answer the same examples."""
    difference = None
    if set(first) != set(other):
        difference = f"arms {', '.join(first)} and {', '.join(other)}"
    for arm in first if difference is None else ():
        a, b = first[arm], other[arm]
        if a.class_names != b.class_names:
            difference = f"class names {', '.join(a.class_names)} and {', '.join(b.class_names)}"
        elif not np.array_equal(a.ids, b.ids):
            only = np.setxor1d(a.ids, b.ids)
            difference = f"arm {arm}: id {only[0]} stands in one of them only"
        elif a.targets.ndim != b.targets.ndim:
            difference = f"arm {arm}: class ids in one, multi-hot targets in the other"
        elif not np.array_equal(a.targets, b.targets):
            unequal = (a.targets != b.targets).reshape(len(a), -1).any(axis=1)
            difference = f"arm {arm}: targets of id {a.ids[np.argmax(unequal)]} differ"
    if difference is not None:
        raise InputError(
            "two runs did not answer the same examples, so they cannot be compared in pairs",
            where=f"{path} and {other_path}",
            found=difference,
            hint="remove the older of the two files and run the study again",
        )
