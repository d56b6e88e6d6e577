"""Time how long commands take to start: `list`, `check`, a run up to its first step, and resuming.

    python benchmarks/start.py [STUDY] [--data-root DIR] [--repeats N]

Every figure is that of a new process, from its start on: the import of Python and PyTorch is in it.
A run counts until its first optimizer step is done; it is then killed without a word. `first` has
an empty folder of what is known of studies (decoded images stay), `again` finds what the first one
kept. Resuming continues from a checkpoint within the first epoch. CPU time is user and system
together, and on a loaded machine it is the figure to read. The exit code is 1 when the median by
wall time misses a bound. The last rows take off what Python and an Adam step cost without
priorscope, whose own step needs less of PyTorch: it may be negative.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from priorscope.data import cache_root
from priorscope.runs.environment import describe

PYTORCH = "PyTorch alone, one Adam step"
LIBRARIES = "NumPy, typer, rich, pydantic alone"  # what the shortest command imports of others
IMPORTS = "import numpy, pydantic, rich.console, typer, yaml; from typer import _adapters"
# What no training with PyTorch can do without: its first step imports more than `import torch`.
TORCH = """
import torch
weight = torch.nn.Parameter(torch.zeros(1))
weight.grad = torch.zeros(1)
torch.optim.Adam([weight]).step()
"""
# Ends the process after optimizer step number STEPS, and says nothing.
RUN = """
import os, sys
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook
left = [int(os.environ["STEPS"])]
def count(*_):
    left[0] -= 1
    if not left[0]:
        os._exit(0)
register_optimizer_step_post_hook(count)
from priorscope.cli import run_command
sys.exit(run_command(sys.argv[1:]))
"""


@dataclass(frozen=True)
class Figure:
    """Seconds of one kind of start: wall and CPU time of each repeat, and a bound on the wall."""

    name: str
    bound: float | None
    wall: list[float]
    cpu: list[float]


def measure(figure: Figure, code: str | None, arguments: list[str], steps: int = 1) -> None:
    """Start a new process and add its times to a figure."""
    command = [sys.executable, "-m", "priorscope"] if code is None else [sys.executable, "-c", code]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(
        [*command, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "STEPS": str(steps)},
    )
    figure.wall.append(time.perf_counter() - started)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    figure.cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def forget() -> None:
    """Remove what is known of studies from the cache; decoded images stay."""
    shutil.rmtree(cache_root() / "known", ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", nargs="?", default="quickstart")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    study = [arguments.study]
    if arguments.data_root is not None:
        study += ["--data-root", str(arguments.data_root)]
    bounds = {
        PYTORCH: None,
        LIBRARIES: None,
        "Python alone": None,
        "import priorscope": None,
        "list": 0.3,
        "check, first": 3.0,
        "check, again": 0.3,
        "run to its first step, first": 6.0,
        "run to its first step, again": 6.0,
        "resume to its first step": 2.0,
    }
    figures = {name: Figure(name, bound, [], []) for name, bound in bounds.items()}
    with tempfile.TemporaryDirectory() as scratch:
        for repeat in range(arguments.repeats):
            out = ["--out", str(Path(scratch) / str(repeat))]
            run = ["run", *study, "--checkpoint-minutes", "0"]
            measure(figures[PYTORCH], TORCH, [])
            measure(figures[LIBRARIES], IMPORTS, [])
            measure(figures["Python alone"], "pass", [])
            measure(figures["import priorscope"], "import priorscope", [])
            measure(figures["list"], None, ["list"])
            forget()
            measure(figures["check, first"], None, ["check", *study])
            measure(figures["check, again"], None, ["check", *study])
            forget()
            first = ["--out", f"{out[1]}-first"]
            measure(figures["run to its first step, first"], RUN, [*run, *first])
            # Killed after a few steps, of which all but the last are in a checkpoint.
            measure(figures["run to its first step, again"], RUN, [*run, *out])
            measure(Figure("", None, [], []), RUN, [*run, *out], steps=4)
            measure(figures["resume to its first step"], RUN, [*run, *out])
    missed = False
    print(f"{arguments.repeats} repeats, medians, seconds; {arguments.study}\n")
    print(f"{'':<36}{'wall':>8}{'CPU':>8}{'slowest':>10}{'bound':>8}  ok")
    for figure in figures.values():
        wall, cpu = statistics.median(figure.wall), statistics.median(figure.cpu)
        row = f"{figure.name:<36}{wall:>8.2f}{cpu:>8.2f}{max(figure.wall):>10.2f}"
        if figure.bound is not None:
            row += f"{figure.bound:>8}  {'yes' if wall <= figure.bound else 'NO'}"
            missed |= wall > figure.bound
        print(row)
    beyond = (
        ("import, beyond Python alone", "import priorscope", "Python alone", 0.1),
        ("resume, beyond PyTorch alone", "resume to its first step", PYTORCH, 2.0),
    )
    for name, figure, less, bound in beyond:
        more = statistics.median(figures[figure].wall) - statistics.median(figures[less].wall)
        missed |= more > bound
        print(f"{name:<36}{more:>8.2f}{'':>18}{bound:>8}  {'yes' if more <= bound else 'NO'}")
    print(f"\n{describe()}")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
