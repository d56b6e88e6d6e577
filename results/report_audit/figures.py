"""The audit's figures, in the look of priorscope's reports."""

import altair as alt
from exact import Row

from priorscope.report.colours import CHANCE_GREY, INK
from priorscope.report.figure import (
    Panel,
    join,
    model_scales,
    specification,
    to_svg,
    values,
)

MODELS = ["ResNet50", "ViT", "Local ViT"]
KINDS = ["over images", "over backgrounds"]


def intervals(models: list[Row], pairs: list[Row], margins: tuple[float, ...]) -> str:
    """Draw accuracies on Background with chance, and their differences with equivalence margins."""
    estimates = [
        {"model": row["model"], "value": 100 * row["estimate"], "interval": kind}
        | {"low": 100 * row[low], "high": 100 * row[high]}
        for row in models
        for kind, low, high in zip(KINDS, ("low", "cluster_low"), ("high", "cluster_high"),
                                   strict=True)
    ]  # fmt: skip
    differences = [
        {"model": f"{row['a']} \N{MINUS SIGN} {row['b']}", "value": 100 * row["difference"]}
        | {"interval": kind, "low": 100 * row[low], "high": 100 * row[high]}
        for row in pairs
        for kind, low, high in zip(KINDS, ("low", "cluster_low"), ("high", "cluster_high"),
                                   strict=True)
    ]  # fmt: skip
    chance = _rules([100 * models[0]["chance"]], [4, 3])
    bands = [
        alt.Chart(values([{"from": -100 * margin, "to": 100 * margin}]))
        .mark_rect(color=CHANCE_GREY, opacity=0.13)
        .encode(x=alt.X("from:Q"), x2="to:Q")
        for margin in margins
    ]
    panels = [
        _forest(estimates, "Top-1 accuracy, %", [chance]).properties(
            title=alt.TitleParams("Background: 200 images", subtitle="dashed: chance")
        ),
        _forest(differences, "Difference in top-1 accuracy, points", [*bands, _rules([0], [1, 0])])
        .properties(
            title=alt.TitleParams(
                "Differences", subtitle="grey: equivalence margins of "
                + " and ".join(f"{100 * margin:g}" for margin in margins) + " points"
            )
        ),
    ]  # fmt: skip
    return _svg(panels, columns=1)


def histogram(rows: list[Row], means: list[Row]) -> str:
    """Draw the Top 4 Matching of the one model with published outputs against chance."""
    bars = [
        {"score": row["score"], "images": row["images"], "chance": row["chance"] * means[0]["n"]}
        for row in rows
    ]
    x = alt.X("score:O", title="Classes found, of 4", axis=alt.Axis(labelAngle=0))
    base = alt.Chart(values(bars)).encode(x=x)
    y = alt.Y("images:Q", title="Images", axis=alt.Axis(tickCount=5))
    colour = model_scales(MODELS, [means[0]["model"]])["color"].to_dict()["range"][0]
    layers = [
        base.mark_bar(color=colour, opacity=0.8, size=40).encode(y=y),
        base.mark_bar(filled=False, stroke=INK, strokeDash=[4, 3], strokeWidth=1.4, size=40).encode(
            y=alt.Y("chance:Q", title="Images")
        ),
    ]
    title = alt.TitleParams(
        f"Combined: {means[0]['model']}, {means[0]['n']} mosaics",
        subtitle=f"mean {means[0]['mean']:.2f}; dashed: chance, mean {means[0]['chance']:.1f}",
    )
    return _svg([alt.layer(*layers).properties(width=300, height=190, title=title)], columns=1)


def training(curves: list[Row], epoch: int) -> str:
    """Draw training loss and test accuracy by epoch, with the epoch of Table 1."""
    rows = [row | {"test_accuracy": 100 * row["test_accuracy"]} for row in curves]
    panels = []
    for column, title, axis in (
        ("train_loss", "Training loss", "Loss"),
        ("test_accuracy", "Test accuracy", "Top-1 accuracy, %"),
    ):
        scales = model_scales(MODELS, MODELS)
        lines = (
            alt.Chart(values([{k: r[k] for k in ("model", "epoch", column)} for r in rows]))
            .mark_line(strokeWidth=2)
            .encode(
                x=alt.X("epoch:Q", title="Epoch", axis=alt.Axis(grid=False, tickCount=5)),
                y=alt.Y(f"{column}:Q", title=axis, scale=alt.Scale(zero=False)),
                color=alt.Color("model:N", scale=scales["color"], legend=alt.Legend()),
            )
        )
        mark = _rules([epoch], [4, 3])
        panels.append(
            alt.layer(mark, lines).properties(
                width=320,
                height=200,
                title=alt.TitleParams(title, subtitle=f"dashed: epoch {epoch}, Table 1"),
            )
        )
    return _svg(panels, columns=1)


def _rules(places: list[float], dash: list[int]) -> alt.Chart:
    return (
        alt.Chart(values([{"place": place} for place in places]))
        .mark_rule(color=CHANCE_GREY, strokeDash=dash)
        .encode(x=alt.X("place:Q"))
    )


def _forest(rows: list[Row], heading: str, behind: list[alt.Chart]) -> Panel:
    """Draw one band a name, with one interval a kind in it."""
    names = list(dict.fromkeys(row["model"] for row in rows))
    y = alt.Y(
        "model:N",
        sort=names,
        title=None,
        axis=alt.Axis(domain=False, ticks=False, grid=False, labelLimit=200),
    )
    colour = alt.Color(
        "interval:N", scale=alt.Scale(domain=KINDS, range=[INK, "#0072b2"]), legend=alt.Legend()
    )
    base = alt.Chart(values(rows)).encode(
        y=y, yOffset=alt.YOffset("interval:N", sort=KINDS), color=colour
    )
    scale = alt.Scale(nice=True, padding=8)
    x = alt.X("value:Q", title=heading, axis=alt.Axis(tickCount=6), scale=scale)
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q")
    points = base.mark_point(size=40, filled=True, opacity=1).encode(x=x)
    return alt.layer(*behind, bars, points).properties(width=300, height=alt.Step(16))


def _svg(panels: list[Panel], columns: int) -> str:
    return to_svg(join([specification(panel) for panel in panels], columns)) + "\n"
