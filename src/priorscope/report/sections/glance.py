"""Results at a glance: every model on the test images and on what each probe is about."""

from priorscope.analysis import Findings, Scored
from priorscope.analysis.findings import select
from priorscope.claims import CHANCE
from priorscope.metrics import NONE, Scale
from priorscope.report.figure import ChartFigure
from priorscope.report.intervals import dots_note, models_panel
from priorscope.report.section import Blocks, Part, Section, in_cells, section_of
from priorscope.report.table import Table, table_of
from priorscope.report.warnings import control_place, control_range, control_scale
from priorscope.report.wording import (
    Row,
    cell_title,
    confidence,
    count,
    interval_note,
    magnitude,
    named_models,
    with_unit,
)

_MOST_CELLS = 4  # named in words


def glance(results: Findings) -> Section | None:
    """Set models side by side; with several cells, first by cell, then each cell by itself."""
    controls, each = control_table(results), in_cells(results, _of_cell)
    if not results.factors:
        return section_of("glance", "Results at a glance", *each, Part([controls]))
    test, *probes = (cell_table(results, *column) for column in main_columns(results).items())
    folded = Part(probes, title="The probes", folded=True)
    return section_of("glance", "Results at a glance", Part([test, controls]), folded, *each)


def main_columns(results: Findings) -> dict[Scored, str]:
    """Head what the test images and each probe are about."""
    return {
        scored: "Test images" if scored.probe == "test" else scored.probe
        for scored in results.primary()
    }


def score_sentences(results: Findings) -> list[str]:
    """Say who scored highest and lowest, cell by cell, or overall where cells are many."""
    if not results.factors:
        return [_leaders(results, scored) for scored in results.primary()]
    test = results.primary()[0]
    if len(results.cells) <= _MOST_CELLS:
        return [_leaders(results.at(cell), test, cell) for cell in results.cells]
    scale = results.scale(test)
    rows = [r for r in select(results.estimates, **test._asdict()) if r["model"] != CHANCE]
    rows.sort(key=lambda row: row["estimate"])
    ends = [f"{_said(scale, row)} at {cell_title(row['cell'])}" for row in (rows[0], rows[-1])]
    return [f"On the test images, {scale.phrase} ran from {ends[0]} to {ends[1]}."]


def _said(scale: Scale, row: Row) -> str:
    return f"{with_unit(scale.estimate(row), scale.symbol)} ({row['model']})"


def _leaders(results: Findings, scored: Scored, cell: str = "") -> str:
    """Say who scored highest and lowest, with intervals, and what chance is."""
    rows = sorted(results.estimates_of(scored), key=lambda row: -row["estimate"])
    scale, chance = results.scale(scored), results.estimate(CHANCE, scored)
    where = f"At {cell_title(cell)}, on" if cell else "On"
    where += " the test images" if scored.probe == "test" else f" {scored.probe}"
    if len(rows) == 1:
        text = f"was {with_unit(scale.estimate(rows[0]), scale.symbol)}"
    elif len({scale.value(row["estimate"]) for row in rows}) == 1:
        text = f"was {with_unit(scale.value(rows[0]['estimate']), scale.symbol)} for every model"
    else:
        text = f"ran from {_said(scale, rows[-1])} to {_said(scale, rows[0])}"
    if chance:
        level = chance["estimate"]
        text += f"; chance is {with_unit(scale.value(level), scale.symbol)}"
        near = [r["model"] for r in rows if r["low"] is not None and r["low"] <= level <= r["high"]]
        if near:
            ends = ("s", "") if len(near) > 1 else ("", "s")
            text += f", which the {confidence(results)} interval{ends[0]} of {named_models(near)} "
            text += f"include{ends[1]}"
    return f"{where}, {scale.phrase} {text}."


def num_train(results: Findings) -> dict[str, int]:
    """Map each cell of a study with factors to its number of training images."""
    return {
        entry["cell"]: entry["data"]["train"]["num_images"]
        for entry in results.record.get("cells", [])
    }


def _of_cell(results: Findings) -> Blocks:
    # As a table only where cells are many: a picture of each is more than anyone looks at.
    return [overview_table(results), None if results.factors else _overview(results)]


def overview_table(results: Findings) -> Table:
    """Return one row a model: its size, test accuracy, and what each probe is about."""
    columns, sizes = main_columns(results), {run["model"]: run for run in results.runs}
    rows, records = [], []
    for model in [*results.models, CHANCE]:
        size = {key: sizes.get(model, {}).get(key) for key in ("num_parameters", "macs")}
        found = {scored: results.estimate(model, scored) for scored in columns}
        cells = [results.scale(scored).estimate(row) for scored, row in found.items()]
        rows.append((model, *map(magnitude, size.values()), *cells))
        record: Row = {"model": model, **size}
        for scored, row in found.items():
            record = {**record, **numbers(row, " ".join(scored))}
        records.append(record)
    headings = [f"{heading}\n{results.scale(each).heading}" for each, heading in columns.items()]
    return Table(
        "overview",
        "Scores on the test images and on what each probe is about. "
        f"{interval_note(results, columns)} MACs: multiply-accumulates for one image.",
        ("Model", "Parameters", "MACs", *headings),
        rows,
        records,
        range(1, len(columns) + 3),
        {len(rows) - 1},
        numbered=False,
    )


def numbers(row: Row | None, prefix: str) -> Row:
    """Name an estimate and the ends of its interval for a record; none where there is none."""
    return {f"{prefix} {key}": row and row[key] for key in ("estimate", "low", "high")}


def _overview(results: Findings) -> ChartFigure:
    """Draw every model on the test images and on what each probe is about."""
    panels = [models_panel(results, *column) for column in main_columns(results).items()]
    caption = (
        f"Estimates with {confidence(results)} intervals{dots_note(results)}; the dashed grey line "
        "is chance. Scales differ between panels."
    )
    return ChartFigure("overview", caption, panels, panel_px=260, numbered=False)


def cell_table(results: Findings, scored: Scored, heading: str) -> Table:
    """Return one row a cell: its training images, and the score of every model."""
    scale, counts = results.scale(scored), num_train(results)
    found = select(results.estimates, **scored._asdict())
    rows, records = [], []
    for cell in results.cells:
        of_cell = {row["model"]: row for row in select(found, cell=cell)}
        scores = [scale.estimate(of_cell.get(model)) for model in [*results.models, CHANCE]]
        rows.append((cell_title(cell), count(counts.get(cell)), *scores))
        records += [row | {"num_train": counts.get(cell)} for row in of_cell.values()]
    methods = dict.fromkeys(row["method"] for row in found if row["model"] != CHANCE)
    caption = (
        f"{heading}: {scale.heading} of every model at every combination of levels. Brackets: "
        f"{confidence(results)} intervals ({'; '.join(methods)})."
    )
    header = ("At", "Training images", *results.models, CHANCE)
    name = "cells" if scored.probe == "test" else f"cells-{scored.probe}"
    return Table(name, caption, header, rows, records, range(1, len(header)), numbered=False)


def control_table(results: Findings) -> Table | None:
    """Return one row a control and cell; None where the study declares none."""
    found = results.control_models
    if not found:
        return None

    def scored(row: Row) -> str:
        return NONE if row["estimate"] is None else control_scale(results, row).estimate(row)

    columns = {
        "Model": lambda row: row["model"],
        "On": lambda row: control_place(row) or NONE,
        "Why": lambda row: row["statement"] or NONE,
        "Must score": lambda row: control_range(row, control_scale(results, row)),
        "Scored": scored,
        "Status": lambda row: row["status"],
    }
    caption = (
        "Controls: models that must score within a range that the study declared, so that what the "
        "other models score means what it seems to."
    )
    records = [{**row, "within": str(row["within"])} for row in found]
    return table_of("control-models", caption, records, columns, shown=found, numeric={3, 4})
