"""The profile: the biases of all models side by side, beside what control models have."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from priorscope.analysis import Findings, Scored
from priorscope.analysis.findings import select
from priorscope.analysis.profile import control_models
from priorscope.metrics import NONE, Scale
from priorscope.report.colours import GRID, INK, MUTED
from priorscope.report.figure import ChartFigure, chart, model_scales
from priorscope.report.section import Blocks, Part, Section, in_cells, section_of
from priorscope.report.table import Table, table_of
from priorscope.report.wording import Row, capital, confidence, counted, listed, plain, sample_size

_LEFT = Scale("Share left", None, None, "%", "pp", 100.0, 0)
_ROOM = 0.12  # beside the axis of a row, for what lies outside it
_COLUMN, _STEP = 62, 19  # pixels


def profile(results: Findings) -> Section | None:
    """Set biases side by side, where a study's probes and measures say what they speak of."""
    cells = [part for part in in_cells(results, _of_cell) if part.blocks]
    if not cells:
        return None
    return section_of(
        "profile", "Profile", Part(paragraphs=_meaning(results)), *cells, Part([_meanings(results)])
    )


def _meaning(results: Findings) -> list[tuple[str, str]]:
    rows, controls = select(results.profile), control_models(results.study["models"])
    said = []
    if any(row["kind"] == "probe" for row in rows):
        said.append(
            "Of a probe: how much of a model's own score above chance is left when images are "
            "altered, averaged over strengths; 100 % is the score on the control arm, 0 % is "
            "chance."
        )
    if any(row["kind"] == "measure" for row in rows):
        said.append("Of a measure: its mean over images, in its own unit.")
    if controls:
        said.append(
            f"Control models: {listed(controls)}. What they must have follows from what they are."
        )
    exploratory = {row["bias"] for row in rows if not row["declared"]}
    if exploratory:
        number = counted(len(exploratory), "row")
        said.append(
            f"{capital(number)} marked * no hypothesis declared: exploratory, to be asked again."
        )
    return [("", " ".join(said))]


def _of_cell(results: Findings) -> Blocks:
    rows = select(results.profile)
    return [_figure(results, rows), _table(results, rows)] if rows else []


def _bias(results: Findings, row: Row) -> Row:
    return results.record["biases"][row["source"]][row["family"]]


def _scale(results: Findings, row: Row) -> Scale:
    if row["kind"] == "probe":
        return _LEFT
    arms = [each["arm"] for each in results.scales if each["probe"] == row["source"]]
    return results.scale(Scored(row["source"], arms[0], ""))


def _titles(results: Findings, rows: Sequence[Row]) -> dict[int, str]:
    """Head each row; two that are called alike are told apart by their source."""
    found = {row["bias"]: row for row in rows}
    titles = {place: _bias(results, row)["title"] for place, row in found.items()}
    called = list(titles.values())
    return {
        place: (title if called.count(title) == 1 else f"{title} ({plain(found[place]['source'])})")
        + ("" if found[place]["declared"] else " *")
        for place, title in titles.items()
    }


def _figure(results: Findings, rows: list[Row]) -> ChartFigure | None:
    """Draw a column a model: a dot with its intervals on the axis of each row."""
    titles, controls = _titles(results, rows), control_models(results.study["models"])
    models = [model for model in results.models if model not in controls] or results.models
    drawn: list[dict[str, Any]] = []
    for place, title in titles.items():
        of_bias = {row["model"]: row for row in rows if row["bias"] == place}
        low, high = _axis(list(of_bias.values()))
        scale = _scale(results, next(iter(of_bias.values())))

        def at(value: float | None, low: float = low, high: float = high) -> float | None:
            if value is None:
                return None
            return min(max((value - low) / (high - low), -_ROOM), 1 + _ROOM)

        marks = [
            {"bias": title, "control": at(of_bias[name]["estimate"]), "name": name}
            for name in controls
            if name in of_bias and of_bias[name]["estimate"] is not None
        ]
        for model in models:
            drawn += [{"model": model, **mark} for mark in marks]
            row = of_bias.get(model)
            known = row is not None and row["estimate"] is not None
            drawn.append(
                {"model": model, "bias": title, "band": -_ROOM, "band_end": 1 + _ROOM}
                | ({key: at(row[key]) for key in _ENDS} if row and known else {})
                | ({"text": scale.estimate(row)} if known else {})
            )
    scales = model_scales(results.models, models)
    base = alt.Chart().encode(
        y=alt.Y(
            "bias:N",
            sort=list(titles.values()),
            title=None,
            axis=alt.Axis(domain=False, ticks=False, grid=False, labelLimit=260, labelPadding=8),
        )
    )
    domain = alt.Scale(domain=[-_ROOM, 1 + _ROOM], nice=False)

    def x(column: str) -> alt.X:
        return alt.X(f"{column}:Q", scale=domain, axis=None, title=None)

    colour = alt.Color("model:N", scale=scales["color"], legend=None)
    layers = [
        base.mark_rule(color=GRID).encode(x=x("band"), x2="band_end:Q"),
        base.mark_tick(color=MUTED, thickness=1.6, size=11).encode(
            x=x("control"), tooltip=["name:N"]
        ),
        base.mark_rule(strokeWidth=1).encode(x=x("all_low"), x2="all_high:Q", color=colour),
        base.mark_rule(strokeWidth=3).encode(x=x("low"), x2="high:Q", color=colour),
        base.mark_point(filled=True, size=34, opacity=1).encode(
            x=x("estimate"), color=colour, tooltip=["model:N", "bias:N", "text:N"]
        ),
    ]
    head = alt.Header(title=None, labelFontSize=12, labelColor=INK, labelLimit=_COLUMN + 6)
    panel = (
        alt.layer(*layers, data=chart(drawn).data)
        .properties(width=_COLUMN, height=_STEP * len(titles))
        .facet(column=alt.Column("model:N", sort=models, header=head), spacing=8)
    )
    num_rows = len(titles)
    caption = (
        f"Profile. Dots: estimates; thick bars: {confidence(results)} intervals of each by itself; "
        f"thin bars: intervals that hold for all {num_rows} rows of a model together. A row of a "
        "probe goes from chance to the score on its control arm, a row of a measure over the "
        "values of all models. Units are in the table."
    )
    if controls:
        caption += " Grey marks are control models."
    return ChartFigure("profile", caption, [panel], panel_px=200 + len(models) * (_COLUMN + 8))


_ENDS = ("estimate", "low", "high", "all_low", "all_high")


def _axis(rows: list[Row]) -> tuple[float, float]:
    """Return what the axis of a row spans."""
    known = [row["estimate"] for row in rows if row["estimate"] is not None]
    if rows[0]["kind"] == "probe" or not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    if high > low:
        return low, high
    ends = [row[key] for row in rows for key in ("low", "high") if row[key] is not None]
    low, high = min([low, *ends]), max([high, *ends])
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _table(results: Findings, rows: list[Row]) -> Table:
    """Return one row a bias and one column a model."""
    models = [model for model in results.models if any(row["model"] == model for row in rows)]
    text, records = [], []
    for place, title in _titles(results, rows).items():
        of_bias = {row["model"]: row for row in rows if row["bias"] == place}
        scale = _scale(results, next(iter(of_bias.values())))
        unit = scale.symbol or scale.difference_symbol
        cells = [_cell(scale, of_bias.get(model)) for model in models]
        text.append((f"{title}, {unit}" if unit else title, *cells))
        records += [{"title": title, **row} for row in of_bias.values()]
    reasons = {row["reason"] for row in rows if row["reason"]}
    over = "seeds and images" if max(row["num_seeds"] for row in rows) > 1 else "images alone"
    caption = (
        f"Profile in numbers, with {confidence(results)} intervals over {over}, each by itself "
        f"({sample_size(rows)}); the file has those of all rows together too."
    )
    if reasons:
        caption += f" {NONE}: {'; '.join(sorted(reasons))}."
    header = ("Bias", *models)
    return Table("profile", caption, header, text, records, range(1, len(header)))


def _meanings(results: Findings) -> Table:
    """Return one row a bias: where it comes from, and what it means and does not mean."""
    rows = select(results.profile)
    found = {row["bias"]: row for row in rows}
    columns = {
        "Bias": lambda row: row["title"],
        "From": lambda row: row["from"],
        "Low": lambda row: row["low"],
        "High": lambda row: row["high"],
        "Mind": lambda row: row["caution"],
    }
    records = []
    for place, title in _titles(results, rows).items():
        source, family = found[place]["source"], plain(found[place]["family"])
        of_source = f"{plain(source)}, {family}" if family else plain(source)
        records.append({**_bias(results, found[place]), "title": title, "from": of_source})
    caption = "What a low and a high value of each row mean, and what they do not."
    return table_of("profile-meanings", caption, records, columns, numbered=False)


def _cell(scale: Scale, row: Row | None) -> str:
    return NONE if row is None or row["estimate"] is None else scale.estimate(row)
