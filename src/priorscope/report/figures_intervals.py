"""Estimates with their intervals: models against chance, and differences between models."""

from itertools import groupby

import altair as alt

from priorscope.metrics import Scale
from priorscope.report.artefacts import CHANCE, Artefacts, Row, select
from priorscope.report.colours import CHANCE_GREY, INK
from priorscope.report.figures import ChartFigure, Panel, model_scales, values
from priorscope.report.wording import counted, plain

_MOST_PAIRS = 30  # in one panel of differences; the table has all


def overview(artefacts: Artefacts, arms: list[tuple[str, str, str, str]]) -> ChartFigure:
    """Draw every model on the test images and on what each probe is about.

    `arms` holds (probe, arm, metric, title) for each panel.
    """
    panels = [_models_panel(artefacts, *entry) for entry in arms]
    caption = (
        f"Estimates with {artefacts.confidence} intervals"
        f"{_dots(artefacts)}; the dashed grey line is chance. Scales differ between panels."
    )
    return ChartFigure("overview", caption, tuple(panels), panel_px=260, numbered=False)


def arm_intervals(artefacts: Artefacts, probe: str, metric: str, title: str) -> ChartFigure:
    """Draw a probe's condition under test above its controls, one panel for each unit."""
    arms = [a for a in artefacts.arms(probe) if select_arm(artefacts, probe, a, metric)]
    panels = [
        _arms_panel(artefacts, probe, list(group), metric)
        for _, group in groupby(arms, key=lambda arm: artefacts.scale(probe, arm, metric))
    ]
    caption = (
        f"{title}: the condition under test and its controls. Symbols are estimates, bars their "
        f"{artefacts.confidence} intervals{_dots(artefacts)}; dashed grey lines are chance."
    )
    return ChartFigure(f"intervals-{probe}-{metric}", caption, tuple(panels))


def select_arm(artefacts: Artefacts, probe: str, arm: str, metric: str) -> list[Row]:
    """List the models' estimates of one arm in the study's order, without chance."""
    rows = (artefacts.estimate(model, probe, arm, metric) for model in artefacts.models)
    return [row for row in rows if row is not None]


def differences(
    artefacts: Artefacts, arms: list[tuple[str, str, str, str]], name: str, caption: str
) -> ChartFigure | None:
    """Draw the pairwise differences of each (probe, arm, metric, title) as a forest plot."""
    panels, cut = [], False
    for probe, arm, metric, title in arms:
        rows = select(artefacts.comparisons, probe=probe, arm=arm, metric=metric)
        rows = [row for row in rows if row["difference"] is not None]
        if rows:
            largest = sorted(rows, key=lambda row: -abs(row["difference"]))[:_MOST_PAIRS]
            cut |= len(rows) > _MOST_PAIRS
            kept = [row for row in rows if row in largest]
            panels.append(_forest_panel(artefacts, kept, title))
    if not panels:
        return None
    if cut:
        caption += f" Each panel shows the {_MOST_PAIRS} largest differences; the table has all."
    return ChartFigure(name, caption, tuple(panels), panel_px=300)


def _dots(artefacts: Artefacts) -> str:
    num_seeds = len({run["seed"] for run in artefacts.runs})
    return ", small dots single seeds" if num_seeds > 1 else f", from {counted(1, 'seed')}"


def _shown(rows: list[Row], scale: Scale) -> list[Row]:
    """Scale rows to their unit, with the texts of tooltips."""
    return [
        {
            "model": row["model"],
            "arm": plain(row["arm"]) or "all",
            "estimate": row["estimate"] * scale.factor,
            "low": None if row["low"] is None else row["low"] * scale.factor,
            "high": None if row["high"] is None else row["high"] * scale.factor,
            "text": scale.value(row["estimate"]),
            "interval": scale.interval(row["low"], row["high"]),
        }
        for row in rows
    ]


def _seeds(artefacts: Artefacts, probe: str, arms: list[str], metric: str, scale: Scale):
    rows = [
        row
        for row in select(artefacts.scores, probe=probe, metric=metric)
        if row["arm"] in arms and row["value"] is not None
    ]
    return [
        {
            "model": row["model"],
            "seed": row["seed"],
            "arm": plain(row["arm"]) or "all",
            "estimate": row["value"] * scale.factor,
            "text": scale.value(row["value"]),
        }
        for row in rows
    ]


def _layers(
    artefacts: Artefacts,
    rows: list[Row],
    seeds: list[Row],
    chance: list[Row],
    where: dict,
    scale: Scale,
) -> list[alt.Chart]:
    """Stack the layers of an interval chart; `where` places models on the y axis."""
    models = list(dict.fromkeys(row["model"] for row in rows))
    scales = model_scales(artefacts.models, models)
    legend = alt.Legend(columns=3, symbolOpacity=1) if "yOffset" in where else None
    x = alt.X(
        "estimate:Q",
        title=scale.heading,
        scale=alt.Scale(zero=False, nice=True, padding=8),
        axis=alt.Axis(tickCount=5),
    )
    tooltip = [
        alt.Tooltip("model:N"),
        alt.Tooltip("arm:N"),
        alt.Tooltip("text:N", title=scale.heading),
        alt.Tooltip("interval:N", title=f"{artefacts.confidence} interval"),
    ]
    shared = {"color": alt.Color("model:N", scale=scales["color"], legend=legend), "x": x} | where
    base = alt.Chart(values(rows)).encode(**shared, tooltip=tooltip)
    chance_rule = alt.Chart(values(chance)).mark_rule(color=CHANCE_GREY, strokeDash=[4, 3])
    y = {}
    if "yOffset" in where:  # chance differs between arms: one rule as tall as each arm's band
        arms = list(dict.fromkeys(row["arm"] for row in rows))
        y["y"] = alt.Y("arm:N", bandPosition=0, sort=arms)
        y["y2"] = alt.Y2("arm:N", bandPosition=1)
    layers = [chance_rule.encode(x=x, **y)] if chance else []
    if len({row["seed"] for row in seeds}) > 1:
        tip = [alt.Tooltip("model:N"), alt.Tooltip("seed:N"), alt.Tooltip("text:N", title="score")]
        layers.append(
            alt.Chart(values(seeds))
            .mark_circle(size=14, opacity=0.45)
            .encode(**shared, tooltip=tip)
        )
    layers.append(base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q"))
    layers.append(
        base.mark_point(size=46, filled=True, opacity=1).encode(
            shape=alt.Shape("model:N", scale=scales["shape"], legend=legend)
        )
    )
    return layers


def _models_panel(artefacts: Artefacts, probe: str, arm: str, metric: str, title: str) -> Panel:
    scale = artefacts.scale(probe, arm, metric)
    rows = _shown(select_arm(artefacts, probe, arm, metric), scale)
    seeds = _seeds(artefacts, probe, [arm], metric, scale)
    chance = [r for r in [artefacts.estimate(CHANCE, probe, arm, metric)] if r]
    order = [row["model"] for row in rows]
    where = {"y": alt.Y("model:N", sort=order, title=None, axis=_row_axis())}
    layers = _layers(artefacts, rows, seeds, _shown(chance, scale), where, scale)
    return alt.layer(*layers).properties(width=215, height=alt.Step(24), title=title)


def _arms_panel(artefacts: Artefacts, probe: str, arms: list[str], metric: str) -> Panel:
    scale = artefacts.scale(probe, arms[0], metric)
    found = [row for arm in arms for row in select_arm(artefacts, probe, arm, metric)]
    rows = _shown(found, scale)
    seeds = _seeds(artefacts, probe, arms, metric, scale)
    chance = [artefacts.estimate(CHANCE, probe, arm, metric) for arm in arms]
    order = [plain(arm) or "all" for arm in arms]
    models = list(dict.fromkeys(row["model"] for row in rows))
    where = {
        "y": alt.Y("arm:N", sort=order, title=None, axis=_row_axis(), scale=_bands()),
        "yOffset": alt.YOffset("model:N", sort=models, scale=alt.Scale(paddingOuter=0.3)),
    }
    layers = _layers(artefacts, rows, seeds, _shown([c for c in chance if c], scale), where, scale)
    height = len(arms) * (14 * len(models) + 22)
    return alt.layer(*layers).properties(width=270, height=height)


def _bands() -> alt.Scale:
    return alt.Scale(paddingInner=0.12, paddingOuter=0.05)


def _row_axis() -> alt.Axis:
    return alt.Axis(domain=False, ticks=False, grid=False, labelPadding=6)


def _forest_panel(artefacts: Artefacts, found: list[Row], title: str) -> Panel:
    first = found[0]
    scale = artefacts.scale(first["probe"], first["arm"], first["metric"])
    rows = [
        {
            "pair": f"{row['a']} \N{MINUS SIGN} {row['b']}",
            "difference": row["difference"] * scale.factor,
            "low": None if row["low"] is None else row["low"] * scale.factor,
            "high": None if row["high"] is None else row["high"] * scale.factor,
            "text": scale.difference(row),
            "p": row["p_adjusted"],
            "clear": artefacts.is_clear(row),
        }
        for row in found
    ]
    base = alt.Chart(values(rows)).encode(
        y=alt.Y(
            "pair:N",
            sort=[row["pair"] for row in rows],
            title=None,
            axis=alt.Axis(domain=False, ticks=False, grid=False, labelPadding=6, labelLimit=170),
        ),
        tooltip=[
            alt.Tooltip("pair:N"),
            alt.Tooltip("text:N", title="difference"),
            alt.Tooltip("p:Q", title="p (Holm)", format=".3g"),
        ],
    )
    suffix = f", {scale.difference_symbol}" if scale.difference_symbol else ""
    x = alt.X(
        "difference:Q",
        title=f"Difference in {scale.phrase}{suffix}",
        axis=alt.Axis(tickCount=5),
        scale=alt.Scale(nice=True, padding=8),
    )
    zero = alt.Chart(values([{"zero": 0}])).mark_rule(color=INK, strokeWidth=1)
    fill = alt.condition("datum.clear", alt.value(INK), alt.value("white"))
    return alt.layer(
        zero.encode(x=alt.X("zero:Q")),
        base.mark_rule(strokeWidth=2, color=INK).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_point(size=46, stroke=INK, strokeWidth=1.6, opacity=1).encode(x=x, fill=fill),
    ).properties(width=210, height=alt.Step(22), title=title)
