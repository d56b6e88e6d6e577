"""Two processes that train together against one that trains alone, with the same global batch."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

from priorscope.cli import run_command
from priorscope.evaluation import read_predictions
from priorscope.runs.environment import num_processors

# The batch does not divide the images: the last one has a single image, less than one a process.
STUDY = """
name: two
data: {name: synthetic, task: objects, num_train: 181, num_test: 101, held_out_fraction: 0.11}
recipe: {learning_rate: 1e-3, batch_size: 32, epochs: 2, augment: [random_crop],
         micro_batch_size: 5, clip_grad_norm: 1.0}
models:
  cnn: {name: resnet_nano, width: 8, num_blocks: [1, 1, 1]}
  vit: {name: vit_nano, embed_dim: 16, depth: 1, num_heads: 2}
probes:
  combined: {name: mosaic, num_images: 11}
"""
# The last of 161 images is alone, which is one of the things that are tried here.
pytestmark = pytest.mark.filterwarnings("ignore:batch norm takes its moments from one image alone")
TORCHRUN = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "priorscope"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Train with one process."""
    folder = tmp_path_factory.mktemp("distributed")
    (folder / "two.yaml").write_text(STUDY)
    assert run_command(["run", str(folder / "two.yaml"), "--out", str(folder / "one")]) == 0
    return folder


def call(module, *arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", *module, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)


@pytest.mark.skipif(num_processors() < 2, reason="needs two processors")
@pytest.mark.parametrize("started_by", ["devices", "torchrun"])
def test_two_processes_give_the_curve_of_one(alone, started_by):
    out = alone / started_by
    run = ["run", alone / "two.yaml", "--out", out]
    if started_by == "devices":
        done = call(["priorscope"], *run, "--devices", 2)
    else:
        done = call(TORCHRUN, *run)
    assert done.returncode == 0, done.stderr
    assert "find_unused_parameters" not in done.stderr
    assert done.stdout.count("study hash") == 1  # one process speaks
    for folder in (alone / "one" / "runs").iterdir():
        other = out / "runs" / folder.name
        curves = [
            [json.loads(line) for line in (each / "metrics.jsonl").read_text().splitlines()]
            for each in (folder, other)
        ]
        for one, two in zip(*curves, strict=True):
            assert two["train_loss"] == pytest.approx(one["train_loss"], rel=1e-3)
            assert two["train_accuracy"] == pytest.approx(one["train_accuracy"], abs=0.02)
            assert two["step"] == one["step"]
        weights = [load_file(each / "model.safetensors") for each in (folder, other)]
        assert weights[0].keys() == weights[1].keys()
        for name, value in weights[0].items():
            np.testing.assert_allclose(weights[1][name], value, rtol=0.05, atol=5e-3)
        for probe in ("test", "combined"):
            answers = [
                read_predictions(each / "predictions" / f"{probe}.parquet")
                for each in (folder, other)
            ]
            # An odd number of images: nothing padded, nothing counted twice, the order kept.
            np.testing.assert_array_equal(answers[1].ids, answers[0].ids)
            np.testing.assert_allclose(answers[1].logits, answers[0].logits, atol=0.05)
        assert json.loads((other / "run.json").read_text())["num_devices"] == 2


@pytest.mark.skipif(num_processors() < 2, reason="needs two processors")
def test_a_parameter_that_is_never_used_stays_as_it_was(tmp_path):
    """Without a gradient no decay is applied either, on one process and on two."""
    (tmp_path / "spare.py").write_text(
        "import torch\n"
        "from torch import nn\n"
        "class Spare(nn.Sequential):\n"
        "    def __init__(self, *parts):\n"
        "        super().__init__(*parts)\n"
        "        self.unused = nn.Parameter(torch.ones(3))\n"
        "def spare(*, num_classes, image_px):\n"
        "    return Spare(nn.Flatten(), nn.Linear(3 * image_px**2, num_classes))\n"
    )
    (tmp_path / "spare.yaml").write_text(
        "name: spare\n"
        "data: {name: synthetic, task: objects, num_train: 70, num_test: 20}\n"
        "recipe: {batch_size: 32, epochs: 2, micro_batch_size: 8, weight_decay: 0.1}\n"
        "models: {spare: {name: ./spare.py:spare}}\n"
    )
    found = []
    for devices in (1, 2):
        out = tmp_path / str(devices)
        run = ["run", tmp_path / "spare.yaml", "--out", out, "--device", "cpu"]
        done = call(["priorscope"], *run, "--devices", devices)
        assert done.returncode == 0, done.stderr
        assert "find_unused_parameters" not in done.stderr
        found += [load_file(path) for path in out.glob("runs/*/model.safetensors")]
    one, two = found
    for weights in found:
        np.testing.assert_array_equal(weights["unused"], np.ones(3, dtype=np.float32))
    np.testing.assert_allclose(two["1.weight"], one["1.weight"], rtol=1e-3, atol=1e-5)


@pytest.mark.skipif(num_processors() < 2, reason="needs two processors")
def test_a_failure_in_every_process_is_said_once(alone):
    (alone / "bad.py").write_text(
        "from torch import nn\n"
        "class Bad(nn.Sequential):\n"
        "    def forward(self, x):\n"
        "        if self.training: raise ValueError('no training today')\n"
        "        return super().forward(x)\n"
        "def bad(*, num_classes, image_px):\n"
        "    return Bad(nn.Flatten(), nn.Linear(3 * image_px**2, num_classes))\n"
    )
    text = STUDY.replace("models:\n", "models:\n  bad: {name: ./bad.py:bad}\n")
    (alone / "bad.yaml").write_text(text.replace("name: two", "name: bad"))
    out = alone / "failed"
    done = call(["priorscope"], "run", alone / "bad.yaml", "--out", out, "--devices", 2)
    assert done.returncode == 3
    assert done.stderr.count("no training today") == 1
    assert len(list(out.glob("runs/*/run.json"))) == 2


@pytest.mark.parametrize(
    ("options", "spoilt", "words"),
    [
        (["--devices", "1000"], None, ["--devices", "1000", "1 .. "]),
        (["--devices", "0"], None, ["--devices"]),
        (["--devices", "2"], ("batch_size: 32", "batch_size: 33"), ["recipe.batch_size", "33"]),
    ],
)
def test_devices_that_cannot_be_used_are_refused(alone, capsys, tmp_path, options, spoilt, words):
    study = tmp_path / "two.yaml"
    study.write_text(STUDY.replace(*spoilt) if spoilt else STUDY)
    out = tmp_path / "out"
    assert run_command(["run", str(study), "--out", str(out), "--device", "cpu", *options]) == 2
    error = capsys.readouterr().err
    assert all(word in error for word in words)
    assert "Traceback" not in error
    assert not out.exists()
