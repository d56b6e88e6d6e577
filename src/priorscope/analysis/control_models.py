"""Whether control models scored what a study says that they must."""

from collections.abc import Mapping, Sequence
from typing import Any

from priorscope.analysis.compare import Row
from priorscope.claims import CHANCE
from priorscope.study.levels import cell_name, cells_of, recorded_factors
from priorscope.study.spec import Control

MET, VIOLATED, MISSING = "met", "violated", "not measured"


def check_control_models(record: Mapping[str, Any], estimates: Sequence[Row]) -> list[Row]:
    """Set each control beside its estimate, once for every cell that it is about.

    A control is violated where the mean score lies outside its range; its interval says how surely.

    Parameters
    ----------
    record : `study.json`
    estimates : the rows of `estimates.parquet`

    Returns
    -------
    model, cell, probe, arm, metric, statement, within, estimate, low, high, status
    """
    rows = []
    for declared in record["study"].get("controls") or []:
        control = Control(**declared)
        for levels in cells_of(recorded_factors(record["study"])):
            if not (control.at or {}).items() <= dict(levels).items():
                continue
            cell = cell_name(levels)
            found = [
                row
                for row in estimates
                if (row["model"], row["probe"], row["cell"]) == (control.model, control.probe, cell)
                and control.condition in (None, row["arm"])
                and control.metric in (None, row["metric"])
                and row["model"] != CHANCE
            ]
            measured = found[0] if found else {}
            low, high = control.within
            estimate = measured.get("estimate")
            status = MISSING if estimate is None else MET if low <= estimate <= high else VIOLATED
            rows.append(
                {"model": control.model, "cell": cell, "probe": control.probe}
                | {"arm": measured.get("arm", control.condition)}
                | {"metric": measured.get("metric", control.metric)}
                | {"statement": control.statement, "within": [low, high], "estimate": estimate}
                | {"low": measured.get("low"), "high": measured.get("high"), "status": status}
            )
    return rows
