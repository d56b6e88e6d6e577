"""Differences at equal clean accuracy: what is left of them where models are equally good."""

import altair as alt

from priorscope.analysis import Findings
from priorscope.analysis.findings import scored_of, select
from priorscope.metrics import NONE, Scale
from priorscope.report.figure import ChartFigure, Panel, chart, model_scales
from priorscope.report.section import Paragraph, Part, Section, in_cells, section_of
from priorscope.report.table import Table, table_of
from priorscope.report.wording import MINUS, Row, capital, confidence, difference, listed, plain
from priorscope.study.given import given_models

NOT_STORED = (
    "No predictions were kept along training, so differences at equal clean accuracy cannot be "
    "given. A model that is better on plain test images is likely better on a probe too, whatever "
    "its biases: read differences on probes beside those on the test images."
)


def matched(results: Findings) -> Section | None:
    """Compare models on probes at equal clean accuracy, where there are both."""
    if not results.probes or len(results.models) < 2:
        return None
    return section_of(
        "matched",
        "Differences at equal clean accuracy",
        Part(paragraphs=[("", _paragraph(results)), *_left_out(results)]),
        *in_cells(results, lambda cell: [_table(cell), _figure(cell)]),
    )


def _paragraph(results: Findings) -> str:
    """Say what is compared, and from how much; or that nothing was stored for it."""
    pairs = results.trajectories.pairs
    if not pairs:
        note = results.trajectories.note
        return f"{capital(note)}." if note else NOT_STORED
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


def _left_out(results: Findings) -> list[Paragraph]:
    """Name the models that have no way to their end."""
    given = given_models(results.study)
    if not given:
        return []
    are, they = ("is", "it stands") if len(given) == 1 else ("are", "they stand")
    text = f"{listed(given)} {are} evaluated as given, with nothing known of the training: {they} "
    return [("Left out", f"{text}in no pair here.")]


def _table(results: Findings) -> Table | None:
    """List one row a pair of models and probe: the difference on all scenes beside the matched."""
    pairs = results.trajectories.pairs
    if not pairs:
        return None
    columns = {
        "On": lambda row: plain(row["probe"]),
        "Pair": lambda row: f"{row['a']} {MINUS} {row['b']}",
        "All scenes": lambda row: _difference(results.scale(scored_of(row)), row["raw"]),
        "At equal clean accuracy": lambda row: _difference(
            results.scale(scored_of(row)), row["matched"]
        ),
        "Clean accuracy in common": _in_common,
    }
    caption = (
        "Differences on what each probe is about: at the end of training, on all scenes, and at "
        "equal clean accuracy, on the scenes that were kept along training. "
        f"{confidence(results)} intervals, not adjusted for their number: "
        f"{listed(dict.fromkeys(row['method'] for row in pairs))}."
    )
    records = [_record(row) for row in pairs]
    return table_of(
        "matched", caption, records, columns, shown=pairs, numeric={2, 3, 4}, numbered=False
    )


def _record(row: Row) -> Row:
    record = {key: row[key] for key in ("a", "b", "probe", "arm", "metric", "n", "method")}
    for kind in ("raw", "matched"):
        for part in ("estimate", "low", "high"):
            record[f"{kind}_{part}"] = row[kind] and row[kind][part]
    low, high = row["clean_range"] or (None, None)
    return record | {"clean_low": low, "clean_high": high}


def _in_common(row: Row) -> str:
    if row["clean_range"] is None:
        return "none in common"
    low, high = row["clean_range"]
    return f"{100 * low:.1f} \N{EN DASH} {100 * high:.1f} %"


def _difference(scale: Scale, found: Row | None) -> str:
    return NONE if found is None else difference(scale, found, "estimate")


def _figure(results: Findings) -> ChartFigure | None:
    """Draw probe score against clean accuracy along training, one line a run."""
    points = results.trajectories.points
    if not points:
        return None
    probes = dict.fromkeys(point["probe"] for point in points)
    panels = [_panel(results, select(points, probe=probe)) for probe in probes]
    caption = (
        "Probe score against clean accuracy along training. Each dot is a checkpoint of a run, "
        "each line joins one run's in the order of training. Where lines lie on each other, models "
        "differ in capability alone."
    )
    return ChartFigure("matched", caption, panels, panel_px=300, numbered=False)


def _panel(results: Findings, points: list[Row]) -> Panel:
    scale = results.scale(scored_of(points[0]))
    rows = [
        {"model": row["model"], "run": f"{row['model']} {row['seed']}", "epoch": row["epoch"]}
        | {"clean": 100 * row["clean"], "score": row["score"] * scale.factor}
        for row in points
    ]
    shown = [model for model in results.models if any(r["model"] == model for r in rows)]
    scales = model_scales(results.models, shown)
    base = chart(rows).encode(
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
