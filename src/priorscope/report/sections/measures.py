"""The measures that a study declares: each model, or pair of models, with its interval."""

import altair as alt
import polars as pl

from priorscope.analysis import Findings, Scored
from priorscope.analysis.files import MEASURE_SCHEMAS
from priorscope.analysis.findings import select
from priorscope.claims.terms import pair_name
from priorscope.report.figure import ChartFigure
from priorscope.report.level_curves import curves, panel
from priorscope.report.section import Blocks, Part, Section, in_cells, section_of
from priorscope.report.sections.attention import attention_names
from priorscope.report.sections.error_consistency import ERROR_CONSISTENCY
from priorscope.report.table import Table
from priorscope.report.wording import Row, capital, confidence, listed, plain, sample_size
from priorscope.study.measures import NUM_IMAGES, asked_as, measures_of

_MOST_ARMS = 8  # columns of a table; more are drawn
_LEAST_POINTS = 3  # of a curve


def measures(results: Findings) -> Section | None:
    """Show what every declared measure gave; those with a section of their own are left out."""
    elsewhere = {*attention_names(results), asked_as(results.study, ERROR_CONSISTENCY)}
    parts = []
    for name, measure in measures_of(results.study).items():
        if (
            not measure.declared
            or name in elsewhere
            or results.measures.filter(measure=name).is_empty()
        ):
            continue
        title = (
            f"{name}: {plain(measure.component.name)}"
            if name != measure.component.name
            else plain(name)
        )
        shown = in_cells(results, lambda at, name=name: _of_cell(at, name), title=title)
        parts += [
            Part(each.blocks, each.paragraphs, each.title, each.folded, f"measure-{name}")
            for each in shown
        ]
    return section_of("measures", "Measures", *parts)


def _of_cell(results: Findings, name: str) -> Blocks:
    rows = [row | {"name": _name(row)} for row in select(results.measures, measure=name)]
    return [measure_table(results, name, rows), _curve(results, name, rows)] if rows else []


def _name(row: Row) -> str:
    return row["model"] if row["partner"] is None else pair_name(row["model"], row["partner"])


def measure_table(results: Findings, name: str, rows: list[Row]) -> Table:
    """Return one row a model or pair and one column an arm: the measure itself, then its parts."""
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    shown = arms if len(arms) <= _MOST_ARMS else arms[:1]
    by_place = {(row["name"], row["arm"]): row for row in rows}
    names = list(dict.fromkeys(row["name"] for row in rows))
    scale = results.scale(Scored(name, arms[0], ""))
    cells = [
        (each, *(scale.estimate(by_place.get((each, arm))) for arm in shown)) for each in names
    ]
    measure = measures_of(results.study)[name]
    images = (
        f"{measure.num_images or NUM_IMAGES} images" if rows[0]["partner"] is None else "images"
    )
    where = "the test set" if measure.probe == "test" else measure.probe
    without = [
        model
        for model in results.models
        if not any(model in (r["model"], r["partner"]) for r in rows)
    ]
    caption = (
        f"{capital(plain(measure.component.name))} on {images} of {where}: means over seeds, with "
        f"{confidence(results)} intervals over seeds and images ({sample_size(rows)})."
    )
    if len(arms) > 1:
        caption += f" First the measure itself, {plain(arms[0])}"
        caption += (
            ", then its parts." if shown[1:] else f"; its {len(arms) - 1} parts are in the file."
        )
    if without:
        caption += f" It has no value of {listed(without)}."
    if any(row["low"] is None for row in rows):
        caption += " Where one value stands for a whole network, one seed gives no interval."
    headings = [plain(arm) if arm != "all" else "" for arm in shown]
    header = ("Model", *(f"{heading}\n{scale.heading}".strip() for heading in headings))
    return Table(
        f"measure-{name}", caption, header, cells, rows, range(1, len(header)), numbered=False
    )


def _curve(results: Findings, name: str, rows: list[Row]) -> ChartFigure | None:
    """Draw the parts of a measure over the number that sets them apart, such as a layer."""
    found = _numbered(results.measurements.filter(measure=name))
    if found is None or any(row["partner"] is not None for row in rows):
        return None
    column, places = found
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    drawn = [
        row | {"x": places[row["arm"]]}
        for row in rows
        if row["arm"] in places and row["arm"] != arms[0]
    ]
    if len({row["x"] for row in drawn}) < _LEAST_POINTS:
        return None
    scale = results.scale(Scored(name, arms[0], ""))
    x = alt.X("x:Q", title=capital(plain(column)), scale=alt.Scale(zero=False, nice=True))
    title = capital(plain(name))
    caption = f"{title}: its parts, with {confidence(results)} intervals, each by itself."
    return ChartFigure(
        f"measure-{name}", caption, [panel(curves(results, drawn, scale, x), title)], numbered=False
    )


def _numbered(rows: pl.DataFrame) -> tuple[str, dict[str, float]] | None:
    """Find the one condition that is a number and another one on every arm but the first."""
    known = {*MEASURE_SCHEMAS["measurements"], "cell"}
    for column in rows.columns:
        if column in known or not rows[column].dtype.is_numeric():
            continue
        of_arm = rows.group_by("arm", maintain_order=True).agg(pl.col(column).unique())
        places = {
            arm: values[0]
            for arm, values in of_arm.iter_rows()
            if len(values) == 1 and values[0] is not None
        }
        rest = list(places.values())[1:]
        if len(rest) >= _LEAST_POINTS and len(set(rest)) == len(rest):
            return column, places
    return None
