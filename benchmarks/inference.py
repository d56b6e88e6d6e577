"""Simulate studies of known truth: does the inference over seeds and images keep its promises?

    python benchmarks/inference.py [--quick] [--studies 2000]

Each row simulates studies with a known difference, and as many with none. An image is right where
difficulty of the image + the model's own view of it + seed + noise, all normal, stay below a level:
the truth is a closed form. The standard deviation between seeds is stated as a multiple of the
standard error that images alone give the estimate (`6:2`: of A and of B). Columns, in percent:

cover   95 % intervals that hold the true difference (bounds: 93 to 97)
reject  two-sided tests at 5 % that reject no difference where there is none (bound: 5.5)
at 1 %  two-sided tests at 1 % likewise: after Holm's correction, tests are as strict (no bound)
equiv   equivalence tests at 5 % that claim equivalence where the difference is at the margin
        (bound: 5.5), the margin being so wide that its other side plays no part

for `crossed_contrast` and, where a second triple stands, the percentile interval of
`crossed_bootstrap`. `!` marks what misses a bound, `~` what misses it by less than two standard
errors of the simulation. At 200 images, 6 times the standard error is a standard deviation of 20
points between seeds: their accuracies are skewed, and a t interval of one group feels it.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from priorscope.stats import crossed_bootstrap, crossed_contrast, equivalence, percentile_interval

SHARE_RIGHT, DIFFERENCE = 0.7, 0.1
IMAGE, VIEW = 0.8, 0.5  # standard deviations beside noise of 1
CLUSTER, CLUSTER_VIEW = 0.5, 0.3
NUM_RESAMPLES = 400
STUDIES_AT_ONCE = 50
HERMITE = np.polynomial.hermite_e.hermegauss(60)


@dataclass(frozen=True)
class Design:
    """One row: what is contrasted, and how much seeds vary.

    Attributes
    ----------
    what : "A - B", "A - chance", "conditions" (of one model, paired), "difference of differences"
    num_seeds : of each group
    num_images, num_clusters : 0 clusters: images are the random unit
    objects : the score counts how many of these are right
    ratio : standard deviation between a group's seeds / standard error over images
    unequal : how many times more the first group's seeds vary, on the scale of the normal variables
    bootstrap : also by the pigeonhole bootstrap
    """

    what: str
    num_seeds: tuple[int, ...]
    num_images: int
    ratio: float
    num_clusters: int = 0
    objects: int = 1
    bootstrap: bool = False
    unequal: float = 1.0

    @property
    def terms(self) -> list[list[int]]:
        """The signs of the models or conditions that each group sums."""
        return {
            "A - B": [[1], [-1]],
            "A - chance": [[1]],
            "conditions": [[1, -1]],
            "difference of differences": [[1, -1], [-1, 1]],
        }[self.what]


@dataclass(frozen=True)
class Rates:
    """Shares of studies; `strict` only of `crossed_contrast`."""

    cover: float
    reject: float
    equiv: float
    num_studies: int
    strict: float | None = None

    def __str__(self) -> str:
        cells = [_cell(self.cover, 0.93, 0.97, self.num_studies)]
        cells += [_cell(self.reject, 0, 0.055, self.num_studies)]
        if self.strict is not None:
            cells += [_cell(self.strict, 0, 1, self.num_studies)]
        return " ".join([*cells, _cell(self.equiv, 0, 0.055, self.num_studies)])


def designs() -> list[Design]:
    """Return the rows: seeds and their spread in full, then one thing changed at a time."""
    rows = [
        Design("A - B", (seeds, seeds), 200, ratio, bootstrap=ratio != 1)
        for seeds in (2, 3, 5, 10)
        for ratio in (0, 1, 2, 6)
    ]
    rows += [Design("A - B", (seeds, seeds), 200, 2, unequal=3) for seeds in (2, 3, 5)]
    rows += [Design("A - B", (1, 1), 200, 0, bootstrap=True)]
    rows += [Design("A - B", (2, 5), 200, ratio) for ratio in (0, 2, 6)]
    rows += [
        Design("A - B", (seeds, seeds), num_images, ratio)
        for seeds, num_images in ((2, 2000), (5, 2000), (3, 10_000), (10, 10_000))
        for ratio in (0, 6)
    ]
    rows += [
        Design("A - chance", (seeds,), 200, ratio) for seeds in (2, 3, 5) for ratio in (0, 2, 6)
    ]
    rows += [Design("A - chance", (seeds,), 2000, 6) for seeds in (2, 3, 5)]
    rows += [
        Design(what, (seeds,) * groups, 200, ratio)
        for what, groups in (("conditions", 1), ("difference of differences", 2))
        for seeds in (2, 3)
        for ratio in (0, 6)
    ]
    rows += [
        Design("A - B", (seeds, seeds), 200, ratio, objects=4)
        for seeds in (2, 3, 5)
        for ratio in (0, 6)
    ]
    rows += [
        Design("A - B", (seeds, seeds), 1000, ratio, num_clusters=clusters)
        for clusters in (15, 50)
        for seeds in (1, 2, 3, 5)
        for ratio in ((0,) if seeds == 1 else (0, 2, 6))
    ]
    return rows


QUICK = [
    Design("A - B", (3, 3), 200, 0),
    Design("A - B", (3, 3), 200, 6),
    Design("conditions", (3,), 200, 6),
    Design("A - B", (3, 3), 1000, 2, num_clusters=15),
]
QUICK_STUDIES = 300


def simulate(
    design: Design,
    difference: float,
    seed_sd: float,
    num_studies: int,
    rng: np.random.Generator,
) -> Iterator[tuple[list[np.ndarray], np.ndarray | None]]:
    """Draw studies: for each the groups [seeds, images], and clusters.

    `seed_sd` is on the scale of the normal variables; the first model of the first group is right
    in `SHARE_RIGHT` of all cases over all seeds and images, every other in `difference` fewer.
    """
    n, objects = design.num_images, design.objects
    clustered = design.num_clusters > 0
    for start in range(0, num_studies, STUDIES_AT_ONCE):
        size = min(STUDIES_AT_ONCE, num_studies - start)
        clusters = None
        if clustered:
            share = np.linspace(1, 3, design.num_clusters)  # clusters of unequal size
            clusters = rng.choice(design.num_clusters, size=(size, n), p=share / share.sum())
        image = IMAGE * rng.standard_normal((size, 1, n, objects), dtype=np.float32)
        if clusters is not None:
            image += _of_clusters(CLUSTER, clusters, design.num_clusters, rng)
        groups = []
        for group, (signs, seeds) in enumerate(zip(design.terms, design.num_seeds, strict=True)):
            own_sd = seed_sd * (1.0 if group else design.unequal)
            total = np.sqrt(_other_variance(clustered) + own_sd**2)
            scores = np.zeros((size, seeds, n))
            for term, sign in enumerate(signs):
                # Every true difference is between the very first term and the others.
                right = SHARE_RIGHT - difference * (group + term > 0)
                view = VIEW * rng.standard_normal((size, 1, n, objects), dtype=np.float32)
                if clusters is not None:
                    view += _of_clusters(CLUSTER_VIEW, clusters, design.num_clusters, rng)
                level = norm.ppf(right) * total + own_sd * rng.standard_normal((size, seeds, 1, 1))
                noise = rng.standard_normal((size, seeds, n, objects), dtype=np.float32)
                is_right = noise + image + view < level.astype(np.float32)
                scores += sign * is_right.sum(axis=-1)
            groups.append(scores)
        for study in range(size):
            own = None if clusters is None else clusters[study]
            yield [group[study] for group in groups], own


def truth(design: Design, difference: float) -> float:
    """Return the true sum of the groups' means."""
    models = [
        sign * (SHARE_RIGHT - difference * (group + term > 0))
        for group, signs in enumerate(design.terms)
        for term, sign in enumerate(signs)
    ]
    return design.objects * sum(models)


def seed_sd_of(design: Design, rng: np.random.Generator) -> float:
    """Find the seeds' spread on the normal scale that gives the ratio on the scores' scale."""
    if not design.ratio:
        return 0.0
    studies = simulate(design, DIFFERENCE, 0.0, 400, rng)
    image_se = np.std([sum(group.mean() for group in groups) for groups, _ in studies])
    other = _other_variance(design.num_clusters > 0)
    terms = len(design.terms[0])

    def spread(sd: float) -> float:
        level = norm.ppf(SHARE_RIGHT) * np.sqrt(other + sd**2)
        right = norm.cdf((level + sd * HERMITE[0]) / np.sqrt(other))
        weights = HERMITE[1] / HERMITE[1].sum()
        variance = weights @ right**2 - (weights @ right) ** 2
        return design.objects * float(np.sqrt(terms * max(variance, 0.0)))

    root: Any = brentq(lambda sd: spread(sd) - design.ratio * image_se, 0, 5)
    return float(root)


def measure(design: Design, num_studies: int, rng: np.random.Generator) -> list[Rates]:
    """Simulate one row."""
    seed_sd = seed_sd_of(design, rng)
    wide, level = 100.0, truth(design, DIFFERENCE)
    held, held_again, claimed, claimed_again = [], [], [], []
    for groups, clusters in simulate(design, DIFFERENCE, seed_sd, num_studies, rng):
        found = crossed_contrast(groups, clusters=clusters)
        held.append(found.low <= level <= found.high)
        # Equivalence to `level - wide` within `wide`: the truth is at the margin.
        claimed.append(equivalence(found, wide, null=level - wide).p_value <= 0.05)
        if design.bootstrap:
            means = _bootstrapped(groups, clusters, rng)
            low, high = percentile_interval(means)
            held_again.append(low <= level <= high)
            claimed_again.append(percentile_interval(means, confidence=0.9)[1] < level)
    p_values, rejected_again, null = [], [], truth(design, 0.0)
    for groups, clusters in simulate(design, 0.0, seed_sd, num_studies, rng):
        p_values.append(crossed_contrast(groups, null=null, clusters=clusters).p_value)
        if design.bootstrap:
            low, high = percentile_interval(_bootstrapped(groups, clusters, rng))
            rejected_again.append(not low <= null <= high)
    rejected, strict = (_share(np.array(p_values) <= alpha) for alpha in (0.05, 0.01))
    rates = [Rates(_share(held), rejected, _share(claimed), num_studies, strict)]
    if design.bootstrap:
        held, rejected, claimed = map(_share, (held_again, rejected_again, claimed_again))
        rates.append(Rates(held, rejected, claimed, num_studies))
    return rates


def _cell(share: float, low: float, high: float, num_studies: int) -> str:
    missed = max(low - share, share - high)
    noise = 2 * np.sqrt(share * (1 - share) / num_studies)
    return f"{100 * share:6.1f}{' ' if missed <= 0 else '~' if missed < noise else '!'}"


def _share(cases: list[bool] | np.ndarray) -> float:
    return float(np.mean(cases))


def _bootstrapped(
    groups: list[np.ndarray], clusters: np.ndarray | None, rng: np.random.Generator
) -> np.ndarray:
    drawn = crossed_bootstrap(groups, num_resamples=NUM_RESAMPLES, rng=rng, clusters=clusters)
    return drawn.sum(axis=1)


def _other_variance(clustered: bool) -> float:
    """Return the variance of all but seeds on the normal scale."""
    return 1 + IMAGE**2 + VIEW**2 + (CLUSTER**2 + CLUSTER_VIEW**2) * clustered


def _of_clusters(
    sd: float, clusters: np.ndarray, num_clusters: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw each study's clusters' effects and hand them to its images, [studies, 1, images, 1]."""
    effects = sd * rng.standard_normal((len(clusters), num_clusters), dtype=np.float32)
    return np.take_along_axis(effects, clusters, axis=1)[:, None, :, None]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--studies", type=int, default=2000, help="simulated studies a row")
    parser.add_argument("--quick", action="store_true", help="four rows, 300 studies each")
    arguments = parser.parse_args()
    rows, num_studies = designs(), arguments.studies
    if arguments.quick:
        rows, num_studies = QUICK, QUICK_STUDIES
    started = time.perf_counter()
    print(f"{num_studies:,} studies a row with a difference, as many without; percent")
    print(f"{'':62}crossed_contrast                  crossed_bootstrap")
    print(
        f"{'contrast':<26}{'scores':>6} {'images':>6} {'clust':>5} {'seeds':>7} {'ratio':>5}",
        end="",
    )
    print("    cover  reject   at 1 %   equiv    cover  reject   equiv")
    for index, design in enumerate(rows):
        rates = measure(design, num_studies, np.random.default_rng([0, index]))
        scores = "0/1" if design.objects == 1 else f"0..{design.objects}"
        seeds = " + ".join(map(str, design.num_seeds))
        clusters = design.num_clusters or "-"
        print(f"{design.what:<26}{scores:>6} {design.num_images:>6} {clusters:>5} ", end="")
        ratio = f"{design.unequal * design.ratio:g}:" * (design.unequal != 1) + f"{design.ratio:g}"
        print(f"{seeds:>7} {ratio:>5}  ", "  ".join(map(str, rates)), flush=True)
    print(f"{time.perf_counter() - started:.0f} s on one core\n")
    # Imported at the end: it loads torch, which the statistics do without.
    from priorscope.runs.environment import describe

    print(describe())
    return 0


if __name__ == "__main__":
    sys.exit(main())
