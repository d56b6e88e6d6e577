"""The 2021 report's Figures 4 and 5 beside a study's."""

import altair as alt
import numpy as np

from priorscope.analysis import Findings
from priorscope.analysis.findings import select
from priorscope.report.colours import CHANCE_GREY, INK
from priorscope.report.figure import ChartFigure, Panel, chart, model_colour
from priorscope.report.sections.probes import histogram_panel, model_histogram
from priorscope.report.sections.report_2021.published import (
    ARMS,
    CLASSES_SHOWN,
    EPOCH,
    HISTOGRAM,
    NUM_CLASSES,
)
from priorscope.report.sections.report_2021.tables import combined_column, counterparts
from priorscope.report.sections.training import epoch_axis
from priorscope.report.wording import APOSTROPHE, Row, confidence, listed
from priorscope.stats import top_k_chance, wilson

_MOST_EPOCHS = 200  # plotted; a longer training is thinned evenly
_COLUMNS = {
    "train_loss": ("training loss", "Loss", ".3f"),
    "test_accuracy": ("test accuracy", "Top-1 accuracy, %", ".1f"),
}


def curves_2021(results: Findings, published: list[Row]) -> ChartFigure | None:
    """Draw the report's learning curves left and the study's right, on one scale each."""
    if not published:
        return None
    theirs = [
        {"name": ARMS[row["arm"]].title, "colour": _colour(results, row["arm"])}
        | {"epoch": row["epoch"], "train_loss": row["train_loss"]}
        | {"test_accuracy": 100 * row["test_accuracy"]}
        for row in published
    ]
    ours = _mean_epochs(results)
    panels = []
    for column in _COLUMNS:
        domain = [0.0, max(float(row[column]) for row in theirs + ours)]
        panels.append(_curves(theirs, column, "The report", domain, mark=EPOCH))
        if ours:
            panels.append(_curves(ours, column, "This study", domain, mark=None))
    caption = (
        f"The report{APOSTROPHE}s Figure 4, training loss and test accuracy by "
        f"epoch, by its published learning curves, beside this study{APOSTROPHE}s"
        f". The dashed line is epoch {EPOCH}, which its Table 1 names. Losses cannot be compared "
        "with each other: those of Local ViT are of images mixed by MixUp and CutMix."
    )
    several = len({run["seed"] for run in results.runs}) > 1
    caption += " Lines of this study are means over seeds." if several else ""
    return ChartFigure("report-2021-training", caption, panels, 2, numbered=False)


def histograms_2021(results: Findings) -> ChartFigure:
    """Draw the published Top-4 histograms and those of the models that stand for the arms."""
    chance = top_k_chance(NUM_CLASSES, CLASSES_SHOWN, CLASSES_SHOWN).pmf
    level = results.settings.confidence
    published = {arm: _published_rows(counts, level) for arm, counts in HISTOGRAM.items()}
    scored, ours = combined_column(results), []
    if scored:
        found = select(results.histograms, **scored._asdict())
        ours = [row for m in counterparts(results).values() for row in select(found, model=m)]
    every = [*(row for rows in published.values() for row in rows), *ours]
    highest = max(row["high"] or row["fraction"] for row in every)
    expected = [{"score": k, "fraction": p} for k, p in enumerate(chance)]
    panels: list[Panel] = []
    for arm, rows in published.items():
        mean = f"mean {sum(row['score'] * row['fraction'] for row in rows):.2f}"
        title, colour = f"{ARMS[arm].title}, the report", _colour(results, arm)
        panels.append(histogram_panel(rows, expected, highest, colour, title, mean, None))
    if scored:
        models = dict.fromkeys(row["model"] for row in ours)
        panels += [model_histogram(results, scored, model, highest) for model in models]
    unpublished = [arm.title for name, arm in ARMS.items() if name not in HISTOGRAM]
    caption = (
        f"The report{APOSTROPHE}s Figure 5, Top-4 matching on Combined, beside "
        f"this study{APOSTROPHE}s: how many of the four most likely classes are "
        "among the four of the image, as a share of all images (the report: "
        f"{sum(HISTOGRAM['resnet50'])} mosaics). Thin bars are {confidence(results)} intervals, "
        f"for the report Wilson{APOSTROPHE}s; dashed outlines are chance; the "
        "symbol on top is the mean score with its interval. "
        f"The outputs of {listed(unpublished)} are not published."
    )
    return ChartFigure("report-2021-histogram", caption, panels, 2, 210, numbered=False)


def _published_rows(counts: tuple[int, ...], confidence: float) -> list[Row]:
    shares = [wilson(images, sum(counts), confidence=confidence) for images in counts]
    return [
        {"score": score, "fraction": share.estimate, "low": share.low, "high": share.high}
        for score, share in enumerate(shares)
    ]


def _colour(results: Findings, arm: str) -> str:
    model = counterparts(results).get(arm)
    return INK if model is None else model_colour(results.models, model)


def _mean_epochs(results: Findings) -> list[Row]:
    """Average the curves of the models that stand for the report's arms over their seeds."""
    rows = []
    for arm, model in counterparts(results).items():
        found = select(results.epochs, model=model)
        last = max((row["epoch"] for row in found), default=0)
        step = -(-last // _MOST_EPOCHS)
        for epoch in range(last, 0, -step) if last else ():
            at = select(found, epoch=epoch)
            if at:
                rows.append(
                    {"name": model, "colour": _colour(results, arm), "epoch": epoch}
                    | {"train_loss": float(np.mean([row["train_loss"] for row in at]))}
                    | {"test_accuracy": 100 * float(np.mean([r["test_accuracy"] for r in at]))}
                )
    return rows


def _curves(
    rows: list[Row], column: str, whose: str, domain: list[float], mark: int | None
) -> Panel:
    what, axis, form = _COLUMNS[column]
    colours = {row["name"]: row["colour"] for row in rows}
    epochs = {row["epoch"] for row in rows}
    color = alt.Color(
        "name:N",
        scale=alt.Scale(domain=list(colours), range=list(colours.values())),
        legend=alt.Legend(columns=3, symbolOpacity=1),
    )
    y = alt.Y(
        f"{column}:Q",
        title=axis,
        scale=alt.Scale(domain=domain, nice=True),
        axis=alt.Axis(tickCount=6),
    )
    tooltip = ["name:N", "epoch:Q", alt.Tooltip(f"{column}:Q", format=form)]
    base = chart([{key: row[key] for key in ("name", "epoch", column)} for row in rows])
    line = base.mark_line(strokeWidth=2, point=len(epochs) == 1)
    layers = [line.encode(x=epoch_axis(epochs), y=y, color=color, tooltip=tooltip)]
    if mark is not None and min(epochs) < mark < max(epochs):
        rule = chart([{"epoch": mark}]).mark_rule(color=CHANCE_GREY, strokeDash=[4, 3])
        layers.insert(0, rule.encode(x=alt.X("epoch:Q")))
    return alt.layer(*layers).properties(width=320, height=190, title=f"{whose}: {what}")
