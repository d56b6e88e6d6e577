"""Read what a study left on disk: all that a report is made of."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from priorscope.errors import InputError
from priorscope.metrics import Scale
from priorscope.runs.seals import rows_digest
from priorscope.runs.store import read_json, read_lines, read_run, read_study
from priorscope.study.levels import Value, cell_name, recorded_factors

CHANCE = "chance"
Row = dict[str, Any]

_EPOCH_KEYS = {"epoch", "train_loss", "train_accuracy", "test_accuracy"}


@dataclass(frozen=True, eq=False)
class Artefacts:
    """The output folder of a study, read.

    Attributes
    ----------
    record : `study.json`
    runs : `run.json` of every finished run of the plan, in the plan's order
    epochs : the lines of every `metrics.jsonl`, each with `model`, `seed` and `cell`
    samples : probe (or "train") -> rows with `id, arm, label, cluster, png`
    scores, estimates, comparisons, histograms, controls : the rows of the files of `analysis/`
    analysis : `analysis.json`
    judged : `verdicts.json`
    matched : `matched.json`
    effects, variance : the rows of `effects.parquet` and `variance.parquet`; none without factors
    """

    out: Path
    record: Row
    runs: list[Row]
    epochs: list[Row]
    samples: dict[str, list[Row]]
    scores: list[Row]
    estimates: list[Row]
    comparisons: list[Row]
    histograms: list[Row]
    controls: list[Row]
    analysis: Row
    judged: Row
    matched: dict[str, list[Row]]
    effects: list[Row]
    variance: list[Row]

    @property
    def verdicts(self) -> list[Row]:
        """List the verdicts, in the study's order of hypotheses."""
        return self.judged["verdicts"]

    @property
    def study(self) -> Row:
        """Return the study as it was resolved."""
        return self.record["study"]

    @property
    def models(self) -> list[str]:
        """List the models in the study's order."""
        return list(self.study["models"])

    @property
    def factors(self) -> dict[str, list[Value]]:
        """Map each factor of the study to the values of its levels; empty without factors."""
        return recorded_factors(self.study)

    @property
    def probes(self) -> dict[str, Row]:
        """Map the study's probes (without "test") to their component and parameters."""
        return {name: dict(probe) for name, probe in (self.study.get("probes") or {}).items()}

    @property
    def missing(self) -> list[Row]:
        """List the planned runs that have not finished, or that the analysis lacked."""
        there = {run["run_id"] for run in self.runs} - set(self.analysis.get("missing", []))
        return [run for run in self.record["plan"] if run["run_id"] not in there]

    @property
    def confidence(self) -> str:
        """Name the level of the intervals: "95 %"."""
        return f"{100 * (1 - self.analysis['alpha']):g}\N{NO-BREAK SPACE}%"

    def arms(self, probe: str) -> list[str]:
        """List a probe's arms: first the condition under test, then its controls."""
        rows = self.samples.get(probe, []) + [r for r in self.estimates if r["probe"] == probe]
        return list(dict.fromkeys(row["arm"] for row in rows))

    def metrics(self, probe: str) -> list[str]:
        """List the metrics that a probe was scored with, the main one first."""
        rows = [row for row in self.estimates if row["probe"] == probe]
        return list(dict.fromkeys(row["metric"] for row in rows))

    def scale(self, probe: str, arm: str, metric: str) -> Scale:
        """Return range, unit and words of a metric on an arm."""
        for row in self.analysis.get("scales", []):
            if (row["probe"], row["arm"], row["metric"]) == (probe, arm, metric):
                return Scale(**row["scale"])
        return Scale(metric.replace("_", " "))

    def chance_words(self, probe: str, arm: str, metric: str) -> str:
        """Say what answer chance is the score of; empty where that is not known."""
        for row in self.analysis.get("scales", []):
            if (row["probe"], row["arm"], row["metric"]) == (probe, arm, metric):
                return row["chance"]
        return ""

    def is_counted(self, probe: str, arm: str, metric: str) -> bool:
        """Tell whether scores are counts, whose histogram says more than their mean."""
        return bool(select(self.histograms, probe=probe, arm=arm, metric=metric))

    def is_clear(self, comparison: Row) -> bool:
        """Tell whether a difference is clear: small adjusted p, and an interval without zero.

        The p-value is about these trained networks on other images, the interval about other
        seeds as well: either alone would call too much clear.
        """
        p, low, high = (comparison[key] for key in ("p_adjusted", "low", "high"))
        if p is None or low is None or high is None:
            return False
        return p < self.analysis["alpha"] and (low > 0 or high < 0)

    def estimate(self, model: str, probe: str, arm: str, metric: str) -> Row | None:
        """Find one row of the estimates."""
        rows = select(self.estimates, model=model, probe=probe, arm=arm, metric=metric)
        return rows[0] if rows else None


def select(rows: list[Row], **wanted: object) -> list[Row]:
    """Keep the rows whose columns equal the wanted values."""
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def read_artefacts(out: Path) -> Artefacts:
    """Read a study's output folder.

    Raises
    ------
    InputError : the folder is no study's, has no finished run, lacks its analysis, or a file is
        damaged
    """
    if not (out / "study.json").is_file():
        raise InputError(
            "not the output folder of a study", where=out, allowed="a folder with study.json"
        )
    record = read_study(out)
    runs, epochs = [], []
    for planned in record["plan"]:
        folder = out / "runs" / planned["run_id"]
        if (folder / "run.json").is_file():
            run = read_run(folder)
            runs.append(run)
            epochs += [
                {"model": run["model"], "seed": run["seed"], "cell": cell_of(run)} | line
                for line in _epoch_lines(folder / "metrics.jsonl")
            ]
    if not runs:
        raise InputError(
            "no run of this study has finished",
            where=out / "runs",
            hint="priorscope run continues with the runs that are not finished",
        )
    return Artefacts(
        out,
        record,
        runs,
        epochs,
        read_samples(out, record),
        _rows(out / "analysis" / "scores.parquet"),
        _rows(out / "analysis" / "estimates.parquet"),
        _rows(out / "analysis" / "comparisons.parquet"),
        _rows(out / "analysis" / "histograms.parquet"),
        _rows(out / "analysis" / "controls.parquet"),
        read_json(_existing(out / "analysis" / "analysis.json"), "missing", "alpha", "scales"),
        read_json(_existing(out / "analysis" / "verdicts.json"), "verdicts", "training"),
        read_json(_existing(out / "analysis" / "matched.json"), "points", "pairs"),
        *(
            _rows(out / "analysis" / f"{name}.parquet") if record["study"].get("factors") else []
            for name in ("effects", "variance")
        ),
    )


def cell_of(run: Row) -> str:
    """Name the cell of a run, planned or finished; empty in a study without factors."""
    return cell_name(run.get("levels", {}).items())


def read_samples(out: Path, record: Row, cell: str | None = None) -> dict[str, list[Row]]:
    """Read the images that stand for a cell; without one, for the first cell of the study."""
    folder = out / "samples"
    for entry in record.get("cells", []):
        if cell is None or entry["cell"] == cell:
            folder /= entry["samples"]
            break
    names = ["train", *(record["study"].get("probes") or {})]
    files = {name: folder / f"{name}.parquet" for name in names}
    return {name: _sample_rows(path) for name, path in files.items() if path.is_file()}


def _epoch_lines(path: Path) -> list[Row]:
    lines = read_lines(_existing(path))
    for line in lines:
        if not set(line) >= _EPOCH_KEYS:
            allowed = f"at least {', '.join(sorted(_EPOCH_KEYS))}"
            raise InputError("a line is no epoch", where=path, found=line, allowed=allowed)
    return lines


def _sample_rows(path: Path) -> list[Row]:
    import pyarrow.parquet as pq  # what prints a plan reads no tables

    try:
        with path.open("rb") as file:
            table = pq.read_table(file)
        rows = table.to_pylist()
        digest = (table.schema.metadata or {}).get(b"digest")  # earlier versions wrote none
        if digest is not None and digest.decode() != rows_digest(rows):
            raise ValueError("the rows are not those that were written")
    except Exception as error:  # a damaged description makes the reader raise almost anything
        hint = "priorscope run writes it anew"
        raise InputError("file is not Parquet", where=path, found=error, hint=hint) from None
    return rows


def _rows(path: Path) -> list[Row]:
    import polars as pl  # as above

    try:
        rows = pl.read_parquet(_existing(path).read_bytes()).to_dicts()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError("file is not Parquet", where=path, found=error) from None
    return [{key: _none_if_nan(value) for key, value in row.items()} for row in rows]


def _none_if_nan(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise InputError(
            "a report needs this file",
            where=path,
            hint="priorscope report DIR analyses the stored predictions and writes it",
        )
    return path
