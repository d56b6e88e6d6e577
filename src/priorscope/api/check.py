"""What a study would do, before it does it."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from priorscope.api.imported import refuse_import
from priorscope.api.keys import check_kept
from priorscope.data import data_root as find_data_root
from priorscope.errors import InputError
from priorscope.preflight.checked import Checked
from priorscope.preflight.known import kept, look, look_key, machine_key
from priorscope.study.spec import Study

if TYPE_CHECKING:  # what was looked at before is shown without torch, scipy and polars
    import polars as pl

    from priorscope.claims import ArmScores
    from priorscope.preflight.power import Plan
    from priorscope.runs.load_cells import Cell
    from priorscope.study.levels import Levels


@dataclass(frozen=True, eq=False)
class Check:
    """What a study would do, how fast, and what it could show.

    Attributes
    ----------
    checked : data, sizes of the models, and what differs between them
    timed : model -> a `TimedModel` of the first cell as plain values
    timed_on : when that was measured
    power_key : of what is kept of the study's power; None where nothing is kept
    """

    checked: Checked
    timed: Mapping[str, Mapping[str, Any]]
    timed_on: str
    power_key: str | None
    _plans: "list[dict[str, Any]]"

    @property
    def plans(self) -> "list[Plan]":
        """List what could be shown of each hypothesis."""
        from priorscope.preflight.power import from_plain

        return from_plain(self.checked.study, self._plans)

    @property
    def models(self) -> "pl.DataFrame":
        """Return one row a model: its component, size, and speed on this machine in cell one."""
        import polars as pl

        schema = {"model": pl.String, "component": pl.String}
        schema |= {"num_parameters": pl.Int64, "macs": pl.Int64}
        schema |= {"train_images_per_second": pl.Float64, "predict_images_per_second": pl.Float64}
        sizes, rows = self.checked.sizes[self.checked.first], []
        for name, component in self.checked.study.models.items():
            words = [f"{key}={value}" for key, value in component.parameters.items()]
            times = [self.timed[name][key] for key in ("train", "predict")]
            speeds = [None if seconds is None else 1 / seconds for seconds in times]
            size = sizes[name]
            component_words = " ".join([component.name, *words])
            rows.append([name, component_words, size.num_parameters, size.macs, *speeds])
        return pl.DataFrame(rows, schema=schema, orient="row")

    @property
    def differences(self) -> "pl.DataFrame":
        """Return what the fairness lint compared: one row a property and model, with its value."""
        import polars as pl

        rows = [
            [each.property, model, str(value), each.severity]
            for each in self.checked.differences
            for model, value in each.values.items()
        ]
        names = ("property", "model", "value", "severity")
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")

    @property
    def power(self) -> "pl.DataFrame":
        """Return one row a hypothesis: the smallest effect or margin that would show, at power 0.8.

        In the metric's units. `detectable_most` allows for the little that a pilot's few seeds and
        images say of their variances.
        """
        import polars as pl

        schema = {"id": pl.String, "statement": pl.String, "expect": pl.String}
        schema |= dict.fromkeys(("margin", "detectable", "detectable_most"), pl.Float64)
        schema |= dict.fromkeys(("num_seeds", "num_images"), pl.Int64)
        schema |= dict.fromkeys(("seeds_needed", "images_needed"), pl.Int64)
        schema |= {"source": pl.String}
        rows = []
        for plan in self.plans:
            declared = plan.hypothesis
            row = [declared.id, declared.statement, declared.expect, declared.margin]
            row += plan.detectable or (None, None)
            row += [min(plan.num_seeds), plan.num_images, plan.seeds, plan.images, plan.source]
            rows.append(row)
        return pl.DataFrame(rows, schema=schema, orient="row")

    @property
    def remarks(self) -> list[str]:
        """List what datasets, models and their rehearsals have to say: warnings first."""
        data = self.checked.data.values()
        said = [f"warning: {line}" for of in data for line in of["warnings"]]
        said += [f"warning: {line}" for line in self.checked.warnings]
        said += [f"note: {line}" for of in data for line in of["notes"]]
        said += [f"note: {name}: {line}" for name, of in self.checked.notes.items() for line in of]
        return list(dict.fromkeys(said))

    def __repr__(self) -> str:
        study, data = self.checked.study, self.checked.data[self.checked.first]
        return (
            f"<Check of {study.name}: {len(study.models)} models, {len(study.seeds)} seeds, "
            f"{len(self.checked.data)} cells, {data['train']['num_images']:,} training images; "
            "see .models, .differences, .power, .remarks>"
        )

    def _repr_html_(self) -> str:
        from priorscope.api.tables import as_html

        tables = {"models": self.models, "power": self.power}
        return as_html(repr(self), tables, notes=self.remarks)


def check(
    study: Study,
    *,
    data_root: str | Path | None,
    device: str,
    pilot: str | Path | None,
    anew: bool,
) -> Check:
    """Look at every cell of a study, time its models, and say what it could show.

    What was measured once is kept until the study, its data, the libraries or the machine change.

    Raises
    ------
    InputError : as `Study.check`, but for what models differ in
    """
    refuse_import()
    check_kept(study.as_dict())
    pilot_arms = None if pilot is None else _read_pilot(Path(pilot))
    root = find_data_root(None if data_root is None else Path(data_root))

    @functools.cache
    def loader() -> "Callable[[Levels], Cell]":
        from priorscope.runs.load_cells import cell_loader

        return cell_loader(study, root)

    def load_cell(levels: "Levels") -> "Cell":
        return loader()(levels)

    def plan() -> list[dict[str, Any]]:
        from priorscope.preflight.power import as_plain, plan_power

        return as_plain(plan_power(study, load_cell(checked.first).probes, pilot_arms))

    key = look_key(study, root)
    checked = look(study, key, load_cell, anew=anew)
    time_key = machine_key(key, device)
    timed = kept("time", time_key, lambda: _time(checked, load_cell, device), anew=anew)
    power_key = key if pilot is None else None  # what a pilot holds may change
    plans = kept("plans", power_key, plan, anew=anew)
    return Check(checked, timed["models"], timed["date"], power_key, plans)


def _time(checked: Checked, load_cell: "Callable[[Levels], Cell]", device: str) -> dict[str, Any]:
    """Time the models of the first cell; say when."""
    from priorscope.preflight.cost import time_models
    from priorscope.runs.environment import choose_device, choose_threads, keep_freed_memory

    cell, sizes = load_cell(checked.first), checked.sizes[checked.first]
    torch_device = choose_device(device, cell.study.recipe.precision)
    choose_threads()
    keep_freed_memory()
    timed = time_models(cell.study, cell.data, sizes, torch_device, checked.rehearsed)
    models = {name: asdict(of_model) for name, of_model in timed.items()}
    return {"models": models, "date": f"{datetime.now():%Y-%m-%d %H:%M}"}


def _read_pilot(folder: Path) -> "list[ArmScores]":
    """Score the predictions of a finished study.

    Raises
    ------
    InputError : no study lies there, or it has no predictions
    """
    from priorscope.analysis.pairs import measure
    from priorscope.analysis.scores import read_scores
    from priorscope.runs.store import read_study

    allowed = "the output folder of `priorscope run`"
    if not (folder / "study.json").is_file():
        raise InputError("no study lies there", where="--pilot", found=folder, allowed=allowed)
    record = read_study(folder)
    arms, _ = read_scores(folder, record)
    if not arms:
        raise InputError("no run of the pilot has predictions", where="--pilot", found=folder)
    return [*arms, *measure(folder, record).arms]
