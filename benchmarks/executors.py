"""Two workers against one, on this machine, with local processes and with Ray.

    python benchmarks/executors.py

Four runs of one network, each pinned to one thread, are trained from their start to their stored
predictions: by one worker, then by two. The start of workers is counted, that of Ray is not.
Weights must be the same bytes each time. Needs two idle processors; exits 1 if a bound is missed.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from priorscope.api.training import TrainingOptions, train_all
from priorscope.components import resolve
from priorscope.execution._pool import Asked
from priorscope.preflight.check_cells import check_cells
from priorscope.runs.environment import describe
from priorscope.runs.load_cells import cell_loader
from priorscope.runs.store import open_study
from priorscope.study.load import parse_study
from priorscope.study.plan import plan

STUDY = """
name: executors
data: {{name: synthetic, task: objects, num_train: 2000, num_test: 200}}
recipe: {{learning_rate: 1e-3, batch_size: 100, epochs: {epochs}, augment: [random_crop]}}
models:
  cnn: {{name: resnet_nano, width: 16}}
seeds: [0, 1, 2, 3]
probes:
  combined: {{name: mosaic, num_images: 100}}
"""
BOUND = 1.7


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--executors", nargs="+", default=["local", "ray"])
    arguments = parser.parse_args()
    # One process for all runs counts its threads as a worker does.
    os.environ["OMP_NUM_THREADS"] = "1"
    print(f"4 runs, {arguments.epochs} epochs, 1 thread each\n")
    print("executor  workers   seconds   ratio  bound")
    expected: dict[str, bytes] = {}
    missed = differing = 0
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.executors:
            seconds = {}
            for workers in (1, 2):
                out = Path(scratch) / f"{name}{workers}"
                seconds[workers] = measure(name, workers, out, arguments.epochs)
                found = {p.parent.name: p.read_bytes() for p in out.glob("runs/*/*.safetensors")}
                expected = expected or found
                differing += found != expected
                ratio = seconds[1] / seconds[workers]
                bound = f"{BOUND}" if workers > 1 else "-"
                print(f"{name:<8}  {workers:>7}  {seconds[workers]:>8.1f}  {ratio:>6.2f}  {bound}")
            missed += seconds[1] / seconds[2] < BOUND
    print(f"\nstudies whose weights differ from the first: {differing}   bound 0")
    print(f"load before and now: {LOAD[0]:.1f}, {os.getloadavg()[0]:.1f}")
    print(describe())
    return 1 if missed or differing else 0


def measure(name: str, workers: int, out: Path, epochs: int) -> float:
    """Return the seconds from the first run's start to the last one's end."""
    study = parse_study(STUDY.format(epochs=epochs), base=out.parent)
    load_cell = cell_loader(study, out.parent)
    runs, checked = plan(study), check_cells(study, load_cell)
    asked = Asked("cpu", num_jobs=workers, num_threads=1)
    with resolve("executors", name, base=out.parent)(asked, study.recipe) as pool:
        open_study(out, study, runs, about=checked.about())
        settings = TrainingOptions(out, out.parent, 300.0, shared=False)
        started = time.perf_counter()
        failed = train_all(Console(quiet=True), pool, runs, checked, load_cell, settings)
        seconds = time.perf_counter() - started
    if failed:
        sys.exit(f"{name}: {len(failed)} runs failed")
    return seconds


LOAD = os.getloadavg()

if __name__ == "__main__":
    sys.exit(main())
