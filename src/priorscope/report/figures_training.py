"""Training loss and test accuracy by epoch (the report's Figure 4)."""

import altair as alt

from priorscope.report.artefacts import Artefacts, Row
from priorscope.report.colours import CHANCE_GREY
from priorscope.report.figures import ChartFigure, Panel, model_scales, values
from priorscope.report.wording import counted, plain

# Plotted; a longer training is thinned evenly, and the caption says so.
_MOST_EPOCHS, _MOST_POINTS = 150, 6000


def training_curves(artefacts: Artefacts) -> ChartFigure | None:
    """Draw every run as a thin line and each model's mean over its seeds as a thick one."""
    if not artefacts.epochs:
        return None
    last = max(row["epoch"] for row in artefacts.epochs)
    step = max(-(-last // _MOST_EPOCHS), -(-len(artefacts.epochs) // _MOST_POINTS))
    shown = [row for row in artefacts.epochs if (last - row["epoch"]) % step == 0]
    several = len({run["seed"] for run in artefacts.runs}) > 1
    chance = next((r for r in artefacts.estimates if _is_test_chance(r)), None)
    few = artefacts.record["study"].get("curve_images")
    seen = f"{few:,} of the test images, taken evenly," if few else "the test images"
    caption = (
        "Training loss (mean cross-entropy over the augmented training images of an epoch) and "
        f"top-1 accuracy on {seen} after each epoch. "
    )
    caption += (
        "Thin lines are single seeds, thick lines their mean."
        if several
        else f"One line is one run: the study has {counted(1, 'seed')}."
    )
    caption += " The dashed grey line is chance." if chance else ""
    caption += f" One epoch in {step} is drawn." if step > 1 else ""
    panels = (
        _panel(artefacts.models, shown, "train_loss", "Training loss", "Cross-entropy", None),
        _panel(
            artefacts.models,
            [row | {"test_accuracy": 100 * row["test_accuracy"]} for row in shown],
            "test_accuracy",
            "Test accuracy",
            "Top-1 accuracy, %",
            100 * chance["estimate"] if chance else None,
        ),
    )
    return ChartFigure("training", caption, panels)


def _is_test_chance(row: Row) -> bool:
    return row["model"] == "chance" and row["probe"] == "test" and row["metric"] == "top1"


def _panel(
    models: list[str], rows: list[Row], column: str, title: str, axis: str, chance: float | None
) -> Panel:
    trained = [model for model in models if any(row["model"] == model for row in rows)]
    runs = [{key: row[key] for key in ("model", "seed", "epoch", column)} for row in rows]
    several = len({row["seed"] for row in rows}) > 1
    scales = model_scales(models, trained)
    epochs = sorted({row["epoch"] for row in rows})
    single_epoch = len(epochs) == 1
    ticks = {"values": epochs, "tickCount": len(epochs)} if len(epochs) <= 10 else {}
    scale = alt.Scale(zero=False)
    base = alt.Chart(values(runs)).encode(
        x=alt.X(
            "epoch:Q",
            title="Epoch",
            axis=alt.Axis(tickMinStep=1, format="d", grid=False, **ticks),
            scale=alt.Scale(nice=False, zero=False),
        ),
        y=alt.Y(f"{column}:Q", title=axis, scale=scale, axis=alt.Axis(tickCount=6)),
        color=alt.Color(
            "model:N", scale=scales["color"], legend=alt.Legend(columns=3, symbolOpacity=1)
        ),
        strokeDash=alt.StrokeDash("model:N", scale=scales["dash"]),
    )
    layers = []
    if chance is not None:
        line = alt.Chart(values([{"chance": chance}]))
        layers.append(
            line.mark_rule(color=CHANCE_GREY, strokeDash=[4, 3]).encode(y=alt.Y("chance:Q"))
        )
    if several:
        layers.append(
            base.mark_line(strokeWidth=0.8, strokeOpacity=0.45, point=single_epoch).encode(
                detail="seed:N",
                tooltip=["model:N", "seed:N", "epoch:Q", _tip(column, title)],
            )
        )
    layers.append(
        base.mark_line(strokeWidth=2.2, point=single_epoch).encode(
            y=alt.Y(f"mean({column}):Q", title=axis, scale=scale),
            tooltip=["model:N", "epoch:Q", _tip(f"mean({column})", f"{plain(title)} (mean)")],
        )
    )
    return alt.layer(*layers).properties(width=320, height=210, title=title)


def _tip(field: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(f"{field}:Q", title=title, format=".3f" if "loss" in field else ".1f")
