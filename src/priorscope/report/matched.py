"""Probe differences at equal clean accuracy: the table, the figure and what they are."""

import altair as alt

from priorscope.report.artefacts import Artefacts, Row, select
from priorscope.report.figures import ChartFigure, Panel, model_scales, values
from priorscope.report.tables import Table
from priorscope.report.wording import NONE, Unit, counted, listed, plain, unit_of

NOT_STORED = (
    "No predictions were kept along training, so differences at equal clean accuracy cannot be "
    "given. A model that is better on plain test images is likely better on a probe too, whatever "
    "its biases: read differences on probes beside those on the test images."
)


def matched_paragraph(artefacts: Artefacts) -> str:
    """Say what is compared, and from how much; or that nothing was stored for it."""
    pairs = artefacts.matched["pairs"]
    if not pairs:
        return NOT_STORED
    checkpoints = listed(sorted({str(row["num_checkpoints"]) for row in pairs}))
    scenes = listed(sorted({f"{row['n']:,}" for row in pairs}))
    return (
        "A model that is better on plain test images is likely better on a probe too, whatever its "
        "biases. Matched: the difference between probe scores at the same clean accuracy, averaged "
        "over the range that all runs of both models passed through, interpolated between "
        f"{checkpoints} checkpoints a run and never extrapolated. Residual: what the trained "
        "networks score above the line from clean accuracy to probe score that all checkpoints "
        "share, fitted on logit axes (effective robustness, Taori et al. 2020). Kept along "
        f"training: {scenes} scenes. Intervals: {artefacts.confidence}, Welch over seeds, for "
        "these scenes; one seed gives none."
    )


def matched_table(artefacts: Artefacts) -> Table | None:
    """Give one row a pair of models and probe: the difference raw beside matched and residual."""
    rows, records = [], []
    for row in artefacts.matched["pairs"]:
        unit_ = _unit(artefacts, row)
        shared = row["clean_range"]
        rows.append(
            (
                plain(row["probe"]),
                f"{row['a']} \N{MINUS SIGN} {row['b']}",
                _difference(unit_, row["raw"]),
                _difference(unit_, row["matched"]),
                _difference(unit_, row["residual"]),
                "none in common"
                if shared is None
                else f"{100 * shared[0]:.1f} \N{EN DASH} {100 * shared[1]:.1f} %",
            )
        )
        record = {key: row[key] for key in ("a", "b", "probe", "arm", "metric", "n")}
        for kind in ("raw", "matched", "residual"):
            for part in ("estimate", "low", "high"):
                record[f"{kind}_{part}"] = None if row[kind] is None else row[kind][part]
        records.append(record | {"clean_low": (shared or [None])[0]}
                       | {"clean_high": (shared or [None])[-1]})  # fmt: skip
    if not rows:
        return None
    seeds = {len({p["seed"] for p in select(artefacts.matched["points"], model=m)})
             for m in artefacts.models}  # fmt: skip
    caption = (
        "Differences on what each probe is about, raw at the end of training, and with clean "
        f"accuracy taken away ({listed(counted(n, 'seed') for n in sorted(seeds) if n)}). Over the "
        "scenes that were answered along training, at most 1,000, with 95 % intervals over seeds "
        "alone (Welch): they speak of other seeds on these scenes, and those of the differences "
        "above of other scenes too."
    )
    header = ("On", "Pair", "Raw", "Matched", "Residual", "Clean accuracy in common")
    numeric = frozenset({2, 3, 4, 5})
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
    unit_ = _unit(artefacts, points[0])
    rows = [
        {"model": row["model"], "run": f"{row['model']} {row['seed']}", "epoch": row["epoch"]}
        | {"clean": 100 * row["clean"], "score": row["score"] * unit_.factor}
        for row in points
    ]
    shown = [model for model in artefacts.models if any(r["model"] == model for r in rows)]
    scales = model_scales(artefacts.models, shown)
    base = alt.Chart(values(rows)).encode(
        x=alt.X("clean:Q", title="Clean test accuracy, %", scale=alt.Scale(zero=False)),
        y=alt.Y("score:Q", title=unit_.heading, scale=alt.Scale(zero=False)),
        color=alt.Color("model:N", scale=scales["color"], legend=alt.Legend(columns=3)),
        tooltip=["run:N", "epoch:Q", alt.Tooltip("clean:Q", format=".1f"), "score:Q"],
    )
    line = base.mark_line(strokeWidth=1.2, opacity=0.7).encode(detail="run:N", order="epoch:Q")
    dots = base.mark_point(filled=True, size=36, opacity=1).encode(
        shape=alt.Shape("model:N", scale=scales["shape"], legend=alt.Legend(columns=3))
    )
    title = plain(points[0]["probe"])
    return alt.layer(line, dots).properties(width=250, height=200, title=title)


def _unit(artefacts: Artefacts, row: Row) -> Unit:
    k = artefacts.largest_score(row["probe"], row["arm"], row["metric"])
    return unit_of(row["metric"], k)


def _difference(unit_: Unit, found: Row | None) -> str:
    if found is None:
        return NONE
    text = unit_.difference(found | {"difference": found["estimate"]})
    return f"{text} {unit_.difference_symbol}".strip()
