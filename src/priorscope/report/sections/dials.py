"""Dials: models that differ in one number, such as the window of their attention."""

from dataclasses import dataclass
from typing import Any

import altair as alt

from priorscope.analysis import Findings
from priorscope.analysis.findings import select
from priorscope.metrics import Scale
from priorscope.report.colours import INK
from priorscope.report.figure import COLOURS, ChartFigure, Panel, chart
from priorscope.report.intervals import shown
from priorscope.report.level_curves import (
    MOST_PANELS,
    panel,
    panels_without,
    size_factor,
    tooltip,
)
from priorscope.report.section import Part, Section, section_of
from priorscope.report.sections.glance import main_columns
from priorscope.report.wording import Row, confidence, level_text, plain

GLOBAL = "global"


@dataclass(frozen=True)
class Dial:
    """Models of a study that differ in one number only.

    Attributes
    ----------
    parameter : its name
    values : model -> its value, rising
    """

    parameter: str
    values: dict[str, float]


def dials(results: Findings) -> Section | None:
    """Draw scores over every dial of the study."""
    blocks = [dial_plots(results, dial) for dial in find_dials(results.study["models"])]
    return section_of("dials", "Models that differ in one number", Part(blocks))


def find_dials(models: dict[str, dict[str, Any]]) -> list[Dial]:
    """Find the dials of a study: three models or more that differ in one number only."""
    groups: dict[tuple[str, str], dict[str, float]] = {}
    for model, component in models.items():
        flat = _flat(component)
        for parameter, value in flat.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                rest = {key: other for key, other in flat.items() if key != parameter}
                groups.setdefault((parameter, repr(sorted(rest.items()))), {})[model] = value
    found = []
    for (parameter, _), values in groups.items():
        if len(set(values.values())) >= 3:
            rising = dict(sorted(values.items(), key=lambda item: item[1]))
            found.append(Dial(parameter.rpartition(".")[2], rising))
    return found


def _flat(component: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in component.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _setting(dial: Dial, model: str) -> str:
    """Write a model's setting of a dial for an axis: its number, or `global`.

    A study says by a window larger than the grid that there is no window, and calls the model
    global: the number means nothing then, and would stand as far from the last window as the next.
    """
    without_window = "window" in dial.parameter and GLOBAL in model.lower()
    return GLOBAL if without_window else f"{dial.values[model]:g}"


def dial_plots(results: Findings, dial: Dial) -> ChartFigure | None:
    """Draw scores over a dial, and their differences from its largest setting."""
    (scored, heading), *_ = main_columns(results).items()
    scale, last = results.scale(scored), list(dial.values)[-1]
    scores = [
        row | {"x": _setting(dial, row["model"])}
        for row in select(results.estimates, **scored._asdict())
        if row["model"] in dial.values
    ]
    effects = []
    for row in select(results.comparisons, **scored._asdict()):
        sign = {row["b"]: 1, row["a"]: -1}.get(last, 0)
        model = row["a"] if sign == 1 else row["b"]
        if sign and model in dial.values:
            low, high = (row["low"], row["high"]) if sign == 1 else (row["high"], row["low"])
            effect = {"estimate": sign * row["difference"], "low": sign * low, "high": sign * high}
            effects.append(row | effect | {"x": _setting(dial, model)})
    colour = size_factor(results) or next(iter(results.factors), None)
    panels: list[Panel] = []
    for rows, words in ((scores, scale.heading), (effects, _against(dial, last, scale))):
        groups = panels_without(results, rows, *([colour] if colour else []))
        for title, group in list(groups.items())[: MOST_PANELS // 2]:
            panels.append(_panel(results, group, dial, colour, scale, words, title))
    if not panels:
        return None
    caption = (
        f"{heading}: scores over {plain(dial.parameter)} and their differences from the largest, "
        f"with {confidence(results)} intervals."
    )
    if _setting(dial, last) == GLOBAL:
        caption += f" Global: {plain(dial.parameter)} {dial.values[last]:g}, which covers the grid."
    name = f"dial-{dial.parameter}-{last}"
    return ChartFigure(name, caption, panels, columns=2, panel_px=300)


def _against(dial: Dial, last: str, scale: Scale) -> str:
    suffix = f", {scale.difference_symbol}" if scale.difference_symbol else ""
    setting = _setting(dial, last)
    name = setting if setting == GLOBAL else f"{plain(dial.parameter)} {setting}"
    return f"Difference from {name}{suffix}"


def _panel(
    results: Findings,
    rows: list[Row],
    dial: Dial,
    colour: str | None,
    scale: Scale,
    words: str,
    title: str,
) -> Panel:
    levels = [level_text(value) for value in results.factors[colour]] if colour else []
    data = [
        shown(row, scale) | {"x": row["x"], "level": level_text(row[colour]) if colour else ""}
        for row in rows
    ]
    base = chart(data).encode(
        x=alt.X(
            "x:N",
            sort=[_setting(dial, model) for model in dial.values],
            title=plain(dial.parameter),
            axis=alt.Axis(labelAngle=0, grid=False),
        ),
        color=alt.Color(
            "level:N",
            sort=levels,
            scale=alt.Scale(domain=levels or [""], range=list(COLOURS[: max(1, len(levels))])),
            legend=alt.Legend(columns=4, title=plain(colour), titleFontSize=12) if colour else None,
        ),
        tooltip=tooltip(results, words, alt.Tooltip("level:N", title=plain(colour or "level"))),
    )
    if len(levels) > 1:
        base = base.encode(xOffset=alt.XOffset("level:N", sort=levels))
    y = alt.Y("estimate:Q", title=words, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5))
    layers = [
        base.mark_rule(strokeWidth=1.6).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_point(size=42, filled=True, opacity=1).encode(y=y),
    ]
    if words.startswith("Difference"):
        zero = chart([{"zero": 0}]).mark_rule(color=INK, strokeWidth=1)
        layers.insert(0, zero.encode(y=alt.Y("zero:Q")))
    return panel(layers, title)
