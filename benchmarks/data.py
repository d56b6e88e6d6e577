"""Time the first decoding of CIFAR-10 and the load of its cached copy.

    python benchmarks/data.py [--data-root DIR] [--repeats N]

Every timing is taken in a fresh process, after its imports; the load includes hashing the source
files for the cache's key. The exit code is 1 when the slowest cached load exceeds its bound.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from priorscope.data import data_root
from priorscope.runs.environment import describe

LOAD_BOUND_SECONDS = 0.5
MEASURE = """
import sys, time
from pathlib import Path
from priorscope.data.cifar10 import cifar10
start = time.perf_counter()
dataset = cifar10(root=Path(sys.argv[1]))
print(time.perf_counter() - start, len(dataset.train) + len(dataset.test), dataset.title, sep="\\t")
"""


def measure(root: Path, cache: Path) -> tuple[float, int, str]:
    """Load CIFAR-10 in a fresh process: seconds, images, title."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(root)],
        env=os.environ | {"PRIORSCOPE_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds, num_images, title = done.stdout.strip().split("\t")
    return float(seconds), int(num_images), title


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    root = data_root(arguments.data_root)
    with tempfile.TemporaryDirectory() as cache:
        decode, num_images, title = measure(root, Path(cache))
        loads = [measure(root, Path(cache))[0] for _ in range(arguments.repeats)]
    print(f"{title}, {num_images:,} images")
    print(f"  first decoding        {decode:8.2f} s   {num_images / decode:,.0f} images/s")
    print(f"  cached load, median   {statistics.median(loads):8.4f} s   of {len(loads)}")
    print(f"  cached load, slowest  {max(loads):8.4f} s   bound {LOAD_BOUND_SECONDS} s")
    print(describe())
    return int(max(loads) > LOAD_BOUND_SECONDS)


if __name__ == "__main__":
    raise SystemExit(main())
