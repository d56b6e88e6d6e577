"""Arrows between learning curves: how many times more data one model needs than another."""

from math import log

import altair as alt

from priorscope.metrics import Scale
from priorscope.report.artefacts import CHANCE, Artefacts, Row, select
from priorscope.report.colours import INK
from priorscope.report.factors import TIMES, multiplier, size_factor
from priorscope.report.figures import values

LABEL_PX = (46, 16)  # width and height that a label and the gap to the next take


def multiplier_arrows(
    artefacts: Artefacts, group: list[Row], scale: Scale, x: alt.X, panel_px: tuple[int, int]
) -> list[alt.Chart]:
    """Draw, for the best model against each other, the multiplier at the largest size that has one.

    Only where it is known exactly: an arrow ends on a curve.

    Parameters
    ----------
    group : the estimates of one panel, with `x`, their number of training images
    x : the panel's axis of training images, logarithmic
    panel_px : width and height of the panel, by which labels are kept apart
    """
    factor = size_factor(artefacts)
    others = {name: group[0][name] for name in artefacts.factors if name != factor}
    probe, arm = group[0]["probe"], group[0]["arm"]
    rows = select(artefacts.effects, kind="data_multiplier", probe=probe, arm=arm, **others)
    exact = [row for row in rows if row["bound"] == "exact" and row["estimate"] > 1]
    longest: dict[tuple[str, str], Row] = {}
    for row in sorted(exact, key=lambda row: row["num_images"]):
        longest[row["a"], row["b"]] = row
    top = max((row for row in group if row["model"] != CHANCE), key=lambda row: row["estimate"])
    drawn = [
        {
            "x": row["num_images"],
            "to": row["num_images"] * row["estimate"],
            "y": row["first"] * scale.factor,
            "model": b,
            "text": f"{TIMES}{multiplier(row['estimate'], 'exact')}",
        }
        for (a, b), row in longest.items()
        if a == top["model"]
    ]
    if not drawn:
        return []
    scores = [row["estimate"] * scale.factor for row in group]
    labelled = apart(drawn, [row["x"] for row in group], scores, panel_px)
    tooltip = [alt.Tooltip("model:N"), alt.Tooltip("text:N", title="needs")]
    base = alt.Chart(values(drawn)).encode(y=alt.Y("y:Q"), tooltip=tooltip)
    labels = alt.Chart(values(labelled)).encode(y=alt.Y("y:Q"))
    return [
        base.mark_rule(color=INK, strokeWidth=1.2).encode(x=x, x2="to:Q"),
        base.mark_point(shape="triangle-right", filled=True, color=INK, size=50, opacity=1).encode(
            x=alt.X("to:Q")
        ),
        labels.mark_text(align="right", dx=5, dy=-9, color=INK, fontSize=12).encode(
            x=alt.X("to:Q"), text="text:N"
        ),
    ]


def apart(
    arrows: list[Row], sizes: list[int], scores: list[float], panel_px: tuple[int, int]
) -> list[Row]:
    """Choose the arrows whose labels do not touch, the longest first.

    Parameters
    ----------
    arrows : with `x` and `to` in training images, and `y` in the unit of the scores
    sizes, scores : all that the panel shows: about what its axes, log and linear, span
    panel_px : width and height of the panel
    """
    across = panel_px[0] / (log(max(sizes) / min(sizes)) or 1)
    up = panel_px[1] / (max(scores) - min(scores) or 1)
    chosen: list[Row] = []
    for arrow in sorted(arrows, key=lambda arrow: arrow["x"] / arrow["to"]):
        if all(
            across * abs(log(arrow["to"] / other["to"])) > LABEL_PX[0]
            or up * abs(arrow["y"] - other["y"]) > LABEL_PX[1]
            for other in chosen
        ):
            chosen.append(arrow)
    return chosen
