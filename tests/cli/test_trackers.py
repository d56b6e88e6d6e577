"""Trackers: what a run logs, read back by TensorBoard itself."""

import json
import warnings
from importlib import metadata

import polars as pl
import pytest

from priorscope.cli import run_command
from priorscope.errors import PriorscopeWarning


def test_tensorboard_has_every_epoch_and_the_final_scores(tmp_path, tiny):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    pytest.importorskip("accelerate")
    (tmp_path / "tiny.yaml").write_text(tiny)
    out = tmp_path / "out"
    command = ["run", str(tmp_path / "tiny.yaml"), "--out", str(out), "--only", "vit"]
    assert run_command([*command, "--tracker", "tensorboard"]) == 0
    (folder,) = (out / "runs").iterdir()
    events = accumulators.EventAccumulator(str(out / "tracking" / "tensorboard" / folder.name))
    events.Reload()
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert len(lines) == 2
    for name in ("train_loss", "test_accuracy", "learning_rate", "images_per_second"):
        logged = [(scalar.step, scalar.value) for scalar in events.Scalars(name)]
        expected = [(line["epoch"], pytest.approx(line[name], rel=1e-6)) for line in lines]
        assert logged == expected
    estimates = pl.read_parquet(out / "analysis" / "estimates.parquet").filter(model="vit")
    for row in estimates.iter_rows(named=True):
        (scalar,) = events.Scalars(f"{row['probe']}/{row['arm']}/{row['metric']}")
        assert scalar.value == pytest.approx(row["estimate"], rel=1e-6)


def test_a_tracker_that_is_unknown_or_missing_is_refused_before_anything_is_written(
    tmp_path, tiny, capsys, monkeypatch
):
    (tmp_path / "tiny.yaml").write_text(tiny)
    command = ["run", str(tmp_path / "tiny.yaml"), "--out", str(tmp_path / "out"), "--tracker"]
    assert run_command([*command, "tensorbord"]) == 2
    assert "tensorboard" in capsys.readouterr().err
    known = metadata.version

    def without_wandb(name):
        if name == "wandb":
            raise metadata.PackageNotFoundError(name)
        return "1.0" if name == "accelerate" else known(name)

    monkeypatch.setattr(metadata, "version", without_wandb)
    assert run_command([*command, "wandb"]) == 2
    assert "pip install wandb" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_tracker_that_fails_does_not_end_the_run(tmp_path, monkeypatch):
    tracking = pytest.importorskip("accelerate.tracking")
    from priorscope.api.trackers import tracked
    from priorscope.study.plan import Run
    from priorscope.study.spec import Component

    class Broken:
        def __init__(self, *_, **__):
            self.finished = False

        def start(self):
            pass

        def log(self, *_, **__):
            raise ConnectionError("no network")

        def finish(self):
            raise AssertionError("a tracker that was left is not asked again")

    monkeypatch.setitem(tracking.LOGGER_TYPE_TO_CLASS, "wandb", Broken)
    run = Run("vit-s0", "vit", 0, Component("vit_nano"))
    with (
        warnings.catch_warnings(record=True) as said,
        tracked(["wandb"], "tiny", run, tmp_path) as log,
    ):
        warnings.simplefilter("always")
        log({"train_loss": 1.0}, 1)
        log({"train_loss": 0.5}, 2)
    assert [w.category for w in said] == [PriorscopeWarning]
    assert "no network" in str(said[0].message)
