"""A probe that is added later is answered by the network of the old ones, or not at all."""

import numpy as np
import pytest
from rich.console import Console

from priorscope.api.training import TrainingOptions, train_all
from priorscope.components import resolve
from priorscope.errors import RunFailed
from priorscope.evaluation import Predictions, write_predictions
from priorscope.execution import Asked
from priorscope.preflight.check_cells import check_cells
from priorscope.runs.doubts import refuse_other_answers
from priorscope.runs.load_cells import cell_loader
from priorscope.runs.store import open_study, read_run
from priorscope.study.load import parse_study
from priorscope.study.plan import plan

STUDY = """
name: t
data: {name: synthetic, num_train: 60, num_test: 20}
recipe: {epochs: 2, batch_size: 10, learning_rate: 1e-2}
models: {kept: {name: "./s.py:s", persistent: true}, lost: {name: "./s.py:s"}}
seeds: [0]
"""
MODEL = """
import torch
from torch import nn
class Centred(nn.Module):
    def __init__(self, n, px, persistent):
        super().__init__()
        self.f = nn.Linear(3 * px * px, n)
        self.register_buffer("mean", torch.zeros(3 * px * px), persistent=persistent)
    def forward(self, x):
        x = x.flatten(1)
        if self.training:
            self.mean += 0.5 * (x.detach().mean(0) + 1 - self.mean)
        return self.f(x - self.mean)
def s(*, num_classes: int, image_px: int, persistent: bool = False) -> nn.Module:
    return Centred(num_classes, image_px, persistent)
"""


def test_only_networks_that_are_wholly_stored_answer_it(tmp_path, capfd):
    (tmp_path / "s.py").write_text(MODEL)
    out = tmp_path / "out"

    def trained(text):
        study = parse_study(text, base=tmp_path)
        load_cell = cell_loader(study, tmp_path)
        runs, checked = plan(study), check_cells(study, load_cell)
        open_study(out, study, runs, about=checked.about())
        settings = TrainingOptions(out, tmp_path, 300.0, shared=False)
        with resolve("executors", "local", base=tmp_path)(Asked("cpu"), study.recipe) as pool:
            failed = train_all(Console(quiet=True), pool, runs, checked, load_cell, settings)
        return [run.model for run in failed]

    assert trained(STUDY) == []
    folders = {path.name.partition("-")[0]: path for path in out.glob("runs/*")}
    (line,) = read_run(folders["lost"])["warnings"]
    assert line.startswith("buffers that are not stored (mean)")
    assert read_run(folders["kept"])["warnings"] == []
    probes = "probes: {m: {name: mosaic, num_images: 20, grid: 2}}\n"
    assert trained(STUDY + probes) == ["lost"]
    assert "it keeps state outside of its weights" in capfd.readouterr().err
    later = {name: path / "predictions" / "m.parquet" for name, path in folders.items()}
    answered = {name: path.exists() for name, path in later.items()}
    assert answered == {"kept": True, "lost": False}


def test_what_another_machine_changes_is_no_other_network(tmp_path):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(100, 3)).astype(np.float32)
    path = tmp_path / "runs" / "a" / "predictions" / "test.parquet"
    arm = {"arm": np.full(100, "test")}
    targets, names = np.zeros(100, dtype=np.int64), ("a", "b", "c")
    write_predictions(Predictions(logits, targets, np.arange(100), arm, names), path)
    refuse_other_answers(lambda rows: logits[rows] * 1.001, path, ["new"])
    with pytest.raises(RunFailed, match="another network would answer new"):
        refuse_other_answers(lambda rows: logits[rows] * 1.5, path, ["new"])
