"""A study's report: page, figures and tables, from its stored artefacts alone."""

from pathlib import Path

__all__ = ["build"]


def build(out: Path) -> Path:
    """Write the report of a study, see `page.build`."""
    from priorscope.report import page  # brings the drawing libraries: slow to import

    return page.build(out)
