"""`run` and `report` read the 2021 report's learning curves where its arms are reproduced."""

import json

from priorscope.cli import run_command
from priorscope.report.sections.report_2021.curves import kept_curves


def test_they_are_kept_beside_the_results_and_damaged_files_change_nothing(finished, capsys):
    text = finished.study.read_text().replace("seeds:", "reproduces: {vit: vit}\nseeds:")
    finished.study.write_text(text)
    root = finished.study.parent / "data"
    losses, accuracies = (root / "paper" / f"curve_vit_{x}.csv" for x in ("train_loss", "test_acc"))
    (root / "paper").mkdir(parents=True)
    losses.write_text("2.5\n1.5\n")
    report = ["report", str(finished.out), "--data-root", str(root)]

    def refused(command):
        accuracies.write_text("0.25\nhalf\n")
        before = {path: path.read_bytes() for path in finished.out.rglob("*") if path.is_file()}
        assert run_command(command) == 2
        message = capsys.readouterr().err
        assert "curve_vit_test_acc.csv, row 2 (line 2)" in message and "half" in message
        after = {path: path.read_bytes() for path in finished.out.rglob("*") if path.is_file()}
        accuracies.write_text("0.25\n0.5\n")
        return before == after

    run = ["run", str(finished.study), "--out", str(finished.out), "--data-root", str(root)]
    assert refused([*run, "--fresh"])
    assert run_command(run) == 0
    assert json.loads((finished.out / "study.json").read_text())["study"]["reproduces"]
    assert [row["train_loss"] for row in kept_curves(finished.out)] == [2.5, 1.5]
    assert refused(report)
    losses.write_text("2.5\n1.25\n")
    assert run_command(report) == 0
    assert [row["train_loss"] for row in kept_curves(finished.out)] == [2.5, 1.25]
    page = (finished.out / "report" / "index.html").read_text(encoding="utf-8")
    assert "report-2021-training" in page and '"train_loss":1.25' in page
