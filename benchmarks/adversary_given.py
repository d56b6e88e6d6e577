"""Rows of contrasts of given networks, one a model: only images are drawn anew."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from adversary_contrasts import TASKS, Case, about, drawn, judged, signed
from adversary_networks import World
from adversary_rows import Outcomes, Row

from priorscope.stats import (
    CrossedContrast,
    crossed_contrast,
    paired_proportions,
    single_proportion,
)

BOUNDS = {"coverage": (0.93, 1.0), "type I, less": (0.0, 0.06), "type I, greater": (0.0, 0.06)}
SIZES = (200, 1000, 10_000)
ACCURACIES = (0.1, 0.5, 0.9, 0.95, 0.99)


def rows() -> Iterator[Row]:
    """List the rows of this file."""
    for num_images in SIZES:
        for accuracy in ACCURACIES:
            for difference in (0.0, min(0.05, (1 - accuracy) / 2)):
                case = _given(World(num_images), (accuracy, accuracy - difference))
                study = partial(pair_study, case)
                yield Row("one network each, 0/1 scores", about(case), study, BOUNDS)
    for num_images in SIZES:
        for accuracy in ACCURACIES:
            case = _given(World(num_images), (accuracy,))
            study = partial(single_study, case)
            yield Row("one network against a level, 0/1 scores", about(case), study, BOUNDS)
    for task in TASKS:
        means = (task.accuracy, task.accuracy - task.difference)
        case = _given(World(task.num_images, 20), means)
        study = partial(clustered_study, case)
        yield Row("one network each, clusters", about(case), study, {"coverage": (0.93, 1)})


def _given(world: World, means: tuple[float, ...]) -> Case:
    return Case(world, means, (1,) * len(means), (0,) * len(means))


def pair_study(case: Case, rng: np.random.Generator) -> Outcomes:
    """Simulate a test of two networks on images that are no clusters."""
    a, b = (scores[0] for scores in drawn(case, rng).scores)
    return _judged(paired_proportions(a, b), case.truth)


def single_study(case: Case, rng: np.random.Generator) -> Outcomes:
    """Simulate a test of one network, held against its true accuracy."""
    scores = drawn(case, rng).scores[0][0]
    return _judged(single_proportion(scores, case.means[0]), 0.0)


def clustered_study(case: Case, rng: np.random.Generator) -> Outcomes:
    """Simulate a test of two networks on clusters of images, which the t interval is for."""
    found = drawn(case, rng)
    contrast = crossed_contrast(signed(found), null=case.truth, clusters=found.clusters)
    return judged(contrast, case.truth)


def _judged(found: CrossedContrast, truth: float) -> Outcomes:
    return {
        "coverage": found.low <= truth <= found.high,
        "type I, less": found.tail("less", truth) <= 0.05,
        "type I, greater": found.tail("greater", truth) <= 0.05,
    }
