"""What the models saw: one image a class, and samples of a probe (the report's Figures 1 to 3)."""

import base64
import io
import textwrap

import altair as alt
from PIL import Image

from priorscope.report.artefacts import Artefacts, Row
from priorscope.report.colours import MUTED
from priorscope.report.figures import COLUMN_PX, ImageFigure, Panel, Picture, values
from priorscope.report.wording import count, listed, plain

_MOST_CLASSES = 100
_MOST_SCENES = 6
_MOST_LINES = 8  # of a label under an exported picture
_LETTER_PX = 4.4  # mean width of its letters, which are 9 px high


def class_images(artefacts: Artefacts) -> ImageFigure | None:
    """Show one training image of each class, or of the first hundred."""
    rows = artefacts.samples.get("train", [])
    if not rows:
        return None
    shown = sorted(rows, key=lambda row: row["id"])[:_MOST_CLASSES]
    pictures = tuple(Picture(row["png"], row["label"]) for row in shown)
    columns = 5 if len(pictures) <= 20 else 10
    data = artefacts.record["data"]
    caption = f"One training image of each class of {data['title']}"
    if len(rows) > len(shown):
        caption = f"One training image of each of the first {len(shown)} of {count(len(rows))} "
        caption += f"classes of {data['title']}"
    caption += f", {data['image_px']} \N{MULTIPLICATION SIGN} {data['image_px']} pixels."
    lines = tuple(
        ("", pictures[start : start + columns]) for start in range(0, len(pictures), columns)
    )
    # Many classes need the width of a page, not of a column.
    width = COLUMN_PX if columns == 5 else 1.5 * COLUMN_PX
    return ImageFigure("classes", caption, (("", pictures),), 10, _grid(lines, columns, width))


def probe_samples(artefacts: Artefacts, probe: str, title: str) -> ImageFigure | None:
    """Show a few scenes of a probe in every arm, the same scene in the same column."""
    rows = artefacts.samples.get(probe, [])
    if not rows:
        return None
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    scenes = list(dict.fromkeys(row["id"] for row in rows))[:_MOST_SCENES]
    found = {(row["arm"], row["id"]): row for row in rows}
    lines = tuple(
        (
            plain(arm),
            tuple(_picture(found[arm, scene]) for scene in scenes if (arm, scene) in found),
        )
        for arm in arms
    )
    caption = f"{title}. First row: {plain(arms[0]) or 'what the probe is about'}"
    if len(arms) > 1:
        caption += f"; below it the same scenes as controls ({listed(map(plain, arms[1:]))})"
    caption += ". Under each image: what it is scored against."
    columns = len(scenes)
    chart = _grid(lines, columns, COLUMN_PX)
    return ImageFigure(f"samples-{probe}", caption, lines, columns, chart)


def _picture(row: Row) -> Picture:
    note = f"{row['label']}; {plain(row['cluster'])}" if row["cluster"] else row["label"]
    return Picture(row["png"], row["label"], note)


def _grid(
    lines: tuple[tuple[str, tuple[Picture, ...]], ...],
    columns: int,
    width: float,
) -> Panel:
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

    base = alt.Chart(values(places))
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
            alt.Chart(values(headings))
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
