"""Output folders of studies that never were."""

from pathlib import Path

import pytest
from report_output import fabricate

from priorscope.analysis import read_findings
from priorscope.report import build


@pytest.fixture
def study_output(tmp_path):
    """Return the function that fabricates an output folder (a new one for each call)."""
    calls = []

    def make(**options) -> Path:
        calls.append(options)
        return fabricate(tmp_path / f"out{len(calls)}", **options)

    return make


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """Return one output folder, with a run missing, and the page of its report."""
    out = fabricate(tmp_path_factory.mktemp("report") / "out", missing=[("vit", 1)])
    return out, build(read_findings(out))
