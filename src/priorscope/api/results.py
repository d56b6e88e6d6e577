"""What a study found: tables, predictions, networks and figures of its output folder."""

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from priorscope.analysis import Findings, analyse
from priorscope.api.tables import as_html
from priorscope.errors import NO_ROOM, InputError, StorageFailed, unknown_name
from priorscope.evaluation import Predictions, read_predictions
from priorscope.runs.store import read_study
from priorscope.study.levels import cell_name, recorded_factors

if TYPE_CHECKING:
    from torch import nn

    from priorscope.report.figure import Panel

_VERDICTS: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("id", "statement", "verdict", "reason", "contrast"), pl.String),
    **dict.fromkeys(("probe", "metric", "measure", "condition", "at", "expect"), pl.String),
    **dict.fromkeys(("margin", "alpha", "estimate", "low", "high", "confidence"), pl.Float64),
    **dict.fromkeys(("p_value", "p_adjusted", "standard_error", "df"), pl.Float64),
    **dict.fromkeys(("n", "num_seeds"), pl.Int64),
    **dict.fromkeys(("method", "changed_after_results"), pl.String),
}
_SHOWN = ("id", "statement", "verdict", "estimate", "low", "high", "p_adjusted", "reason")


class Results:
    """The results of a study, from its output folder: `ps.open(out)`, or what `ps.run` returns.

    They are the folder and all in it, of which `findings` is what was computed from predictions.

    Tables are polars frames (`.to_pandas()` makes pandas'). They are computed from the stored
    predictions when one is first asked for, and stay: open the folder again to see runs that
    finished since. Values are in the metric's own units.

    Attributes
    ----------
    out : the output folder
    """

    def __init__(self, out: str | Path):
        self.out = Path(out)
        if not (self.out / "study.json").is_file():
            raise InputError(
                "no study lies there",
                where=self.out,
                found="no study.json" if self.out.is_dir() else "no such folder",
                allowed="the output folder of `priorscope run`",
            )
        self._record = read_study(self.out)

    @property
    def name(self) -> str:
        """Return the study's name."""
        return self._record["name"]

    @property
    def scores(self) -> pl.DataFrame:
        """Return one row a run x probe x arm x metric: `model, seed, ..., value, n`."""
        return self.findings.scores

    @property
    def estimates(self) -> pl.DataFrame:
        """Return one row a model (and chance) x probe x arm x metric: `estimate, low, high`."""
        return self.findings.estimates

    @property
    def comparisons(self) -> pl.DataFrame:
        """Return one row a pair of models x probe x arm x metric: `difference, low, high, p_value`.

        `p_adjusted` is Holm's over all of them.
        """
        return self.findings.comparisons

    @property
    def verdicts(self) -> pl.DataFrame:
        """Return one row a hypothesis: `verdict`, `reason`, and the interval that decides it.

        `contrast` and `at` are JSON; what else is known stands in OUT/analysis/verdicts.json.
        """
        rows = [{key: _flat(row.get(key)) for key in _VERDICTS} for row in self.findings.verdicts]
        return pl.DataFrame(rows, schema=_VERDICTS)

    @property
    def measurements(self) -> pl.DataFrame:
        """Return one row a network x measure x arm, or a pair of networks: `value, n`.

        `partner` and `partner_seed` name the second network of a pair. `shares_order` marks pairs
        of equal seed, which saw the same examples in the same order and count in no estimate.
        """
        return self.findings.measurements

    @property
    def measures(self) -> pl.DataFrame:
        """Return one row a model, or pair of models, x measure x arm: `estimate, low, high`."""
        return self.findings.measures

    @property
    def missing(self) -> tuple[str, ...]:
        """List the planned runs, by their ids, of which any predictions are missing."""
        return self.findings.missing

    def predictions(
        self, model: str, seed: int, probe: str = "test", at: Mapping[str, Any] | None = None
    ) -> Predictions:
        """Return what a run answered on a probe: logits, targets and conditions of every example.

        Parameters
        ----------
        at : the level of each factor, in a study that has factors

        Raises
        ------
        InputError : no such model, seed, probe or level; the run is not finished; a damaged file
        """
        probes = ["test", *(self._record["study"].get("probes") or {})]
        if probe not in probes:
            raise unknown_name("probe", str(probe), probes, where="probe")
        path = self._folder(model, seed, at) / "predictions" / f"{probe}.parquet"
        return read_predictions(path, in_place=True)

    def network(self, model: str, seed: int, at: Mapping[str, Any] | None = None) -> "nn.Module":
        """Return a run's network with its trained weights, on the CPU and in eval mode.

        It takes float32 [batch, 3, image_px, image_px], normalised by the `normalization` of the
        run's run.json.

        Raises
        ------
        InputError : as `predictions`, or the study's files are not those that it was trained with
        """
        from priorscope.api.network import load_network

        return load_network(self.out, self._record, self._folder(model, seed, at))

    def figure(self, name: str) -> "Panel":
        """Return a figure of the report as an Altair chart, such as `verdicts` or `training`.

        Raises
        ------
        InputError : no such figure; lists those that there are
        """
        from priorscope.report.charts import chart

        return chart(self.findings, name)

    def report(self, *, data_root: str | Path | None = None) -> Path:
        """Write the report anew from stored predictions, and return its page.

        Parameters
        ----------
        data_root : where paper/ lies, for a study that reproduces the 2021 report

        Raises
        ------
        InputError : no run has finished, or a file is damaged
        """
        from priorscope.report import build

        if self._record["study"].get("reproduces"):
            from priorscope.data import data_root as find_data_root
            from priorscope.report.sections.report_2021.curves import keep_curves, read_curves

            root = None if data_root is None else Path(data_root)
            keep_curves(self.out, read_curves(find_data_root(root)))
        self.__dict__.pop("findings", None)  # of runs that have finished since
        return build(self.findings)

    def __repr__(self) -> str:
        plan = self._record["plan"]
        finished = sum(self._is_finished(run) for run in plan)
        return f"<Results of {self.name} in {self.out}: {finished} of {len(plan)} runs finished>"

    def _repr_html_(self) -> str:
        if not any(map(self._is_finished, self._record["plan"])):
            return as_html(repr(self), {})
        verdicts = self.verdicts.select(_SHOWN)
        return as_html(repr(self), {"verdicts": verdicts, "estimates": self.estimates})

    @functools.cached_property
    def findings(self) -> Findings:
        """Return all that was computed, as the page and the commands show it."""
        try:
            return analyse(self.out)
        except OSError as error:
            raise StorageFailed(error) if error.errno in NO_ROOM else error from error

    def _is_finished(self, run: Mapping[str, Any]) -> bool:
        return (self.out / "runs" / run["run_id"] / "run.json").is_file()

    def _folder(self, model: str, seed: int, at: Mapping[str, Any] | None) -> Path:
        """Find the folder of a finished run.

        Raises
        ------
        InputError : there is no such run, or it is not finished
        """
        plan: Sequence[Mapping[str, Any]] = self._record["plan"]
        models, factors = self._record["study"]["models"], recorded_factors(self._record["study"])
        if model not in models:
            raise unknown_name("model", str(model), models, where="model")
        seeds = list(dict.fromkeys(run["seed"] for run in plan))
        if seed not in seeds:
            raise InputError("seed not in the study", where="seed", found=seed, allowed=seeds)
        of_model = list(dict.fromkeys(run["seed"] for run in plan if run["model"] == model))
        if seed not in of_model:
            raise InputError(
                f"{model} is one network, whatever the seeds",
                where="seed",
                found=seed,
                allowed=of_model,
            )
        for name in at or {}:
            if name not in factors:
                raise unknown_name("factor", str(name), factors, where="at")
        levels = dict(at or {})
        for run in plan:
            if (run["model"], run["seed"], run.get("levels", {})) == (model, seed, levels):
                break
        else:
            cells = [cell_name(run["levels"].items()) for run in plan if run.get("levels")]
            raise InputError(
                "say at which level of each factor" if factors else "no such run",
                where="at",
                found=cell_name(levels.items()) or "nothing",
                allowed=list(dict.fromkeys(cells)),
            )
        if not self._is_finished(run):
            raise InputError(
                "the run is not finished",
                where=self.out / "runs",
                found=run["run_id"],
                hint="priorscope run, or ps.run, continues with the runs that are not finished",
            )
        return self.out / "runs" / run["run_id"]


def open_results(out: str | Path) -> Results:
    """Open the output folder of a study, finished or not.

    Raises
    ------
    InputError : no study lies there, or its record is damaged
    """
    return Results(out)


def _flat(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, Mapping | list) else value
