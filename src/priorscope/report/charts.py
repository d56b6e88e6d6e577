"""The figures of the page as charts, by name."""

from pathlib import Path

import altair as alt

from priorscope.errors import unknown_name
from priorscope.report.artefacts import read_artefacts
from priorscope.report.contents import contents, main_columns
from priorscope.report.contents_factors import contents_of_factors
from priorscope.report.figures import ImageFigure, Panel, join, specification
from priorscope.report.tables import Table


def chart(out: Path, name: str) -> Panel:
    """Return a figure of a study's page by name, as it looks there; needs no model.

    Raises
    ------
    InputError : no such figure, an artefact is missing or damaged, or no run has finished
    """
    artefacts = read_artefacts(out)
    if artefacts.factors:
        sections = contents_of_factors(artefacts)
    else:
        sections = contents(artefacts, main_columns(artefacts))
    blocks = [block for section in sections for block in (*section.blocks, *section.folded)]
    figures = {block.name: block for block in blocks if not isinstance(block, Table)}
    if name not in figures:
        raise unknown_name("figure", str(name), figures, where="figure")
    figure = figures[name]
    if isinstance(figure, ImageFigure):
        return alt.Chart.from_dict(specification(figure.chart))
    return alt.Chart.from_dict(join([*map(specification, figure.panels)], figure.columns))
