"""Time the drawing of synthetic images on one core, against the bounds that we hold ourselves to.

OMP_NUM_THREADS=1 python benchmarks/synthetic.py
"""

import resource
import statistics
import time
from pathlib import Path

from priorscope.data.synthetic import Task, synthetic
from priorscope.runs.environment import describe

NUM_IMAGES = 100_000
REPEATS = 3
CASES: tuple[tuple[Task, int, int], ...] = (
    ("objects", 3, 20_000),
    ("near_relation", 3, 50_000),
    ("far_relation", 3, 50_000),
    ("near_relation", 6, 50_000),
    ("far_relation", 6, 50_000),
)


def main() -> None:
    print(describe())
    print(f"{NUM_IMAGES:,} images and their fingerprint, {REPEATS} repeats, seconds of one core\n")
    print(f"{'task':<16}{'kinds':>6}{'best s':>9}{'median s':>10}{'images/s':>10}{'bound':>9}  ok")
    for task, num_kinds, bound in CASES:
        seconds = []
        for seed in range(REPEATS):
            start = time.process_time()
            synthetic(
                root=Path(),
                task=task,
                num_train=NUM_IMAGES,
                num_test=1,
                num_kinds=num_kinds,
                seed=seed,
            )
            seconds.append(time.process_time() - start)
        best, rate = min(seconds), NUM_IMAGES / min(seconds)
        print(
            f"{task:<16}{num_kinds if task != 'objects' else '-':>6}{best:>9.2f}"
            f"{statistics.median(seconds):>10.2f}{rate:>10,.0f}{bound:>9,}"
            f"  {'yes' if rate >= bound else 'NO'}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"\npeak memory {peak:,.0f} MiB, of which the images {NUM_IMAGES * 3072 / 2**20:,.0f} MiB"
    )


if __name__ == "__main__":
    main()
