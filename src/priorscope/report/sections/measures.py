"""What networks were measured to be, trained and as their training began, side by side."""

from collections.abc import Mapping

import altair as alt
import polars as pl

from priorscope.analysis import Findings
from priorscope.analysis.files import MEASURE_SCHEMAS
from priorscope.analysis.findings import select
from priorscope.metrics import Scale
from priorscope.report.figure import ChartFigure
from priorscope.report.level_curves import curves, panel
from priorscope.report.section import Blocks, Part, Section, in_cells, section_of
from priorscope.report.sections.attention import attention_names
from priorscope.report.table import Table
from priorscope.report.wording import Row, capital, confidence, listed, plain, sample_size
from priorscope.study.measures import NUM_IMAGES, Measure, measures_of

_MOST_ARMS = 8  # columns of a table; more are drawn
_LEAST_POINTS = 3  # of a curve


def measures(results: Findings) -> Section | None:
    """Show every declared measure of single networks; attention has a section of its own."""
    about, elsewhere = results.record.get("measures") or {}, attention_names(results)
    declared = {
        name: measure
        for name, measure in measures_of(results.study).items()
        if measure.declared
        and name not in elsewhere
        and about.get(name, {}).get("kind") == "network"
    }
    twins = {name: _twin(measure, declared) for name, measure in declared.items()}
    beside = {twin for name, twin in twins.items() if twin and declared[name].state == "trained"}
    parts = []
    for name, measure in declared.items():
        if name in beside or results.measures.filter(measure=name).is_empty():
            continue
        scale, component = Scale(**about[name]["scale"]), measure.component.name
        shown = in_cells(
            results,
            lambda at, name=name, scale=scale: _of_cell(at, name, twins[name], scale),
            title=plain(name) if name == component else f"{name}: {plain(component)}",
        )
        parts += [
            Part(each.blocks, each.paragraphs, each.title, each.folded, f"measure-{name}")
            for each in shown
        ]
    return section_of("measures", "Measures of networks", *parts)


def _twin(measure: Measure, declared: Mapping[str, Measure]) -> str | None:
    """Find the same measure of networks in the other state."""
    same = {key: value for key, value in measure.as_dict().items() if key != "state"}
    for name, other in declared.items():
        rest = {key: value for key, value in other.as_dict().items() if key != "state"}
        if rest == same and other.state != measure.state:
            return name
    return None


def _of_cell(results: Findings, name: str, twin: str | None, scale: Scale) -> Blocks:
    rows = select(results.measures, measure=name)
    if not rows:
        return []
    return [_table(results, name, twin, scale, rows), _curve(results, name, scale, rows)]


def _table(results: Findings, name: str, twin: str | None, scale: Scale, rows: list[Row]) -> Table:
    """Return one row a model and one column an arm: the measure itself, then its parts."""
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    shown = arms if len(arms) <= _MOST_ARMS else arms[:1]
    columns = {("" if arm == "all" else plain(arm)): (name, arm) for arm in shown}
    if twin is not None:
        columns = {**dict([*columns.items()][:1]), "before training": (twin, arms[0]), **columns}
    models = list(dict.fromkeys(row["model"] for row in rows))
    found = rows + (select(results.measures, measure=twin) if twin is not None else [])
    by_place = {(row["model"], (row["measure"], row["arm"])): row for row in found}
    cells = [
        (model, *(scale.estimate(by_place.get((model, place))) for place in columns.values()))
        for model in models
    ]
    measure = measures_of(results.study)[name]
    where = "the test set" if measure.probe == "test" else plain(measure.probe)
    caption = (
        f"{scale.words} ({name}) on {measure.num_images or NUM_IMAGES} images of {where}: means, "
        f"with {confidence(results)} intervals over seeds and images ({sample_size(rows)})."
    )
    if twin is not None:
        caption += f" Before training ({twin}): the same networks with the weights they began with."
    if len(arms) > len(shown):
        caption += f" Its {len(arms) - 1} parts are in analysis/measures.parquet."
    if without := [model for model in results.models if model not in models]:
        caption += f" It has no value of {listed(without)}."
    header = ("Model", *(f"{heading}\n{scale.heading}".strip() for heading in columns))
    return Table(
        f"measure-{name}", caption, header, cells, found, range(1, len(header)), numbered=False
    )


def _curve(results: Findings, name: str, scale: Scale, rows: list[Row]) -> ChartFigure | None:
    """Draw the parts of a measure over the number that sets them apart, such as a layer."""
    found = _numbered(results.measurements.filter(measure=name))
    if found is None:
        return None
    column, places = found
    drawn = [row | {"x": places[row["arm"]]} for row in rows if row["arm"] in places]
    x = alt.X("x:Q", title=capital(plain(column)), scale=alt.Scale(zero=False, nice=True))
    title = capital(plain(name))
    caption = f"{scale.words} ({name}): its parts, with {confidence(results)} intervals of each."
    charts = [panel(curves(results, drawn, scale, x), title)]
    return ChartFigure(f"measure-{name}", caption, charts, numbered=False)


def _numbered(rows: pl.DataFrame) -> tuple[str, dict[str, float]] | None:
    """Find the condition that is a number, another one on every arm but the first."""
    known = {*MEASURE_SCHEMAS["measurements"], "cell"}
    for column in rows.columns:
        if column in known or not rows[column].dtype.is_numeric():
            continue
        of_arm = rows.group_by("arm", maintain_order=True).agg(pl.col(column).unique())
        places = {
            arm: values[0]
            for arm, values in [*of_arm.iter_rows()][1:]
            if len(values) == 1 and values[0] is not None
        }
        if _LEAST_POINTS <= len(places) == len(set(places.values())):
            return column, places
    return None
