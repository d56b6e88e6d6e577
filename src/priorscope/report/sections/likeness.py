"""How alike models are by each measure of two that the study declares, with seeds as the floor."""

from itertools import combinations_with_replacement
from typing import Any

import altair as alt
import numpy as np

from priorscope.analysis import Findings
from priorscope.analysis.findings import select
from priorscope.metrics import Scale
from priorscope.report.figure import ChartFigure, Panel, chart
from priorscope.report.section import Blocks, Part, Section, in_cells, section_of
from priorscope.report.sections.error_consistency import ERROR_CONSISTENCY
from priorscope.report.table import Table, table_of
from priorscope.report.wording import Row, confidence
from priorscope.study.measures import asked_as, measures_of

_MOST_PANELS = 12
_FLOOR = (
    "Two seeds of one model say what another training alone takes away: that is the floor that two "
    "models are held against. Networks of equal seed saw the same examples in the same order: "
    "their pairs are shown apart and count in no mean."
)


def likeness(results: Findings) -> Section | None:
    """Say how alike models are, where the study declares a measure of two."""
    cells = [part for part in in_cells(results, _of_cell) if part.blocks]
    if not cells:
        return None
    return section_of("likeness", "Likeness of models", Part(paragraphs=[("", _FLOOR)]), *cells)


def _of_cell(results: Findings) -> Blocks:
    blocks: list[Table | ChartFigure | None] = []
    about = results.record.get("measures") or {}
    elsewhere = asked_as(results.study, ERROR_CONSISTENCY)
    for name, measure in measures_of(results.study).items():
        known = about.get(name, {})
        if measure.declared and name != elsewhere and known.get("kind", "network") != "network":
            scale = Scale(**known["scale"])
            blocks += [_table(results, name, scale), _by_depth(results, name, scale)]
    return blocks


def _table(results: Findings, name: str, scale: Scale) -> Table | None:
    """Return a row a pair of models and arm: estimate with interval, and that of equal seeds."""
    found = select(results.measurements, measure=name)
    arms = dict.fromkeys(row["arm"] for row in select(results.measures, measure=name))
    arms = arms or dict.fromkeys(row["arm"] for row in found if row["n"] > 1)
    rows: list[Row] = []
    for model, partner in combinations_with_replacement(results.models, 2):
        for arm in arms:
            pair = {"model": model, "partner": partner, "arm": arm}
            estimated = select(results.measures, measure=name, **pair)
            equal = [row["value"] for row in select(found, **pair) if row["shares_order"]]
            if estimated or equal:
                row: dict[str, Any] = dict.fromkeys(("estimate", "low", "high"))
                row |= {"num_pairs": 0, **pair, **dict(estimated[0] if estimated else {})}
                rows.append(row | {"equal_seeds": float(np.mean(equal)) if equal else None})
    if not rows:
        return None
    columns = {
        "Model": lambda row: row["model"],
        "with": lambda row: (
            "seeds of its own" if row["model"] == row["partner"] else row["partner"]
        ),
        **({"Arm": lambda row: row["arm"]} if len(arms) > 1 else {}),
        scale.heading: scale.estimate,
        "Pairs": lambda row: str(row["num_pairs"]),
        "Equal seeds": lambda row: scale.value(row["equal_seeds"]),
    }
    caption = (
        f"{scale.words} ({name}): mean over pairs of networks, with {confidence(results)} "
        "intervals over networks and images where there are three seeds, else over images."
    )
    first = len(columns) - 3
    return table_of(f"likeness-{name}", caption, rows, columns, numeric=range(first, len(columns)))


def _by_depth(results: Findings, name: str, scale: Scale) -> ChartFigure | None:
    """Draw the mean of all pairs of depths, a panel a pair of models; rows have both depths."""
    found = select(results.measurements, measure=name)
    if not found or not {"block", "partner_block"} <= found[0].keys():
        return None
    found = [row for row in found if row["block"]]
    between = {(row["model"], row["partner"]) for row in found if not row["shares_order"]}
    panels = []
    for model, partner in combinations_with_replacement(results.models, 2):
        of_pair = select(found, model=model, partner=partner)
        if (model, partner) in between:
            of_pair = select(of_pair, shares_order=False)
        if of_pair:
            panels.append(_panel(model, partner, of_pair, scale))
    if not panels:
        return None
    caption = (
        f"{scale.words} ({name}) of all pairs of depths, counted in blocks from the input on: "
        "means over pairs of networks, without intervals."
    )
    if len(panels) > _MOST_PANELS:
        caption += f" The first {_MOST_PANELS} of {len(panels)} pairs of models."
    return ChartFigure(
        f"likeness-{name}-depth", caption, panels[:_MOST_PANELS], columns=3, panel_px=240
    )


def _panel(model: str, partner: str, rows: list[Row], scale: Scale) -> Panel:
    by_depth: dict[tuple[int, int], list[float]] = {}
    for row in rows:
        by_depth.setdefault((row["block"], row["partner_block"]), []).append(row["value"])
    drawn = [
        {"block": i, "partner_block": j, "value": float(np.mean(values))}
        for (i, j), values in by_depth.items()
    ]
    other = "another seed" if model == partner else partner
    axis = alt.Axis(labelAngle=0, grid=False, labelOverlap=True)
    return (
        chart(drawn)
        .mark_rect()
        .encode(
            x=alt.X("partner_block:O", title=f"Block of {other}", axis=axis),
            y=alt.Y("block:O", title=f"Block of {model}", sort="descending", axis=axis),
            color=alt.Color(
                "value:Q",
                scale=alt.Scale(scheme="viridis", domain=[0, 1], clamp=True),
                legend=alt.Legend(title=None, gradientLength=120),
            ),
            tooltip=[
                "block:O",
                "partner_block:O",
                alt.Tooltip("value:Q", title=scale.words, format=".2f"),
            ],
        )
        .properties(width=170, height=170)
    )
