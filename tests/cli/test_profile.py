"""`priorscope profile`: networks as they are given, without a study."""

import json
import pickle

import pytest
import torch
from safetensors.torch import save_file

from priorscope.cli import run_command
from priorscope.models.linear import linear
from priorscope.models.pixel_set_mlp import pixel_set_mlp

DATA = "{name: synthetic, num_train: 20, num_test: 40}"


@pytest.fixture
def weights(tmp_path):
    network = pixel_set_mlp(num_classes=10, image_px=32)
    save_file(network.state_dict(), tmp_path / "set.safetensors")
    return tmp_path / "set.safetensors"


def profile(out, *networks, data=DATA):
    arguments = ["--data", data, "--out", str(out), "--num-images", "20", "--device", "cpu"]
    return run_command(["profile", *networks, *arguments])


def test_a_set_of_pixels_looks_at_one_pixel(weights, tmp_path):
    out = tmp_path / "out"
    assert profile(out, f"pixel_set_mlp={weights}") == 0
    found = json.loads((out / "profile.json").read_text())
    rows = {(row["source"], row["family"]): row["networks"] for row in found["biases"]}
    looks = rows["effective_receptive_field", ""]["pixel_set_mlp"]
    assert looks["estimate"] == 1
    assert {"suppression", "occlusion"} <= {source for source, _ in rows}
    assert found["networks"]["pixel_set_mlp"]["weights"]["file"] == "set.safetensors"
    assert found["left_out"] == []
    page = (out / "report" / "index.html").read_text()
    assert "evaluated as given" in page and "How far a position looks" in page


def test_a_measure_without_a_value_leaves_the_rest_of_the_battery(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_file(linear(num_classes=10, image_px=32).state_dict(), "linear.safetensors")
    arguments = ["--data", DATA, "--num-images", "20", "--device", "cpu"]
    assert run_command(["profile", "linear=linear.safetensors", *arguments]) == 0
    found = json.loads((tmp_path / "outputs/profile-linear/profile.json").read_text())
    sources = {row["source"] for row in found["biases"]}
    assert {"translation_error", "suppression"} <= sources
    assert "effective_receptive_field" not in sources
    assert "left out effective_receptive_field" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("pixel_set_mlp", "MODEL=FILE"),
        ("=file", "MODEL=FILE"),
        ("pixel_set_mlq={file}", "pixel_set_mlp"),
        ("pixel_set_mlp=nowhere.safetensors", "nowhere.safetensors"),
    ],
)
def test_what_is_no_network_is_refused_in_words(network, said, weights, tmp_path, capsys):
    assert profile(tmp_path / "out", network.format(file=weights)) == 2
    assert said in capsys.readouterr().err


def test_a_pickle_is_never_executed(tmp_path, capsys):
    (tmp_path / "bad.pt").write_bytes(pickle.dumps(_Touch(str(tmp_path / "touched"))))
    assert profile(tmp_path / "out", f"pixel_set_mlp={tmp_path / 'bad.pt'}") == 2
    assert not (tmp_path / "touched").exists()


class _Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_a_network_that_ends_in_a_softmax_is_refused(tmp_path, capsys):
    code = "from torch import nn\n\n\ndef soft(*, num_classes: int, image_px: int):\n"
    code += "    head = nn.Linear(3 * image_px**2, num_classes)\n"
    code += "    return nn.Sequential(nn.Flatten(), head, nn.{last}(1))\n"
    shapes = {"1.weight": torch.randn(10, 3 * 32**2), "1.bias": torch.zeros(10)}
    save_file(shapes, tmp_path / "w.safetensors")
    for last, done in ("Softmax", 2), ("LogSoftmax", 0):
        (tmp_path / f"{last}.py").write_text(code.format(last=last))
        network = f"{tmp_path / last}.py:soft={tmp_path / 'w.safetensors'}"
        assert profile(tmp_path / last, network) == done
    assert "answers in probabilities" in capsys.readouterr().err
