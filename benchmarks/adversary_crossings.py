"""Rows of an effect that changes its sign along a factor: networks trained anew at each level."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from adversary_networks import World, answers, image_error, model_of
from adversary_rows import Outcomes, Row

from priorscope.stats import crossed_contrast, zero_crossing

MEAN = 0.6  # accuracy of both models together, at every level
WORLD = World(1000)
NUM_LEVELS = (3, 5, 7)
BETWEEN = 1.0  # standard deviation between seeds, in standard errors over images


@dataclass(frozen=True)
class Effect:
    """How the difference of two models goes along a factor from 0 to 1.

    Attributes
    ----------
    crossing : where it passes through zero; nan where it does not
    """

    name: str
    at: Callable[[float], float]
    crossing: float = math.nan


def _line(size: float, crossing: float) -> Effect:
    slope = size / min(crossing, 1 - crossing)
    return Effect(f"line to {size:g}", lambda x: slope * (x - crossing), crossing)


def _step(size: float, crossing: float) -> Effect:
    return Effect(f"step of {size:g}", lambda x: math.copysign(size, x - crossing), crossing)


def _tanh(size: float, crossing: float) -> Effect:
    return Effect(f"tanh to {size:g}", lambda x: size * math.tanh(6 * (x - crossing)), crossing)


NO_CROSSING = (
    Effect("none", lambda _: 0.0),
    Effect("at one end only", lambda x: 0.12 * (1 - x)),
    Effect("at both ends, one side", lambda x: 0.24 * abs(x - 0.5)),
)
CROSSING = tuple(
    shape(size, crossing)
    for shape in (_line, _step, _tanh)
    for size in (0.12, 0.06)
    for crossing in (0.4, 0.27)
)


def rows() -> Iterator[Row]:
    """List the rows of this file."""
    for effect in NO_CROSSING:
        for num_levels in NUM_LEVELS:
            for num_seeds in (1, 3):
                bounds = {"reported": (0, 0.05)}
                yield _row("no zero crossing", effect, num_levels, num_seeds, bounds)
    for effect in CROSSING:
        for num_levels in NUM_LEVELS:
            for num_seeds in (1, 3) if effect.name.startswith("line") else (3,):
                bounds = {"coverage": (0.93, 1)}
                yield _row("zero crossing", effect, num_levels, num_seeds, bounds)


def _row(
    kind: str,
    effect: Effect,
    num_levels: int,
    num_seeds: int,
    bounds: Mapping[str, tuple[float, float]],
) -> Row:
    about: dict[str, object] = {"effect": effect.name, "levels": num_levels}
    about |= {"seeds": f"{num_seeds}+{num_seeds}"}
    if bounds.get("coverage"):
        about |= {"crosses at": effect.crossing}
    study = partial(crossing_study, effect, num_levels, num_seeds)
    return Row(kind, about, study, bounds, ("width",))


def crossing_study(
    effect: Effect, num_levels: int, num_seeds: int, rng: np.random.Generator
) -> Outcomes:
    """Simulate two models along a factor, tested on the same images at every level."""
    levels = np.linspace(0, 1, num_levels)
    between = BETWEEN * image_error(WORLD, (MEAN, MEAN)) if num_seeds > 1 else 0.0
    networks = []
    for level in levels:
        for sign in (1, -1):
            mean = round(MEAN + sign * effect.at(float(level)) / 2, 6)
            networks.append(model_of(WORLD, mean, between).draw(num_seeds, rng))
    scores = answers(WORLD, networks, rng).scores
    contrasts = [crossed_contrast([a, -b]) for a, b in zip(scores[::2], scores[1::2], strict=True)]
    found = zero_crossing(
        levels.tolist(),
        np.array([each.estimate for each in contrasts]),
        np.array([each.low for each in contrasts]),
        np.array([each.high for each in contrasts]),
    )
    if found is None:
        return {"reported": False, "coverage": math.nan, "width": math.nan}
    covered = math.nan
    if not math.isnan(effect.crossing):
        covered = found.low <= effect.crossing <= found.high
    return {"reported": True, "coverage": covered, "width": found.high - found.low}
