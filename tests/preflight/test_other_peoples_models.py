"""Models that end their process, keep state, or cannot be counted: in a whole study."""

import json

import pytest
import torch
from rich.console import Console

import priorscope as ps
from priorscope.api.training import TrainingOptions, train_all
from priorscope.cli import run_command
from priorscope.components import resolve
from priorscope.execution import Asked
from priorscope.preflight.check_cells import check_cells
from priorscope.preflight.rehearse_models import rehearse_models
from priorscope.runs.load_cells import cell_loader
from priorscope.runs.prepare_models import build_model, measure_model
from priorscope.runs.store import open_study
from priorscope.study.load import load_study, parse_study
from priorscope.study.plan import plan, select
from priorscope.study.spec import Component

MODELS = """
import os, signal
import torch
from torch import nn

class Odd(nn.Module):
    def __init__(self, n, px, how):
        super().__init__()
        self.how, self.steps = how, 0
        self.conv = nn.Conv2d(3, 4, 3)
        self.f = nn.Linear(4, n)
        self.token = nn.Parameter(torch.zeros(1, 4))
        self.inner = nn.Bilinear(4, 4, 4)
        self.scale = float(hash("layer") % 7) / 7 if how == "hash" else 1.0

    def forward(self, x):
        self.steps += self.training
        if self.how == "layout" and self.training and not x.is_contiguous():
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.how == "late" and self.steps == 4:
            os._exit(7)
        y = self.conv(x).mean((2, 3)) * self.scale
        return self.f(self.inner(self.token.expand(len(x), -1), y))

def odd(*, num_classes: int, image_px: int, how: str = "") -> nn.Module:
    model = Odd(num_classes, image_px, how)
    if how != "late":
        del model.steps
        model.__class__ = type("Plain", (Odd,), {"steps": property(lambda s: 0, lambda s, v: None)})
    return model
"""
STUDY = """
name: t
data: {name: synthetic, num_train: 60, num_test: 20}
recipe: {epochs: 2, batch_size: 10}
models: {a: {name: linear}, m: {name: "./odd.py:odd", how: %s}, z: {name: linear}}
seeds: [0]
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "odd.py").write_text(MODELS)

    def write(how):
        (tmp_path / "t.yaml").write_text(STUDY % how)
        return tmp_path / "t.yaml"

    return write


def trained(path, out, only=None):
    """Check and train a study as `run` does, without a report; give the failed models."""
    loaded = load_study(str(path))
    load_cell = cell_loader(loaded, out)
    runs, checked = select(plan(loaded), only=only), check_cells(loaded, load_cell)
    about = checked.about() | {"base": str(path.parent)}
    open_study(out, loaded, plan(loaded), about=about)
    settings = TrainingOptions(out, out, 300.0, shared=False)
    with resolve("executors", "local", base=out)(Asked("cpu"), loaded.recipe) as pool:
        failed = train_all(Console(quiet=True), pool, runs, checked, load_cell, settings)
    return [run.model for run in failed]


def runs(out):
    return {r["model"]: r for r in (json.loads(p.read_text()) for p in out.glob("runs/*/run.json"))}


def test_one_that_ends_its_process_takes_only_its_own_run_with_it(study, tmp_path, capfd):
    out = tmp_path / "out"
    assert trained(study("late"), out) == ["m"]
    assert runs(out).keys() == {"a", "z"}
    said = capfd.readouterr().err
    assert "run failed: m seed 0: its worker ended with exit code 7" in said


def test_one_that_fails_on_channels_last_is_trained_contiguous(study, tmp_path):
    text = study("layout").read_text()
    found = rehearse_models(parse_study(text, base=tmp_path), 10, 32)
    formats = {name: each.memory_format for name, each in found.items()}
    assert formats == {"a": "channels_last", "m": "contiguous", "z": "channels_last"}
    assert found["m"].warnings == ()
    out = tmp_path / "out"
    assert trained(study("layout"), out) == []
    assert runs(out)["m"]["memory_format"] == "contiguous"
    network, seen = ps.open(out).network("m", 0), []
    network.conv.register_forward_pre_hook(lambda _, given: seen.append(given[0].is_contiguous()))
    network(torch.zeros(2, 3, 8, 8).contiguous(memory_format=torch.channels_last))
    assert seen == [True], "as it was trained"
    assert runs(out)["a"]["memory_format"] == "channels_last"


def test_views_of_learned_parameters_are_counted(study, tmp_path):
    study("")
    shape = {"num_classes": 10, "image_px": 32, "where": "models.m"}
    model = build_model(Component("./odd.py:odd"), seed=0, base=tmp_path, **shape)
    size = measure_model(model, **shape)
    # Convolution and head; the bilinear product is one of matrices after PyTorch's own making.
    assert size.macs >= 30 * 30 * 4 * 27 + 4 * 10
    assert size.num_parameters == sum(p.numel() for p in model.parameters())
    assert all(p.requires_grad for p in model.parameters())


def test_what_cannot_be_counted_is_trained_all_the_same(study, tmp_path, monkeypatch, capsys):
    from torch.utils import flop_counter

    def fails(*_, **__):
        raise AssertionError("no counter today")

    monkeypatch.setattr(flop_counter.FlopCounterMode, "__enter__", fails)
    out = tmp_path / "out"
    text = study("").read_text().replace('{name: "./odd.py:odd", how: }', "{name: linear}")
    (tmp_path / "t.yaml").write_text(text)
    assert run_command(["check", str(tmp_path / "t.yaml")]) == 0
    assert "not counted" in capsys.readouterr().out
    assert trained(tmp_path / "t.yaml", out) == []
    assert runs(out)["a"]["macs"] is None


def test_hashes_of_strings_are_the_same_in_every_command(study, tmp_path):
    scores = []
    for number in range(2):
        out = tmp_path / f"out{number}"
        assert trained(study("hash"), out, only="m") == []
        (path,) = out.glob("runs/*/model.safetensors")
        scores.append(path.read_bytes())
    assert scores[0] == scores[1]
