"""The section that sets a study beside the 2021 report."""

import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import timm
from torch import nn

from priorscope.analysis import read_findings
from priorscope.errors import InputError
from priorscope.report import build
from priorscope.report.figure import specification
from priorscope.report.sections.report_2021 import report_2021
from priorscope.report.sections.report_2021.curves import keep_curves, kept_curves, read_curves
from priorscope.report.sections.report_2021.published import ARMS, HISTOGRAM, SETTINGS
from priorscope.report.sections.report_2021.setup import Line, recipe_lines, setup_lines
from priorscope.study.load import load_study
from priorscope.study.spec import REPORT_ARMS

PAIRS = {"resnet50": "cnn", "vit": "vit", "local_vit": "local_vit"}


def reproducing(out, pairs=PAIRS):
    """Say in a finished study's record that it reproduces the report."""
    record = json.loads((out / "study.json").read_text())
    record["study"]["reproduces"] = pairs
    (out / "study.json").write_text(json.dumps(record))
    return out


def write_curves(root, *, arms=REPORT_ARMS, num_epochs=4):
    """Write made-up curve files in the report's layout."""
    (root / "paper").mkdir(parents=True, exist_ok=True)
    for place, arm in enumerate(arms):
        curves = {
            "train_loss": [2.25 - 0.125 * e - 0.01 * place for e in range(num_epochs)],
            "test_acc": [0.25 + 0.125 * e + 0.01 * place for e in range(num_epochs)],
        }
        for name, curve in curves.items():
            text = "".join(f"{value}\n" for value in curve)
            (root / "paper" / f"curve_{arm}_{name}.csv").write_text(text)
    return root


def blocks_of(out):
    """Return the section's paragraphs as one text, and its blocks by name."""
    (part,) = report_2021(read_findings(out)).parts
    blocks = {block.name: block for block in part.shown}
    return " ".join(text for _, text in part.paragraphs), blocks


def data_of(spec):
    """Return rows of a chart's lines or bars; layers that share them leave them to the chart."""
    layer = next(layer for layer in [spec, *spec["layer"]] if len(rows_of(layer)) > 1)
    return rows_of(layer)


def rows_of(spec):
    return spec.get("data", {}).get("values", [])


def test_the_constants_are_what_the_published_outputs_give(shared_data):
    """Counted here from the raw files, by NumPy alone."""
    paper = shared_data / "paper"
    labels = np.loadtxt(paper / "background_labels.csv").argmax(axis=1)
    for name, arm in ARMS.items():
        accuracy = np.loadtxt(paper / f"curve_{name}_test_acc.csv")
        assert len(accuracy) == arm.num_epochs
        for found in arm.test:
            assert found.right / found.n == pytest.approx(accuracy[found.epoch - 1], abs=1e-5)
        file = next(paper.glob(f"background_{name}_p*.csv"))
        answers = np.loadtxt(file)
        answers = answers.argmax(axis=1) if answers.ndim == 2 else answers
        assert (answers == labels).sum() == arm.background.right
        assert len(labels) == arm.background.n
    present = np.loadtxt(paper / "combined_labels.csv")
    for name, counts in HISTOGRAM.items():
        likely = np.loadtxt(paper / f"combined_{name}_probabilities.csv").argsort(axis=1)[:, -4:]
        found = np.take_along_axis(present, likely, axis=1).sum(axis=1).astype(int)
        assert tuple(np.bincount(found, minlength=5)) == counts
        assert found.mean() == pytest.approx(ARMS[name].combined)


def test_its_results_stand_beside_ours(study_output, tmp_path):
    out = reproducing(study_output(samples=False))
    keep_curves(out, read_curves(write_curves(tmp_path)))
    text, blocks = blocks_of(out)
    assert "cnn for its ResNet50, vit for its ViT and local_vit for its Local ViT" in text
    assert "not found" not in text
    estimates = pl.read_parquet(out / "analysis" / "estimates.parquet")
    # The report's cell, and where our estimate comes from.
    for name, arm, published in (
        ("test", "test", ("91.84 [91.29, 92.36]", "74.70 [73.84, 75.54]", "88.70 [88.06, 89.31]")),
        ("combined", "mosaic", ("2.09", "1.93", "2.13")),
        (
            "background",
            "background",
            ("15.0 [10.7, 20.6]", "10.5 [7.0, 15.5]", "14.5 [10.3, 20.0]"),
        ),
    ):
        rows = blocks[f"report-2021-{name}"].rows[:3]
        assert tuple(row[1] for row in rows) == published, "as the audit has them"
        for row, model in zip(rows, PAIRS.values(), strict=True):
            ours = estimates.row(
                by_predicate=(pl.col("model") == model)
                & (pl.col("probe") == name)
                & (pl.col("arm") == arm),
                named=True,
            )
            factor, decimals = (1, 2) if name == "combined" else (100, 1)
            value, low, high = (
                f"{factor * ours[key]:.{decimals}f}" for key in ("estimate", "low", "high")
            )
            assert row[3:] == (model, f"{value} [{low}, {high}]", "2,000", "2")


def test_its_figures_stand_beside_ours(study_output, tmp_path):
    out = reproducing(study_output(samples=False))
    keep_curves(out, read_curves(write_curves(tmp_path, num_epochs=5)))
    _, blocks = blocks_of(out)
    drawn = [specification(panel) for panel in blocks["report-2021-training"].panels]
    assert [spec["title"] for spec in drawn] == [
        f"{whose}: {what}"
        for what in ("training loss", "test accuracy")
        for whose in ("The report", "This study")
    ]
    for theirs, ours, column in (*drawn[:2], "train_loss"), (*drawn[2:], "test_accuracy"):
        axes = [spec["layer"][-1]["encoding"]["y"]["scale"] for spec in (theirs, ours)]
        assert axes[0] == axes[1], "on one scale"
        last = next(v for v in data_of(theirs) if v["name"] == "Local ViT" and v["epoch"] == 5)
        assert last[column] == pytest.approx(1.73 if column == "train_loss" else 77.0)
    epochs = pl.concat(
        pl.read_ndjson(path).with_columns(run=pl.lit(path.parent.name[:2]))
        for path in out.glob("runs/*/metrics.jsonl")
    )
    mean = epochs.filter(run="m1", epoch=7)["test_accuracy"].mean()
    value = next(v for v in data_of(drawn[3]) if (v["name"], v["epoch"]) == ("vit", 7))
    assert value["test_accuracy"] == pytest.approx(100 * mean, rel=1e-5)
    published, cnn = (specification(p) for p in blocks["report-2021-histogram"].panels[:2])
    bars = [bar["share"] for bar in data_of(published)]
    assert bars == [1, 21, 49, 26, 3]
    assert published["title"]["color"] == cnn["title"]["color"]


@pytest.mark.parametrize("probes", [{}, {"combined": {"name": "mosaic", "grid": 3}}])
def test_a_study_without_its_probes_shows_the_reports_numbers(study_output, probes):
    out = reproducing(study_output(samples=False, probes=probes), {"vit": "vit"})
    text, blocks = blocks_of(out)
    assert "Nothing stands for ResNet50 and Local ViT." in text
    assert "no counterpart of cnn and local_vit" in text
    for name in ("combined", "background"):
        table = blocks[f"report-2021-{name}"]
        assert "This study has nothing like it." in table.caption
        assert table.header == ("Arm", "The report", "n", "This study", "Seeds")
    assert len(blocks["report-2021-histogram"].panels) == 1


def test_the_page_has_it_after_the_probes_and_only_for_such_studies(study_output, tmp_path):
    out = study_output(samples=False, models={"a": {"name": "a"}}, seeds=(0,))
    assert "report-2021" not in build(read_findings(out)).read_text(encoding="utf-8")
    reproducing(out, {"resnet50": "a"})
    page = build(read_findings(out)).read_text(encoding="utf-8")
    sections = re.findall(r'<section id="([^"]+)"', page)
    assert sections.index("probes") < sections.index("report-2021")
    assert sections.index("report-2021") < sections.index("comparisons")
    assert "paper/curve_vit_test_acc.csv" in page and "paper/curve_resnet50_train_loss.csv" in page
    # With the curves, it is built again after their files are gone.
    keep_curves(out, read_curves(write_curves(tmp_path / "data", arms=["vit"])))
    shutil.rmtree(tmp_path / "data")
    keep_curves(out, read_curves(tmp_path / "data"))
    page = build(read_findings(out)).read_text(encoding="utf-8")
    assert "paper/curve_vit_test_acc.csv" not in page
    assert "paper/curve_resnet50_train_loss.csv" in page
    assert "report-2021-training.svg" in page
    assert not list(out.rglob("*.partial"))


def compared(study: str, **sizes) -> list[Line]:
    """Compare a packaged study with the report, setting by setting."""
    loaded = load_study(study)
    results = SimpleNamespace(
        study=loaded.as_dict(),
        record={
            "data": {
                "title": "CIFAR-10",
                "train": {"num_images": 50_000},
                "test": {"num_images": 10_000},
            }
        },
        runs=[{"model": model, "num_parameters": n} for model, n in sizes.items()],
        probes={},
    )
    return [*recipe_lines(results), *setup_lines(results)]


def lines_of(study: str, **sizes) -> dict[str, str]:
    """Say what a packaged study deviates from."""
    return {line.what: line.deviates_from for line in compared(study, **sizes)}


def test_small_numbers_are_written_as_the_report_writes_them():
    ours = {line.what: line.ours for line in compared("paper")}
    theirs = {line.what: line.text for line in compared("paper")}
    assert ours["learning rate"] == theirs["learning rate"] == "1e-5"
    assert ours["weight decay"] == theirs["weight decay"] == "5e-4"


def test_the_eps_of_norms_is_a_deviation_where_the_vit_is_timms():
    eps = {line.what: line for line in compared("paper")}["eps in the ViT's norms"]
    vit = timm.create_model("vit_tiny_patch16_224", depth=1)
    assert {m.eps for m in vit.modules() if isinstance(m, nn.LayerNorm)} == {1e-6}
    assert eps.ours.startswith("1e-6") and eps.deviates_from == "its code"
    assert "eps in the ViT's norms" not in lines_of("cifar10")


def test_what_paper_deviates_from_is_what_its_header_says():
    found = lines_of("paper", resnet50=23_528_522, vit=85_806_346, local_vit_dwnet=160_583_178)
    same = {"schedule", "image size, px", "resize", "ResNet50", "ViT", "dataset"}
    assert {found[what] for what in same} == {""}
    assert found["precision"] == "text and code", "bf16 in place of fp16"
    assert found["Local ViT"] == "its text", "which has attention"
    # The code differs by arm, which no study can do.
    for what in ("epochs", "batch size", "weight decay", "optimizer", "augmentation"):
        assert found[what] == "its code"
    assert found["learning rate"] == "its code"
    other = lines_of("paper_code")
    assert other["learning rate"] == "its text"
    assert {what: value for what, value in other.items() if what != "learning rate"} == {
        what: value for what, value in found.items() if what != "learning rate"
    }


def test_what_cifar10_deviates_from_includes_what_the_report_does_not_name():
    found = lines_of("cifar10", cnn_22m=22_000_000)
    assert found["label smoothing"] == found["clip grad norm"] == "the report"
    assert found["warmup fraction"] == "the report"
    assert found["ResNet50"] == found["seeds"] == "the report"
    assert "resize" not in found and "momentum" not in found
    # Every key of the published recipe but `resize` is compared.
    assert len([what for what in SETTINGS if what != "resize"]) == 9


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("vit_train_loss", "2.0\nabc\n1.0\n1.0\n", "not a number"),
        ("vit_train_loss", "2.0\n-1\n1.0\n1.0\n", "no train loss"),
        ("vit_train_loss", "1 2\n1 2\n1 2\n1 2\n", "one number a line"),
        ("vit_train_loss", "nan\n1\n1\n1\n", "not a finite number"),
        ("vit_train_loss", "", "empty"),
        ("vit_train_loss", None, "no such file"),
        ("resnet50_test_acc", "0.1\n0.2\n91.8\n0.4\n", "no test accuracy"),
        ("local_vit_test_acc", "0.1\n0.2\n", "different lengths"),
    ],
)
def test_damaged_curve_files_are_refused(tmp_path, file, text, problem):
    path = write_curves(tmp_path) / "paper" / f"curve_{file}.csv"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(InputError, match=problem) as caught:
        read_curves(tmp_path)
    assert str(tmp_path / "paper") in str(caught.value.where)


def test_damaged_kept_curves_are_refused(tmp_path):
    keep_curves(tmp_path, read_curves(write_curves(tmp_path)))
    assert len(kept_curves(tmp_path)) == 12
    path = tmp_path / "published" / "curves.parquet"
    pl.DataFrame({"arm": ["vit"]}).write_parquet(path)
    with pytest.raises(InputError, match="not what priorscope writes"):
        kept_curves(tmp_path)
    path.write_bytes(b"PAR1")
    with pytest.raises(InputError, match="not Parquet"):
        kept_curves(tmp_path)
