"""Simulate how often the interval of a share that is left holds the truth, over seeds and images.

    python benchmarks/retained_share.py [--studies N]

Answers are drawn from logistic models with difficulties of images and seeds, and a seed's own loss
when something is taken away; the truth is that of 4,000 x 4,000 answers. A row misses where its
coverage lies outside 93 to 98 % beyond the simulation's error (99 %). Seeds that do not vary are
shown and not judged: their intervals are known to be long. Studies whose control is not clearly
above chance have no share, and are counted.
"""

import argparse
import sys
from itertools import product

import numpy as np
from scipy.special import expit
from scipy.stats import binom

from priorscope.runs.environment import describe
from priorscope.stats import retained_share

CHANCE = 0.1
LOWEST, HIGHEST = 0.93, 0.98


def drawn(
    rng: np.random.Generator, seeds: int, images: int, spread: float, level: float, drop: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw right answers, 0 or 1 [seeds, images], with all there and with something taken away."""
    seed, image = rng.normal(0, spread, (seeds, 1)), rng.normal(0, 1.5, (1, images))
    own = rng.normal(0, spread / 2, (seeds, 1))
    control, altered = (
        (rng.random((seeds, images)) < CHANCE + (1 - CHANCE) * expit(score)).astype(float)
        for score in (level + seed + image, level - drop + seed + own + image)
    )
    return control, altered


def coverage(
    studies: int, seeds: int, images: int, spread: float, level: float, drop: float
) -> tuple[float, int, float]:
    """Return the share of intervals that hold the truth, the studies without one, their width."""
    many, altered = drawn(np.random.default_rng(1), 4000, 4000, spread, level, drop)
    truth = (altered.mean() - CHANCE) / (many.mean() - CHANCE)
    rng, held, without, widths = np.random.default_rng(2), 0, 0, []
    for _ in range(studies):
        control, altered = drawn(rng, seeds, images, spread, level, drop)
        found = retained_share(altered, control, chance=CHANCE)
        if found is None:
            without += 1
            continue
        held += not (found.low > truth or found.high < truth)  # an end that is NaN bounds nothing
        widths.append(found.high - found.low)
    counted = studies - without
    return held / counted if counted else float("nan"), without, float(np.nanmedian(widths))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=1000)
    num_studies = parser.parse_args().studies
    print(f"{num_studies} studies a row, 95 % intervals, chance {CHANCE:g}\n")
    print("seeds images spread  level  drop  held %  no share  width  ok")
    missed = False
    cases = product((3, 5), (300, 1000), (0.0, 0.3, 0.6), ((0.5, 1.0), (2.0, 0.0), (2.0, 4.0)))
    for seeds, images, spread, (level, drop) in cases:
        held, without, width = coverage(num_studies, seeds, images, spread, level, drop)
        counted = num_studies - without
        judged = spread > 0 and (
            binom.cdf(round(held * counted), counted, LOWEST) < 0.01
            or binom.sf(round(held * counted) - 1, counted, HIGHEST) < 0.01
        )
        missed |= judged
        row = f"{seeds:>5} {images:>6} {spread:>6.1f} {level:>6.1f} {drop:>5.1f}"
        row += f"{100 * held:>8.1f}{without:>10}{width:>7.2f}  {'NO' if judged else 'yes'}"
        print(row, flush=True)
    print(f"\n{describe()}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
