"""Rows of small images as one chart, for the exported files, and an image as a URL."""

import base64
import io
import textwrap
from collections.abc import Sequence

import altair as alt
from PIL import Image

from priorscope.report.colours import MUTED
from priorscope.report.figure import Panel, Picture, chart

_MOST_LINES = 8  # of a label under an exported picture
_LETTER_PX = 4.4  # mean width of its letters, which are 9 px high


def image_grid(lines: Sequence[tuple[str, Sequence[Picture]]], columns: int, width: float) -> Panel:
    """Lay out rows of pictures in pixels, with their labels wrapped below them."""
    gap, heading_px, line_px = 6, 18, 11
    side = min((width - gap * (columns - 1)) / columns, 96)
    places, headings, top = [], [], 0.0
    for heading, pictures in lines:
        if heading:
            headings.append({"text": heading, "y": top + 5})
            top += heading_px
        most = 1
        for column, picture in enumerate(pictures):
            parts = _wrapped(picture.label, side + gap)
            most = max(most, len(parts))
            x = column * (side + gap)
            places.append({"x": x, "y": top, "url": _data_url(picture.png, side)})
            places[-1] |= {"centre": x + side / 2, "label": parts, "under": top + side + 3}
        top += side + 3 + line_px * most + 7

    def at(field: str) -> dict:
        return {"field": field, "type": "quantitative", "scale": None, "axis": None}

    base = chart(places)
    layers = [
        base.mark_image(width=side, height=side, align="left", baseline="top").encode(
            x=alt.X(**at("x")), y=alt.Y(**at("y")), url="url:N"
        ),
        base.mark_text(fontSize=9, baseline="top", limit=side + gap - 2, lineHeight=line_px).encode(
            x=alt.X(**at("centre")), y=alt.Y(**at("under")), text="label:N"
        ),
    ]
    if headings:
        layers.append(
            chart(headings)
            .mark_text(fontSize=11, align="left", color=MUTED, x=0, limit=width)
            .encode(y=alt.Y(**at("y")), text="text:N")
        )
    return alt.layer(*layers).properties(width=side * columns + gap * (columns - 1), height=top)


def _wrapped(label: str, width: float) -> list[str]:
    """Break a label into lines: classes one below the other, each on two lines at most."""
    letters, dots = int(width / _LETTER_PX), "\N{HORIZONTAL ELLIPSIS}"
    classes = label.split(", ")
    ends = [","] * (len(classes) - 1) + [""]
    lines = [
        line
        for name, end in zip(classes, ends, strict=True)
        for line in textwrap.wrap(name + end, letters, max_lines=2, placeholder=dots)
    ]
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], dots]


def _data_url(png: bytes, side: float) -> str:
    """Enlarge a small image by whole pixels first, because PDF viewers would blur it."""
    with Image.open(io.BytesIO(png)) as image:
        times = round(3 * side / image.width)
        if times > 1:
            size = (image.width * times, image.height * times)
            file = io.BytesIO()
            image.resize(size, Image.Resampling.NEAREST).save(file, "png")
            png = file.getvalue()
    return data_url(png)


def data_url(png: bytes) -> str:
    """Write a PNG as a URL that needs no file."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
