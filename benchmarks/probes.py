"""Time the building of probes, all arms counted, against the bounds that we hold ourselves to.

python benchmarks/probes.py
"""

import resource
import statistics
import time
from collections.abc import Callable

import numpy as np

from priorscope.data import LabeledImages
from priorscope.probes import ProbeSet
from priorscope.probes._backgrounds import KINDS, draw
from priorscope.probes.large_background import large_background
from priorscope.probes.mosaic import mosaic
from priorscope.runs.environment import describe

NUM_SCENES = 10_000
REPEATS = 3


def main() -> None:
    rng = np.random.default_rng(0)
    source = LabeledImages(
        rng.integers(0, 256, (10_000, 32, 32, 3), dtype=np.uint8),
        np.arange(10_000) % 10,
        tuple("0123456789"),
        "noise",
    )
    print(describe())
    print(f"{NUM_SCENES:,} scenes, {REPEATS} repeats\n")
    print(f"{'stage':<34}{'images':>8}{'first s':>9}{'best s':>8}{'median s':>10}", end="")
    print(f"{'images/s':>10}{'bound s':>9}  ok")
    build = np.random.default_rng
    for name, bound, stage in (
        (
            "mosaic, 64 px, 3 arms",
            2.0,
            lambda: mosaic(source, rng=build(1), num_images=NUM_SCENES),
        ),
        (
            "large_background, 128 px, 3 arms",
            10.0,
            lambda: large_background(source, rng=build(1), num_images=NUM_SCENES),
        ),
    ):
        _row(name, bound, stage)
    seconds = {kind: _seconds(lambda kind=kind: draw(kind, 256, build(1))) for kind in KINDS}
    slowest = sorted(seconds, key=lambda kind: -seconds[kind])[:3]
    total = sum(seconds.values())
    print(f"\n{len(KINDS)} background pictures of 256 px: {total:.2f} s; slowest: ", end="")
    print(", ".join(f"{kind} {seconds[kind] * 1e3:.0f} ms" for kind in slowest))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GiB (the largest probe set is 1.37 GiB)")


def _row(name: str, bound: float, stage: Callable[[], ProbeSet]) -> None:
    # No warm-up: a study builds each probe once, so the first time is the one that it waits for.
    times = [_seconds(stage) for _ in range(REPEATS)]
    num_images, median = 3 * NUM_SCENES, statistics.median(times)
    print(
        f"{name:<34}{num_images:>8,}{times[0]:>9.2f}{min(times):>8.2f}{median:>10.2f}"
        f"{num_images / median:>10,.0f}{bound:>9.1f}  {'yes' if max(times) <= bound else 'NO'}"
    )


def _seconds(stage: Callable[[], object]) -> float:
    start = time.perf_counter()
    stage()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
