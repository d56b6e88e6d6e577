"""The other commands, on what a finished study left."""

import csv
import shutil

import numpy as np
from PIL import Image

from priorscope.cli import run_command
from priorscope.components import listing
from priorscope.studies import packaged_studies


def test_check_prints_the_plan_and_writes_nothing(tmp_path, tiny, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    covered = tiny.replace("name: vit_nano", "name: local_vit_nano, window_size: 9")
    (tmp_path / "tiny.yaml").write_text(covered)
    assert run_command(["check", "tiny.yaml"]) == 0
    said = capsys.readouterr().out
    for words in (
        "200 training images",
        "resnet_nano width=8",
        "H1",
        "learning_rate 0.001",
        "note     vit: window_size 9 covers the grid of 8 x 8",
        "about",
    ):
        assert words in said
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def test_check_says_what_a_study_could_show_by_itself_and_from_a_pilot(finished, capsys):
    finished.study.write_text(
        finished.study.read_text()
        + "  - {id: H2, statement: The two are alike., contrast: {a: cnn, b: vit}, probe: test,\n"
        "     metric: top1, expect: equivalent, margin: 0.02}\n"
    )
    assert run_command(["check", str(finished.study)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "cnn against vit, top1 on test, expect greater" in said
    assert "one seed, 100 scenes, these trained networks only; stated variances" in said
    assert "smallest effect that it would show: " in said
    assert "the declared margin of 2.00 pp needs " in said
    assert run_command(["check", str(finished.study), "--pilot", str(finished.out)]) == 0
    assert "variances of the pilot" in " ".join(capsys.readouterr().out.split())
    assert run_command(["check", str(finished.study), "--pilot", "nowhere"]) == 2
    assert "--pilot" in capsys.readouterr().err


def test_report_prints_the_verdicts(finished, capsys):
    assert run_command(["report", str(finished.out)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "H1 INCONCLUSIVE The CNN learns more. cnn > vit in top-1 accuracy on test" in said
    assert "at this budget (2 epochs of 200 training images)" in said
    assert "these trained networks" in said


def test_list_names_every_component_and_study(capsys):
    assert run_command(["list"]) == 0
    said = capsys.readouterr().out
    for kind in ("models", "mixers", "data", "probes", "metrics", "executors"):
        for name in listing(kind):
            assert f"  {name} " in said
    for name in packaged_studies():
        assert f"  {name} " in said
    assert run_command(["list", "models"]) == 0
    assert "mosaic" not in capsys.readouterr().out


def test_report_needs_nothing_but_predictions(finished, capsys):
    for weights in finished.out.rglob("model.safetensors"):
        weights.unlink()
    numbers = (finished.out / "analysis" / "estimates.parquet").read_bytes()
    shutil.rmtree(finished.out / "analysis")
    shutil.rmtree(finished.out / "report")
    assert run_command(["report", str(finished.out)]) == 0
    assert (finished.out / "analysis" / "estimates.parquet").read_bytes() == numbers
    assert str(finished.out / "report" / "index.html") in capsys.readouterr().out


def test_export_gives_the_studys_own_probe(finished, tmp_path, capsys):
    out = tmp_path / "export"
    options = ["--parameter", "num_images=20", "--name", "combined"]
    for key, value in (("task", "objects"), ("num_train", 200), ("num_test", 100)):
        options += ["--data-parameter", f"{key}={value}"]
    command = ["export-probe", "mosaic", "--data", "synthetic", "--out", str(out), *options]
    assert run_command(command) == 0
    with (out / "examples.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    labels = np.loadtxt(out / "labels" / "mosaic.csv", delimiter=",")
    assert labels.shape == (20, 10)
    assert (labels.sum(axis=1) == 4).all()
    names = (out / "classes.txt").read_text().splitlines()
    for row, label in zip(rows[:20], labels, strict=True):
        assert row["label"] == "|".join(names[i] for i in np.flatnonzero(label))
        assert Image.open(out / row["file"]).size == (64, 64)

    from priorscope.evaluation import read_predictions

    (path,) = finished.out.glob("runs/cnn-*/predictions/combined.parquet")
    np.testing.assert_array_equal(read_predictions(path).arm("mosaic").targets, labels == 1)

    # What was exported and answered elsewhere comes back through `score`.
    answers = tmp_path / "answers.npy"
    np.save(answers, read_predictions(path).arm("mosaic").logits)
    capsys.readouterr()
    command = ["score", "--labels", str(out / "labels" / "mosaic.csv"), "--json"]
    command += ["--metric", "top_k_matching", "--predictions", f"cnn={answers}"]
    assert run_command(command) == 0
    assert '"expected": 1.6' in capsys.readouterr().out
