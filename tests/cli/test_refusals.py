"""Bad input from the shell: exit code 2, a message that says what to do, no traceback."""

import shutil

import numpy as np
import pytest
from PIL import Image

from priorscope.cli import run_command
from priorscope.runs.locks import locked

BAD_PROBES = """
import numpy as np
from priorscope.probes import ProbeSet
def make(source, arm='a', dtype=np.uint8):
    return ProbeSet(source.images[:4].astype(dtype), source.labels[:4], np.arange(4),
                    {'arm': np.array([arm] * 4)}, source.class_names)
def escapes(source, *, rng): return make(source, arm='../up')
def floats(source, *, rng): return make(source, dtype=np.float32)
def raises(source, *, rng): return {}['nothing']
"""


@pytest.fixture
def refused(capsys):
    """Run a command that must be refused, and give what it said."""

    def call(*arguments) -> str:
        assert run_command([str(argument) for argument in arguments]) == 2
        error = capsys.readouterr().err
        assert "Traceback" not in error
        return error

    return call


def study(tmp_path, tiny, before="", after=""):
    assert before in tiny
    path = tmp_path / "study.yaml"
    path.write_text(tiny.replace(before, after, 1) if before else tiny)
    return path


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            "name: resnet_nano",
            "name: resnet_mano",
            ["models.cnn.name", "did you mean resnet_nano?"],
        ),
        ("name: mosaic", "name: mosaik", ["probes.combined.name", "did you mean mosaic?"]),
        ("name: synthetic", "name: synthetik", ["data.name", "did you mean synthetic?"]),
        ("num_images: 20}", "num_images: -1}", ["probes.combined.num_images", "-1", "greater"]),
        ("num_images: 20}", "num_images: 20, grid: 4}", ["probes.combined.grid", "4", "2 .. 3"]),
        ("canvas_px: 64", "canvas_px: 16", ["probes.background.canvas_px", "at least 32"]),
        ("canvas_px: 64", "backgrounds: nowhere", ["probes.background.backgrounds", "nowhere"]),
        ("task: objects", "task: objekts", ["data.task", "objects"]),
        ("width: 8", "widht: 8", ["models.cnn.widht", "did you mean width?"]),
        (
            "name: vit_nano",
            "name: skeleton, mixer: neighbourhood_attention, window_size: 4",
            ["models.vit.window_size", "it must be odd"],
        ),
        (
            "name: vit_nano",
            "name: skeleton, mixer: neighborhood_attention",
            ["models.vit.mixer", "did you mean neighbourhood_attention?"],
        ),
        ("num_heads: 2", "num_heads: 3", ["models.vit.num_heads", "heads must divide"]),
        ("embed_dim: 16", "patch_size: 5", ["models.vit.patch_size", "image 32 px"]),
        ("epochs: 2", "epochs: two", ["recipe.epochs", "'two'", "valid integer"]),
        ("epochs: 2", "epochs: 2, precision: fp16", ["recipe.precision", "fp16 needs a GPU"]),
        (
            "probe: test, metric: top1",
            "probe: test, metric: top2",
            ["metric", "top1, top_k_matching"],
        ),
        ("b: vit}", "b: cnn}", ["hypotheses.0.contrast", "not compared with itself"]),
        ("expect: greater", "expect: greater, condition: grey", ["hypotheses.0.condition", "test"]),
        ("seeds: [0]", "seeds: [99999999999]", ["seeds.0", "less than"]),
        (
            "{name: mosaic, num_images: 20}",
            "{name: './p.py:quits'}",
            ["probes.combined", "SystemExit"],
        ),
        (
            "{name: mosaic, num_images: 20}",
            "{name: './p2.py:escapes'}",
            ["conditions.arm", "../up"],
        ),
        (
            "{name: mosaic, num_images: 20}",
            "{name: './p2.py:floats'}",
            ["combined.images", "uint8"],
        ),
        (
            "{name: mosaic, num_images: 20}",
            "{name: './p2.py:raises'}",
            ["probes.combined", "KeyError"],
        ),
        (
            "seeds:",
            "controls: [{model: vit, within: [5, 20]}]\nseeds:",
            ["controls.0.within", "0 .. 1", "[0.05, 0.2]"],
        ),
        (
            "num_train: 200",
            "num_train: 200, train_fractoin: 0.5",
            ["data.train_fractoin", "label_noise", "num_kinds", "did you mean train_fraction?"],
        ),
        (
            "task: objects",
            "task: relation, distance: 8",
            ["data.distance", "at least 1, less than 8"],
        ),
        (
            "task: objects",
            "task: objects, intervention: {name: permute_pixels, sed: 3}",
            ["data.intervention.sed", "did you mean seed?"],
        ),
        (
            "task: objects",
            "task: objects, intervention: {name: permute_pixels, train_seed: 0, test_seed: 1}",
            ["data.intervention.train_seed", "allowed  seed", "permuted alike"],
        ),
        ("data:", "dota:", ["dota", "did you mean data?"]),
    ],
)
def test_a_study_that_cannot_be_meant(refused, tmp_path, tiny, before, after, words):
    (tmp_path / "p.py").write_text("import sys\nsys.exit(0)\n")
    (tmp_path / "p2.py").write_text(BAD_PROBES)
    out = tmp_path / "out"
    error = refused("run", study(tmp_path, tiny, before, after), "--out", out)
    for word in words:
        assert word in error
    assert not out.exists(), "nothing is written for a study that is refused"


def test_the_output_is_no_place_for_a_study(refused, tmp_path, tiny):
    path = study(tmp_path, tiny)
    (tmp_path / "holiday.jpg").write_text("precious")
    assert "holds files" in refused("run", path, "--out", tmp_path)
    assert "not a folder" in refused("run", path, "--out", tmp_path / "holiday.jpg")
    assert (tmp_path / "holiday.jpg").read_text() == "precious"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "quickstrat"], "did you mean quickstart?"),
        (["run", "absent.yaml"], "no such study file"),
        (["run", "quickstart", "--device", "cuda:99"], "auto, cpu"),
        (["run", "quickstart", "--seeds", "0,x"], "whole numbers"),
        (["run", "quickstart", "--seeds", "77"], "seed not in the study"),
        (["run", "quickstart", "--seeds", "0,0"], "a seed stands twice"),
        (["run", "quickstart", "--only", "resnet"], "cnn, local_vit, vit"),
        (["run", "quickstart", "--executor", "rey"], "--executor"),
        (["run", "cifar10_nano", "--data-root", "absent"], "priorscope data fetch cifar10"),
        (["run"], "Missing argument"),
        (["run", "quickstart", "--nonsense"], "No such option"),
        (["report", "absent"], "no study lies there"),
        (["list", "modles"], "models"),
        (["data", "verify", "cifar11"], "did you mean cifar10?"),
        (
            ["export-probe", "mosaic", "--data", "synthetic", "--out", "x", "--parameter", "a"],
            "key=value",
        ),
    ],
)
def test_bad_arguments(refused, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused(*arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["truncate", "foreign"])
def test_a_damaged_predictions_file_is_named(finished, refused, damage):
    (path,) = finished.out.glob("runs/cnn-*/predictions/combined.parquet")
    path.write_bytes(path.read_bytes()[:-200] if damage == "truncate" else b"PAR1 no")
    error = refused("report", finished.out)
    assert str(path) in error
    assert "remove it" in error


def test_an_image_folder_with_one_class_or_an_unreadable_image(refused, tmp_path, tiny):
    folder = tmp_path / "pictures" / "cats"
    folder.mkdir(parents=True)
    for number in range(3):
        pixels = np.full((32, 32, 3), number, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    before = "{name: synthetic, task: objects, num_train: 200, num_test: 100}"
    path = study(tmp_path, tiny, before, f"{{name: image_folder, path: {folder.parent}}}")
    assert "class" in refused("run", path, "--out", tmp_path / "out")
    other = folder.with_name("dogs")
    folder.rename(other)
    folder.mkdir()
    for number in range(3):
        shutil.copy(other / f"{number}.png", folder)
    (folder / "broken.png").write_bytes(b"no picture")
    assert "broken.png" in refused("run", path, "--out", tmp_path / "out")


def test_images_that_changed_since_the_runs_began(refused, tmp_path, tiny):
    rng = np.random.default_rng(0)
    for name in ("cats", "cows", "dogs", "owls"):
        folder = tmp_path / "pictures" / name
        folder.mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(256, size=(32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    before = "{name: synthetic, task: objects, num_train: 200, num_test: 100}"
    path = study(tmp_path, tiny, before, f"{{name: image_folder, path: {folder.parent}}}")
    command = ["run", path, "--out", tmp_path / "out", "--only", "cnn"]
    assert run_command([str(argument) for argument in command]) == 0
    record = (tmp_path / "out" / "study.json").read_bytes()
    old = folder / "3.png"
    old.rename(tmp_path / "old.png")
    shutil.copy(folder / "4.png", old)
    error = refused(*command)
    assert "data changed" in error
    assert "train" in error or "test" in error
    assert (tmp_path / "out" / "study.json").read_bytes() == record
    (tmp_path / "old.png").replace(old)
    assert run_command([str(argument) for argument in command]) == 0


@pytest.mark.parametrize("name", ["study.json", "runs/cnn-*/run.json", "runs/cnn-*/metrics.jsonl"])
@pytest.mark.parametrize("content", ["{}", "[]", "{", '{"plan": 3}'])
def test_a_damaged_record_is_named(finished, refused, name, content):
    (path,) = finished.out.glob(name)
    path.write_text(content)
    assert str(path) in refused("report", finished.out)


def test_one_changed_byte_of_predictions_is_noticed(finished, refused):
    (path,) = finished.out.glob("runs/cnn-*/predictions/test.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x40
    path.write_bytes(content)
    assert str(path) in refused("report", finished.out)


def test_a_second_process_is_kept_out(finished, refused):
    with locked(finished.out):
        error = refused("run", finished.study, "--out", finished.out)
    assert "another process" in error
    assert finished.again() == 0


def test_fresh_does_not_move_what_is_no_study(refused, tmp_path, tiny, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious.txt").write_text("precious")
    path = study(tmp_path, tiny)
    assert "holds files" in refused("run", path, "--out", tmp_path / "mine", "--fresh")
    assert (tmp_path / "mine" / "precious.txt").exists()
    monkeypatch.chdir(tmp_path / "mine")
    assert "holds files" in refused("run", path, "--out", ".", "--fresh")
