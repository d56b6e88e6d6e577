"""A figure of a report: its theme, its colours, and how it becomes SVG, PNG and PDF."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert as vlc

from priorscope.report.colours import GRID, INK, MUTED

# Okabe and Ito (2008), "Color universal design", safe for colour-blind readers; its yellow is
# left out because thin marks of it vanish on white. A thirteenth model repeats the first's look.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
DASHES = ([1, 0], [7, 2], [2, 2])

# A figure 400 px wide is legible at the 85 mm of a column: its 12 px letters print at 7 pt.
COLUMN_PX = 400
_FONT = "Arial, Helvetica, Liberation Sans, sans-serif"
_CONFIG: dict[str, Any] = {
    "font": _FONT,
    "background": "white",
    "padding": 4,
    "aria": False,  # the page says in words what a chart shows; labels on every mark drown that
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": INK,
        "titleColor": INK,
        "gridColor": GRID,
        "domainColor": "#8c8c8c",
        "tickColor": "#8c8c8c",
        "labelLimit": 130,
        "titlePadding": 6,
    },
    "legend": {
        "labelFontSize": 12,
        "labelColor": INK,
        "title": None,
        "orient": "top",
        "labelLimit": 150,
        "symbolStrokeWidth": 2,
        "columnPadding": 12,
        "offset": 6,
    },
    "title": {
        "fontSize": 12.5,
        "fontWeight": 600,
        "subtitleFontSize": 12,
        "subtitleColor": MUTED,
        "color": INK,
        "anchor": "start",
        "offset": 8,
        "limit": 380,
    },
    "text": {"font": _FONT, "color": INK},
}

Panel = alt.Chart | alt.LayerChart | alt.FacetChart


@dataclass(frozen=True)
class ChartFigure:
    """Panels that the page sets side by side and the exported files join.

    Attributes
    ----------
    name : stem of its files
    caption : what the reader sees, and how intervals were made
    panels : at most `COLUMN_PX` wide each
    columns : panels side by side in the exported files
    panel_px : the least width of a panel on the page
    """

    name: str
    caption: str
    panels: Sequence[Panel]
    columns: int = 1
    panel_px: int = 380
    numbered: bool = True

    kind = "charts"


@dataclass(frozen=True)
class Picture:
    """One image with what stands under it; `note` is for readers who want to know more."""

    png: bytes
    label: str
    note: str = ""


@dataclass(frozen=True)
class ImageFigure:
    """Rows of images: HTML on the page, one chart in the exported files.

    Attributes
    ----------
    rows : (heading, pictures); a heading may be empty
    columns : pictures side by side on a wide page
    chart : the same for the exported files
    """

    name: str
    caption: str
    rows: Sequence[tuple[str, Sequence[Picture]]]
    columns: int
    chart: Panel
    numbered: bool = True

    kind = "images"


Figure = ChartFigure | ImageFigure


def specification(panel: Panel) -> dict[str, Any]:
    """Turn a panel into Vega-Lite with the report's theme."""
    # Data stay where they are used, so that specifications can be joined as they are.
    with (
        alt.data_transformers.enable("default", max_rows=None),
        alt.data_transformers.enable(consolidate_datasets=False),
    ):
        # The tests draw every figure; checking each of thousands of rows again takes seconds.
        spec = panel.to_dict(validate=False)
    return {key: spec[key] for key in spec if key != "$schema"} | {"config": _CONFIG}


def join(specs: list[dict[str, Any]], columns: int) -> dict[str, Any]:
    """Join specifications into one, `columns` side by side; they share one legend."""
    if len(specs) == 1:
        return specs[0]
    parts = [{key: spec[key] for key in spec if key != "config"} for spec in specs]
    return {"concat": parts, "columns": columns, "spacing": 18, "config": _CONFIG}


def to_svg(spec: dict[str, Any]) -> str:
    """Draw a chart; nothing outside it is loaded."""
    return vlc.vegalite_to_svg(spec, allowed_base_urls=[])


def to_png(svg: str) -> bytes:
    """Draw an SVG at 300 dots an inch when it is printed 85 mm wide, or a little more."""
    return vlc.svg_to_png(svg, scale=3)


def to_pdf(svg: str) -> bytes:
    """Turn an SVG into a one-page PDF."""
    return vlc.svg_to_pdf(svg)


def model_scales(models: list[str], shown: list[str]) -> dict[str, alt.Scale]:
    """Return each model's colour, symbol and dash, the same in every figure of a study.

    `shown` are the models of one figure: only they get a place in its legend.
    """
    places = [models.index(model) for model in shown]
    turns = [place // len(COLOURS) for place in places]
    pairs = list(zip(places, turns, strict=True))
    return {
        "color": alt.Scale(domain=shown, range=[COLOURS[i % len(COLOURS)] for i in places]),
        "shape": alt.Scale(domain=shown, range=[SHAPES[(i + t) % len(SHAPES)] for i, t in pairs]),
        "dash": alt.Scale(domain=shown, range=[DASHES[t % len(DASHES)] for t in turns]),
    }


def model_colour(models: list[str], model: str) -> str:
    """Return a model's colour."""
    return COLOURS[models.index(model) % len(COLOURS)]


def chart(rows: Sequence[dict[str, Any]]) -> alt.Chart:
    """Begin a chart of these rows."""
    return alt.Chart(values(rows))


def scaled(row: Mapping[str, Any], factor: float, *keys: str) -> dict[str, Any]:
    """Return these numbers of a row in the unit that readers see; what is not known stays so."""
    return {key: None if row[key] is None else row[key] * factor for key in keys}


def values(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Wrap rows for a chart, with floats cut to six digits to keep the page small."""
    return {
        "values": [
            {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in row.items()}
            for row in rows
        ]
    }
