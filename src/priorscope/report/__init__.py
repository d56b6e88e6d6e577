"""A study's report: page, figures and tables, from its stored artefacts alone."""

from priorscope.report.page import build

__all__ = ["build"]
