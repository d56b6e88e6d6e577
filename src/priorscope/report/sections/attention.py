"""How far the attention of the models looks, layer by layer."""

import altair as alt
import numpy as np
import polars as pl

from priorscope.analysis import Findings
from priorscope.analysis.findings import select
from priorscope.metrics import decimal
from priorscope.report.figure import ChartFigure, Panel, chart, model_scales
from priorscope.report.section import Section, in_cells, section_of
from priorscope.report.table import Table
from priorscope.report.wording import Row
from priorscope.study.measures import asked_as

# Component -> its key in the records of runs of before the measures, title, unit, factor, digits.
_MEASURES = {
    "attention_distance": ("mean_distance", "Mean distance", "patches", 1, 2),
    "attention_mass": ("mass_within", "Mass within one patch", "%", 100, 1),
    "attention_entropy": ("entropy", "Entropy", "nats", 1, 2),
    "attention_rank": ("effective_rank", "Effective rank", "", 1, 1),
}
_MEANING = (
    "Mean distance: from query to key, weighted by attention, in patches. Mass within one patch: "
    "the part of the weights on the 3 x 3 patches around the query. Entropy: of a query's weights; "
    "0 is one key, the logarithm of the number of patches is all alike. Effective rank: of the "
    "matrix of weights; 1 means that every query attends to the same."
)


def attention(results: Findings) -> Section | None:
    """Show how far attention looks, where a model has attention that tells its weights."""
    cells = in_cells(results, lambda cell: [attention_table(cell), attention_figure(cell)])
    return section_of("attention", "How far attention looks", *cells)


def attention_rows(results: Findings) -> list[Row]:
    """List what every run measured of its attention: one row a run, layer and head."""
    old = [
        {"model": run["model"], "seed": run["seed"], "layer": row["layer"], "head": row["head"]}
        | {key: factor * row[key] for key, _, _, factor, _ in _MEASURES.values()}
        for run in results.runs
        for row in run.get("attention", [])
    ]
    found: dict[tuple[str, int, int, int], Row] = {}
    of_component = attention_names(results)
    for row in select(results.measurements):
        if row["measure"] in of_component and row.get("head"):
            key, _, _, factor, _ = _MEASURES[of_component[row["measure"]]]
            head = {name: row[name] for name in ("model", "seed", "layer", "head")}
            of_head = found.setdefault(tuple(head.values()), head)  # type: ignore[arg-type]
            of_head[key] = factor * row["value"]
    whole = [row for row in found.values() if len(row) == 4 + len(_MEASURES)]
    return old + whole


def attention_names(results: Findings) -> dict[str, str]:
    """Map the names by which the study has these measures to their components."""
    named = {asked_as(results.study, component): component for component in _MEASURES}
    return {name: component for name, component in named.items() if name is not None}


def attention_table(results: Findings) -> Table | None:
    """Return each model's means over seeds, layers and heads, and the range of its layers."""
    found = attention_rows(results)
    rows, records = [], []
    for model in results.models:
        of_model = select(found, model=model)
        if not of_model:
            continue
        cells, record = [], {"model": model}
        for measure, _, _, _, digits in _MEASURES.values():
            layers = {}
            for row in of_model:
                layers.setdefault(row["layer"], []).append(row[measure])
            means = [float(np.mean(layers[layer])) for layer in sorted(layers)]
            low, high = (decimal(value, digits) for value in (min(means), max(means)))
            cells.append(f"{decimal(float(np.mean(means)), digits)} [{low}, {high}]")
            record |= {measure: float(np.mean(means))}
            record |= {f"{measure}_layer_{n}": mean for n, mean in enumerate(means, 1)}
        rows.append((model, *cells))
        records.append(record)
    if not rows:
        return None
    titles = (f"{title}, {of}" if of else title for _, title, of, _, _ in _MEASURES.values())
    header = ("Model", *titles)
    caption = (
        "How far attention looks after training: means over seeds, layers and heads; in brackets "
        f"the lowest and the highest layer. {_MEANING} Measured on {_num_images(results)} test "
        "images, without the class token."
    )
    return Table("attention", caption, header, rows, records, range(1, len(header)))


def attention_figure(results: Findings) -> ChartFigure | None:
    """Draw each measure over the layers: every head as a point, their mean as a line."""
    found = attention_rows(results)
    if not found:
        return None
    panels = [_panel(results.models, found, of) for of in _MEASURES.values()]
    caption = (
        "Attention layer by layer, from the input on. Points: heads, of every seed; lines: their "
        "means."
    )
    return ChartFigure("attention", caption, panels, columns=2, panel_px=300)


def _num_images(results: Findings) -> str:
    """Say on how many images attention was measured; before the measures that was always 32."""
    found = results.measurements.filter(pl.col("measure").is_in([*attention_names(results)]))[
        "n"
    ].unique()
    return " or ".join(map(str, found.sort())) or "32"


def _panel(models: list[str], rows: list[Row], of_measure: tuple) -> Panel:
    measure, title, of, _, digits = of_measure
    shown = [model for model in models if any(row["model"] == model for row in rows)]
    scales = model_scales(models, shown)
    kept = ("model", "seed", "layer", "head", measure)
    base = chart([{key: row[key] for key in kept} for row in rows]).encode(
        x=alt.X("layer:O", title="Layer", axis=alt.Axis(labelAngle=0, grid=False)),
        color=alt.Color("model:N", scale=scales["color"], legend=alt.Legend(columns=3)),
    )
    tip = alt.Tooltip(f"{measure}:Q", title=title, format=f".{digits}f")
    heads = base.mark_point(size=14, opacity=0.4, filled=True).encode(
        y=alt.Y(
            f"{measure}:Q",
            title=of or title,
            scale=alt.Scale(zero=True),
            axis=alt.Axis(tickCount=6),
        ),
        tooltip=["model:N", "seed:N", "layer:O", "head:N", tip],
    )
    mean = base.mark_line(strokeWidth=2).encode(
        y=alt.Y(f"mean({measure}):Q"), strokeDash=alt.StrokeDash("model:N", scale=scales["dash"])
    )
    return alt.layer(heads, mean).properties(width=300, height=190, title=title)
