"""How many of the k most likely classes are present (the report's Figure 5)."""

import altair as alt

from priorscope.report.artefacts import CHANCE, Artefacts, Row, select
from priorscope.report.colours import CHANCE_GREY, INK
from priorscope.report.figures import ChartFigure, Panel, model_colour, values


def matching_histograms(
    artefacts: Artefacts, probe: str, arm: str, metric: str, title: str
) -> ChartFigure | None:
    """Draw each model's scores 0 .. k against the chance distribution, with its mean."""
    found = select(artefacts.histograms, probe=probe, arm=arm, metric=metric)
    chance = select(found, model=CHANCE)
    models = [m for m in artefacts.models if select(found, model=m)]
    if not models:
        return None
    highest = max(row["high"] or row["fraction"] for row in found)
    panels = [
        model_panel(artefacts, model, select(found, model=model), chance, highest)
        for model in models
    ]
    k = f"{artefacts.scale(probe, arm, metric).high or 0:g}"
    caption = (
        f"{title}: how many of a model\N{RIGHT SINGLE QUOTATION MARK}s {k} most likely classes are "
        f"among the {k} classes of the image, as a share of all images (seeds together). "
        f"Thin bars are {artefacts.confidence} intervals; dashed outlines are chance, which is "
        "hypergeometric. The symbol on top is the mean score with its "
        f"{artefacts.confidence} interval."
    )
    return ChartFigure(f"histogram-{probe}", caption, tuple(panels), columns=2, panel_px=210)


def model_panel(
    artefacts: Artefacts, model: str, rows: list[Row], chance: list[Row], highest: float
) -> Panel:
    """Draw one model's rows of the histograms against those of chance, up to a share `highest`."""
    first = rows[0]
    estimate = artefacts.estimate(model, first["probe"], first["arm"], first["metric"])
    scale = artefacts.scale(first["probe"], first["arm"], first["metric"])
    colour = model_colour(artefacts.models, model)
    mean = f"mean {scale.estimate(estimate)}"
    return histogram_panel(rows, chance, highest, colour, model, mean, estimate)


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
    by_chance = {row["score"]: row["fraction"] for row in chance}
    bars = [
        {
            "score": row["score"],
            "share": 100 * row["fraction"],
            "low": None if row["low"] is None else 100 * row["low"],
            "high": None if row["high"] is None else 100 * row["high"],
            "chance": 100 * by_chance[row["score"]] if row["score"] in by_chance else None,
        }
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
    base = alt.Chart(values(bars)).encode(
        x=score,
        tooltip=[
            alt.Tooltip("score:Q", title="classes found"),
            alt.Tooltip("share:Q", title="share of images, %", format=".1f"),
            alt.Tooltip("chance:Q", title="chance, %", format=".1f"),
        ],
    )
    layers = [
        base.mark_bar(color=colour, opacity=0.8, size=width).encode(y=share),
        base.mark_bar(
            filled=False, stroke=CHANCE_GREY, strokeDash=[4, 3], strokeWidth=1.4, size=width
        ).encode(y=alt.Y("chance:Q")),
        base.mark_rule(color=INK, strokeWidth=1.2).encode(y=alt.Y("low:Q"), y2="high:Q"),
    ]
    if estimate:
        point = alt.Chart(values([{k: estimate[k] for k in ("estimate", "low", "high")}]))
        height = alt.value(7)
        layers += [
            point.mark_rule(color=INK, strokeWidth=2).encode(
                x=alt.X("low:Q"), x2="high:Q", y=height
            ),
            point.mark_point(color=INK, filled=True, size=18, opacity=1).encode(
                x=alt.X("estimate:Q"), y=height
            ),
        ]
    title = alt.TitleParams(heading, color=colour, limit=140, subtitle=mean, frame="group")
    return alt.layer(*layers).properties(width=135, height=135, title=title)
