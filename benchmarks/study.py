"""Time a whole study, from the command to the page, and compare with what it must reach.

    python benchmarks/study.py quickstart
    python benchmarks/study.py cifar10_nano --data-root DIR --seeds 0

What follows the study's name goes to `priorscope run`. The study runs in a new process and a new
folder, which is removed unless `--out` is given. Peak memory is that of the process, also less that
of PyTorch alone: of a process that takes one step of Adam on one small layer.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from priorscope.runs.environment import describe

ALONE = """
import torch
layer = torch.nn.Conv2d(3, 8, 3)
optimizer = torch.optim.Adam(layer.parameters())
layer(torch.ones(1, 3, 8, 8)).sum().backward()
optimizer.step()
"""
# Wall time in seconds, peak memory in GB, and top-1 on the test images by model.
BOUNDS = {
    "quickstart": {"seconds": 360, "gigabytes": 3},
    "cifar10_nano": {
        "seconds": 1800,
        "beyond": 1,
        "test": {"cnn": 0.60, "vit": 0.45, "local_vit": 0.45},
    },
}


def peak_of_children() -> float:
    """Return the largest memory of any process that was started and has ended, in GB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("study", choices=BOUNDS)
    parser.add_argument("--out", type=Path)
    arguments, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = arguments.out or Path(scratch) / "out"
        command = ["run", arguments.study, "--out", str(out), *options]
        subprocess.run([sys.executable, "-c", ALONE], check=True)
        torch_gigabytes = peak_of_children()  # the largest so far, and smaller than any study
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "priorscope", *command], check=True)
        seconds = time.perf_counter() - started
        gigabytes = peak_of_children()
        estimates = pl.read_parquet(out / "analysis" / "estimates.parquet")

    bounds = BOUNDS[arguments.study]
    rows = [("wall time, s", seconds, "<=", bounds["seconds"])]
    rows.append(("peak memory, GB", gigabytes, "<=", bounds.get("gigabytes")))
    rows.append(("beyond PyTorch's, GB", gigabytes - torch_gigabytes, "<=", bounds.get("beyond")))
    test = estimates.filter(probe="test")
    for model, least in bounds.get("test", {}).items():
        accuracy = test.filter(model=model)["estimate"].item()
        rows.append((f"{model} test top-1, %", 100 * accuracy, ">=", 100 * least))
    print(f"\n{'figure':<24}{'measured':>10}{'bound':>10}")
    for name, value, sign, bound in rows:
        if bound is None:
            print(f"{name:<24}{value:>10.2f}")
            continue
        met = value <= bound if sign == "<=" else value >= bound
        print(f"{name:<24}{value:>10.2f}{f'{sign} {bound:g}':>10}  {'ok' if met else 'MISSED'}")
    print(f"\npriorscope {' '.join(command)}\n{describe()}")


if __name__ == "__main__":
    main()
