"""Measures of two networks, from the predictions of all pairs of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations_with_replacement, product
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.analysis.measurements import NO_CHANCE, Measurements, key_of, read_measurements
from priorscope.analysis.scores import predictions_by_arm
from priorscope.claims import ArmScores
from priorscope.claims.verdicts import Measured
from priorscope.components import resolve
from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.measures import DoesNotApply, measurement_of
from priorscope.metrics import declared_scale
from priorscope.runs.store import recorded_plan
from priorscope.study.given import given_models
from priorscope.study.levels import Levels, cell_name, cells_of, recorded_factors
from priorscope.study.measures import Measure, measures_of
from priorscope.study.plain import digest

_PACKAGED = "error_consistency"  # asked of studies of before the measures too
_Answers = dict[str, dict[int, dict[str, Predictions]]]  # model -> seed -> arm
_Ask = Callable[[Predictions, Predictions], Any]


class _Failed(Exception):
    """A measure of two failed on what networks answered."""


def measure(out: Path, record: Mapping[str, Any], *, budget: float = 1.0) -> Measurements:
    """Collect what networks were measured to be, and what pairs of them are.

    Parameters, errors: as `measure_pairs` and `read_measurements`.
    """
    found = read_measurements(out, record, budget=budget)
    found.add(measure_pairs(out, record, budget=budget))
    return found


def measure_pairs(out: Path, record: Mapping[str, Any], *, budget: float = 1.0) -> Measurements:
    """Ask every measure of two of all pairs of finished networks within a cell.

    Networks of two models that have the same seed saw the same order of examples and the same
    augmentation, where both were trained here: their pairs are among the rows, marked, and count in
    no mean. A model's own pairs
    are of its seeds, each pair once. A measure that fails has no values, and says why.

    Parameters
    ----------
    out : the study's output folder
    record : its `study.json`
    budget : 1, or that of `stability`: the runs at a part of the budget

    Raises
    ------
    InputError : a file of predictions is damaged, or two runs did not answer the same examples
    """
    plan = recorded_plan(record, budget)
    found = Measurements()
    for name, measure in _of_two(record).items():
        source = Measured(f"predictions/{measure.probe}.parquet")
        try:
            of_measure = _ask_all(name, measure, out, record, plan)
        except _Failed as error:
            found.sources[name] = replace(source, failed=f"{name} failed: {error}")
            continue
        found.add(of_measure)
        found.arms[:] = [replace(arm, budget=budget) for arm in found.arms]
        found.sources[name] = replace(source, undefined=of_measure.undefined)
    return found


def _of_two(record: Mapping[str, Any]) -> dict[str, Measure]:
    """List the measures of two networks; what networks one of a study takes is in `study.json`."""
    about = record.get("measures", {_PACKAGED: {"kind": "predictions"}})
    return {
        name: measure
        for name, measure in measures_of(record["study"]).items()
        if about.get(name, {}).get("kind") == "predictions"
    }


def _ask_all(
    name: str,
    measure: Measure,
    out: Path,
    record: Mapping[str, Any],
    plan: Sequence[Mapping[str, Any]],
) -> Measurements:
    found, parameters = Measurements(), measure.component.parameters
    try:
        function = resolve("measures", measure.component.name, base=Path())
        scale = declared_scale(function, measure.component.name, **parameters)
    except InputError as error:
        raise _Failed(f"{error.problem}: {error.found}") from error
    given = {*given_models(record["study"])}
    for levels in cells_of(recorded_factors(record["study"])):
        runs = [run for run in plan if run.get("levels", {}) == dict(levels)]
        answers = _answers(out, runs, measure.probe)
        models = [model for model in record["study"]["models"] if model in answers]
        if not models:
            continue
        first = next(iter(answers[models[0]].values()))
        for arm, of_arm in first.items():
            ask = partial(_ask, function, parameters, of_arm.ids, name)
            pairs = {
                (a, b): _of_models(
                    a, b, answers, arm, levels, ask, name, found, one_recipe=not {a, b} & given
                )
                for a, b in combinations_with_replacement(models, 2)
                if a != b or len(answers[a]) > 1
            }
            if not pairs:
                continue
            found.arms.append(
                ArmScores(
                    probe=name,
                    arm=arm,
                    metric="",
                    ids=of_arm.ids,
                    clusters=of_arm.clusters,
                    chance=NO_CHANCE,
                    scale=scale,
                    scores={},
                    seeds={model: tuple(answers[model]) for model in models},
                    levels=levels,
                    examples=digest([name, of_arm.ids.tolist()]),
                    pairs=pairs,
                )
            )
    return found


def _of_models(
    a: str,
    b: str,
    answers: _Answers,
    arm: str,
    levels: Levels,
    ask: _Ask,
    name: str,
    found: Measurements,
    *,
    one_recipe: bool,
) -> np.ndarray:
    """Measure the pairs of two models on one arm, and add a row for each.

    Parameters
    ----------
    one_recipe : whether both were trained here, so that equal seeds mean equal orders of examples

    Returns
    -------
    float [seeds of a, seeds of b, n], NaN for pairs that count in no mean
    """
    n = len(next(iter(answers[a].values()))[arm])
    values = np.full((len(answers[a]), len(answers[b]), n), np.nan)
    for (i, first), (j, second) in product(enumerate(answers[a]), enumerate(answers[b])):
        if a == b and i >= j:
            continue
        shares_order = one_recipe and a != b and first == second
        try:
            value = ask(answers[a][first][arm], answers[b][second][arm])
        except DoesNotApply as error:
            text = f"{name} has no value of {a} seed {first} with {b} seed {second}"
            if not shares_order:
                found.undefined.setdefault(key_of(levels, [a, b]), f"{text}: {error.problem}")
            continue
        if not shares_order:
            values[i, j] = value
        found.rows.append(
            {"measure": name, "model": a, "seed": first, "partner": b, "partner_seed": second}
            | {"arm": arm, "shares_order": shares_order, "value": float(value.mean()), "n": n}
            | {"cell": cell_name(levels), **dict(levels)}
        )
    return values


def _ask(
    function: Callable[..., Any],
    parameters: Mapping[str, Any],
    ids: np.ndarray,
    name: str,
    a: Predictions,
    b: Predictions,
) -> np.ndarray:
    """Ask a measure of two networks; float [n].

    Raises
    ------
    DoesNotApply : it has no value of these two
    _Failed : it fails, or returns something else than a finite value an image
    """
    try:
        measured = measurement_of(function(a, b, **parameters), ids, where=name)
        if len(measured.arms) > 1 or not np.array_equal(np.sort(measured.ids), ids):
            raise InputError("a measure of two gives one value an image", found=measured.arms)
    except DoesNotApply:
        raise
    except InputError as error:
        raise _Failed(f"{error.problem}, found {error.found}") from error
    except Exception as error:
        raise _Failed(f"{type(error).__name__}: {error}") from error
    return measured.values[np.argsort(measured.ids, kind="stable")]


def _answers(out: Path, runs: Sequence[Mapping[str, Any]], probe: str) -> _Answers:
    """Read what the finished runs of a cell answered on a probe."""
    files = []
    for run in runs:
        folder = out / "runs" / run["run_id"]
        path = folder / "predictions" / f"{probe}.parquet"
        if (folder / "run.json").is_file() and path.is_file():
            files.append((run, path))
    answers: _Answers = {}
    for (run, _), arms in zip(files, predictions_by_arm([p for _, p in files]), strict=True):
        answers.setdefault(run["model"], {})[run["seed"]] = arms
    return answers
