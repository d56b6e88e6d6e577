"""Kill a study again and again at random moments: it must end in the bits of one never killed.

    python benchmarks/kills.py --kills 100

A study of two small networks keeps a checkpoint after every step. A process is killed (SIGKILL) at
a moment drawn over the time that the whole study takes, every second one within a second of its
training; then the same command is called again. When one has reached its end, a new folder begins.
Weights, predictions and metrics (but for times) are compared byte by byte with those of a study
that was left alone. Exits 1 where any differ.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from priorscope.runs.environment import describe

STUDY = """
name: kills
data: {name: synthetic, task: objects, num_train: 400, num_test: 100}
recipe: {learning_rate: 1e-3, batch_size: 40, epochs: 6, augment: [random_crop, horizontal_flip]}
models:
  cnn: {name: resnet_nano, width: 8, num_blocks: [1, 1, 1]}
  vit: {name: vit_nano, embed_dim: 16, depth: 1, num_heads: 2}
probes:
  combined: {name: mosaic, num_images: 50}
"""
OF_TIME = ("seconds", "images_per_second")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "kills.yaml").write_text(STUDY, encoding="utf-8")
        started = time.perf_counter()
        run_to_end(folder, folder / "alone")
        seconds = time.perf_counter() - started
        expected = contents(folder / "alone")
        num_kills = num_ended = num_resumed = num_differing = 0
        while num_kills < arguments.kills:
            out = folder / f"killed{num_ended}"
            process = start(folder, out)
            try:
                if num_kills % 2:  # most of a short study is its start: look for its training
                    wait_for_training(process, out)
                process.wait(rng.uniform(0, 1 if num_kills % 2 else seconds))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                num_kills += 1
                num_resumed += bool(list(out.glob("runs/*/checkpoint/*.ckpt")))
                if num_kills < arguments.kills:
                    continue
            run_to_end(folder, out)  # a process that came to its end by itself changes nothing here
            num_ended += 1
            num_differing += contents(out) != expected
    print(f"study alone                   {seconds:8.1f} s, its start included")
    print(f"killed                        {num_kills:8d} times, {num_resumed} of them in training")
    print(f"studies brought to their end  {num_ended:8d}")
    print(f"that differ in any bit        {num_differing:8d}   bound 0")
    print(describe())
    return 1 if num_differing else 0


def start(folder: Path, out: Path) -> subprocess.Popen:
    command = ["run", folder / "kills.yaml", "--out", out, "--checkpoint-minutes", "0"]
    return subprocess.Popen(
        [sys.executable, "-m", "priorscope", *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # sums in one order
    )


def wait_for_training(process: subprocess.Popen, out: Path) -> None:
    before = set(out.glob("runs/*/checkpoint/*.ckpt"))
    while process.poll() is None and set(out.glob("runs/*/checkpoint/*.ckpt")) <= before:
        time.sleep(0.01)


def run_to_end(folder: Path, out: Path) -> None:
    process = start(folder, out)
    _, error = process.communicate()
    if process.returncode:
        sys.exit(f"the study failed with {process.returncode}: {error.decode()}")


def contents(out: Path) -> dict[str, object]:
    """Read all that must not depend on kills, by path."""
    found: dict[str, object] = {}
    for pattern in ("*.safetensors", "predictions/*.parquet", "trajectory/*/*.parquet"):
        for path in out.glob(f"runs/*/{pattern}"):
            found[str(path.relative_to(out))] = path.read_bytes()
    for path in out.glob("runs/*/metrics.jsonl"):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        timeless = [{k: v for k, v in line.items() if k not in OF_TIME} for line in lines]
        found[str(path.relative_to(out))] = timeless
    return found


if __name__ == "__main__":
    sys.exit(main())
