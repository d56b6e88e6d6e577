"""From stored measurements of networks to scores that can be compared, and their estimates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.analysis.compare import Row, within
from priorscope.claims import ArmScores, Claim, Settings, Term, claim_scores
from priorscope.claims.inference import crossed
from priorscope.claims.verdicts import Measured
from priorscope.errors import InputError
from priorscope.metrics import Chance
from priorscope.runs.measurements import Stored, file_of, read_measurement
from priorscope.runs.store import read_run, recorded_plan
from priorscope.study.levels import Levels, cell_name, cells_of, recorded_factors
from priorscope.study.plain import digest

Undefined = dict[tuple[frozenset, frozenset], str]
NO_CHANCE = Chance(float("nan"), words="")


@dataclass(frozen=True, eq=False)
class Measurements:
    """What networks, or pairs of them, were measured to be.

    Attributes
    ----------
    arms : of every measure and cell
    rows : one a network or pair x arm, see `findings.Findings`
    missing : files of finished runs that are not there, relative to the output folder
    sources : measure -> where its values come from, and what stands in their way
    undefined : of one measure: the cells and models of which it has no value, and why
    """

    arms: list[ArmScores] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    sources: dict[str, Measured] = field(default_factory=dict)
    undefined: Undefined = field(default_factory=dict)

    def add(self, other: "Measurements") -> None:
        """Take over all that others have."""
        self.arms.extend(other.arms)
        self.rows.extend(other.rows)
        self.missing.extend(other.missing)
        self.sources.update(other.sources)


def read_measurements(out: Path, record: Mapping[str, Any], *, budget: float = 1.0) -> Measurements:
    """Read what the finished runs of a study were measured to be, cell by cell.

    Parameters: as `read_scores`; a `study.json` of before the measures names none.

    Raises
    ------
    InputError : a file is damaged, or two runs were not measured on the same images
    """
    plan = recorded_plan(record, budget)
    declared, found = record["study"].get("measures") or {}, Measurements()
    about = record.get("measures") or {}
    asked = [name for name, each in about.items() if each["kind"] == "network"]
    for name in asked:
        undefined: Undefined = {}
        for levels in cells_of(recorded_factors(record["study"])):
            stored: list[tuple[Row, Path, Stored]] = []
            for run in plan:
                folder = out / "runs" / run["run_id"]
                if run.get("levels", {}) != dict(levels):
                    continue
                file = f"runs/{run['run_id']}/{file_of(name)}"
                done = (folder / "run.json").is_file()
                entry = read_run(folder).get("measurements", {}).get(name, {}) if done else {}
                if "does_not_apply" in entry:
                    undefined[key_of(levels, [run["model"]])] = (
                        f"{name} has no value of {run['model']} seed {run['seed']}: "
                        f"{entry['does_not_apply']}"
                    )
                elif "of" in entry and (out / file).is_file():
                    stored.append((run, out / file, read_measurement(out / file)))
                elif name in declared:
                    found.missing.append(file)
            found.arms.extend(_arms(name, levels, stored, budget))
            found.rows.extend(row for each in stored for row in _rows(name, levels, *each))
        found.sources[name] = Measured(file_of(name), undefined=undefined)
    return found


def key_of(levels: Levels, models: Sequence[str]) -> tuple[frozenset, frozenset]:
    """Return what a cell and the models of a term are looked up by."""
    return frozenset(levels), frozenset(models)


def _arms(
    name: str, levels: Levels, stored: Sequence[tuple[Row, Path, Stored]], budget: float
) -> list[ArmScores]:
    """Bring the networks of a cell together, arm by arm; layers need not be those of all models."""
    by_arm: dict[str, list[tuple[Row, Path, Stored]]] = {}
    for run, path, each in stored:
        for arm in each.measurement.arms:
            rows = np.flatnonzero(each.measurement.conditions["arm"] == arm)
            rows = rows[np.argsort(each.measurement.ids[rows], kind="stable")]
            clusters = None if each.clusters is None else each.clusters[rows]
            of_arm = replace(each, measurement=each.measurement.take(rows), clusters=clusters)
            by_arm.setdefault(arm, []).append((run, path, of_arm))
    made = []
    for arm, found in by_arm.items():
        _, first_path, of_first = found[0]
        first = of_first.measurement
        scores: dict[str, list[np.ndarray]] = {}
        seeds: dict[str, list[int]] = {}
        for run, path, each in found:
            measurement = each.measurement
            if not np.array_equal(first.ids, measurement.ids) or each.scale != of_first.scale:
                raise InputError(
                    "two runs were not measured on the same images, or not alike",
                    where=f"{first_path} and {path}",
                    found=f"arm {arm}: {len(first)} and {len(measurement)} values",
                    hint="remove the older of the two files and run the study again",
                )
            scores.setdefault(run["model"], []).append(measurement.values)
            seeds.setdefault(run["model"], []).append(run["seed"])
        made.append(
            ArmScores(
                probe=name,
                arm=arm,
                metric="",
                ids=first.ids,
                clusters=of_first.clusters,
                chance=NO_CHANCE,
                scale=of_first.scale,
                scores={model: np.stack(values) for model, values in scores.items()},
                seeds={model: tuple(of_model) for model, of_model in seeds.items()},
                levels=levels,
                examples=digest([name, first.ids.tolist()]),
                budget=budget,
            )
        )
    return made


def _rows(name: str, levels: Levels, run: Row, _: Path, stored: Stored) -> list[Row]:
    """List a network's mean on each arm, with the arm's other conditions where they are one."""
    rows = []
    for arm in stored.measurement.arms:
        of_arm = stored.measurement.take(stored.measurement.conditions["arm"] == arm)
        constant = {
            key: column[0].item()
            for key, column in of_arm.conditions.items()
            if len(np.unique(column)) == 1
        }
        rows.append(
            {"measure": name, "model": run["model"], "seed": run["seed"], **constant}
            | {"value": float(of_arm.values.mean()), "n": len(of_arm)}
            | {"cell": cell_name(levels), **dict(levels)}
        )
    return rows


def measure_rows(arms: Sequence[ArmScores], settings: Settings) -> list[Row]:
    """Estimate every measure of each model, and of each pair of models, with an interval.

    Returns
    -------
    measure, model, partner (None of one network), arm, estimate, low, high, num_seeds, num_pairs,
    n, method; `low` and `high` are None where nothing tells how other networks or images differ
    """
    rows = []
    for arm in arms:
        networks: list[tuple[str, str | None]] = [(model, None) for model in arm.scores]
        networks += list(arm.pairs)
        for model, partner in networks:
            values = arm.scores[model] if partner is None else arm.pair(model, partner)
            if values is None:
                continue  # of equal seeds alone, or without a value
            term = Term(1.0, model, arm.levels, arm.arm, arm.budget, partner)
            scores = claim_scores(Claim(arm.probe, "", (term,)), [arm])
            assert scores is not None, "the arm has it"
            found = crossed(scores, settings.confidence)
            low, high = within(found.low, found.high, arm.scale.low, arm.scale.high)
            known = found.standard_error > 0 or found.n > 1
            rows.append(
                {"measure": arm.probe, "model": model, "partner": partner, "arm": arm.arm}
                | {"estimate": found.estimate}
                | {"low": low if known else None, "high": high if known else None}
                | {"num_seeds": min(map(len, (g.seeds for g in scores.groups)))}
                | {
                    "num_pairs": None
                    if partner is None
                    else int(np.isfinite(values).all(axis=2).sum())
                }
                | {"n": found.n, "method": found.method}
                | {"cell": arm.cell, **dict(arm.levels)}
            )
    return rows
