"""Rows of data multipliers: one model needs a known number of times more data than the other."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from adversary_networks import World, answers, image_error, model_of
from adversary_rows import Outcomes, Row

from priorscope.stats import Bounded, crossed_bootstrap, data_multiplier

NUM_RESAMPLES = 1000
WORLD = World(500)
SPACINGS = {2: 6, 4: 5, 8: 4}  # how many times apart sizes lie: how many of them
AT = {2: 2, 4: 1, 8: 1}  # the size at which the better model's score is taken


@dataclass(frozen=True)
class Curve:
    """A model's accuracy by how many times more than the smallest size it was trained on."""

    name: str
    at: Callable[[float], float]


CURVES = (
    Curve("power law", lambda size: 0.92 - 0.5 * size**-0.35),
    Curve("saturating", lambda size: 0.25 + 0.6 * size / (size + 4)),
)


@dataclass(frozen=True)
class Case:
    """Two models of which the second needs `multiplier` times the data of the first."""

    curve: Curve
    spacing: int
    multiplier: float
    num_seeds: int
    between: float

    @property
    def sizes(self) -> list[float]:
        """How many times the smallest number of training images."""
        return [float(self.spacing**i) for i in range(SPACINGS[self.spacing])]


def rows() -> Iterator[Row]:
    """List the rows of this file."""
    for curve in CURVES:
        for spacing in SPACINGS:
            for multiplier in (1, 2, 3):
                for num_seeds in (2, 3, 5) if curve is CURVES[0] else (3,):
                    yield _row(Case(curve, spacing, multiplier, num_seeds, 1))
    for spacing in SPACINGS:  # seeds that vary more, and given networks
        yield _row(Case(CURVES[0], spacing, 2, 3, 4))
        yield _row(Case(CURVES[0], spacing, 2, 1, 0))


def _row(case: Case) -> Row:
    about = {
        "curve": case.curve.name,
        "sizes apart": case.spacing,
        "sizes": len(case.sizes),
        "multiplier": case.multiplier,
        "seeds": f"{case.num_seeds}+{case.num_seeds}",
        "between": case.between,
    }
    study = partial(multiplier_study, case)
    return Row("data multiplier", about, study, {"coverage": (0.93, 1)}, ("high / low",))


def multiplier_study(case: Case, rng: np.random.Generator) -> Outcomes:
    """Simulate two learning curves, tested on the same images at every size."""
    networks = []
    for needed in (1, case.multiplier):
        for size in case.sizes:
            mean = round(case.curve.at(size / needed), 6)
            between = case.between * image_error(WORLD, (mean, mean))
            networks.append(model_of(WORLD, mean, between).draw(case.num_seeds, rng))
    scores = answers(WORLD, networks, rng).scores
    means = np.array([each.mean() for each in scores])
    resampled = crossed_bootstrap(scores, num_resamples=NUM_RESAMPLES, rng=rng)
    a, b = np.split(means, 2)
    a_resampled, b_resampled = np.split(resampled, 2, axis=1)
    found = data_multiplier(
        a,
        b,
        case.sizes,
        at=AT[case.spacing],
        resampled=(a_resampled, b_resampled),
        num_seeds=case.num_seeds,
    )
    low, high = _end(found.low, 0.0), _end(found.high, math.inf)
    bounded = 0 < low <= high < math.inf
    return {
        "coverage": low <= case.multiplier <= high,
        "unbounded": not bounded,
        "high / low": high / low if bounded else math.nan,
    }


def _end(end: Bounded, beyond: float) -> float:
    """Return the end of an interval; `beyond` where it is known only to lie farther out."""
    outwards = "below" if beyond == 0 else "above"
    return beyond if end.bound == outwards else end.value
