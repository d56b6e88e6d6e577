"""Scores over the levels of factors and over dials: curves with intervals."""

import altair as alt

from priorscope.metrics import Scale
from priorscope.report.artefacts import CHANCE, Artefacts, Row, select
from priorscope.report.colours import CHANCE_GREY, INK
from priorscope.report.factors import (
    GLOBAL,
    Dial,
    level_text,
    num_train,
    panels_without,
    scores_of,
    setting_text,
    size_factor,
)
from priorscope.report.figures import COLOURS, ChartFigure, Panel, model_scales, values
from priorscope.report.figures_multipliers import multiplier_arrows
from priorscope.report.tables_results import Column
from priorscope.report.wording import plain

_MOST_PANELS = 12
_WIDTH, _HEIGHT = 250, 190


def learning_curves(artefacts: Artefacts, column: Column) -> ChartFigure | None:
    """Draw scores over the number of training images, with data multipliers between the curves."""
    factor = size_factor(artefacts)
    if factor is None:
        return None
    probe, arm, metric, heading = column
    scale, counts = artefacts.scale(probe, arm, metric), num_train(artefacts)
    rows = [
        row | {"x": counts[row["cell"]]}
        for row in scores_of(artefacts, probe, arm, metric)
        if row["cell"] in counts
    ]
    panels = []
    for title, group in list(panels_without(artefacts, rows, factor).items())[:_MOST_PANELS]:
        if len({row["x"] for row in group}) > 1:
            sizes = sorted({row["x"] for row in group})
            x = alt.X(
                "x:Q",
                title="Training images",
                scale=alt.Scale(type="log", padding=14, nice=False),
                axis=alt.Axis(values=sizes, format=",d", labelAngle=-30, grid=False),
            )
            layers = _curves(artefacts, group, scale, x)
            layers += multiplier_arrows(artefacts, group, scale, x, (_WIDTH, _HEIGHT))
            panels.append(_panel(layers, title or heading))
    if not panels:
        return None
    caption = (
        f"{heading}: scores over the number of training images, with {artefacts.confidence} "
        "intervals; the dashed grey line is chance. Arrows: from the score of the best model at "
        "one size to where another model\N{RIGHT SINGLE QUOTATION MARK}s curve reaches it, marked "
        "with the data multiplier; of arrows that end close together, only the longest is marked. "
        "An epoch over fewer images has fewer steps: where the recipe fixes epochs, less data is "
        "also less training."
    )
    return ChartFigure("learning-curves", caption, tuple(panels), columns=2, panel_px=300)


def interaction_plots(artefacts: Artefacts, column: Column) -> ChartFigure | None:
    """Draw each model's score over the levels of each factor that is no number of images."""
    probe, arm, metric, heading = column
    scale, size = artefacts.scale(probe, arm, metric), size_factor(artefacts)
    rows, panels = scores_of(artefacts, probe, arm, metric), []
    for factor, levels in artefacts.factors.items():
        if factor == size:
            continue
        order = [level_text(value) for value in levels]
        x = alt.X(
            "x:N",
            sort=order,
            title=plain(factor),
            axis=alt.Axis(labelAngle=0 if len(order) < 4 else -30, grid=False, labelLimit=110),
            scale=alt.Scale(padding=0.6),
        )
        shown = [row | {"x": level_text(row[factor])} for row in rows]
        for title, group in panels_without(artefacts, shown, factor).items():
            if len({row["x"] for row in group}) > 1:
                panels.append(_panel(_curves(artefacts, group, scale, x), title or heading))
    if not panels:
        return None
    caption = (
        f"{heading}: each model\N{RIGHT SINGLE QUOTATION MARK}s score at the levels of a factor, "
        f"with {artefacts.confidence} intervals; the dashed grey line is chance. Lines that are "
        "parallel show no interaction; lines that cross show an architecture that is better at one "
        "level and worse at the other."
    )
    panels = panels[:_MOST_PANELS]
    return ChartFigure("interactions", caption, tuple(panels), columns=2, panel_px=300)


def dial_plots(artefacts: Artefacts, dial: Dial, column: Column) -> ChartFigure | None:
    """Draw scores over a dial, and their differences from its largest setting."""
    probe, arm, metric, heading = column
    scale, size = artefacts.scale(probe, arm, metric), size_factor(artefacts)
    last = list(dial.values)[-1]
    scores, effects = [], []
    for row in scores_of(artefacts, probe, arm, metric):
        if row["model"] in dial.values:
            scores.append(row | {"x": setting_text(dial, row["model"])})
    for row in select(artefacts.comparisons, probe=probe, arm=arm, metric=metric):
        sign = {row["b"]: 1, row["a"]: -1}.get(last, 0)
        model = row["a"] if sign == 1 else row["b"]
        if sign and model in dial.values:
            low, high = (row["low"], row["high"]) if sign == 1 else (row["high"], row["low"])
            effects.append(
                row
                | {"x": setting_text(dial, model), "estimate": sign * row["difference"]}
                | {"low": sign * low, "high": sign * high}
            )
    colour = size or next(iter(artefacts.factors), None)
    panels: list[Panel] = []
    for rows, words in ((scores, scale.heading), (effects, _against(dial, last, scale))):
        titles = panels_without(artefacts, rows, *([colour] if colour else []))
        for title, group in list(titles.items())[: _MOST_PANELS // 2]:
            panels.append(_dial_panel(artefacts, group, dial, colour, scale, words, title))
    if not panels:
        return None
    caption = (
        f"{heading}: scores over {plain(dial.parameter)} and their differences from the largest, "
        f"with {artefacts.confidence} intervals."
    )
    if setting_text(dial, last) == GLOBAL:
        caption += f" Global: {plain(dial.parameter)} {dial.values[last]:g}, which covers the grid."
    name = f"dial-{dial.parameter}-{last}"
    return ChartFigure(name, caption, tuple(panels), columns=2, panel_px=300)


def _against(dial: Dial, last: str, scale: Scale) -> str:
    suffix = f", {scale.difference_symbol}" if scale.difference_symbol else ""
    setting = setting_text(dial, last)
    name = setting if setting == GLOBAL else f"{plain(dial.parameter)} {setting}"
    return f"Difference from {name}{suffix}"


def _dial_panel(
    artefacts: Artefacts,
    rows: list[Row],
    dial: Dial,
    colour: str | None,
    scale: Scale,
    words: str,
    title: str,
) -> Panel:
    order = [setting_text(dial, model) for model in dial.values]
    levels = [level_text(value) for value in artefacts.factors[colour]] if colour else []
    data = [
        _scaled(row, scale) | {"level": level_text(row[colour]) if colour else ""} for row in rows
    ]
    shade = alt.Color(
        "level:N",
        sort=levels,
        scale=alt.Scale(domain=levels or [""], range=list(COLOURS[: max(1, len(levels))])),
        legend=alt.Legend(columns=4, title=plain(colour), titleFontSize=12) if colour else None,
    )
    base = alt.Chart(values(data)).encode(
        x=alt.X(
            "x:N",
            sort=order,
            title=plain(dial.parameter),
            axis=alt.Axis(labelAngle=0, grid=False),
        ),
        color=shade,
        tooltip=_tooltip(artefacts, words, alt.Tooltip("level:N", title=plain(colour or "level"))),
    )
    if len(levels) > 1:
        base = base.encode(xOffset=alt.XOffset("level:N", sort=levels))
    y = alt.Y("estimate:Q", title=words, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5))
    layers = [
        base.mark_rule(strokeWidth=1.6).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_point(size=42, filled=True, opacity=1).encode(y=y),
    ]
    if words.startswith("Difference"):
        zero = alt.Chart(values([{"zero": 0}])).mark_rule(color=INK, strokeWidth=1)
        layers.insert(0, zero.encode(y=alt.Y("zero:Q")))
    return _panel(layers, title)


def _curves(artefacts: Artefacts, rows: list[Row], scale: Scale, x: alt.X) -> list[alt.Chart]:
    """Draw one line with intervals for each model, and chance."""
    chance = [_scaled(row, scale) for row in rows if row["model"] == CHANCE]
    data = [_scaled(row, scale) for row in rows if row["model"] != CHANCE]
    models = [m for m in artefacts.models if any(row["model"] == m for row in data)]
    scales = model_scales(artefacts.models, models)
    legend = alt.Legend(columns=3, symbolOpacity=1)
    base = alt.Chart(values(data)).encode(
        x=x,
        color=alt.Color("model:N", scale=scales["color"], legend=legend),
        tooltip=_tooltip(artefacts, scale.heading, alt.Tooltip("model:N")),
    )
    y = alt.Y(
        "estimate:Q",
        title=scale.heading,
        scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(tickCount=5),
    )
    lines = [base.mark_line(strokeWidth=1.8).encode(y=y, strokeDash=_dash(scales))]
    if chance:
        rule = alt.Chart(values(chance)).mark_line(color=CHANCE_GREY, strokeDash=[4, 3])
        lines.insert(0, rule.encode(x=x, y=alt.Y("estimate:Q")))
    return [
        *lines,
        base.mark_rule(strokeWidth=1.8).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_point(size=46, filled=True, opacity=1).encode(
            y=y, shape=alt.Shape("model:N", scale=scales["shape"], legend=legend)
        ),
    ]


def _dash(scales: dict[str, alt.Scale]) -> alt.StrokeDash:
    return alt.StrokeDash("model:N", scale=scales["dash"], legend=None)


def _panel(layers: list[alt.Chart], title: str) -> Panel:
    return alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT, title=title)


def _scaled(row: Row, scale: Scale) -> Row:
    """Keep what a chart needs of a row, in the unit that readers see."""
    numbers = {
        key: None if row[key] is None else row[key] * scale.factor
        for key in ("estimate", "low", "high")
    }
    text = {
        "text": scale.value(row["estimate"]),
        "interval": scale.interval(row["low"], row["high"]),
    }
    return numbers | text | {key: row[key] for key in ("model", "x") if key in row}


def _tooltip(artefacts: Artefacts, heading: str, first: alt.Tooltip) -> list[alt.Tooltip]:
    return [
        first,
        alt.Tooltip("x:N", title="at"),
        alt.Tooltip("text:N", title=heading),
        alt.Tooltip("interval:N", title=f"{artefacts.confidence} interval"),
    ]
