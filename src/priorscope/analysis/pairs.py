"""Measures of two networks, from the predictions or stored features of all pairs of them."""

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
from priorscope.measures import WHOLE, DoesNotApply, Measurement, of_pair
from priorscope.metrics import declared_scale
from priorscope.runs.features import Features, read_features
from priorscope.runs.measurements import file_of, in_state
from priorscope.runs.store import read_run, recorded_plan
from priorscope.study.given import given_models
from priorscope.study.levels import Levels, cell_name, cells_of, recorded_factors
from priorscope.study.measures import Measure, measures_of
from priorscope.study.plain import digest

_PACKAGED = "error_consistency"  # asked of studies of before the measures too
_Side = Predictions | Features
_Sides = dict[str, dict[int, Mapping[str, _Side]]]  # model -> seed -> arm
_Ask = Callable[[_Side, _Side], tuple[Measurement, Measurement | None]]


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
    augmentation, where both were trained here: their pairs are among the rows, marked, and count
    in no mean. A model's own pairs are of its seeds, each pair once. A measure that fails has no
    values, and says why.

    Parameters: as `read_scores`.

    Raises
    ------
    InputError : a file of predictions is damaged, or two runs did not answer the same examples
    """
    plan = recorded_plan(record, budget)
    found = Measurements()
    for name, measure in _of_two(record).items():
        material = measure.material(str(_kind(record, name)))
        source = Measured(
            file_of(name, material) if material else f"predictions/{measure.probe}.parquet"
        )
        try:
            of_measure = _ask_all(name, measure, source.file, out, record, plan)
        except _Failed as error:
            found.sources[name] = replace(source, failed=f"{name} failed: {error}")
            continue
        found.add(of_measure)
        found.arms[:] = [replace(arm, budget=budget) for arm in found.arms]
        found.sources[name] = replace(source, undefined=of_measure.undefined)
    return found


def _of_two(record: Mapping[str, Any]) -> dict[str, Measure]:
    """List the measures of two networks; what networks one of a study takes is in `study.json`."""
    return {
        name: measure
        for name, measure in measures_of(record["study"]).items()
        if _kind(record, name) in ("predictions", "features")
    }


def _kind(record: Mapping[str, Any], name: str) -> str | None:
    about = record.get("measures", {_PACKAGED: {"kind": "predictions"}})
    return about.get(name, {}).get("kind")


def _ask_all(
    name: str,
    measure: Measure,
    file: str,
    out: Path,
    record: Mapping[str, Any],
    plan: Sequence[Mapping[str, Any]],
) -> Measurements:
    found, parameters = Measurements(), measure.component.parameters
    try:
        function = resolve("measures", measure.component.name, base=Path())
        scale = declared_scale(function, measure.component.name, **parameters)
        scale = in_state(scale, measure.state)
    except InputError as error:
        raise _Failed(f"{error.problem}: {error.found}") from error
    given = {*given_models(record["study"])}
    for levels in cells_of(recorded_factors(record["study"])):
        runs = [run for run in plan if run.get("levels", {}) == dict(levels)]
        if _kind(record, name) == "features":
            sides = _features(out, runs, name, levels, found)
        else:
            if measure.state == "untrained":
                begun = [run for run in runs if run["model"] not in given]
                found.missing.extend(_missing(out, begun, file))
            sides = _answers(out, runs, file)
        models = [model for model in record["study"]["models"] if model in sides]
        if not models:
            continue
        first = next(iter(sides[models[0]].values()))
        for arm, of_arm in first.items():
            ask = partial(_ask, function, parameters, name)
            order = np.argsort(of_arm.ids, kind="stable")
            pairs = {
                (a, b): _of_models(
                    a, b, sides, arm, levels, ask, name, found, one_recipe=not {a, b} & given
                )
                for a, b in combinations_with_replacement(models, 2)
                if a != b or len(sides[a]) > 1
            }
            if not pairs:
                continue
            found.arms.append(
                ArmScores(
                    probe=name,
                    arm=arm,
                    metric="",
                    ids=of_arm.ids[order],
                    clusters=None if of_arm.clusters is None else of_arm.clusters[order],
                    chance=NO_CHANCE,
                    scale=scale,
                    scores={},
                    seeds={model: tuple(sides[model]) for model in models},
                    levels=levels,
                    examples=digest([name, of_arm.ids[order].tolist()]),
                    pairs=pairs,
                )
            )
    return found


def _of_models(
    a: str,
    b: str,
    sides: _Sides,
    arm: str,
    levels: Levels,
    ask: _Ask,
    name: str,
    found: Measurements,
    *,
    one_recipe: bool,
) -> np.ndarray:
    """Measure the pairs of two models on one arm, and add a row for each, and for its parts.

    Parameters
    ----------
    one_recipe : whether both were trained here, so that equal seeds mean equal orders of examples

    Returns
    -------
    float [seeds of a, seeds of b, n] in the order of ids, NaN for pairs that count in no mean
    """
    n = len(next(iter(sides[a].values()))[arm])
    values = np.full((len(sides[a]), len(sides[b]), n), np.nan)
    for (i, first), (j, second) in product(enumerate(sides[a]), enumerate(sides[b])):
        if a == b and i >= j:
            continue
        shares_order = one_recipe and a != b and first == second
        one, other = sides[a][first][arm], sides[b][second][arm]
        try:
            whole, parts = ask(one, other)
        except DoesNotApply as error:
            text = f"{name} has no value of {a} seed {first} with {b} seed {second}"
            if not shares_order:
                found.undefined.setdefault(key_of(levels, [a, b]), f"{text}: {error.problem}")
            continue
        if not shares_order:
            values[i, j] = whole.values[np.argsort(one.ids, kind="stable")]
        row = {"measure": name, "model": a, "seed": first, "partner": b, "partner_seed": second}
        place = {"shares_order": shares_order, "cell": cell_name(levels), **dict(levels)}
        named = replace(whole, conditions=whole.conditions | {"arm": np.full(n, arm)})
        for part in (named, *([parts] if parts is not None else [])):
            found.rows.extend(row | place | of_part for of_part in _means(part))
    return values


def _means(part: Measurement) -> list[dict[str, Any]]:
    """List the mean of each arm, with the arm's other conditions where they are one."""
    rows = []
    for arm in part.arms:
        of_arm = part.take(part.conditions["arm"] == arm)
        constant = {
            key: column[0].item()
            for key, column in of_arm.conditions.items()
            if len(np.unique(column)) == 1
        }
        rows.append(constant | {"value": float(of_arm.values.mean()), "n": len(of_arm)})
    return rows


def _ask(
    function: Callable[..., Any], parameters: Mapping[str, Any], name: str, a: _Side, b: _Side
) -> tuple[Measurement, Measurement | None]:
    """Ask a measure of two networks: its values, one an image in the order of `a`, and the rest.

    Raises
    ------
    DoesNotApply : it has no value of these two
    _Failed : it fails, or returns something else than a finite value an image
    """
    pair = [side.arrays if isinstance(side, Features) else side for side in (a, b)]
    ids = np.arange(len(a)) if isinstance(a, Features) else a.ids
    try:
        return of_pair(function(*pair, **parameters), ids, where=name)
    except DoesNotApply:
        raise
    except InputError as error:
        raise _Failed(f"{error.problem}, found {error.found}") from error
    except Exception as error:
        raise _Failed(f"{type(error).__name__}: {error}") from error


def _features(
    out: Path,
    runs: Sequence[Mapping[str, Any]],
    name: str,
    levels: Levels,
    found: Measurements,
) -> _Sides:
    """Read the features of the finished runs of a cell; note those that are not there.

    Raises
    ------
    InputError : a file is damaged, or two runs were not asked on the same images
    """
    sides: _Sides = {}
    first: tuple[Path, Features] | None = None
    for run in runs:
        folder = out / "runs" / run["run_id"]
        if not (folder / "run.json").is_file():
            continue
        path = folder / (file := file_of(name, "features"))
        entry = read_run(folder).get("measurements", {}).get(name, {})
        if "does_not_apply" in entry:
            text = f"{name} has no value of {run['model']} seed {run['seed']}"
            for other in {each["model"] for each in runs}:
                key = key_of(levels, [run["model"], other])
                found.undefined.setdefault(key, f"{text}: {entry['does_not_apply']}")
        elif "of" not in entry or not path.is_file():
            found.missing.append(f"runs/{run['run_id']}/{file}")
        else:
            stored = read_features(path)
            first = first or (path, stored)
            if not np.array_equal(first[1].ids, stored.ids):
                raise InputError(
                    "two runs were not measured on the same images",
                    where=f"{first[0]} and {path}",
                    found=f"{len(first[1])} and {len(stored)} images",
                    hint="remove the older of the two files and run the study again",
                )
            sides.setdefault(run["model"], {})[run["seed"]] = {WHOLE: stored}
    return sides


def _missing(out: Path, runs: Sequence[Mapping[str, Any]], file: str) -> list[str]:
    """List the files that finished runs of a cell have not, relative to the output folder."""
    files = [f"runs/{run['run_id']}/{file}" for run in runs]
    done = [(out / "runs" / run["run_id"] / "run.json").is_file() for run in runs]
    there = zip(files, done, strict=True)
    return [each for each, finished in there if finished and not (out / each).is_file()]


def _answers(out: Path, runs: Sequence[Mapping[str, Any]], file: str) -> _Sides:
    """Read what the networks of the finished runs of a cell answered, from a file of each."""
    files = []
    for run in runs:
        folder = out / "runs" / run["run_id"]
        path = folder / file
        if (folder / "run.json").is_file() and path.is_file():
            files.append((run, path))
    answers: _Sides = {}
    for (run, _), arms in zip(files, predictions_by_arm([p for _, p in files]), strict=True):
        answers.setdefault(run["model"], {})[run["seed"]] = arms
    return answers
