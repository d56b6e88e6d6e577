"""What networks were measured to be, trained and as their training began, side by side."""

from collections.abc import Mapping

from priorscope.analysis import Findings
from priorscope.analysis.findings import select
from priorscope.metrics import Scale
from priorscope.report.section import Blocks, Section, in_cells, section_of
from priorscope.report.table import Table, table_of
from priorscope.report.wording import Row, confidence
from priorscope.study.measures import Measure, measures_of

_INTERVAL = ("estimate", "low", "high")
_MOST_PARTS = 12  # of a measure that are shown beside it; tables of the analysis have all


def measures(results: Findings) -> Section | None:
    """Show every declared measure of single networks, a table each."""
    return section_of("measures", "Measures of networks", *in_cells(results, _of_cell))


def _of_cell(results: Findings) -> Blocks:
    about = results.record.get("measures") or {}
    declared = {
        name: measure
        for name, measure in measures_of(results.study).items()
        if measure.declared and about.get(name, {}).get("kind") == "network"
    }
    twins = {name: _twin(measure, declared) for name, measure in declared.items()}
    beside = {twin for name, twin in twins.items() if twin and declared[name].state == "trained"}
    return [
        _table(results, name, twins[name], Scale(**about[name]["scale"]))
        for name in declared
        if name not in beside
    ]


def _twin(measure: Measure, declared: Mapping[str, Measure]) -> str | None:
    """Find the same measure of networks in the other state."""
    same = {key: value for key, value in measure.as_dict().items() if key != "state"}
    for name, other in declared.items():
        plain = {key: value for key, value in other.as_dict().items() if key != "state"}
        if plain == same and other.state != measure.state:
            return name
    return None


def _table(results: Findings, name: str, twin: str | None, scale: Scale) -> Table | None:
    found = select(results.measures, measure=name)
    arms = list(dict.fromkeys(row["arm"] for row in found))
    rows: list[Row] = []
    for arm in arms[: _MOST_PARTS + 1]:
        for row in select(found, arm=arm):
            before = []
            if twin is not None:
                before = select(results.measures, measure=twin, model=row["model"], arm=arm)
            also = dict(before[0]) if before else {}
            rows.append({**row, **{f"untrained_{key}": also.get(key) for key in _INTERVAL}})
    if not rows:
        return None
    columns = {
        "Model": lambda row: row["model"],
        **({"Part": lambda row: row["arm"]} if len(arms) > 1 else {}),
        scale.heading: scale.estimate,
    }
    first = len(columns) - 1
    if twin is not None:
        columns["before training"] = lambda row: _before(row, scale)
    caption = (
        f"{scale.words} ({name}): means over seeds and images with {confidence(results)} intervals "
        "over other seeds and images, or over other images alone where there is one seed."
    )
    if twin is not None:
        caption += f" Beside it ({twin}) the same networks with the weights that they began with."
    if len(arms) > _MOST_PARTS + 1:
        caption += f" The first {_MOST_PARTS} of {len(arms) - 1} parts."
    return table_of(f"measure-{name}", caption, rows, columns, numeric=range(first, len(columns)))


def _before(row: Row, scale: Scale) -> str:
    known = {key: row[f"untrained_{key}"] for key in _INTERVAL}
    return scale.estimate(known if known["estimate"] is not None else None)
