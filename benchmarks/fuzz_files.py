"""Data, predictions, checkpoints, weights and records that are spoilt, and what becomes of each.

Whatever is read without a word must say what the unspoilt file said, and what is refused must be so
by an `InputError`; a study that is brought to its end again must end in the numbers of one that was
never spoilt. Files that any tool made (`priorscope score`, images) have nothing to be held against:
there the numbers must be those that another reader finds in the same bytes.
"""

import json
import os
import random
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import torch
from fuzz_data import DATA_KINDS, Kind
from fuzz_judge import judge

from priorscope.analysis import Settings, analyse
from priorscope.errors import InputError, PriorscopeWarning
from priorscope.preflight.check_cells import check_cells
from priorscope.report.sections.images import looks, read_samples
from priorscope.runs.load_cells import cell_loader
from priorscope.runs.run import Context, execute
from priorscope.runs.samples import write_samples
from priorscope.runs.store import check_folder, open_study
from priorscope.study.load import load_study
from priorscope.study.plan import Run, plan

SECONDS = 60.0  # that a study may take to come to its end again
STUDY = """
name: spoilt
data: {name: synthetic, task: objects, num_train: 60, num_test: 40}
recipe: {learning_rate: 1e-3, batch_size: 20, epochs: 4}
models:
  net: {name: './net.py:net'}
  pixels: {name: linear}
seeds: [0, 1]
probes:
  combined: {name: mosaic, num_images: 20}
measures:
  shown: {name: './net.py:brightest', num_images: 30}
  alike: {name: cka, num_images: 20}
hypotheses:
  - {id: H1, statement: One is better., contrast: {a: net, b: pixels}, probe: test, metric: top1,
     expect: different}
"""
# A network that can be told to stop in the middle of its training, as a killed one would.
NET = """
import os
from torch import nn

class Net(nn.Sequential):
    num_passes = 0

    def forward(self, images):
        self.num_passes += self.training
        if self.num_passes == int(os.environ.get("STOP_AT_PASS", "-1")):
            raise KeyboardInterrupt
        return super().forward(images)

def net(*, num_classes, image_px):
    return Net(nn.Conv2d(3, 4, 5, 4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
               nn.Linear(4 * 7 * 7, num_classes))

def brightest(network, images, *, rng):
    return network(images).amax(1).detach()
"""
OF_TIME = {"train_seconds", "evaluate_seconds", "train_images_per_second", "started", "finished"}
OF_TIME |= {"seconds", "images_per_second", "files", "digest", "created", "date"}


class Folders:
    """A study that ended, one that was stopped in training, and what a report says of the first."""

    def __init__(self, scratch: Path):
        os.environ["PRIORSCOPE_CACHE"] = str(scratch / "cache")
        torch.set_num_threads(1)
        self.scratch = scratch
        (scratch / "study.yaml").write_text(STUDY, encoding="utf-8")
        (scratch / "net.py").write_text(NET, encoding="utf-8")
        self.study = load_study(str(scratch / "study.yaml"))
        self.load_cell = cell_loader(self.study, scratch)
        self.checked = check_cells(self.study, self.load_cell)
        self.runs = plan(self.study)
        self.ended, self.stopped = scratch / "ended", scratch / "stopped"
        self.bring_to_end(self.ended)
        self.numbers = numbers_of(self.ended)
        os.environ["STOP_AT_PASS"] = "8"  # of 12: two checkpoints, and two epochs behind it
        try:
            self.bring_to_end(self.stopped)
        except KeyboardInterrupt:
            pass
        finally:
            del os.environ["STOP_AT_PASS"]

    def bring_to_end(self, out: Path) -> None:
        """Do what `priorscope run` does with an output folder, up to its analysis."""
        check_folder(out, self.study)
        about: dict[str, Any] = {"command": "", "versions": {}, "hardware": {}}
        open_study(out, self.study, self.runs, about=about | self.checked.about())
        cell = self.load_cell(())
        write_samples(out, cell.data, cell.probes, "")
        for run in self.runs:
            execute(run, self._context(run, out), lambda _: None)
        analyse(out, Settings(num_resamples=50))

    def _context(self, run: Run, out: Path) -> Context:
        cell, sizes = self.load_cell(run.levels), self.checked.sizes[run.levels]
        return Context(cell.study, cell.data, cell.probes, sizes, torch.device("cpu"), out, 0.0)


def numbers_of(out: Path) -> dict[str, Any]:
    """Analyse a folder, and read all that a report is made of, but for times."""
    results = analyse(out, Settings(num_resamples=50))
    found = {name: _timeless(value) for name, value in vars(results).items() if name != "out"}
    found["samples"] = {cell: read_samples(results, cell) for cell in looks(results)}
    return json.loads(json.dumps(found, default=repr))


def _timeless(value: Any) -> Any:
    if isinstance(value, pl.DataFrame):
        return value.to_dicts()
    if isinstance(value, dict):
        return {key: _timeless(each) for key, each in value.items() if key not in OF_TIME}
    return [_timeless(each) for each in value] if isinstance(value, list | tuple) else value


def spoil(path: Path, other: Path, rng: random.Random) -> str:
    """Damage a file in one way; `other` is another run's file of the same kind."""
    content = path.read_bytes()
    place = rng.randrange(len(content))
    end = min(len(content), place + rng.choice([1, 16, 512]))
    ways: dict[str, Callable[[], bytes]] = {
        "a flipped bit": lambda: _flipped(content, rng, 1),
        "flipped bits": lambda: _flipped(content, rng, rng.randint(2, 50)),
        "a changed digit": lambda: _other_digit(content, rng),
        "truncated": lambda: content[:place],
        "zeros": lambda: content[:place] + bytes(end - place) + content[end:],
        "noise": lambda: content[:place] + rng.randbytes(end - place) + content[end:],
        "appended": lambda: content + rng.randbytes(rng.choice([1, 8, 4096])),
        "empty": lambda: b"",
        "swapped": lambda: other.read_bytes(),
    }
    way = rng.choice(list(ways))
    path.write_bytes(ways[way]())
    return way


def _flipped(content: bytes, rng: random.Random, number: int) -> bytes:
    changed = bytearray(content)
    for _ in range(number):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _other_digit(content: bytes, rng: random.Random) -> bytes:
    digits = [i for i, byte in enumerate(content) if 48 <= byte <= 57]
    if not digits:
        return _flipped(content, rng, 1)
    place = rng.choice(digits)
    return content[:place] + rng.choice(b"0123456789").to_bytes() + content[place + 1 :]


def outcome_of_file(kind: Kind, folders: Folders, seed: int) -> tuple[str, str]:
    """Spoil one file of a kind, use it, and compare with what was there before."""
    rng, way = random.Random(seed), ""
    out = folders.scratch / "spoilt"

    def use() -> str:
        nonlocal way
        if kind.use is not None:
            return kind.use(folders.scratch, lambda path, other: spoil(path, other, rng), rng)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(folders.ended if kind.ended else folders.stopped, out)
        files = sorted(out.glob(kind.pattern))
        path = rng.choice(files)
        others = [file for file in files if file.name == path.name and file != path] or files
        way = f"{path.relative_to(out)} {spoil(path, rng.choice(others), rng)}"
        if kind.lost:  # what makes a finished run read this file
            next(path.parent.glob(kind.lost)).unlink()
        elif kind.ended and not _is_refused(out, folders.numbers):
            return "valid"
        folders.bring_to_end(out)
        if numbers_of(out) != folders.numbers:
            raise AssertionError("other numbers than those of the unspoilt study")
        return "recovered"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PriorscopeWarning)
        word, why = judge(use, SECONDS)
    return word, f"{way}: {why}"


def _is_refused(out: Path, expected: dict[str, Any]) -> bool:
    """Tell whether a report refuses the folder; if not, it must say what it said before."""
    try:
        found = numbers_of(out)
    except InputError:
        return True
    if found != expected:
        differing = [name for name in expected if found.get(name) != expected[name]]
        raise AssertionError(f"read without a word, and other {', '.join(differing)}")
    return False


OUTPUT_KINDS = {
    "predictions": Kind("runs/*/predictions/*.parquet"),
    "measurements": Kind("runs/*/measurements/*.parquet"),
    "features": Kind("runs/*/measurements/*.safetensors"),
    "trajectory": Kind("runs/*/trajectory/*/*.parquet"),
    "run.json": Kind("runs/*/run.json"),
    "study.json": Kind("study.json"),
    "metrics.jsonl": Kind("runs/*/metrics.jsonl"),
    "weights": Kind("runs/*/model.safetensors", lost="predictions/test.parquet"),
    "samples": Kind("samples/*.parquet"),
    "analysis": Kind("analysis/**/*.*"),
    "checkpoint": Kind("runs/*/checkpoint/*.ckpt", ended=False),
    "epochs of a checkpoint": Kind("runs/*/checkpoint/epochs.json", ended=False),
    "metrics in training": Kind("runs/net-s0-*/metrics.jsonl", ended=False),
}
KINDS = OUTPUT_KINDS | DATA_KINDS
