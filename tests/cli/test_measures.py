"""Measures of a study from end to end: stored, added later, failing, damaged."""

import json
import shutil
import sys

import numpy as np
import polars as pl
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_model

from priorscope.cli import run_command
from priorscope.errors import PriorscopeWarning
from priorscope.measures.attention_mass import attention_mass
from priorscope.measures.cka import cka, features
from priorscope.runs.features import read_features
from priorscope.runs.load_cells import cell_loader
from priorscope.runs.measurements import read_measurement
from priorscope.runs.prepare_models import build_model
from priorscope.study.load import load_study

LOOKS = """
measures:
  near: {name: attention_mass, radius: 2, num_images: 16, probe: background}
"""
OWN = """
measures:
  near: {name: attention_mass, radius: 2, num_images: 16, probe: background}
  own: {name: ./own.py:own, num_images: 12}
"""
SIZE = """
def own(network, images, *, rng):
    return sum(p.detach().double().norm() for p in network.parameters())
"""
# It passes on the few images that a study is planned with.
FAILS = """
def own(network, images, *, rng):
    if len(images) > 8:
        raise RuntimeError("too many images")
    return images.mean((1, 2, 3))
"""


def run_of(out, model):
    (run,) = (out / "runs").glob(f"{model}-s0-*")
    return run


def add(finished, text, own=None):
    """Add text to the study, and write `own.py` beside it, which the next run imports anew."""
    for name in [name for name in sys.modules if name.startswith("priorscope_user_")]:
        del sys.modules[name]
    finished.study.write_text(finished.study.read_text() + text)
    if own is not None:
        (finished.study.parent / "own.py").write_text(own)


def test_a_measure_that_is_added_is_taken_from_the_stored_weights(finished, capsys):
    add(finished, OWN, SIZE)
    before = {path: path.stat().st_mtime_ns for path in finished.out.glob("runs/*/*.safetensors")}
    assert finished.again() == 0
    assert "2 of 2 runs are finished already" in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in before}
    vit = run_of(finished.out, "vit")
    stored = read_measurement(vit / "measurements" / "near.parquet")
    study = load_study(str(finished.study))
    cell = cell_loader(study, finished.out)(())
    network = build_model(
        study.models["vit"], num_classes=10, image_px=32, seed=0, base=study.base, where="models"
    )
    load_model(network, vit / "model.safetensors")
    probe = cell.probes["background"]
    whole = stored.measurement.take(stored.measurement.conditions["arm"] == "all")
    arm = probe.conditions["arm"] == probe.arms[0]
    rows = np.flatnonzero(arm)[np.searchsorted(probe.ids[arm], whole.ids)]
    images = cell.data.preprocess(torch.from_numpy(probe.images[rows]))
    expected = attention_mass(network.eval(), images, rng=np.random.default_rng(0), radius=2)
    assert whole.values == pytest.approx(expected.values[:16], rel=1e-5)
    assert stored.clusters[:16].tolist() == probe.clusters[rows].tolist()
    rows = pl.read_parquet(finished.out / "analysis" / "measurements.parquet")
    near = rows.filter(measure="near", arm="all")
    assert near["model"].to_list() == ["vit"], "which a CNN has none of"
    assert near["value"].item() == pytest.approx(expected.values[:16].mean(), rel=1e-5)
    own = rows.filter(measure="own", model="cnn")
    assert own["n"].item() == 1, "one value of the network"
    made = {path: path.stat().st_mtime_ns for path in finished.out.glob("runs/*/measurements/*")}
    add(finished, "", SIZE + "\n# other code\n")
    assert finished.again() == 0
    changed = {path.stem for path in made if made[path] != path.stat().st_mtime_ns}
    assert changed == {"own"}, "and nothing else is measured twice"


def test_a_measure_that_fails_costs_nothing_else(finished, tmp_path, capsys):
    add(finished, OWN, FAILS)
    finished.out = tmp_path / "other"
    assert finished.again() == 3
    assert "measure own: RuntimeError: too many images" in "".join(capsys.readouterr())
    for model in ("cnn", "vit"):
        run = run_of(finished.out, model)
        assert json.loads((run / "run.json").read_text())["status"] == "finished"
        assert (run / "predictions" / "test.parquet").is_file()
    assert (run / "measurements" / "near.parquet").is_file()
    assert (finished.out / "report" / "index.html").is_file()
    add(finished, "", SIZE)
    weights = (run / "model.safetensors").stat().st_mtime_ns
    assert finished.again() == 0
    assert (run / "measurements" / "own.parquet").is_file()
    assert weights == (run / "model.safetensors").stat().st_mtime_ns


def test_a_changed_or_foreign_file_is_measured_anew(finished):
    add(finished, LOOKS)
    assert finished.again() == 0
    path = run_of(finished.out, "vit") / "measurements" / "near.parquet"
    stored = read_measurement(path).measurement
    table = pq.read_table(path)
    place = table.column_names.index("value")
    changed = table.set_column(place, "value", pc.add(table["value"], 0.25))
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)
    shutil.copy(path, path.with_name("attention_mass.parquet"))  # another measure's
    with (
        pytest.warns(PriorscopeWarning, match=r"near.parquet is damaged and computed anew"),
        pytest.warns(PriorscopeWarning, match=r"attention_mass.parquet is damaged"),
    ):
        assert finished.again() == 0
    assert np.array_equal(read_measurement(path).measurement.values, stored.values)


# It passes on the random answers, of standard deviation 1, that a study is planned with.
TWO = """
def two(a, b):
    if abs(a.logits.std() - 1) > 0.1:
        raise RuntimeError("not random")
    return (a.logits.argmax(1) == b.logits.argmax(1)).astype(float)
"""


def test_a_measure_of_two_that_fails_costs_nothing_else(finished, capsys, monkeypatch):
    (finished.study.parent / "of_two.py").write_text(TWO)
    monkeypatch.syspath_prepend(finished.study.parent)
    add(finished, "\nmeasures: {alike: {name: of_two:two}}\n")
    page = finished.out / "report" / "index.html"
    for command in (finished.again, lambda: run_command(["report", str(finished.out)])):
        page.unlink()
        assert command() == 3
        assert "measure alike failed: RuntimeError: not random" in capsys.readouterr().err
        assert page.is_file()
        rows = pl.read_parquet(finished.out / "analysis" / "measurements.parquet")
        assert "error_consistency" in rows["measure"] and "alike" not in rows["measure"]


def test_networks_of_equal_seed_are_shown_apart(finished_once):
    rows = pl.read_parquet(finished_once.out / "analysis" / "pairs" / "error_consistency.parquet")
    assert rows["shares_order"].to_list() == [True]
    assert (
        pl.read_parquet(finished_once.out / "analysis" / "measures.parquet")
        .filter(pl.col("partner").is_not_null())
        .is_empty()
    )
    page = (finished_once.out / "report" / "index.html").read_text()
    assert "With one seed there are no other pairs of two models" in page


ALIKE = """
measures:
  alike: {name: cka, num_images: 40}
"""


def network_of(finished, model):
    study = load_study(str(finished.study))
    network = build_model(
        study.models[model], num_classes=10, image_px=32, seed=0, base=study.base, where="models"
    )
    load_model(network, run_of(finished.out, model) / "model.safetensors")
    return network.eval()


def test_pairs_are_compared_by_features_that_each_run_stores(finished, monkeypatch):
    add(finished, ALIKE)
    assert finished.again() == 0
    cell = cell_loader(load_study(str(finished.study)), finished.out)(())
    stored = read_features(run_of(finished.out, "vit") / "measurements" / "alike.safetensors")
    images = cell.data.preprocess(torch.from_numpy(cell.probes["test"].images[stored.ids]))
    sides = [
        features(network_of(finished, model), images, rng=np.random.default_rng(0))
        for model in ("cnn", "vit")
    ]
    expected = cka(*sides)
    rows = pl.read_parquet(finished.out / "analysis" / "pairs" / "alike.parquet")
    assert rows.filter(arm="all")["value"].item() == pytest.approx(
        expected.values[expected.conditions["arm"] == "all"].mean(), rel=1e-5
    )
    assert rows.filter(arm="all")["n"].item() == 40 and rows["shares_order"].all()
    depths = rows.filter(pl.col("block") > 0)
    assert depths.select("block", "partner_block").rows() == [(1, 1), (2, 1), (3, 1)]
    assert depths["value"].to_list() == pytest.approx(
        expected.values[expected.conditions["arm"] != "all"], rel=1e-5
    )
    page = (finished.out / "report" / "index.html").read_text()
    assert "Likeness of models" in page and "alike" in page


def test_features_that_are_spoilt_are_taken_anew_and_those_of_another_run_too(finished):
    add(finished, ALIKE)
    assert finished.again() == 0
    files = [run_of(finished.out, m) / "measurements" / "alike.safetensors" for m in ("cnn", "vit")]
    before = [file.read_bytes() for file in files]
    shutil.copy(files[1], files[0])
    content = bytearray(before[1])
    content[-3] ^= 1
    files[1].write_bytes(content)
    with (
        pytest.warns(PriorscopeWarning, match="it was written as"),
        pytest.warns(PriorscopeWarning, match="not those that were written"),
    ):
        assert finished.again() == 0
    assert [file.read_bytes() for file in files] == before


BEFORE = """
name: before
data: {name: synthetic, task: objects, num_train: 60, num_test: 40}
recipe: {learning_rate: 1e-3, batch_size: 20, epochs: 2}
models:
  net: {name: './net.py:net'}
  other: {name: './net.py:net', width: 6}
seeds: [0, 1]
measures:
  now: {name: './net.py:weights', num_images: 12}
  before: {name: './net.py:weights', num_images: 12, state: untrained}
  agree_before: {name: answer_agreement, state: untrained}
  alike_before: {name: cka, num_images: 12, state: untrained}
hypotheses:
  - {id: H, statement: One is larger., contrast: {a: net, b: other}, measure: before,
     expect: different}
"""
# It leaves behind what its weights are when the first batch passes in training.
NET = """
import hashlib
from pathlib import Path

from torch import nn

def number(network):
    tensors = [each.detach().contiguous() for each in network.state_dict().values()]
    state = b"".join(each.numpy().tobytes() for each in tensors)
    return int(hashlib.sha256(state).hexdigest()[:12], 16)

class Net(nn.Sequential):
    def forward(self, images):
        if self.training and not hasattr(self, "seen"):
            self.seen = number(self)
            with Path({place!r}).open("a") as file:
                print(self.seen, file=file)
        return super().forward(images)

def net(*, num_classes, image_px, width: int = 4):
    return Net(nn.Conv2d(3, width, 5, 4), nn.BatchNorm2d(width), nn.ReLU(), nn.Flatten(),
               nn.Linear(width * 49, num_classes))

def weights(network, images, *, rng):
    return float(number(network))
"""


def test_untrained_networks_have_the_bits_that_training_starts_from(tmp_path, capsys):
    place, out = tmp_path / "begun", tmp_path / "out"
    (tmp_path / "before.yaml").write_text(BEFORE)
    (tmp_path / "net.py").write_text(NET.replace("{place!r}", repr(str(place))))
    command = ["run", str(tmp_path / "before.yaml"), "--out", str(out), "--device", "cpu"]
    assert run_command(command) == 0
    begun = {int(line) for line in place.read_text().split()}
    rows = pl.read_parquet(out / "analysis" / "measurements.parquet")
    before = rows.filter(measure="before").sort("model", "seed")
    after = rows.filter(measure="now").sort("model", "seed")
    assert len(before) == 4 and before["value"].n_unique() == 4
    assert {int(value) for value in before["value"]} <= begun
    assert not {int(value) for value in after["value"]} & begun
    for name in ("agree_before", "alike_before"):
        assert rows.filter(measure=name, arm="all" if "alike" in name else "test").height == 6
    (verdict,) = json.loads((out / "analysis" / "verdicts.json").read_text())["verdicts"]
    assert "has not learnt" not in verdict["reason"] and "budget" not in verdict["reason"]
    page = (out / "report" / "index.html").read_text()
    assert "before training" in page
    # Nothing is measured twice, and what is lost is computed from the seed alone.
    (run,) = out.glob("runs/net-s1-*")
    files = sorted(out.glob("runs/*/measurements/*"))
    made = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    lost = [run / "measurements" / f"{name}.parquet" for name in ("before", "agree_before")]
    for path in lost:
        path.unlink()
    assert run_command(command) == 0
    for path in files:
        assert path.read_bytes() == made[path][0]
        assert (path.stat().st_mtime_ns == made[path][1]) == (path not in lost)
    assert "measure  agree_before: answer_agreement of each pair of networks, untrained" in (
        capsys.readouterr().out
    )
