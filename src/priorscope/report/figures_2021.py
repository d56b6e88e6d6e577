"""The 2021 report's Figures 4 and 5 beside a study's."""

import altair as alt
import numpy as np

from priorscope.report.artefacts import CHANCE, Artefacts, Row, select
from priorscope.report.colours import CHANCE_GREY, INK
from priorscope.report.figures import ChartFigure, Panel, model_colour, values
from priorscope.report.figures_histograms import histogram_panel, model_panel
from priorscope.report.published_2021 import ARMS, CLASSES_SHOWN, EPOCH, HISTOGRAM, NUM_CLASSES
from priorscope.report.tables_2021_results import combined_columns, counterparts
from priorscope.report.wording import listed
from priorscope.stats import top_k_chance, wilson

_MOST_EPOCHS = 200  # plotted; a longer training is thinned evenly
_COLUMNS = {
    "train_loss": ("training loss", "Loss", ".3f"),
    "test_accuracy": ("test accuracy", "Top-1 accuracy, %", ".1f"),
}


def curves_2021(artefacts: Artefacts, published: list[Row]) -> ChartFigure | None:
    """Draw the report's learning curves left and the study's right, on one scale each."""
    if not published:
        return None
    theirs = [
        {"name": ARMS[row["arm"]].title, "colour": _colour(artefacts, row["arm"])}
        | {"epoch": row["epoch"], "train_loss": row["train_loss"]}
        | {"test_accuracy": 100 * row["test_accuracy"]}
        for row in published
    ]
    ours = _mean_epochs(artefacts)
    panels = []
    for column in _COLUMNS:
        domain = [0.0, max(float(row[column]) for row in theirs + ours)]
        panels.append(_curves(theirs, column, "The report", domain, mark=EPOCH))
        if ours:
            panels.append(_curves(ours, column, "This study", domain, mark=None))
    caption = (
        "The report\N{RIGHT SINGLE QUOTATION MARK}s Figure 4, training loss and test accuracy by "
        "epoch, by its published learning curves, beside this study\N{RIGHT SINGLE QUOTATION MARK}s"
        f". The dashed line is epoch {EPOCH}, which its Table 1 names. Losses cannot be compared "
        "with each other: those of Local ViT are of images mixed by MixUp and CutMix."
    )
    several = len({run["seed"] for run in artefacts.runs}) > 1
    caption += " Lines of this study are means over seeds." if several else ""
    return ChartFigure("report-2021-training", caption, tuple(panels), 2, numbered=False)


def histograms_2021(artefacts: Artefacts) -> ChartFigure:
    """Draw the published Top-4 histograms and those of the models that stand for the arms."""
    chance = top_k_chance(NUM_CLASSES, CLASSES_SHOWN, CLASSES_SHOWN).pmf
    confidence = 1 - artefacts.analysis["alpha"]
    published = {arm: _published_rows(counts, confidence) for arm, counts in HISTOGRAM.items()}
    models = list(counterparts(artefacts).values())
    ours: list[tuple[str, list[Row], list[Row]]] = []
    for probe, arm, metric, _ in combined_columns(artefacts)[:1]:
        rows = select(artefacts.histograms, probe=probe, arm=arm, metric=metric)
        by_chance = select(rows, model=CHANCE)
        ours = [(m, found, by_chance) for m in models if (found := select(rows, model=m))]
    every = [row for rows in published.values() for row in rows]
    every += [row for _, rows, _ in ours for row in rows]
    highest = max(row["high"] or row["fraction"] for row in every)
    expected = [{"score": k, "fraction": p} for k, p in enumerate(chance)]
    panels: list[Panel] = []
    for arm, rows in published.items():
        mean = sum(row["score"] * row["fraction"] for row in rows)
        title = (f"{ARMS[arm].title}, the report", f"mean {mean:.2f}")
        panels.append(
            histogram_panel(rows, expected, highest, _colour(artefacts, arm), *title, None)
        )
    panels += [model_panel(artefacts, model, rows, c, highest) for model, rows, c in ours]
    unpublished = [arm.title for name, arm in ARMS.items() if name not in HISTOGRAM]
    caption = (
        "The report\N{RIGHT SINGLE QUOTATION MARK}s Figure 5, Top-4 matching on Combined, beside "
        "this study\N{RIGHT SINGLE QUOTATION MARK}s: how many of the four most likely classes are "
        "among the four of the image, as a share of all images (the report: "
        f"{sum(HISTOGRAM['resnet50'])} mosaics). Thin bars are {artefacts.confidence} intervals, "
        "for the report Wilson\N{RIGHT SINGLE QUOTATION MARK}s; dashed outlines are chance; the "
        "symbol on top is the mean score with its interval. "
        f"The outputs of {listed(unpublished)} are not published."
    )
    return ChartFigure("report-2021-histogram", caption, tuple(panels), 2, 210, numbered=False)


def _published_rows(counts: tuple[int, ...], confidence: float) -> list[Row]:
    shares = [wilson(images, sum(counts), confidence=confidence) for images in counts]
    return [
        {"score": score, "fraction": share.estimate, "low": share.low, "high": share.high}
        for score, share in enumerate(shares)
    ]


def _colour(artefacts: Artefacts, arm: str) -> str:
    model = counterparts(artefacts).get(arm)
    return INK if model is None else model_colour(artefacts.models, model)


def _mean_epochs(artefacts: Artefacts) -> list[Row]:
    """Average the curves of the models that stand for the report's arms over their seeds."""
    rows = []
    for arm, model in counterparts(artefacts).items():
        found = select(artefacts.epochs, model=model)
        last = max((row["epoch"] for row in found), default=0)
        step = -(-last // _MOST_EPOCHS)
        for epoch in range(last, 0, -step) if last else ():
            at = select(found, epoch=epoch)
            if at:
                rows.append(
                    {"name": model, "colour": _colour(artefacts, arm), "epoch": epoch}
                    | {"train_loss": float(np.mean([row["train_loss"] for row in at]))}
                    | {"test_accuracy": 100 * float(np.mean([r["test_accuracy"] for r in at]))}
                )
    return rows


def _curves(
    rows: list[Row], column: str, whose: str, domain: list[float], mark: int | None
) -> Panel:
    what, axis, form = _COLUMNS[column]
    colours = {row["name"]: row["colour"] for row in rows}
    shown = [{key: row[key] for key in ("name", "epoch", column)} for row in rows]
    epochs = sorted({row["epoch"] for row in rows})
    ticks = {"values": epochs, "tickCount": len(epochs)} if len(epochs) <= 10 else {}
    lines = (
        alt.Chart(values(shown))
        .mark_line(strokeWidth=2, point=len(epochs) == 1)
        .encode(
            x=alt.X(
                "epoch:Q",
                title="Epoch",
                axis=alt.Axis(tickMinStep=1, format="d", grid=False, **ticks),
                scale=alt.Scale(nice=False, zero=False),
            ),
            y=alt.Y(
                f"{column}:Q",
                title=axis,
                scale=alt.Scale(domain=domain, nice=True),
                axis=alt.Axis(tickCount=6),
            ),
            color=alt.Color(
                "name:N",
                scale=alt.Scale(domain=list(colours), range=list(colours.values())),
                legend=alt.Legend(columns=3, symbolOpacity=1),
            ),
            tooltip=["name:N", "epoch:Q", alt.Tooltip(f"{column}:Q", format=form)],
        )
    )
    layers: list[alt.Chart] = [lines]
    if mark is not None and epochs[0] < mark < epochs[-1]:
        rule = alt.Chart(values([{"epoch": mark}]))
        layers.insert(
            0, rule.mark_rule(color=CHANCE_GREY, strokeDash=[4, 3]).encode(x=alt.X("epoch:Q"))
        )
    return alt.layer(*layers).properties(width=320, height=190, title=f"{whose}: {what}")
