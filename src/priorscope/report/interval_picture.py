"""A small picture of an interval against zero and a margin, as SVG made of its numbers."""

from html import escape

from priorscope.metrics import Scale
from priorscope.report.artefacts import Row
from priorscope.report.colours import CHANCE_GREY, INK

WIDTH, HEIGHT = 168, 34
VERDICT_COLOURS = {"supported": "#009e73", "refuted": "#d55e00", "inconclusive": CHANCE_GREY}
_MIDDLE, _EDGE = 11, 6  # pixels
_HALF_LETTER = 3.4  # of a label's letters, in pixels


def interval_picture(row: Row, scale: Scale) -> str:
    """Draw a verdict's effect and interval over zero and its margin; all of them are in view.

    Returns
    -------
    str : an `svg` element with a text alternative
    """
    margin = row["margin"] or 0.0
    ends = [row["low"], row["high"], margin, -margin, 0.0]
    left, right = min(ends), max(ends)
    span = (right - left) or 1.0

    def x(value: float) -> float:
        return round(_EDGE + (value - left) / span * (WIDTH - 2 * _EDGE), 1)

    colour = VERDICT_COLOURS[row["verdict"]]
    parts = []
    if margin:
        width = x(margin) - x(-margin)
        parts.append(
            f'<rect x="{x(-margin)}" y="1" width="{width:.1f}" height="20" fill="#dcdcdc"/>'
        )
    parts.append(f'<path d="M{x(0)} 1V21" stroke="{INK}"/>')
    parts.append(
        f'<path d="M{x(row["low"])} {_MIDDLE}H{x(row["high"])}" stroke="{colour}" '
        'stroke-width="3"/>'
    )
    fill = "white" if row["verdict"] == "inconclusive" else colour
    parts.append(
        f'<circle cx="{x(row["estimate"])}" cy="{_MIDDLE}" r="4" fill="{fill}" '
        f'stroke="{colour}" stroke-width="2"/>'
    )
    taken: list[float] = []
    for value in (0.0, -margin, margin):  # a label that would lie on another is left out
        label = f"{value * scale.factor:+g}".replace("-", "\N{MINUS SIGN}") if value else "0"
        half = _HALF_LETTER * len(label)
        place = round(min(max(x(value), half), WIDTH - half), 1)
        if all(abs(place - other) > 26 for other in taken):
            taken.append(place)
            parts.append(
                f'<text x="{place}" y="32" text-anchor="middle" font-size="10" '
                f'fill="{INK}">{label}</text>'
            )
    words = escape(f"{scale.difference(row | {'difference': row['estimate']})}, {row['verdict']}")
    return (
        f'<svg class="interval" role="img" aria-label="{words}" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(parts)}</svg>'
    )
