"""The files of OUT/analysis: what is written there, and results opened from them."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from priorscope.analysis.compare import Row
from priorscope.analysis.findings import Findings, Trajectories
from priorscope.analysis.training import read_runs
from priorscope.claims import Settings
from priorscope.claims.training import Training
from priorscope.errors import InputError
from priorscope.runs.store import read_json, read_study, write_json
from priorscope.study.hypotheses import changed_late
from priorscope.study.levels import LevelValue, recorded_factors, written

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
# Further conditions of measurements, such as `layer`, are columns of their own.
MEASURE_SCHEMAS = {
    "measurements": {"measure": pl.String, "model": pl.String, "seed": pl.Int64}
    | {"partner": pl.String, "partner_seed": pl.Int64, "shares_order": pl.Boolean}
    | {"arm": pl.String, "value": pl.Float64, "n": pl.Int64},
    "measures": {"measure": pl.String, "model": pl.String, "partner": pl.String}
    | {"arm": pl.String, "estimate": pl.Float64, **_INTERVAL, "num_seeds": pl.Int64}
    | {"num_pairs": pl.Int64, "n": pl.Int64, "method": pl.String},
    "profile": {"bias": pl.Int64, "source": pl.String, "family": pl.String, "kind": pl.String}
    | {"model": pl.String, "estimate": pl.Float64, **_INTERVAL, "all_low": pl.Float64}
    | {"all_high": pl.Float64, **_SIZE, "declared": pl.Boolean, "reason": pl.String},
}
_EFFECT = dict.fromkeys(
    ("first_low", "first_high", "second", "second_low", "second_high"), pl.Float64
)
# Of studies with factors only.
FACTOR_SCHEMAS = {
    "effects": {"kind": pl.String, "a": pl.String, "b": pl.String, "factor": pl.String, **_NAMES}
    | {"level": pl.String, "against": pl.String, "num_images": pl.Int64, "first": pl.Float64}
    | {**_EFFECT, "estimate": pl.Float64, **_INTERVAL, "bound": pl.String, "low_bound": pl.String}
    | {"high_bound": pl.String, "p_value": pl.Float64, "p_adjusted": pl.Float64}
    | {"crossing": pl.String, "method": pl.String, **_SIZE},
    "variance": {**_NAMES, "term": pl.String, "source": pl.String, "sum_sq": pl.Float64}
    | {"df": pl.Int64, "share": pl.Float64, "share_adjusted": pl.Float64, "f": pl.Float64}
    | {"p_value": pl.Float64, "num_seeds": pl.Int64},
}
_HINT = "priorscope report DIR analyses the stored predictions and writes it"


def frames(
    rows: Mapping[str, list[Row]], factors: Mapping[str, list[LevelValue]]
) -> dict[str, pl.DataFrame]:
    """Make a frame of each table's rows; tables without rows have their columns all the same.

    Levels that are of several kinds are written as they are in the name of a cell.
    """
    of_cell: dict[str, Any] = {"cell": pl.String} if factors else {}
    of_cell |= {name: _column(values) for name, values in factors.items()}
    as_text = [name for name in factors if of_cell[name] == pl.String]
    made = {}
    for name, schema in (SCHEMAS | MEASURE_SCHEMAS | FACTOR_SCHEMAS).items():
        columns = schema | ({} if name == "variance" else of_cell)
        of_table = [
            row | {factor: written(row[factor]) for factor in as_text if factor in row}
            for row in rows.get(name, [])
        ]
        if name == "measurements":
            others = (key for row in of_table for key in row if key not in columns)
            columns = columns | dict.fromkeys(key for key in others if key != "cell")
        made[name] = pl.DataFrame(
            of_table, columns, strict=name != "measurements", infer_schema_length=None
        )
    return made


def _column(values: list[LevelValue]) -> type[pl.DataType]:
    """Choose the type of a factor's column."""
    kinds = {type(value) for value in values}
    if kinds == {int}:
        return pl.Int64
    return pl.Float64 if kinds <= {int, float} else pl.Boolean if kinds == {bool} else pl.String


def write_findings(results: Findings) -> None:
    """Write every file beside its place and rename it into it; the same results, the same bytes."""
    folder = results.out / "analysis"
    folder.mkdir(parents=True, exist_ok=True)
    for name in _written(factors=bool(results.factors)):
        _write(getattr(results, name), folder / f"{name}.parquet")
    (folder / "pairs").mkdir(exist_ok=True)
    pairs = results.measurements.filter(pl.col("partner").is_not_null())
    of_measures = pairs.partition_by("measure", as_dict=True)
    for path in (folder / "pairs").glob("*.parquet"):
        if (path.stem,) not in of_measures:  # of a measure that the study asked for before
            path.unlink()
    for (name,), of_measure in of_measures.items():
        _write(of_measure, folder / "pairs" / f"{name}.parquet")
    late = changed_late(results.record.get("history", []))
    verdicts = {
        "verdicts": results.verdicts,
        "num_hypotheses": len(results.verdicts),
        "correction": "Holm",
        "withdrawn_after_results": {
            name: when for name, when in late.items() if when.startswith("withdrawn")
        },
        "training": {
            model: asdict(how) | {"obstacle": how.obstacle}
            for model, how in results.training.items()
        },
    }
    write_json(verdicts, folder / "verdicts.json")
    write_json(vars(results.trajectories), folder / "matched.json")
    settings = results.settings
    record: Row = {
        "missing": list(results.missing),
        "missing_predictions": list(results.missing_predictions),
        "alpha": settings.alpha,
        "num_resamples": settings.num_resamples,
        "rng_seed": settings.rng_seed,
        "scales": results.scales,
        "ties": results.ties,
    }
    if results.failed:
        record["failed_measures"] = results.failed
    if results.control_models:
        record["control_models"] = results.control_models
    write_json(record, folder / "analysis.json")


def _written(*, factors: bool) -> dict[str, Any]:
    """Return the columns of each table of a study with or without factors."""
    return SCHEMAS | MEASURE_SCHEMAS | (FACTOR_SCHEMAS if factors else {})


def _write(table: pl.DataFrame, path: Path) -> None:
    beside = path.with_name(f"{path.name}.partial")
    with beside.open("wb") as file:  # the library opens no folder whose name is no UTF-8
        table.write_parquet(file)
    beside.replace(path)


def read_findings(out: Path) -> Findings:
    """Open the results of a study that was analysed.

    Raises
    ------
    InputError : the folder is no study's, has no finished run, was not analysed, or a file is
        damaged
    """
    record = read_record(out)
    runs, epochs = read_runs(out, record)
    folder = out / "analysis"
    made = read_json(_existing(folder / "analysis.json"), "missing", "alpha", "scales")
    judged = read_json(_existing(folder / "verdicts.json"), "verdicts", "training")
    matched = read_json(_existing(folder / "matched.json"), "points", "pairs")
    factors = recorded_factors(record["study"])
    stored = {
        name: _frame(folder / f"{name}.parquet", schema)
        for name, schema in _written(factors=bool(factors)).items()
        if name not in MEASURE_SCHEMAS or (folder / f"{name}.parquet").is_file()  # none before
    }
    return Findings(
        out=out,
        record=record,
        runs=runs,
        epochs=epochs,
        **(frames({}, factors) | stored),
        control_models=made.get("control_models") or [],
        verdicts=judged["verdicts"],
        training={model: _training(ended) for model, ended in judged["training"].items()},
        trajectories=Trajectories(matched["points"], matched["pairs"], matched.get("note")),
        scales=made["scales"],
        ties=made.get("ties", []),
        failed=made.get("failed_measures", {}),
        missing=tuple(made["missing"]),
        missing_predictions=tuple(made.get("missing_predictions", ())),
        settings=Settings(made["alpha"], made["num_resamples"], made["rng_seed"]),
    )


def read_record(out: Path) -> Row:
    """Read `study.json` of an output folder.

    Raises
    ------
    InputError : it has none, or it is damaged
    """
    if not (out / "study.json").is_file():
        raise InputError(
            "not the output folder of a study", where=out, allowed="a folder with study.json"
        )
    return read_study(out)


def _training(ended: Row) -> Training:
    kept: Row = {key: value for key, value in ended.items() if key != "obstacle"}
    for key in ("unfinished", "not_learnt"):  # JSON has no whole numbers for keys
        kept[key] = {int(seed): found for seed, found in ended[key].items()}
    return Training(**kept)


def _frame(path: Path, schema: Mapping[str, Any]) -> pl.DataFrame:
    try:
        found = pl.read_parquet(_existing(path).read_bytes())
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError("file is not Parquet", where=path, found=error) from None
    if missing := [column for column in schema if column not in found.columns]:
        raise InputError(
            "not what this version writes",
            where=path,
            found=f"without {', '.join(missing)}",
            hint=_HINT,
        )
    return found


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise InputError(
            "a report needs this file",
            where=path,
            hint=_HINT,
        )
    return path
