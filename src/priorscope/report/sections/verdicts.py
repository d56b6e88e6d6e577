"""Verdicts: what came of every declared hypothesis, with the numbers that decide."""

from html import escape
from itertools import groupby

import altair as alt

from priorscope.analysis import Findings
from priorscope.metrics import Scale
from priorscope.report.colours import CHANCE_GREY, INK
from priorscope.report.figure import ChartFigure, Panel, chart, scaled
from priorscope.report.intervals import difference_axis, row_axis
from priorscope.report.section import Part, Section, section_of
from priorscope.report.table import PageCell, Table
from priorscope.report.verdict_words import (
    contrasted,
    cut,
    deciding_p,
    declared,
    effect,
    interval_levels,
    seeds_shown,
    verdict_scale,
)
from priorscope.report.wording import APOSTROPHE, MINUS, Row, capital, listed

_COLOURS = {"supported": "#009e73", "refuted": "#d55e00", "inconclusive": CHANCE_GREY}
_SHAPES = {"supported": "circle", "refuted": "diamond", "inconclusive": "circle"}
_BAND = "#dcdcdc"
_WIDTH, _HEIGHT = 168, 34  # of the small pictures, in pixels
_MIDDLE, _EDGE = 11, 6
_HALF_LETTER = 3.4  # of a label's letters


def verdicts(results: Findings) -> Section | None:
    """Put the verdicts first."""
    nothing = "The study declares no hypotheses, so there is nothing to give a verdict on."
    if not results.verdicts:
        return section_of("verdicts", "Verdicts", Part(paragraphs=[("", nothing)]))
    blocks = [verdict_table(results), _forest(results)]
    return section_of("verdicts", "Verdicts", Part(blocks))


def verdict_sentences(results: Findings) -> list[str]:
    """Count the verdicts and name the hypotheses of each."""
    parts = []
    for verdict in ("supported", "refuted", "inconclusive"):
        if names := [row["id"] for row in results.verdicts if row["verdict"] == verdict]:
            parts.append(f"{len(names)} {verdict} ({listed(names)})")
    many = len(results.verdicts)
    noun = "hypothesis" if many == 1 else "hypotheses"
    return [f"Of {many} declared {noun}, {listed(parts)}."] if parts else []


def verdict_table(results: Findings) -> Table:
    """List one row a hypothesis: effect, interval against zero or margin, p, verdict, reason."""
    rows, pages = [], []
    for row in results.verdicts:
        scale = verdict_scale(row)
        what, shown, p = declared(row, scale), effect(row, scale), deciding_p(row)
        levels, seeds = interval_levels(row, scale), seeds_shown(row)
        late = row["changed_after_results"]
        why = row["reason"] + (f" {capital(late)}, when results existed." if late else "")
        verdict = row["verdict"].capitalize()
        rows.append((row["id"], row["statement"], what, shown, levels, p, verdict, seeds, why))
        anchor = f"#from-{row['id']}" if row["predictions"] else ""
        picture = interval_picture(cut(row), scale) if row["estimate"] is not None else ""
        note = "; ".join(filter(None, (levels, seeds)))
        pages.append(
            (
                PageCell(row["id"]),
                PageCell(row["statement"], note=what),
                PageCell(shown, href=anchor, picture=picture, note=note),
                PageCell(p, href=anchor),
                PageCell(verdict, mark=row["verdict"], note=why),
                PageCell("", anchor=anchor.removeprefix("#"), links=_sources(row)),
            )
        )
    caption = (
        f"Verdicts on the {len(rows)} hypotheses that the study declares. Effect: the first part "
        "of what is compared minus the second, with the interval that decides: its level is that "
        f"of the test at its step of Holm{APOSTROPHE}s correction, so that it "
        "leaves out zero (or lies within the margin) exactly where the verdict says so. p (Holm): "
        "of what is claimed, or where that is refuted of its contrary, adjusted over all "
        "hypotheses. In the small pictures the line is zero, the band the margin, the dot the "
        "effect and the bar its interval."
    )
    header = ("", "Statement", "Declared", "Effect [interval]", "Interval", "p (Holm)", "Verdict")
    return Table(
        "verdicts",
        caption,
        (*header, "Seeds", "Why"),
        rows,
        [_record(row) for row in results.verdicts],
        {5},
        numbered=False,
        page_header=("", "Statement", "Effect [interval]", "p (Holm)", "Verdict and why", "From"),
        page_rows=pages,
    )


def _sources(row: Row) -> tuple[tuple[str, str], ...]:
    """Link the predictions that a verdict's numbers came from, seen from the page."""
    files = zip(row["runs"], row["predictions"], strict=True)
    return tuple((run.rpartition("-")[0], f"../{file}") for run, file in files)


def _record(row: Row) -> Row:
    contrast = {f"contrast_{key}": value for key, value in row["contrast"].items()}
    left_out = ("contrast", "components", "runs", "predictions", "arms", "scale", "range")
    left_out += ("seed_scores", "split", "stability", "unadjusted")
    kept = {key: value for key, value in row.items() if key not in left_out}
    alone = {f"{key}_alone": value for key, value in row["unadjusted"].items()}
    stability = {"stability": (row["stability"] or {}).get("status")}
    return kept | contrast | alone | stability | {"predictions": " ".join(row["predictions"])}


def interval_picture(row: Row, scale: Scale) -> str:
    """Draw a verdict's effect and interval over zero and its margin; all of them are in view.

    Returns
    -------
    str : an `svg` element with a text alternative
    """
    margin = row["margin"] or 0.0
    ends = [row["low"], row["high"], margin, -margin, 0.0]
    left, right = min(ends), max(ends)
    span = (right - left) or 1.0

    def x(value: float) -> float:
        return round(_EDGE + (value - left) / span * (_WIDTH - 2 * _EDGE), 1)

    colour = _COLOURS[row["verdict"]]
    parts = []
    if margin:
        width = x(margin) - x(-margin)
        parts.append(
            f'<rect x="{x(-margin)}" y="1" width="{width:.1f}" height="20" fill="{_BAND}"/>'
        )
    parts.append(f'<path d="M{x(0)} 1V21" stroke="{INK}"/>')
    parts.append(
        f'<path d="M{x(row["low"])} {_MIDDLE}H{x(row["high"])}" stroke="{colour}" '
        'stroke-width="3"/>'
    )
    fill = "white" if row["verdict"] == "inconclusive" else colour
    parts.append(
        f'<circle cx="{x(row["estimate"])}" cy="{_MIDDLE}" r="4" fill="{fill}" '
        f'stroke="{colour}" stroke-width="2"/>'
    )
    taken: list[float] = []
    for value in (0.0, -margin, margin):  # a label that would lie on another is left out
        label = f"{value * scale.factor:+g}".replace("-", MINUS) if value else "0"
        half = _HALF_LETTER * len(label)
        place = round(min(max(x(value), half), _WIDTH - half), 1)
        if all(abs(place - other) > 26 for other in taken):
            taken.append(place)
            parts.append(
                f'<text x="{place}" y="32" text-anchor="middle" font-size="10" '
                f'fill="{INK}">{label}</text>'
            )
    words = escape(f"{scale.difference({**row, 'difference': row['estimate']})}, {row['verdict']}")
    return (
        f'<svg class="interval" role="img" aria-label="{words}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(parts)}</svg>'
    )


def _forest(results: Findings) -> ChartFigure | None:
    """Draw one row a hypothesis, one panel for each unit."""
    rows = [cut(row) for row in results.verdicts if row["estimate"] is not None]
    if not rows:
        return None
    order = list(dict.fromkeys(map(verdict_scale, rows)))
    rows.sort(key=lambda row: order.index(verdict_scale(row)))
    panels = [_panel(list(group), scale) for scale, group in groupby(rows, verdict_scale)]
    caption = (
        "Effects of the declared hypotheses with the intervals that decide. The grey bands are "
        "margins. Green circles: supported; orange diamonds: refuted; hollow circles: inconclusive."
    )
    if any(row["few_seeds"] for row in rows):
        caption += (
            " Small ticks, where seeds are few or fall apart: what the effect would be if one "
            "model had one of its seeds alone."
        )
    return ChartFigure("verdicts", caption, panels, panel_px=360, numbered=False)


def _panel(found: list[Row], scale: Scale) -> Panel:
    rows: list[Row] = [
        {"what": _what(row), "verdict": row["verdict"], "p": row["p_adjusted"]}
        | scaled(row, scale.factor, "estimate", "low", "high", "margin")
        | {"below": None if row["margin"] is None else -row["margin"] * scale.factor}
        | {"text": scale.difference({**row, "difference": row["estimate"]})}
        for row in found
    ]
    order = [row["what"] for row in rows]
    y = alt.Y("what:N", sort=order, title=None, axis=row_axis(labelLimit=230))
    base = chart(rows).encode(y=y)
    strokes = list(_COLOURS.values())
    ranges = {"stroke": strokes, "fill": [*strokes[:2], "white"], "shape": list(_SHAPES.values())}
    scales = {key: alt.Scale(domain=list(_COLOURS), range=ranges[key]) for key in ranges}
    x = difference_axis("estimate", "Effect", scale)
    tooltip = [
        alt.Tooltip("what:N", title="hypothesis"),
        alt.Tooltip("text:N", title="effect"),
        alt.Tooltip("p:Q", title="p (Holm)", format=".3g"),
        alt.Tooltip("verdict:N"),
    ]
    alone = [
        {"what": _what(row), "alone": each * scale.factor}
        for row in found
        if row["few_seeds"]
        for each in row["seed_effects"]
    ]
    ticks = chart(alone).mark_tick(color=INK, opacity=0.55, thickness=1.2, size=9)
    return alt.layer(
        base.transform_filter("datum.margin != null")
        .mark_bar(color=_BAND, size=18)
        .encode(x=alt.X("below:Q"), x2="margin:Q"),
        chart([{"zero": 0}]).mark_rule(color=INK, strokeWidth=1).encode(x=alt.X("zero:Q")),
        base.mark_rule(strokeWidth=2.5).encode(
            x=alt.X("low:Q"),
            x2="high:Q",
            color=alt.Color("verdict:N", scale=scales["stroke"], legend=None),
        ),
        base.mark_point(size=60, strokeWidth=1.8, opacity=1).encode(
            x=x,
            stroke=alt.Stroke("verdict:N", scale=scales["stroke"], legend=None),
            fill=alt.Fill("verdict:N", scale=scales["fill"], legend=None),
            shape=alt.Shape("verdict:N", scale=scales["shape"], legend=None),
            tooltip=tooltip,
        ),
        *([ticks.encode(x=alt.X("alone:Q"), y=y)] if alone else []),
    ).properties(width=240, height=alt.Step(26))


def _what(row: Row) -> str:
    return f"{row['id']}: {contrasted(row)}"
