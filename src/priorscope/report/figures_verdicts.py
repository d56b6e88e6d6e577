"""The effects of all hypotheses with their intervals, against zero and their margins."""

from itertools import groupby

import altair as alt

from priorscope.metrics import Scale
from priorscope.report.artefacts import Artefacts, Row
from priorscope.report.colours import INK
from priorscope.report.figures import ChartFigure, Panel, values
from priorscope.report.interval_picture import VERDICT_COLOURS
from priorscope.report.tables_verdicts import contrasted, cut, verdict_scale

_SHAPES = {"supported": "circle", "refuted": "diamond", "inconclusive": "circle"}


def verdict_forest(artefacts: Artefacts) -> ChartFigure | None:
    """Draw one row a hypothesis, one panel for each unit."""
    rows = [cut(row) for row in artefacts.verdicts if row["estimate"] is not None]
    if not rows:
        return None
    units = {row["id"]: verdict_scale(row) for row in rows}
    order = list(dict.fromkeys(units.values()))
    rows.sort(key=lambda row: order.index(units[row["id"]]))
    panels = [
        _panel(list(group), scale) for scale, group in groupby(rows, lambda row: units[row["id"]])
    ]
    caption = (
        "Effects of the declared hypotheses with the intervals that decide. The grey bands are "
        "margins. Green circles: supported; orange diamonds: refuted; hollow circles: inconclusive."
    )
    if any(row["few_seeds"] for row in rows):
        caption += (
            " Small ticks, where seeds are few or fall apart: what the effect would be if one "
            "model had one of its seeds alone."
        )
    return ChartFigure("verdicts", caption, tuple(panels), panel_px=360, numbered=False)


def _panel(found: list[Row], scale: Scale) -> Panel:
    rows = [
        {
            "what": f"{row['id']}: {contrasted(row)}",
            "estimate": row["estimate"] * scale.factor,
            "low": row["low"] * scale.factor,
            "high": row["high"] * scale.factor,
            "margin": None if row["margin"] is None else row["margin"] * scale.factor,
            "below": None if row["margin"] is None else -row["margin"] * scale.factor,
            "verdict": row["verdict"],
            "text": scale.difference(row | {"difference": row["estimate"]}),
            "p": row["p_adjusted"],
        }
        for row in found
    ]
    axis = alt.Axis(domain=False, ticks=False, grid=False, labelPadding=6, labelLimit=230)
    y = alt.Y("what:N", sort=[row["what"] for row in rows], title=None, axis=axis)
    base = alt.Chart(values(rows)).encode(y=y)
    verdicts = list(VERDICT_COLOURS)
    ranges = {"stroke": list(VERDICT_COLOURS.values())}
    ranges["fill"] = [*ranges["stroke"][:2], "white"]
    ranges["shape"] = [_SHAPES[verdict] for verdict in verdicts]
    scales = {key: alt.Scale(domain=verdicts, range=of_key) for key, of_key in ranges.items()}
    colour = alt.Color("verdict:N", scale=scales["stroke"], legend=None)
    suffix = f", {scale.difference_symbol}" if scale.difference_symbol else ""
    x = alt.X(
        "estimate:Q",
        title=f"Effect in {scale.phrase}{suffix}",
        axis=alt.Axis(tickCount=5),
        scale=alt.Scale(nice=True, padding=8),
    )
    tooltip = [
        alt.Tooltip("what:N", title="hypothesis"),
        alt.Tooltip("text:N", title="effect"),
        alt.Tooltip("p:Q", title="p (Holm)", format=".3g"),
        alt.Tooltip("verdict:N"),
    ]
    alone = [
        {"what": f"{row['id']}: {contrasted(row)}", "alone": effect * scale.factor}
        for row in found
        if row["few_seeds"]
        for effect in row["seed_effects"]
    ]
    zero = alt.Chart(values([{"zero": 0}])).mark_rule(color=INK, strokeWidth=1)
    bands = base.transform_filter("datum.margin != null").mark_bar(color="#dcdcdc", size=18)
    ticks = alt.Chart(values(alone)).mark_tick(color=INK, opacity=0.55, thickness=1.2, size=9)
    seeds = [ticks.encode(x=alt.X("alone:Q"), y=y)] if alone else []
    return alt.layer(
        bands.encode(x=alt.X("below:Q"), x2="margin:Q"),
        zero.encode(x=alt.X("zero:Q")),
        base.mark_rule(strokeWidth=2.5).encode(x=alt.X("low:Q"), x2="high:Q", color=colour),
        base.mark_point(size=60, strokeWidth=1.8, opacity=1).encode(
            x=x,
            stroke=alt.Stroke("verdict:N", scale=scales["stroke"], legend=None),
            fill=alt.Fill("verdict:N", scale=scales["fill"], legend=None),
            shape=alt.Shape("verdict:N", scale=scales["shape"], legend=None),
            tooltip=tooltip,
        ),
        *seeds,
    ).properties(width=240, height=alt.Step(26))
