"""Time the profile of one network: `priorscope profile`, all of it, in a new process each.

    python benchmarks/battery.py [--threads N]

Networks have random weights, which cost what trained ones do. Wanted: at most 60 s for a network of
nano size. CPU time is user and system together, and on a loaded machine it is the figure to read;
the exit code is 1 where it misses the bound. Preparing, checking and the report are in it.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from safetensors.torch import save_model

from priorscope.components import resolve
from priorscope.runs.environment import describe

BOUND = 60.0
NETWORKS = ("resnet_nano", "vit_nano", "local_vit_nano")
DATA = "{name: synthetic, num_train: 500, num_test: 1000}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    threads = str(parser.parse_args().threads)
    missed = False
    print(f"{'':<16}{'wall, s':>9}{'CPU, s':>9}{'bound':>8}  ok")
    with tempfile.TemporaryDirectory() as scratch:
        for name in NETWORKS:
            file, out = Path(scratch, f"{name}.safetensors"), str(Path(scratch, name))
            network = resolve("models", name, base=Path())(num_classes=10, image_px=32)
            save_model(network, str(file))
            command = [sys.executable, "-m", "priorscope", "profile", f"{name}={file}"]
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            started = time.perf_counter()
            subprocess.run(
                [*command, "--data", DATA, "--out", out, "--device", "cpu"],
                check=True,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": threads},
            )
            wall, after = (
                time.perf_counter() - started,
                resource.getrusage(resource.RUSAGE_CHILDREN),
            )
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            missed |= cpu > BOUND
            ok = "yes" if cpu <= BOUND else "NO"
            print(f"{name:<16}{wall:>9.1f}{cpu:>9.1f}{BOUND:>8.0f}  {ok}", flush=True)
    print(f"\n{describe()}")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
