"""What a data set has to say of itself: on the terminal once, and in what a study writes."""

import json
import shutil

import numpy as np
import pytest
from image_sets import fill
from PIL import Image

from priorscope.cli import run_command
from priorscope.data import Overlap

STUDY = """
name: remarks
data: {name: image_folder, path: set}
recipe: {epochs: 1, batch_size: 5}
models: {pixels: {name: linear}}
seeds: [0]
hypotheses:
  - {id: H1, statement: It learns., contrast: {a: pixels, level: 0.5}, probe: test, metric: top1,
     expect: greater}
"""
OWN = """
import numpy as np
from priorscope.data import Dataset, LabeledImages, fingerprint

def mine(*, root):
    images = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 3), dtype=np.uint8)
    labels = np.arange(8) % 2
    split = LabeledImages(images, labels, ("a", "b"), fingerprint(images, labels))
    return Dataset("mine", split, split, notes=("a word of mine",))
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Ten images in training; three of them stand in the test split too, and one is transparent."""
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))
    fill(tmp_path / "set", ("train", "val"))
    for i in range(3):
        shutil.copy(tmp_path / f"set/train/ant/{i}.png", tmp_path / f"set/val/ant/copy{i}.png")
    Image.new("RGBA", (8, 8), (0, 0, 99, 128)).save(tmp_path / "set/train/bee/0.png")
    (tmp_path / "remarks.yaml").write_text(STUDY)
    return ["remarks.yaml", "--data-root", str(tmp_path)]


def said(lines):
    return [line for line in lines.splitlines() if line.startswith(("note", "warning"))]


def test_check_and_run_say_each_line_once_and_write_it_down(tmp_path, study, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_command(["check", *study]) == 0
    note, transparent, copies = expected = said(capsys.readouterr().out)
    assert (
        note
        == "note     data: 'val' is the test split: there is no folder of test images beside it"
    )
    assert transparent.startswith("note     data: 1 of 23 images are transparent in part")
    assert copies.startswith("warning  data: of 13 test images 3 (23.1 %) are exact copies of one")
    assert run_command(["check", *study]) == 0, "now from what was kept"
    assert said(capsys.readouterr().out) == expected
    assert run_command(["run", *study, "--out", "out", "--device", "cpu"]) == 0
    assert said(capsys.readouterr().out) == expected
    written = [json.loads((tmp_path / "out" / "study.json").read_text())["data"]]
    written += [
        json.loads(path.read_text())["data"] for path in tmp_path.glob("out/runs/*/run.json")
    ]
    assert len(written) == 2
    for data in written:
        lines = [f"note     data: {line}" for line in data["notes"]]
        assert lines + [f"warning  data: {line}" for line in data["warnings"]] == expected
        assert Overlap(**data["overlap"]).exact_in_train == 3
        assert Overlap(**data["overlap"]).above_share
    (verdict,) = json.loads((tmp_path / "out/analysis/verdicts.json").read_text())["verdicts"]
    page = " ".join((tmp_path / "out/report/index.html").read_text().split())
    copies = copies.removeprefix("warning  data: ")
    assert f"; warning on the data: {copies}." in verdict["reason"]
    assert f"Data: {copies}." in page, "at the head of the page"
    assert note.removeprefix("note     data: ").replace("'", "&#39;") in page


def test_cells_say_what_they_share_once(tmp_path, study, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = STUDY.replace("expect: greater", "expect: greater, at: {train_fraction: 1.0}")
    (tmp_path / "remarks.yaml").write_text(text + "factors: {train_fraction: [0.4, 1.0]}\n")
    assert run_command(["check", *study]) == 0
    lines = said(capsys.readouterr().out)
    assert len(lines) == len(set(lines)) == 3


def test_copies_are_counted_in_data_of_any_component(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(OWN)
    text = STUDY.replace("{name: image_folder, path: set}", "{name: './own.py:mine'}")
    (tmp_path / "own.yaml").write_text(text)
    assert run_command(["check", "own.yaml"]) == 0
    note, warning = said(capsys.readouterr().out)
    assert note == "note     data: a word of mine"
    assert "of 8 test images 8 (100 %) are exact copies of one of 8 training images" in warning


def test_links_that_lead_back_do_not_keep_check_from_its_end(tmp_path, study, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("ant", "bee"):
        (tmp_path / "set" / "train" / name / "up").symlink_to("..")
    (tmp_path / "set" / "extra").symlink_to(tmp_path / "set")
    assert run_command(["check", *study]) == 0
    assert "'train/ant/up', 'train/bee/up'" in capsys.readouterr().out
    lost = tmp_path / "set" / "train" / "ant" / "lost.png"
    for target in ("nowhere", "lost.png"):
        lost.symlink_to(target)
        assert run_command(["check", *study]) == 2
        assert "a link that leads nowhere" in capsys.readouterr().err
        lost.unlink()


def test_results_in_the_folder_of_images_change_nothing(tmp_path, study, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path / "set")
    shutil.move(tmp_path / "remarks.yaml", tmp_path / "set")
    for seeds in ("0", "0,1"):
        text = STUDY.replace("seeds: [0]", "seeds: [0, 1]")
        (tmp_path / "set" / "remarks.yaml").write_text(text)
        command = ["run", "remarks.yaml", "--data-root", str(tmp_path), "--seeds", seeds]
        assert run_command([*command, "--device", "cpu"]) == 0, capsys.readouterr().err
    records = [
        json.loads(p.read_text()) for p in tmp_path.glob("set/outputs/remarks/runs/*/run.json")
    ]
    assert len(records) == 2 and len({record["data"]["train"] for record in records}) == 1
    assert np.ptp([len(record["data"]["notes"]) for record in records]) == 1  # outputs/ is said
