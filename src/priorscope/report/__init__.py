"""A study's report: page, figures and tables, from its results alone."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from priorscope.analysis import Findings

__all__ = ["build"]


def build(results: "Findings") -> Path:
    """Write the report of a study, see `page.build`."""
    from priorscope.report import page  # brings the drawing libraries: slow to import

    return page.build(results)
