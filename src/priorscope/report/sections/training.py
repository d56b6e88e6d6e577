"""Training: the one recipe, and curves by epoch (the 2021 report's Table 1 and Figure 4)."""

import altair as alt

from priorscope.analysis import Findings
from priorscope.analysis.findings import select
from priorscope.claims import CHANCE
from priorscope.report.colours import CHANCE_GREY
from priorscope.report.figure import ChartFigure, Panel, chart, model_scales
from priorscope.report.section import Part, Section, in_cells, section_of
from priorscope.report.table import Table, table_of
from priorscope.report.wording import Row, counted, listed, plain, setting
from priorscope.study.given import given_models

# Plotted; a longer training is thinned evenly, and the caption says so.
_MOST_EPOCHS, _MOST_POINTS = 150, 6000


def training(results: Findings) -> Section | None:
    """Show the recipe, then each cell's curves."""
    curves = in_cells(results, lambda of_cell: [training_curves(of_cell)])
    return section_of("training", "Training", Part([_recipe(results)]), *curves)


def _recipe(results: Findings) -> Table:
    """Return the one recipe of all models."""
    trained = [name for name in results.models if name not in given_models(results.study)]
    caption = "Recipe of the model."
    if not trained:
        caption = "Nothing was trained: of a recipe only this was used, to evaluate networks as "
        caption += "they are given."
    elif len(trained) < len(results.models):
        left_out = [name for name in results.models if name not in trained]
        caption = f"Recipe of {listed(trained)}. It is not that of {listed(left_out)}, evaluated "
        caption += "as given: how they were trained is not known, and no curve shows it."
    elif len(results.models) > 1:
        caption = "Recipe, shared by all models: a study has no place for a setting of a single "
        caption += "model."
    columns = {
        "Setting": lambda row: plain(row["setting"]),
        "Value": lambda row: setting(row["value"]),
    }
    recipe = results.study["recipe"].items()
    return table_of("recipe", caption, [{"setting": k, "value": v} for k, v in recipe], columns)


def training_curves(results: Findings) -> ChartFigure | None:
    """Draw every run as a thin line and each model's mean over its seeds as a thick one."""
    epochs = select(results.epochs)
    if not epochs:
        return None
    last = max(row["epoch"] for row in epochs)
    step = max(-(-last // _MOST_EPOCHS), -(-len(epochs) // _MOST_POINTS))
    shown = [
        row | {"test_accuracy": 100 * row["test_accuracy"]}
        for row in epochs
        if (last - row["epoch"]) % step == 0
    ]
    chance = select(results.estimates, model=CHANCE, probe="test", metric="top1")
    few = results.study.get("curve_images")
    seen = f"{few:,} of the test images, taken evenly," if few else "the test images"
    caption = (
        "Training loss (mean cross-entropy over the augmented training images of an epoch) and "
        f"top-1 accuracy on {seen} after each epoch. "
    )
    caption += (
        "Thin lines are single seeds, thick lines their mean."
        if len({run["seed"] for run in results.runs}) > 1
        else f"One line is one run: the study has {counted(1, 'seed')}."
    )
    caption += " The dashed grey line is chance." if chance else ""
    caption += f" One epoch in {step} is drawn." if step > 1 else ""
    level = 100 * chance[0]["estimate"] if chance else None
    panels = [
        _panel(results.models, shown, "train_loss", "Training loss", "Cross-entropy", None),
        _panel(results.models, shown, "test_accuracy", "Test accuracy", "Top-1 accuracy, %", level),
    ]
    return ChartFigure("training", caption, panels)


def _panel(
    models: list[str], rows: list[Row], column: str, title: str, axis: str, chance: float | None
) -> Panel:
    trained = [model for model in models if any(row["model"] == model for row in rows)]
    runs = [{key: row[key] for key in ("model", "seed", "epoch", column)} for row in rows]
    scales = model_scales(models, trained)
    epochs = {row["epoch"] for row in rows}
    scale = alt.Scale(zero=False)
    base = chart(runs).encode(
        x=epoch_axis(epochs),
        y=alt.Y(f"{column}:Q", title=axis, scale=scale, axis=alt.Axis(tickCount=6)),
        color=alt.Color(
            "model:N", scale=scales["color"], legend=alt.Legend(columns=3, symbolOpacity=1)
        ),
        strokeDash=alt.StrokeDash("model:N", scale=scales["dash"]),
    )
    layers = []
    if chance is not None:
        line = chart([{"chance": chance}]).mark_rule(color=CHANCE_GREY, strokeDash=[4, 3])
        layers.append(line.encode(y=alt.Y("chance:Q")))
    if len({row["seed"] for row in rows}) > 1:
        tooltip = ["model:N", "seed:N", "epoch:Q", _tip(column, title)]
        thin = base.mark_line(strokeWidth=0.8, strokeOpacity=0.45, point=len(epochs) == 1)
        layers.append(thin.encode(detail="seed:N", tooltip=tooltip))
    layers.append(
        base.mark_line(strokeWidth=2.2, point=len(epochs) == 1).encode(
            y=alt.Y(f"mean({column}):Q", title=axis, scale=scale),
            tooltip=["model:N", "epoch:Q", _tip(f"mean({column})", f"{plain(title)} (mean)")],
        )
    )
    return alt.layer(*layers).properties(width=320, height=210, title=title)


def epoch_axis(epochs: set[int]) -> alt.X:
    """Return an axis of epochs, with a tick at each where they are few."""
    few = {"values": sorted(epochs), "tickCount": len(epochs)} if len(epochs) <= 10 else {}
    return alt.X(
        "epoch:Q",
        title="Epoch",
        axis=alt.Axis(tickMinStep=1, format="d", grid=False, **few),
        scale=alt.Scale(nice=False, zero=False),
    )


def _tip(field: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(f"{field}:Q", title=title, format=".3f" if "loss" in field else ".1f")
