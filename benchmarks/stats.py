"""Time and peak memory of the crossed bootstrap and the permutation test against their bounds.

    python benchmarks/stats.py

3 models x 5 seeds x 10,000 images, 10,000 resamples. Exit code 1 when a bound is missed.
"""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from priorscope.stats import crossed_bootstrap, sign_flip_test

NUM_RESAMPLES = 10_000
BOUNDS = {"crossed bootstrap": 5.0, "sign-flip test": 1.0}  # seconds
MEMORY_BOUND_GB = 1.0


def main() -> int:
    rng = np.random.default_rng(0)
    difficulty = rng.normal(size=10_000)
    scores = (rng.normal(size=(3, 5, 10_000)) + 0.4 > difficulty).astype(float)
    differences = scores[0].mean(axis=0) - scores[1].mean(axis=0)
    computations: dict[str, Callable[[], object]] = {
        "crossed bootstrap": lambda: crossed_bootstrap(
            scores, num_resamples=NUM_RESAMPLES, rng=rng
        ),
        "sign-flip test": lambda: sign_flip_test(differences, num_resamples=NUM_RESAMPLES, rng=rng),
    }
    missed = False
    for name, compute in computations.items():
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            compute()
            seconds.append(time.perf_counter() - started)
        missed |= max(seconds) > BOUNDS[name]
        print(f"{name}: {min(seconds):.2f} .. {max(seconds):.2f} s (bound {BOUNDS[name]:g} s)")
    # Linux counts in KiB, macOS in bytes; the whole process, imports included.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    missed |= peak > MEMORY_BOUND_GB
    print(f"peak memory of the process: {peak:.2f} GB (bound {MEMORY_BOUND_GB:g} GB)")
    # Imported after the measurement: it loads torch, which the statistics do without.
    from priorscope.runs.environment import describe

    print(describe())
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
