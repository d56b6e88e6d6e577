"""The figures of the page as charts, by name."""

import altair as alt

from priorscope.analysis import Findings
from priorscope.errors import unknown_name
from priorscope.report.figure import ImageFigure, Panel, join, specification
from priorscope.report.page import FileNames, sections_of
from priorscope.report.table import Table


def chart(findings: Findings, name: str) -> Panel:
    """Return a figure of a study's page as it looks there, by the name of its file without `.svg`.

    Raises
    ------
    InputError : no such figure, or a file of images or of published curves is damaged
    """
    parts = [part for section in sections_of(findings) for part in section.parts]
    blocks = [block for part in parts for block in part.shown if not isinstance(block, Table)]
    names = FileNames()
    figures = {names.unique("Figure", block.name): block for block in blocks}
    if name not in figures:
        raise unknown_name("figure", str(name), figures, where="figure")
    figure = figures[name]
    if isinstance(figure, ImageFigure):
        return alt.Chart.from_dict(specification(figure.chart))
    return alt.Chart.from_dict(join([*map(specification, figure.panels)], figure.columns))
