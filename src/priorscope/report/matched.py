"""Probe differences at equal clean accuracy: the table, the figure and what they are."""

import altair as alt

from priorscope.metrics import NONE, Scale
from priorscope.report.artefacts import Artefacts, Row, select
from priorscope.report.figures import ChartFigure, Panel, model_scales, values
from priorscope.report.tables import Table
from priorscope.report.wording import listed, plain

NOT_STORED = (
    "No predictions were kept along training, so differences at equal clean accuracy cannot be "
    "given. A model that is better on plain test images is likely better on a probe too, whatever "
    "its biases: read differences on probes beside those on the test images."
)


def matched_paragraph(artefacts: Artefacts) -> str:
    """Say what is compared, and from how much; or that nothing was stored for it."""
    pairs: list[Row] = artefacts.matched["pairs"]
    if not pairs:
        note = str(artefacts.matched.get("note") or "")
        return f"{note[0].upper()}{note[1:]}." if note else NOT_STORED
    checkpoints = sorted({number for row in pairs for number in row["num_checkpoints"]})
    many = f"{checkpoints[0]} to {checkpoints[-1]}" if len(checkpoints) > 1 else checkpoints[0]
    scenes = listed(sorted({f"{row['n']:,}" for row in pairs}))
    return (
        "A model that is better on plain test images is likely better on a probe too, whatever its "
        "biases. Matched: the difference between probe scores at the same clean accuracy, averaged "
        "over the range that all runs of both models passed through, interpolated between "
        f"{many} checkpoints a run, which lie close in accuracy and not in epochs, and never "
        f"extrapolated. Kept along training: {scenes} scenes, each class and cluster by its share. "
        "A network in the middle of its schedule, with its learning rate still high, stands here "
        "beside one at its end: what sets them apart may be the schedule and not the model."
    )


def matched_table(artefacts: Artefacts) -> Table | None:
    """List one row a pair of models and probe: the difference on all scenes beside the matched."""
    rows, records = [], []
    for row in artefacts.matched["pairs"]:
        scale = _scale(artefacts, row)
        shared = row["clean_range"]
        rows.append(
            (
                plain(row["probe"]),
                f"{row['a']} \N{MINUS SIGN} {row['b']}",
                _difference(scale, row["raw"]),
                _difference(scale, row["matched"]),
                "none in common"
                if shared is None
                else f"{100 * shared[0]:.1f} \N{EN DASH} {100 * shared[1]:.1f} %",
            )
        )
        record = {key: row[key] for key in ("a", "b", "probe", "arm", "metric", "n", "method")}
        for kind in ("raw", "matched"):
            for part in ("estimate", "low", "high"):
                record[f"{kind}_{part}"] = None if row[kind] is None else row[kind][part]
        records.append(record | {"clean_low": (shared or [None])[0]}
                       | {"clean_high": (shared or [None])[-1]})  # fmt: skip
    if not rows:
        return None
    methods = listed(dict.fromkeys(row["method"] for row in artefacts.matched["pairs"]))
    caption = (
        "Differences on what each probe is about: at the end of training, on all scenes, and at "
        "equal clean accuracy, on the scenes that were kept along training. "
        f"{artefacts.confidence} intervals, not adjusted for their number: {methods}."
    )
    header = ("On", "Pair", "All scenes", "At equal clean accuracy", "Clean accuracy in common")
    numeric = frozenset({2, 3, 4})
    return Table("matched", caption, header, tuple(rows), tuple(records), numeric, numbered=False)


def matched_figure(artefacts: Artefacts) -> ChartFigure | None:
    """Draw probe score against clean accuracy along training, one line a model."""
    points = artefacts.matched["points"]
    if not points:
        return None
    panels = [
        _panel(artefacts, select(points, probe=probe))
        for probe in dict.fromkeys(point["probe"] for point in points)
    ]
    caption = (
        "Probe score against clean accuracy along training. Each dot is a checkpoint of a run, "
        "each line joins one run's in the order of training. Where lines lie on each other, models "
        "differ in capability alone."
    )
    return ChartFigure("matched", caption, tuple(panels), panel_px=300, numbered=False)


def _panel(artefacts: Artefacts, points: list[Row]) -> Panel:
    scale = _scale(artefacts, points[0])
    rows = [
        {"model": row["model"], "run": f"{row['model']} {row['seed']}", "epoch": row["epoch"]}
        | {"clean": 100 * row["clean"], "score": row["score"] * scale.factor}
        for row in points
    ]
    shown = [model for model in artefacts.models if any(r["model"] == model for r in rows)]
    scales = model_scales(artefacts.models, shown)
    base = alt.Chart(values(rows)).encode(
        x=alt.X("clean:Q", title="Clean test accuracy, %", scale=alt.Scale(zero=False)),
        y=alt.Y("score:Q", title=scale.heading, scale=alt.Scale(zero=False)),
        color=alt.Color("model:N", scale=scales["color"], legend=alt.Legend(columns=3)),
        tooltip=["run:N", "epoch:Q", alt.Tooltip("clean:Q", format=".1f"), "score:Q"],
    )
    line = base.mark_line(strokeWidth=1.2, opacity=0.7).encode(detail="run:N", order="epoch:Q")
    dots = base.mark_point(filled=True, size=36, opacity=1).encode(
        shape=alt.Shape("model:N", scale=scales["shape"], legend=alt.Legend(columns=3))
    )
    title = plain(points[0]["probe"])
    return alt.layer(line, dots).properties(width=250, height=200, title=title)


def _scale(artefacts: Artefacts, row: Row) -> Scale:
    return artefacts.scale(row["probe"], row["arm"], row["metric"])


def _difference(scale: Scale, found: Row | None) -> str:
    if found is None:
        return NONE
    text = scale.difference(found | {"difference": found["estimate"]})
    return f"{text} {scale.difference_symbol}".strip()
