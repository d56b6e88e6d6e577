"""What was found in a study: what it declared, what its runs recorded, and what follows of them.

`analyse` computes it, `read_findings` opens it from a folder that was analysed before. Page,
terminal and Python share this one object; in Python, `priorscope.Results` adds the folder's
predictions, networks, figures and report.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from priorscope.analysis.compare import Row
from priorscope.claims import Settings
from priorscope.claims.training import Training
from priorscope.errors import RunFailed
from priorscope.metrics import Scale
from priorscope.study.levels import LevelValue, cell_name, recorded_factors
from priorscope.study.spec import TEST_PROBE


class Scored(NamedTuple):
    """What was scored: an arm of a probe, by a metric."""

    probe: str
    arm: str
    metric: str


@dataclass(frozen=True)
class Trajectories:
    """Probe scores along training, and at equal clean accuracy; see `compare_trajectories`.

    Attributes
    ----------
    points : one row a run x checkpoint x probe
    pairs : one row a pair of models x probe
    note : why there are none, where the reason is another than that none were kept
    """

    points: list[Row]
    pairs: list[Row]
    note: str | None


@dataclass(frozen=True, eq=False)
class Findings:
    """All that is known of a study's finished runs.

    The columns of the frames are in `files.SCHEMAS`. A study with factors has one more for each
    factor, and `cell`, which names the level of every factor: `task=far_relation,
    train_fraction=0.1`. No row is about more than one cell. What factors do is in two more frames,
    whose columns are in `files.FACTOR_SCHEMAS`: `effects`, where `cell` names the levels of the
    *other* factors, and `variance`.

    Attributes
    ----------
    out : the study's output folder
    record : `study.json`
    runs : `run.json` of every finished run, in the plan's order
    epochs : one row a run x epoch: model, cell, seed, epoch, losses and accuracies
    scores : one row a run x probe x arm
    estimates : one row a model x cell x probe x arm; the model "chance" is a row of each
    comparisons : one row a pair of models x cell x probe x arm
    histograms : one row a model x cell x probe x arm x score, for counts
    controls : one row a model x cell x probe x control arm
    effects : interactions and data multipliers (`effects.effect_rows`), and where differences
        change their sign (`crossings.crossing_rows`); empty without factors
    variance : shares of the variance, see `effects.variance_rows`; empty without factors
    measurements : one row a network x measure x arm, or a pair of networks: `partner` and
        `partner_seed` are the second, `shares_order` marks pairs of equal seed, which no mean has
    measures : one row a model, or pair of models, x cell x measure x arm: estimate with interval
    profile : one row a bias x model x cell, see `profile.profile_rows`
    control_models : what control models must score beside what they scored, see
        `control_models.check_control_models`
    verdicts : one row a hypothesis, see `claims.verdicts.judge`
    training : how the training of each model ended, by its trained name
    trajectories : what was answered along training
    scales : one row a cell x probe x arm x metric: range, unit and words, and what chance is; of a
        measure `probe` is its name and `metric` is empty
    ties : the runs whose answers tie on some rows, see `compare.tie_rows`
    failed : measures of two that failed, with the reason
    missing : the runs, by id, of which any predictions are missing
    missing_predictions : the files, relative to `out`
    settings : how intervals and p-values were computed
    """

    out: Path
    record: Row
    runs: list[Row]
    epochs: pl.DataFrame
    scores: pl.DataFrame
    estimates: pl.DataFrame
    comparisons: pl.DataFrame
    histograms: pl.DataFrame
    controls: pl.DataFrame
    effects: pl.DataFrame
    variance: pl.DataFrame
    measurements: pl.DataFrame
    measures: pl.DataFrame
    profile: pl.DataFrame
    control_models: list[Row]
    verdicts: list[Row]
    training: dict[str, Training]
    trajectories: Trajectories
    scales: list[Row]
    ties: list[Row]
    failed: dict[str, str]
    missing: tuple[str, ...]
    missing_predictions: tuple[str, ...]
    settings: Settings

    @property
    def study(self) -> Row:
        """Return the study as it was resolved."""
        return self.record["study"]

    @property
    def models(self) -> list[str]:
        """List the models in the study's order."""
        return list(self.study["models"])

    @property
    def probes(self) -> dict[str, Row]:
        """Map the study's probes (without "test") to their component and parameters."""
        return {name: dict(probe) for name, probe in (self.study.get("probes") or {}).items()}

    @property
    def factors(self) -> dict[str, list[LevelValue]]:
        """Map each factor of the study to the values of its levels; empty without factors."""
        return recorded_factors(self.study)

    @property
    def cells(self) -> list[str]:
        """Name the cells that have results, in the study's order.

        A study without factors is one cell, whose name is empty.
        """
        planned = dict.fromkeys(cell_of(run) for run in self.record["plan"])
        if not self.factors:
            return list(planned)
        there = set(self.estimates["cell"])
        return [cell for cell in planned if cell in there]

    def refuse_failed(self) -> None:
        """Refuse to go on where a measure of two networks failed; all else is there.

        Raises
        ------
        RunFailed : names the measures, and says why
        """
        if self.failed:
            raise RunFailed("; ".join(f"measure {text}" for text in self.failed.values()))

    def at(self, cell: str) -> "Findings":
        """Keep what belongs to one cell: its runs, scores, comparisons and data."""
        if not self.factors:
            return self
        record = self.record | {"plan": [r for r in self.record["plan"] if cell_of(r) == cell]}
        for entry in record.get("cells", []):
            if entry["cell"] == cell:
                record |= {"data": entry["data"]}
        frames = ("epochs", "scores", "estimates", "comparisons", "histograms", "controls")
        frames += ("measurements", "measures", "profile")
        return replace(
            self,
            record=record,
            runs=[run for run in self.runs if cell_of(run) == cell],
            **{name: getattr(self, name).filter(cell=cell) for name in frames},
            trajectories=Trajectories(
                select(self.trajectories.points, cell=cell),
                select(self.trajectories.pairs, cell=cell),
                self.trajectories.note,
            ),
        )

    @property
    def missing_runs(self) -> list[Row]:
        """List the planned runs that have not finished, or of which predictions are missing."""
        there = {run["run_id"] for run in self.runs} - set(self.missing)
        return [run for run in self.record["plan"] if run["run_id"] not in there]

    @cached_property
    def _estimates(self) -> dict[tuple[str, Scored], Row]:
        """Find rows by model and what was scored; in a study with factors, of the first cell."""
        found: dict[tuple[str, Scored], Row] = {}
        for row in select(self.estimates):
            found.setdefault((row["model"], scored_of(row)), row)
        return found

    def metrics(self, probe: str) -> list[str]:
        """List the metrics that a probe was scored with, the main one first."""
        found = (scored for _, scored in self._estimates)
        return list(dict.fromkeys(each.metric for each in found if each.probe == probe))

    def arms(self, probe: str, metric: str | None = None) -> list[str]:
        """List a probe's arms, or those scored by a metric: first what the probe is about."""
        found = [scored for _, scored in self._estimates if scored.probe == probe]
        return list(dict.fromkeys(s.arm for s in found if metric in (None, s.metric)))

    def primary(self) -> list[Scored]:
        """List what the test images and each probe are about, each by its main metric."""
        found = []
        for probe in [TEST_PROBE, *self.probes]:
            for metric in self.metrics(probe)[:1]:
                found += [Scored(probe, arm, metric) for arm in self.arms(probe, metric)[:1]]
        return found

    def estimate(self, model: str, scored: Scored) -> Row | None:
        """Find a model's estimate; in a study with factors, of the first cell."""
        return self._estimates.get((model, scored))

    def estimates_of(self, scored: Scored) -> list[Row]:
        """List the models' estimates in the study's order, without chance."""
        rows = (self.estimate(model, scored) for model in self.models)
        return [row for row in rows if row is not None]

    def scale(self, scored: Scored) -> Scale:
        """Return range, unit and words of a metric on an arm."""
        known = self._by_scored.get(scored)
        return Scale(**known["scale"]) if known else Scale(scored.metric.replace("_", " "))

    def chance_words(self, scored: Scored) -> str:
        """Say what answer chance is the score of; empty where that is not known."""
        return self._by_scored[scored]["chance"] if scored in self._by_scored else ""

    @cached_property
    def _by_scored(self) -> dict[Scored, Row]:
        return {scored_of(row): row for row in reversed(self.scales)}

    def is_counted(self, scored: Scored) -> bool:
        """Tell whether scores are counts, whose histogram says more than their mean."""
        return bool(select(self.histograms, **scored._asdict()))

    def is_clear(self, comparison: Row) -> bool:
        """Tell whether a difference is clear: small adjusted p, and an interval without zero.

        The p-value is about these trained networks on other images, the interval about other
        seeds as well: either alone would call too much clear.
        """
        p, low, high = (comparison[key] for key in ("p_adjusted", "low", "high"))
        if p is None or low is None or high is None:
            return False
        return p < self.settings.alpha and (low > 0 or high < 0)


def select(table: pl.DataFrame | Sequence[Row], **wanted: Any) -> list[Row]:
    """Return the rows whose columns equal the wanted values; what is no number is None."""
    if isinstance(table, pl.DataFrame):
        return table.filter(**wanted).fill_nan(None).to_dicts()
    return [row for row in table if all(row.get(key) == value for key, value in wanted.items())]


def scored_of(row: Row) -> Scored:
    """Name what a row of a table is about."""
    return Scored(row["probe"], row["arm"], row["metric"])


def cell_of(run: Row) -> str:
    """Name the cell of a run, planned or finished; empty in a study without factors."""
    return cell_name(run.get("levels", {}).items())
