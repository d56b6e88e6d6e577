"""From stored predictions to per-example scores that can be compared in pairs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.analysis.training import class_counts
from priorscope.claims import ArmScores
from priorscope.components import resolve
from priorscope.errors import InputError
from priorscope.evaluation import Predictions, read_predictions
from priorscope.metrics import chance_of, main_metric, num_tied, scale_of, unequal_classes
from priorscope.runs.store import recorded_plan
from priorscope.study.levels import Levels, cell_name, cells_of, recorded_factors
from priorscope.study.plain import digest
from priorscope.study.spec import TEST_PROBE

BALANCED = "balanced_accuracy"  # beside top-1 where a test set's classes are not equally frequent
Files = list[tuple[Mapping[str, Any], Path]]  # runs, and what they answered on a probe


def read_scores(
    out: Path, record: Mapping[str, Any], *, budget: float = 1.0
) -> tuple[list[ArmScores], list[str]]:
    """Score the predictions of all finished runs of a study, by cell, by probe and by arm.

    Models and seeds are brought together within a cell and never across cells.

    Every arm is scored by the metric that fits its targets, and by what else hypotheses and
    controls name.

    Parameters
    ----------
    out : the study's output folder
    record : its `study.json`
    budget : 1, or that of `stability`: the runs at a part of the budget

    Returns
    -------
    the arms in the study's order (cells, then probes, "test" first), and the files of predictions
    that are not there, relative to `out`

    Raises
    ------
    InputError : a file is damaged, or two runs did not answer the same examples
    """
    plan = recorded_plan(record, budget)
    models = list(dict.fromkeys(run["model"] for run in plan))
    arms, missing = [], []
    declared = list(record["study"].get("hypotheses") or [])
    declared += record["study"].get("controls") or []
    probes: list[str] = list(record["study"].get("probes") or {})
    for levels, probe in product(
        cells_of(recorded_factors(record["study"])), dict.fromkeys([TEST_PROBE, *probes])
    ):
        runs = [run for run in plan if run.get("levels", {}) == dict(levels)]
        files, lost = files_of(out, runs, probe)
        missing += lost
        named = [
            each["metric"]
            for each in declared
            if each.get("probe", TEST_PROBE) == probe and each.get("metric")
        ]
        if files:
            counts = class_counts(record, cell_name(levels))
            of_probe = _score_probe(probe, levels, files, named, counts, budget)
            arms += [_in_order(arm, models) for arm in of_probe]
    return arms, missing


def files_of(out: Path, runs: Sequence[Mapping[str, Any]], probe: str) -> tuple[Files, list[str]]:
    """List what finished runs answered on a probe, and the files that are not there."""
    files, missing = [], []
    for run in runs:
        folder = out / "runs" / run["run_id"]
        path = folder / "predictions" / f"{probe}.parquet"
        # Without run.json the run is not finished, whatever lies there.
        if (folder / "run.json").is_file() and path.is_file():
            files.append((run, path))
        else:
            missing.append(path.relative_to(out).as_posix())
    return files, missing


def _in_order(arm: ArmScores, models: Sequence[str]) -> ArmScores:
    """Sort an arm's models as the plan has them, whichever of their runs are missing."""
    there = [model for model in models if model in arm.scores]
    return replace(
        arm,
        scores={model: arm.scores[model] for model in there},
        seeds={model: arm.seeds[model] for model in there},
        num_tied={model: arm.num_tied[model] for model in there},
    )


def _score_probe(
    probe: str,
    levels: Levels,
    files: Files,
    named: Sequence[str],
    counts: tuple[int, ...] | None,
    budget: float,
) -> list[ArmScores]:
    """Score one probe of one cell: an ArmScores for each arm and metric, main metrics first."""
    first_path = files[0][1]
    first = _arms(read_predictions(first_path, in_place=True), first_path, counts)
    scored = [(arm, main_metric(predictions.targets)) for arm, predictions in first.items()]
    fitting = {metric for _, metric in scored}
    scored += [(arm, BALANCED) for arm, answers in first.items() if unequal_classes(answers)]
    scored += [(arm, each) for each in dict.fromkeys(named) if each not in fitting for arm in first]
    scored = list(dict.fromkeys(scored))
    rows: dict[tuple[str, str], dict[str, list[np.ndarray]]] = {key: {} for key in scored}
    tied: dict[tuple[str, str], dict[str, list[int]]] = {key: {} for key in scored}
    seeds: dict[str, list[int]] = {}
    for run, path in files:
        found = _arms(read_predictions(path, in_place=True), path, counts)
        _check_same_examples(first, found, first_path, path)
        model = run["model"]
        seeds.setdefault(model, []).append(run["seed"])
        for arm, metric in scored:
            score = resolve("metrics", metric, base=path.parent)
            with _where(path, arm):
                rows[arm, metric].setdefault(model, []).append(score(found[arm]))
            tied[arm, metric].setdefault(model, []).append(num_tied(found[arm]))
    return [
        ArmScores(
            probe=probe,
            arm=arm,
            metric=metric,
            ids=first[arm].ids,
            clusters=first[arm].clusters,
            chance=chance_of(resolve("metrics", metric, base=first_path.parent), first[arm]),
            scale=scale_of(resolve("metrics", metric, base=first_path.parent), first[arm], metric),
            scores={model: np.stack(by_seed) for model, by_seed in rows[arm, metric].items()},
            seeds={model: tuple(of_model) for model, of_model in seeds.items()},
            levels=levels,
            examples=digest([first[arm].ids.tolist(), first[arm].targets.tolist()]),
            num_tied={model: tuple(of_seed) for model, of_seed in tied[arm, metric].items()},
            budget=budget,
        )
        for arm, metric in scored
    ]


def predictions_by_arm(files: Sequence[Path]) -> Iterator[dict[str, Predictions]]:
    """Read what runs answered on one probe, arm by arm, each in the order of its ids.

    Raises
    ------
    InputError : a file is damaged, or two runs did not answer the same examples
    """
    first: tuple[dict[str, Predictions], Path] | None = None
    for path in files:
        arms = _arms(read_predictions(path, in_place=True), path, None)
        first = first or (arms, path)
        _check_same_examples(first[0], arms, first[1], path)
        yield arms


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


def _arms(
    predictions: Predictions, path: Path, counts: tuple[int, ...] | None
) -> dict[str, Predictions]:
    """Split predictions by arm, each in the order of its ids; add the training labels' counts."""
    arms = {}
    predictions = replace(predictions, class_counts=counts)
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
        arms[name] = of_arm.take(order)
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
