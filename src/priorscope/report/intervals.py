"""Charts of estimates with their intervals: models, single seeds and chance on one axis."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from priorscope.analysis import Findings, Scored
from priorscope.claims import CHANCE
from priorscope.metrics import Scale
from priorscope.report.colours import CHANCE_GREY
from priorscope.report.figure import Panel, chart, model_scales, scaled
from priorscope.report.wording import Row, confidence, counted, plain


def models_panel(results: Findings, scored: Scored, title: str) -> Panel:
    """Draw every model on one arm, a row each."""
    rows = results.estimates_of(scored)
    y = alt.Y("model:N", sort=[row["model"] for row in rows], title=None, axis=row_axis())
    layers = _layers(results, [scored], {"y": y}, legend=None)
    return alt.layer(*layers).properties(width=215, height=alt.Step(24), title=title)


def arms_panel(results: Findings, arms: Sequence[Scored]) -> Panel:
    """Draw every model on several arms of one unit, a band an arm."""
    rows = [row for scored in arms for row in results.estimates_of(scored)]
    models = list(dict.fromkeys(row["model"] for row in rows))
    bands = alt.Scale(paddingInner=0.12, paddingOuter=0.05)
    order = [_arm(scored.arm) for scored in arms]
    where = {
        "y": alt.Y("arm:N", sort=order, title=None, axis=row_axis(), scale=bands),
        "yOffset": alt.YOffset("model:N", sort=models, scale=alt.Scale(paddingOuter=0.3)),
    }
    # Chance differs between arms: one rule as tall as each arm's band.
    rule = {"y": alt.Y("arm:N", bandPosition=0, sort=order), "y2": alt.Y2("arm:N", bandPosition=1)}
    legend = alt.Legend(columns=3, symbolOpacity=1)
    layers = _layers(results, arms, where, legend=legend, rule=rule)
    height = len(arms) * (14 * len(models) + 22)
    return alt.layer(*layers).properties(width=270, height=height)


def dots_note(results: Findings) -> str:
    """Say for a caption what the small dots are, or that there is one seed."""
    num_seeds = len({run["seed"] for run in results.runs})
    return ", small dots single seeds" if num_seeds > 1 else f", from {counted(1, 'seed')}"


def row_axis(**more: Any) -> alt.Axis:
    """Return the axis of a chart that has a row for each thing."""
    return alt.Axis(domain=False, ticks=False, grid=False, labelPadding=6, **more)


def difference_axis(field: str, words: str, scale: Scale) -> alt.X:
    """Return the axis of differences, or effects, in a metric's unit."""
    suffix = f", {scale.difference_symbol}" if scale.difference_symbol else ""
    return alt.X(
        f"{field}:Q",
        title=f"{words} in {scale.phrase}{suffix}",
        axis=alt.Axis(tickCount=5),
        scale=alt.Scale(nice=True, padding=8),
    )


def _layers(
    results: Findings,
    arms: Sequence[Scored],
    where: dict[str, Any],
    *,
    legend: alt.Legend | None,
    rule: dict[str, Any] | None = None,
) -> list[alt.Chart]:
    """Stack chance, seeds and estimates; `where` places models and `rule` chance on the y axis."""
    scale = results.scale(arms[0])
    rows = [_of_arm(row, scale) for scored in arms for row in results.estimates_of(scored)]
    chance = [found for scored in arms if (found := results.estimate(CHANCE, scored))]
    models = list(dict.fromkeys(row["model"] for row in rows))
    scales = model_scales(results.models, models)
    x = alt.X(
        "estimate:Q",
        title=scale.heading,
        scale=alt.Scale(zero=False, nice=True, padding=8),
        axis=alt.Axis(tickCount=5),
    )
    shared = {"color": alt.Color("model:N", scale=scales["color"], legend=legend), "x": x} | where
    tooltip = [
        alt.Tooltip("model:N"),
        alt.Tooltip("arm:N"),
        alt.Tooltip("text:N", title=scale.heading),
        alt.Tooltip("interval:N", title=f"{confidence(results)} interval"),
    ]
    base = chart(rows).encode(**shared, tooltip=tooltip)
    layers = []
    if chance:
        drawn = chart([_of_arm(row, scale) for row in chance])
        layers.append(
            drawn.mark_rule(color=CHANCE_GREY, strokeDash=[4, 3]).encode(x=x, **(rule or {}))
        )
    seeds = _seeds(results, arms, scale)
    if len({row["seed"] for row in seeds}) > 1:
        tip = [alt.Tooltip("model:N"), alt.Tooltip("seed:N"), alt.Tooltip("text:N", title="score")]
        layers.append(chart(seeds).mark_circle(size=14, opacity=0.45).encode(**shared, tooltip=tip))
    shape = alt.Shape("model:N", scale=scales["shape"], legend=legend)
    return [
        *layers,
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_point(size=46, filled=True, opacity=1).encode(shape=shape),
    ]


def shown(row: Row, scale: Scale) -> Row:
    """Write an estimate in its unit, with the texts of its tooltip."""
    return (
        scaled(row, scale.factor, "estimate", "low", "high")
        | {"text": scale.value(row["estimate"])}
        | {"interval": scale.interval(row["low"], row["high"])}
    )


def _of_arm(row: Row, scale: Scale) -> Row:
    return {"model": row["model"], "arm": _arm(row["arm"])} | shown(row, scale)


def _seeds(results: Findings, arms: Sequence[Scored], scale: Scale) -> list[dict[str, Any]]:
    return [
        {"model": row["model"], "seed": row["seed"], "arm": _arm(row["arm"])}
        | {"estimate": row["value"] * scale.factor, "text": scale.value(row["value"])}
        for row in results.scores.filter(probe=arms[0].probe, metric=arms[0].metric).to_dicts()
        if row["arm"] in {scored.arm for scored in arms} and row["value"] is not None
    ]


def _arm(name: str) -> str:
    return plain(name) or "all"
