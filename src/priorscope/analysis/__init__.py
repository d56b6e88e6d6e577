"""From stored predictions to estimates and comparisons: `analyse`. Needs no model and no torch."""

from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from priorscope.analysis.compare import (
    Row,
    comparison_rows,
    control_rows,
    estimate_rows,
    histogram_rows,
    score_rows,
    tie_rows,
    with_holm,
)
from priorscope.analysis.control_models import check_control_models
from priorscope.analysis.crossings import crossing_rows
from priorscope.analysis.effects import effect_rows, variance_rows
from priorscope.analysis.scores import read_scores
from priorscope.analysis.training import read_training, read_warnings
from priorscope.analysis.trajectories import compare_trajectories
from priorscope.claims import ArmScores, Settings
from priorscope.claims.training import Training
from priorscope.claims.verdicts import judge
from priorscope.errors import InputError
from priorscope.preflight.fairness import check_runs, refuse
from priorscope.runs.store import read_run, read_study, write_json
from priorscope.study.hypotheses import changed_late
from priorscope.study.levels import Value, recorded_factors

__all__ = ["Analysis", "Settings", "analyse"]

_NAMES = {"probe": pl.String, "arm": pl.String, "metric": pl.String}
_INTERVAL = {"low": pl.Float64, "high": pl.Float64}
_SIZE = {"num_seeds": pl.Int64, "n": pl.Int64}
SCHEMAS = {
    "scores": {"model": pl.String, "seed": pl.Int64, **_NAMES, "value": pl.Float64, "n": pl.Int64},
    "estimates": {"model": pl.String, **_NAMES, "estimate": pl.Float64, **_INTERVAL}
    | {"method": pl.String, **_SIZE},
    "comparisons": {"a": pl.String, "b": pl.String, **_NAMES, "difference": pl.Float64, **_INTERVAL}
    | {"p_value": pl.Float64, "p_adjusted": pl.Float64, "test": pl.String}
    | {"few_seeds": pl.Boolean, **_SIZE},
    "histograms": {"model": pl.String, **_NAMES, "score": pl.Int64, "fraction": pl.Float64}
    | {**_INTERVAL, "n": pl.Int64},
    "controls": {"model": pl.String, "probe": pl.String, "metric": pl.String, "arm": pl.String}
    | {"control": pl.String, "difference": pl.Float64, **_INTERVAL, **_SIZE},
}
_KEY = {"probe": pl.String, "arm": pl.String, "metric": pl.String}
_EFFECT = dict.fromkeys(
    ("first_low", "first_high", "second", "second_low", "second_high"), pl.Float64
)
# Of studies with factors only.
FACTOR_SCHEMAS = {
    "effects": {"kind": pl.String, "a": pl.String, "b": pl.String, "factor": pl.String, **_KEY}
    | {"level": pl.String, "against": pl.String, "num_images": pl.Int64, "first": pl.Float64}
    | {**_EFFECT, "estimate": pl.Float64, **_INTERVAL, "bound": pl.String, "low_bound": pl.String}
    | {"high_bound": pl.String, "p_value": pl.Float64, "p_adjusted": pl.Float64}
    | {"crossing": pl.String, "method": pl.String, **_SIZE},
    "variance": {**_KEY, "term": pl.String, "source": pl.String, "sum_sq": pl.Float64}
    | {"df": pl.Int64, "share": pl.Float64, "share_adjusted": pl.Float64, "f": pl.Float64}
    | {"p_value": pl.Float64, "num_seeds": pl.Int64},
}


@dataclass(frozen=True, eq=False)
class Analysis:
    """The tables of OUT/analysis; their columns are in `SCHEMAS`.

    A study with factors adds one column for each factor, and `cell`, which names the level of every
    factor: `task=far_relation,train_fraction=0.1`. No row is about more than one cell. What factors
    do is in two more tables, whose columns are in `FACTOR_SCHEMAS`: `effects`, where `cell` names
    the levels of the *other* factors, and `variance`.

    Attributes
    ----------
    scores : one row a run x probe x arm
    estimates : one row a model x cell x probe x arm; the model "chance" is a row of each
    comparisons : one row a pair of models x cell x probe x arm
    histograms : one row a model x cell x probe x arm x score, for counts
    controls : one row a model x cell x probe x control arm
    effects : interactions and data multipliers (`effects.effect_rows`), and where differences
        change their sign (`crossings.crossing_rows`); empty without factors
    variance : shares of the variance, see `effects.variance_rows`; empty without factors
    control_models : what control models must score beside what they scored, see
        `control_models.check_control_models`
    verdicts : one row a hypothesis, see `claims.verdicts.judge`
    scales : one row a cell x probe x arm x metric: range, unit and words, and what chance is
    ties : the runs whose answers tie on some rows, see `compare.tie_rows`
    missing : the runs, by id, of which any predictions are missing
    missing_predictions : the files, relative to OUT
    settings : how intervals and p-values were computed
    """

    scores: pl.DataFrame
    estimates: pl.DataFrame
    comparisons: pl.DataFrame
    histograms: pl.DataFrame
    controls: pl.DataFrame
    effects: pl.DataFrame
    variance: pl.DataFrame
    control_models: list[Row]
    verdicts: list[Row]
    scales: list[Row]
    ties: list[Row]
    missing: tuple[str, ...]
    missing_predictions: tuple[str, ...]
    settings: Settings


def analyse(out: Path, settings: Settings | None = None) -> Analysis:
    """Compute all tables from the predictions in `out`, and write them to `out`/analysis.

    Runs without predictions are left out and named. The same predictions give the same bytes.

    Parameters
    ----------
    out : the output folder of a study
    settings : by default 95 % intervals from 10,000 resamples, seed 0

    Raises
    ------
    InputError : not the output folder of a study, no predictions at all, a damaged file, or runs
        that did not answer the same examples
    """
    settings = settings or Settings()
    if not (out / "study.json").is_file():
        raise InputError(
            "not the output folder of a study", where=out, allowed="a folder with study.json"
        )
    record = read_study(out)
    folders = [out / "runs" / run["run_id"] for run in record["plan"]]
    runs = [read_run(folder) for folder in folders if (folder / "run.json").is_file()]
    refuse(
        check_runs(runs, record["study"].get("declared")),
        where=out / "runs",
        hint="priorscope run brings every run of a study to the same data and probes; "
        "runs made elsewhere belong into folders of their own",
    )
    arms, missing_files = read_scores(out, record)
    if not arms:
        raise InputError(
            "no run of this study has predictions",
            where=out / "runs",
            hint="priorscope run continues with the runs that are not finished",
        )
    stability = record["study"].get("stability")
    at_part = [] if not stability else read_scores(out, record, budget=stability["budget"])[0]
    rows: dict[str, list[Row]] = {name: [] for name in SCHEMAS}
    ties: list[Row] = []
    for _, of_probe in groupby(arms, key=lambda arm: (arm.cell, arm.probe)):
        probe_arms = list(of_probe)
        for arm in probe_arms:
            rows["scores"] += score_rows(arm)
            rows["estimates"] += estimate_rows(arm, settings)
            rows["comparisons"] += comparison_rows(arm, settings)
            rows["histograms"] += histogram_rows(arm, settings)
            ties += tie_rows(arm)
        rows["controls"] += control_rows(probe_arms, settings)
    rows["comparisons"] = with_holm(rows["comparisons"])
    factors = recorded_factors(record["study"])
    of_cell = {"cell": pl.String} | {name: _column(values) for name, values in factors.items()}
    tables = {
        name: pl.DataFrame(rows[name], schema=schema | (of_cell if factors else {}))
        for name, schema in SCHEMAS.items()
    }
    of_factors: dict[str, list[Row]] = {}
    if factors:
        of_factors = {"effects": effect_rows(arms, record, settings)}
        of_factors["effects"] += crossing_rows(arms, record, settings)
        of_factors["variance"] = variance_rows(arms, record)
    compared = {
        name: pl.DataFrame(
            of_factors.get(name, []), schema=schema | (of_cell if name == "effects" else {})
        )
        for name, schema in FACTOR_SCHEMAS.items()
    }
    missing = tuple(dict.fromkeys(Path(file).parts[1] for file in missing_files))
    training = read_training(out, record)
    matched = compare_trajectories(out, record, arms, settings)
    analysis = Analysis(
        **tables,
        **compared,
        control_models=check_control_models(record, rows["estimates"]),
        verdicts=judge(
            record,
            [*arms, *at_part],
            missing_files,
            training,
            settings,
            warnings=read_warnings(out, record),
        ),
        scales=[_scale_row(arm) for arm in arms],
        ties=ties,
        missing=missing,
        missing_predictions=tuple(missing_files),
        settings=settings,
    )
    _write(analysis, tables | (compared if factors else {}), training, record, out / "analysis")
    write_json(matched, out / "analysis" / "matched.json")
    return analysis


def _scale_row(arm: ArmScores) -> Row:
    names = {"cell": arm.cell, "probe": arm.probe, "arm": arm.arm, "metric": arm.metric}
    return names | {"scale": asdict(arm.scale), "chance": arm.chance.words}


def _column(values: list[Value]) -> type[pl.DataType]:
    """Choose the type of a factor's column."""
    kinds = {type(value) for value in values}
    if kinds == {int}:
        return pl.Int64
    return pl.Float64 if kinds <= {int, float} else pl.Boolean if kinds == {bool} else pl.String


def _write(
    analysis: Analysis,
    tables: dict[str, pl.DataFrame],
    training: dict[str, Training],
    study: dict[str, Any],
    folder: Path,
) -> None:
    """Write every file beside its place and rename it into it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        beside = folder / f"{name}.parquet.partial"
        with beside.open("wb") as file:
            table.write_parquet(file)
        beside.replace(folder / f"{name}.parquet")
    late = changed_late(study.get("history", []))
    verdicts = {
        "verdicts": analysis.verdicts,
        "num_hypotheses": len(analysis.verdicts),
        "correction": "Holm",
        "withdrawn_after_results": {
            name: when for name, when in late.items() if when.startswith("withdrawn")
        },
        "training": {
            model: asdict(how) | {"obstacle": how.obstacle} for model, how in training.items()
        },
    }
    write_json(verdicts, folder / "verdicts.json")
    settings = analysis.settings
    record = {
        "missing": list(analysis.missing),
        "missing_predictions": list(analysis.missing_predictions),
        "alpha": settings.alpha,
        "num_resamples": settings.num_resamples,
        "rng_seed": settings.rng_seed,
        "scales": analysis.scales,
        "ties": analysis.ties,
    }
    if analysis.control_models:
        record["control_models"] = analysis.control_models
    write_json(record, folder / "analysis.json")
