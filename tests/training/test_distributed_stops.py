"""Two processes that train together and are stopped anywhere: the bits of those that are not."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from priorscope.runs.environment import num_processors

pytestmark = pytest.mark.skipif(num_processors() < 2, reason="needs two processors")

STEPS = 40  # of an epoch, of which there are two
STUDY = """
name: long
data: {name: synthetic, task: objects, num_train: 160, num_test: 40}
recipe: {batch_size: 4, epochs: 2, augment: [random_crop]}
models: {slow: {name: "./slow.py:slow"}}
"""
# Dropout and batch norm, so that another stream of random numbers or other moments would show.
MODEL = """
import os, signal, time
from pathlib import Path
from torch import nn

class Slow(nn.Sequential):
    num_steps = 0

    def forward(self, x):
        if self.training:
            self.num_steps += 1
            folder, rank = Path(os.environ["FLAGS"]), os.environ["RANK"]
            with (folder / f"steps-{rank}").open("a") as file:
                file.write(".")
            if self.num_steps == 5 and (folder / "slow").exists():
                (folder / "here").touch()
            if (folder / "slow").exists():
                time.sleep(0.05)
            if self.num_steps == 12 and rank == "1" and (folder / "kill").exists():
                (folder / "kill").unlink()
                os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(x)

def slow(*, num_classes: int, image_px: int):
    layers = nn.Conv2d(3, 4, 3, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()
    return Slow(*layers, nn.Dropout(0.3), nn.LazyLinear(num_classes))
""".replace("nn.LazyLinear(", "nn.Linear(4 * ((image_px - 3) // 4 + 1) ** 2, ")


def start(folder: Path, name: str, *options: str) -> subprocess.Popen[str]:
    """Start a command in an output folder of its own; `flags` is where its model looks."""
    command = [sys.executable, "-m", "priorscope", "run", str(folder / "long.yaml")]
    command += ["--out", str(folder / name), "--devices", "2", "--device", "cpu", *options]
    (folder / "flags").mkdir(exist_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "FLAGS": str(folder / "flags")}
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, **pipes)


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, error = process.communicate(timeout=200)
    return process.returncode, error


def results(out: Path) -> tuple[dict[str, bytes], list[float]]:
    """Return the weights bit by bit, and the curve of the training loss."""
    (run,) = (out / "runs").iterdir()
    weights = {
        name: value.tobytes() for name, value in load_file(run / "model.safetensors").items()
    }
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return weights, [json.loads(line)["train_loss"] for line in lines]


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Return the study, with what it ends in when nothing stops it."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "long.yaml").write_text(STUDY)
    (folder / "slow.py").write_text(MODEL)
    assert end(start(folder, "whole"))[0] == 0
    return folder, results(folder / "whole")


@pytest.fixture(autouse=True)
def no_flags(long):
    for flag in (long[0] / "flags").iterdir():
        flag.unlink()


def test_sigterm_within_an_epoch_keeps_what_was_trained(long):
    folder, expected = long
    (folder / "flags" / "slow").touch()
    process = start(folder, "stopped")  # no checkpoint is due before the study has ended
    deadline = time.monotonic() + 100
    while not (folder / "flags" / "here").exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    code, error = end(process)
    assert code == 130 and "continues" in error, error
    (kept,) = folder.glob("stopped/runs/*/checkpoint/*.ckpt")
    assert int(kept.stem.removeprefix("step-")) % STEPS, "it was to stop within an epoch"
    (folder / "flags" / "slow").unlink()
    code, error = end(start(folder, "stopped"))
    assert code == 0, error
    assert results(folder / "stopped") == expected


def test_a_killed_worker_costs_one_checkpoint_interval(long):
    folder, expected = long
    (folder / "flags" / "kill").touch()
    code, error = end(start(folder, "killed", "--checkpoint-minutes", "0"))
    assert code == 0 and "SIGKILL" in error, error
    assert results(folder / "killed") == expected
    steps = len((folder / "flags" / "steps-0").read_text())
    looks = 2  # at the model, by each of the two starts
    assert 2 * STEPS <= steps - looks <= 2 * STEPS + 2  # a checkpoint after every step
