"""The probes: what each is about beside its controls (the 2021 report's Figure 5, Tables 2, 3)."""

from itertools import groupby

import altair as alt

from priorscope.analysis import Findings, Scored
from priorscope.analysis.findings import select
from priorscope.claims import CHANCE
from priorscope.metrics import NONE
from priorscope.report.colours import CHANCE_GREY, INK
from priorscope.report.figure import ChartFigure, Panel, chart, model_colour, scaled
from priorscope.report.intervals import arms_panel, dots_note
from priorscope.report.section import Block, Part, Section, in_cells, section_of
from priorscope.report.sections.glance import numbers
from priorscope.report.sections.images import (
    known_probes,
    probe_description,
    probe_title,
    sample_figures,
)
from priorscope.report.table import Table
from priorscope.report.wording import (
    APOSTROPHE,
    MINUS,
    Row,
    confidence,
    difference,
    interval_note,
    listed,
    plain,
    sample_size,
)


def probes(results: Findings) -> Section | None:
    """Give each probe a part; with several cells, each cell one with all of the probes."""
    known = known_probes(results)
    others = [probe for probe in results.probes if probe not in known]
    ordered, parts = [*known, *others], []
    for probe in others if results.factors else ordered:
        about = [] if probe in known else [probe_description(results, probe)]
        samples = [] if probe in known else sample_figures(results, [probe], classes=False)
        blocks = [] if results.factors else _blocks(results, probe)
        anchor = f"probe-{probe}"
        parts.append(Part([*samples, *blocks], about, probe_title(results, probe), False, anchor))
    if results.factors:
        parts += in_cells(results, lambda cell: [b for p in ordered for b in _blocks(cell, p)])
    return section_of("probes", "Probes", *parts)


def _blocks(results: Findings, probe: str) -> list[Block]:
    """Set what a probe is about beside its controls, metric by metric."""
    title, blocks = probe_title(results, probe), []
    for metric in results.metrics(probe):
        arms = [Scored(probe, arm, metric) for arm in results.arms(probe, metric)]
        for scored in arms:
            if results.is_counted(scored):
                heading = title if scored == arms[0] else f"{title}, {plain(scored.arm)}"
                blocks.append(_histograms(results, scored, heading))
        blocks.append(probe_table(results, arms, title))
        blocks.append(_intervals(results, arms, title))
        if controls := select(results.controls, probe=probe, metric=metric):
            blocks.append(_control_table(results, controls, title))
    return blocks


def probe_table(results: Findings, arms: list[Scored], title: str) -> Table:
    """Return one row a model and one column an arm: the condition under test, then its controls."""
    rows, records = [], []
    for model in [*results.models, CHANCE]:
        found = {scored: results.estimate(model, scored) for scored in arms}
        rows.append((model, *(results.scale(s).estimate(row) for s, row in found.items())))
        record: Row = {"model": model}
        for scored, row in found.items():
            record = {**record, **numbers(row, scored.arm)}
        records.append(record)
    columns = {scored: plain(scored.arm) for scored in arms}
    caption = f"{title}. First the condition under test"
    caption += f", then its controls ({listed([*columns.values()][1:])})." if arms[1:] else "."
    return Table(
        f"{arms[0].probe}-{arms[0].metric}",
        f"{caption} {interval_note(results, columns)}",
        ("Model", *(f"{arm}\n{results.scale(s).heading}" for s, arm in columns.items())),
        rows,
        records,
        range(1, len(arms) + 1),
        {len(rows) - 1},
    )


def _intervals(results: Findings, arms: list[Scored], title: str) -> ChartFigure:
    """Draw a probe's condition under test above its controls, one panel for each unit."""
    panels = [arms_panel(results, list(group)) for _, group in groupby(arms, key=results.scale)]
    caption = (
        f"{title}: the condition under test and its controls. Symbols are estimates, bars their "
        f"{confidence(results)} intervals{dots_note(results)}; dashed grey lines are chance."
    )
    return ChartFigure(f"intervals-{arms[0].probe}-{arms[0].metric}", caption, panels)


def _control_table(results: Findings, found: list[Row], title: str) -> Table:
    """Return what a probe's condition costs each model: its score minus that on each control."""
    first, controls = found[0], list(dict.fromkeys(row["control"] for row in found))
    rows = []
    for model in results.models:
        cells = []
        for control in controls:
            scale = results.scale(Scored(first["probe"], control, first["metric"]))
            row = select(found, model=model, control=control)
            cells.append(difference(scale, row[0]) if row else NONE)
        rows.append((model, *cells))
    arm = plain(first["arm"])
    caption = (
        f"{title}. Within each model, its score on {arm} minus that on each control, paired by "
        f"scene, with {confidence(results)} intervals ({sample_size(found)}). "
        "pp: percentage points."
    )
    header = ("Model", *(f"{arm} {MINUS} {plain(control)}" for control in controls))
    name = f"{first['probe']}-controls"
    return Table(name, caption, header, rows, found, range(1, len(header)))


def _histograms(results: Findings, scored: Scored, title: str) -> ChartFigure:
    """Draw each model's scores 0 .. k against the chance distribution, with its mean."""
    found = select(results.histograms, **scored._asdict())
    highest = max(row["high"] or row["fraction"] for row in found)
    models = [model for model in results.models if select(found, model=model)]
    panels = [model_histogram(results, scored, model, highest) for model in models]
    k = f"{results.scale(scored).high or 0:g}"
    caption = (
        f"{title}: how many of a model{APOSTROPHE}s {k} most likely classes are "
        f"among the {k} classes of the image, as a share of all images (seeds together). "
        f"Thin bars are {confidence(results)} intervals; dashed outlines are chance, which is "
        "hypergeometric. The symbol on top is the mean score with its "
        f"{confidence(results)} interval."
    )
    return ChartFigure(f"histogram-{scored.probe}", caption, panels, columns=2, panel_px=210)


def model_histogram(results: Findings, scored: Scored, model: str, highest: float) -> Panel:
    """Draw one model's histogram against that of chance, up to a share `highest`."""
    rows = select(results.histograms, **scored._asdict())
    estimate = results.estimate(model, scored)
    mean = f"mean {results.scale(scored).estimate(estimate)}"
    colour = model_colour(results.models, model)
    chance = select(rows, model=CHANCE)
    return histogram_panel(
        select(rows, model=model), chance, highest, colour, model, mean, estimate
    )


def histogram_panel(
    rows: list[Row],
    chance: list[Row],
    highest: float,
    colour: str,
    heading: str,
    mean: str,
    estimate: Row | None,
) -> Panel:
    """Draw shares by score with their intervals, chance outlined; `estimate` is marked on top."""
    by_chance = {row["score"]: 100 * row["fraction"] for row in chance}
    bars = [
        {"score": row["score"], "share": 100 * row["fraction"]}
        | scaled(row, 100, "low", "high")
        | {"chance": by_chance.get(row["score"])}
        for row in rows
    ]
    # The head room holds the mean.
    share = alt.Y(
        "share:Q",
        title="Share of images, %",
        scale=alt.Scale(domain=[0, 122 * highest], nice=False),
        axis=alt.Axis(tickCount=5),
    )
    top = max(int(row["score"]) for row in rows)
    score = alt.X(
        "score:Q",
        title="Classes found",
        scale=alt.Scale(domain=[-0.6, top + 0.6], nice=False),
        axis=alt.Axis(values=list(range(top + 1)), grid=False, tickCount=top + 1),
    )
    width = max(4.0, 0.72 * 135 / (top + 1.2))
    outline = {"stroke": CHANCE_GREY, "strokeDash": [4, 3], "strokeWidth": 1.4}
    base = chart(bars).encode(
        x=score,
        tooltip=[
            alt.Tooltip("score:Q", title="classes found"),
            alt.Tooltip("share:Q", title="share of images, %", format=".1f"),
            alt.Tooltip("chance:Q", title="chance, %", format=".1f"),
        ],
    )
    layers = [
        base.mark_bar(color=colour, opacity=0.8, size=width).encode(y=share),
        base.mark_bar(filled=False, size=width, **outline).encode(y=alt.Y("chance:Q")),
        base.mark_rule(color=INK, strokeWidth=1.2).encode(y=alt.Y("low:Q"), y2="high:Q"),
    ]
    if estimate:
        point = chart([{key: estimate[key] for key in ("estimate", "low", "high")}])
        height = alt.value(7)
        rule = point.mark_rule(color=INK, strokeWidth=2)
        dot = point.mark_point(color=INK, filled=True, size=18, opacity=1)
        layers.append(rule.encode(x=alt.X("low:Q"), x2="high:Q", y=height))
        layers.append(dot.encode(x=alt.X("estimate:Q"), y=height))
    title = alt.TitleParams(heading, color=colour, limit=140, subtitle=mean, frame="group")
    return alt.layer(*layers).properties(width=135, height=135, title=title)
