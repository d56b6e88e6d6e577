"""A study that violates its controls says so at the top of its page."""

import csv
import json

from priorscope.analysis import read_findings
from priorscope.report import build

ROW = {"model": "vit", "cell": "", "probe": "test", "arm": "test", "metric": "top1"}
ROW |= {"statement": "It sees no places.", "within": [0.05, 0.15]}


def test_a_violated_control_is_a_warning_and_a_row(study_output):
    out = study_output()
    path = out / "analysis" / "analysis.json"
    rows = [
        ROW | {"estimate": 0.4, "low": 0.39, "high": 0.41, "status": "violated"},
        ROW | {"model": "cnn", "estimate": 0.1, "low": 0.09, "high": 0.11, "status": "met"},
        ROW
        | {"model": "local_vit", "estimate": None, "low": None, "high": None}
        | {"status": "not measured"},
    ]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"control_models": rows}))
    page = build(read_findings(out)).read_text()
    top = page[: page.index("Results at a glance</h2>")]
    assert "Control violated: vit scored 40.0 [39.0, 41.0] % on the test images" in top
    assert "must score 5.0 to 15.0 % (It sees no places)" in top
    assert "could not be checked, for want of predictions: local_vit" in top
    assert "cnn scored" not in top
    with (out / "report" / "tables" / "control-models.csv").open() as file:
        found = list(csv.DictReader(file))
    assert [row["status"] for row in found] == ["violated", "met", "not measured"]


def test_without_controls_nothing_is_said(report):
    out, page = report
    assert "Control violated" not in page.read_text()
    assert not (out / "report" / "tables" / "control-models.csv").exists()
