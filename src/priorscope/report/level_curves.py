"""Charts of scores over the levels of factors: what their panels share."""

from itertools import groupby

import altair as alt

from priorscope.analysis import Findings
from priorscope.analysis.effects import size_factors
from priorscope.claims import CHANCE
from priorscope.metrics import Scale
from priorscope.report.colours import CHANCE_GREY
from priorscope.report.figure import Panel, chart, model_scales
from priorscope.report.intervals import shown
from priorscope.report.wording import Row, confidence, levels_title
from priorscope.study.levels import written

MOST_PANELS = 12
WIDTH, HEIGHT = 250, 190


def size_factor(results: Findings) -> str | None:
    """Name the factor that sets the number of training images, if the study has one."""
    if multipliers := results.effects.filter(kind="data_multiplier")["factor"].to_list():
        return multipliers[0]
    return next(iter(size_factors(results.record)), None)


def panels_without(results: Findings, rows: list[Row], *factors: str) -> dict[str, list[Row]]:
    """Group rows by the levels of all factors but these; the title of each group says which."""
    others = [name for name in results.factors if name not in factors]
    order = {name: [written(value) for value in results.factors[name]] for name in others}

    def key(row: Row) -> list[int]:
        return [order[name].index(written(row[name])) for name in others]

    grouped = [list(rows) for _, rows in groupby(sorted(rows, key=key), key=key)]
    return {levels_title((name, group[0][name]) for name in others): group for group in grouped}


def curves(results: Findings, rows: list[Row], scale: Scale, x: alt.X) -> list[alt.Chart]:
    """Draw one line with intervals for each model, and chance; rows have their place as `x`."""
    drawn = [shown(row, scale) | {"model": row["model"], "x": row["x"]} for row in rows]
    chance = [row for row in drawn if row["model"] == CHANCE]
    data = [row for row in drawn if row["model"] != CHANCE]
    models = [m for m in results.models if any(row["model"] == m for row in data)]
    scales = model_scales(results.models, models)
    legend = alt.Legend(columns=3, symbolOpacity=1)
    base = chart(data).encode(
        x=x,
        color=alt.Color("model:N", scale=scales["color"], legend=legend),
        tooltip=tooltip(results, scale.heading, alt.Tooltip("model:N")),
    )
    y = alt.Y(
        "estimate:Q",
        title=scale.heading,
        scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(tickCount=5),
    )
    dash = alt.StrokeDash("model:N", scale=scales["dash"], legend=None)
    shape = alt.Shape("model:N", scale=scales["shape"], legend=legend)
    rule = chart(chance).mark_line(color=CHANCE_GREY, strokeDash=[4, 3])
    return [
        *([rule.encode(x=x, y=alt.Y("estimate:Q"))] if chance else []),
        base.mark_line(strokeWidth=1.8).encode(y=y, strokeDash=dash),
        base.mark_rule(strokeWidth=1.8).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_point(size=46, filled=True, opacity=1).encode(y=y, shape=shape),
    ]


def panel(layers: list[alt.Chart], title: str) -> Panel:
    """Join the layers of one panel."""
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT, title=title)


def tooltip(results: Findings, heading: str, first: alt.Tooltip) -> list[alt.Tooltip]:
    """Return what is said of a point, beginning with what it is."""
    return [
        first,
        alt.Tooltip("x:N", title="at"),
        alt.Tooltip("text:N", title=heading),
        alt.Tooltip("interval:N", title=f"{confidence(results)} interval"),
    ]
