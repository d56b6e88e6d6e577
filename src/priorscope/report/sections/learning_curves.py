"""Learning curves: scores over training images, and how many times more one model needs."""

from collections.abc import Sequence
from math import log

import altair as alt

from priorscope.analysis import Findings
from priorscope.analysis.findings import scored_of, select
from priorscope.claims import CHANCE
from priorscope.metrics import NONE, Scale, decimal
from priorscope.report.colours import INK
from priorscope.report.figure import ChartFigure, chart
from priorscope.report.level_curves import (
    HEIGHT,
    MOST_PANELS,
    WIDTH,
    curves,
    panel,
    panels_without,
    size_factor,
)
from priorscope.report.section import Part, Section, section_of
from priorscope.report.sections.factors import place
from priorscope.report.sections.glance import main_columns, num_train
from priorscope.report.table import Table, table_of
from priorscope.report.wording import APOSTROPHE, TIMES, Row, cell_title, confidence, count

_MOST_SENTENCES = 4
LABEL_PX = (46, 16)  # width and height that a label and the gap to the next take


def learning_curves(results: Findings) -> Section | None:
    """Show scores by number of training images, and data multipliers between the models."""
    blocks = [curves_figure(results), _multiplier_table(results)]
    return section_of("learning-curves", "Learning curves", Part(blocks))


def curves_figure(results: Findings) -> ChartFigure | None:
    """Draw scores over the number of training images, with data multipliers between the curves."""
    factor = size_factor(results)
    if factor is None:
        return None
    (scored, heading), *_ = main_columns(results).items()
    scale, counts = results.scale(scored), num_train(results)
    rows = [
        row | {"x": counts[row["cell"]]}
        for row in select(results.estimates, **scored._asdict())
        if row["cell"] in counts
    ]
    panels = []
    for title, group in list(panels_without(results, rows, factor).items())[:MOST_PANELS]:
        sizes = sorted({row["x"] for row in group})
        if len(sizes) > 1:
            x = alt.X(
                "x:Q",
                title="Training images",
                scale=alt.Scale(type="log", padding=14, nice=False),
                axis=alt.Axis(values=sizes, format=",d", labelAngle=-30, grid=False),
            )
            layers = curves(results, group, scale, x)
            layers += _arrows(results, group, scale, x)
            panels.append(panel(layers, title or heading))
    if not panels:
        return None
    caption = (
        f"{heading}: scores over the number of training images, with {confidence(results)} "
        "intervals; the dashed grey line is chance. Arrows: from the score of the best model at "
        f"one size to where another model{APOSTROPHE}s curve reaches it, marked "
        "with the data multiplier; of arrows that end close together, only the longest is marked. "
        "An epoch over fewer images has fewer steps: where the recipe fixes epochs, less data is "
        "also less training."
    )
    return ChartFigure("learning-curves", caption, panels, columns=2, panel_px=300)


def _arrows(results: Findings, group: list[Row], scale: Scale, x: alt.X) -> list[alt.Chart]:
    """Draw, for the best model against each other, the multiplier at the largest size that has one.

    Only where it is known exactly: an arrow ends on a curve.
    """
    factor, first = size_factor(results), group[0]
    others = {name: first[name] for name in results.factors if name != factor}
    about = {"kind": "data_multiplier", "probe": first["probe"], "arm": first["arm"], **others}
    rows = select(results.effects, **about)
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
            "text": f"{TIMES}{_multiplier(row['estimate'], 'exact')}",
        }
        for (a, b), row in longest.items()
        if a == top["model"]
    ]
    if not drawn:
        return []
    scores = [row["estimate"] * scale.factor for row in group]
    labelled = apart(drawn, [row["x"] for row in group], scores, (WIDTH, HEIGHT))
    tooltip = [alt.Tooltip("model:N"), alt.Tooltip("text:N", title="needs")]
    base = chart(drawn).encode(y=alt.Y("y:Q"), tooltip=tooltip)
    head = base.mark_point(shape="triangle-right", filled=True, color=INK, size=50, opacity=1)
    label = chart(labelled).mark_text(align="right", dx=5, dy=-9, color=INK, fontSize=12)
    return [
        base.mark_rule(color=INK, strokeWidth=1.2).encode(x=x, x2="to:Q"),
        head.encode(x=alt.X("to:Q")),
        label.encode(y=alt.Y("y:Q"), x=alt.X("to:Q"), text="text:N"),
    ]


def apart(
    arrows: Sequence[dict], sizes: list[int], scores: list[float], panel_px: tuple[int, int]
) -> list[dict]:
    """Choose the arrows whose labels do not touch, the longest first.

    Parameters
    ----------
    arrows : with `x` and `to` in training images, and `y` in the unit of the scores
    sizes, scores : all that the panel shows: about what its axes, log and linear, span
    panel_px : width and height of the panel
    """
    across = panel_px[0] / (log(max(sizes) / min(sizes)) or 1)
    up = panel_px[1] / (max(scores) - min(scores) or 1)
    chosen: list[dict] = []
    for arrow in sorted(arrows, key=lambda arrow: arrow["x"] / arrow["to"]):
        if all(
            across * abs(log(arrow["to"] / other["to"])) > LABEL_PX[0]
            or up * abs(arrow["y"] - other["y"]) > LABEL_PX[1]
            for other in chosen
        ):
            chosen.append(arrow)
    return chosen


def _multiplier_table(results: Findings) -> Table | None:
    """Return how many times more images each model needs to reach what a better one scores."""
    found = select(results.effects, kind="data_multiplier")
    # The better of two models is what is reached.
    more = [
        row for row in select(found, probe="test") if row["estimate"] > 1 or row["bound"] == "above"
    ]
    known = [row for row in more if (row["low_bound"], row["high_bound"]) != ("below", "above")]
    if not known:
        return None

    def reached(row: Row) -> str:
        scale = results.scale(scored_of(row))
        return f"{row['a']}: {scale.value(row['first'])} {scale.symbol}".rstrip()

    columns = {
        "At": lambda row: cell_title(row["cell"]) or NONE,
        "Reached": reached,
        "with images": lambda row: count(row["num_images"]),
        "by": lambda row: row["b"],
        f"needs {TIMES} [interval]": lambda row: f"{TIMES}{_interval(row)}",
    }
    caption = (
        "Data multipliers on the test images: how many times more training images a model needs to "
        f"reach what another scores, read off its learning curve ({found[0]['method']}), with "
        f"{confidence(results)} intervals over seeds and images. Nothing is extrapolated: "
        "\N{LEFT DOUBLE QUOTATION MARK}more than\N{RIGHT DOUBLE QUOTATION MARK} means that the "
        "largest number of images that was tried is not enough. Scores that are not above chance "
        "are not listed. The CSV file has both directions of every pair, and the probes."
    )
    if len(known) < len(more):
        caption += (
            " Left out, because the interval spans all sizes that were tried: "
            f"{len(more) - len(known)} of {len(more)}."
        )
    return table_of("multipliers", caption, found, columns, shown=known, numeric={2, 4})


def multiplier_sentences(results: Findings) -> list[str]:
    """Return the multipliers at the largest number of images at which each is known."""
    rows = [
        row
        for row in select(results.effects, kind="data_multiplier", probe="test")
        if row["estimate"] > 1 or row["bound"] == "above"
    ]
    rows.sort(key=lambda row: (row["bound"] == "exact", row["num_images"]))
    largest = {(row["a"], row["b"], row["cell"]): row for row in rows}
    clear = [
        row
        for row in largest.values()
        if row["low_bound"] == "above" or (row["low_bound"] == "exact" and row["low"] > 1)
    ]
    return [
        f"To reach what {row['a']} scores with {count(row['num_images'])} images{place(row)}, "
        f"{row['b']} needs {_interval(row)} times as many."
        for row in clear[:_MOST_SENTENCES]
    ]


def _interval(row: Row) -> str:
    """Write "2.4 [1.8, more than 4]" for a row of data multipliers."""
    ends = [_multiplier(row[end], row[f"{end}_bound"]) for end in ("low", "high")]
    return f"{_multiplier(row['estimate'], row['bound'])} [{ends[0]}, {ends[1]}]"


def _multiplier(value: float, bound: str) -> str:
    """Write a data multiplier: "2.4", "more than 4", "less than 0.25"."""
    number = decimal(value, 1 if value >= 10 else 2)
    return {"exact": number, "above": f"more than {number}", "below": f"less than {number}"}[bound]
