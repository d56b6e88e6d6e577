"""Rows of what contrasts decide: equivalence, families of tests, and what a study can show."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from itertools import combinations

import numpy as np
from adversary_contrasts import BETWEEN, CLUSTERS, Case, about, drawn, signed
from adversary_networks import World, answers, image_error, model_of
from adversary_rows import Outcomes, Row
from scipy.stats import t as student

from priorscope.stats import (
    CrossedContrast,
    crossed_contrast,
    equivalence,
    holm,
    minimum_detectable_effect,
)

EQUAL_SEEDS = ((2, 2), (3, 3), (5, 5))
POWER_STUDIES = 4000  # that a curve of true power is read off: within 0.8 points at 75 %
NUM_TESTS = 12


def rows() -> Iterator[Row]:
    """List the rows of this file."""
    for num_clusters in CLUSTERS:
        for num_seeds in (*EQUAL_SEEDS, (2, 5)):
            for between in BETWEEN:
                case = _at_margin(World(1000, num_clusters), num_seeds, between)
                study = partial(equivalence_study, case)
                bounds = {"equivalent": (0, 0.06)}
                yield Row("equivalence at the margin", about(case), study, bounds)
    for num_clusters in CLUSTERS:
        for between in BETWEEN:
            for together in ("12 pairs of models", "6 pairs of 4 models, 2 probes"):
                world = World(1000, num_clusters)
                study = partial(family_study, world, between, together.startswith("6"))
                words = {"family": together, "between": between, "clusters": num_clusters or "no"}
                bounds = {"any rejected": (0, 0.06)}
                yield Row("Holm over 12 true nulls, 3 + 3 seeds", words, study, bounds)
    plans = [*((each, each) for each in EQUAL_SEEDS), ((2, 2), (5, 5))]
    for num_clusters in CLUSTERS:
        for pilot, planned in plans:
            for between in BETWEEN:
                case = Case(World(1000, num_clusters), (0.6, 0.6), pilot, (between, between))
                study = partial(plan_study, case, planned)
                words = about(case) | {"planned": "+".join(map(str, planned))}
                amounts = ("printed", "by estimates", "needed", "mean power")
                bounds = {"power >= 0.75": (0.8, 1)}
                yield Row("detectable effect from a pilot", words, study, bounds, amounts)


def _at_margin(world: World, num_seeds: tuple[int, int], between: float) -> Case:
    """Let two models differ by three standard errors: a margin that can be shown at all."""
    error = image_error(world, (0.5, 0.5)) * np.sqrt(
        1 + between**2 * sum(1 / num for num in num_seeds)
    )
    margin = round(3 * float(error), 3)
    return Case(world, (0.5 + margin / 2, 0.5 - margin / 2), num_seeds, (between, between))


def equivalence_study(case: Case, rng: np.random.Generator) -> Outcomes:
    """Simulate a test of equivalence whose margin is the true difference."""
    found = drawn(case, rng)
    contrast = crossed_contrast(signed(found), clusters=found.clusters)
    return {"equivalent": equivalence(contrast, case.truth).p_value <= 0.05}


def family_study(world: World, between: float, shared: bool, rng: np.random.Generator) -> Outcomes:
    """Simulate a study of twelve hypotheses, in all of which the models are equally good.

    Where networks are `shared`, they are four models of which each meets each, on two probes with
    images of their own: tests hang together.
    """
    model = model_of(world, 0.7, between * image_error(world, (0.7, 0.7)))
    p_values = []
    networks = [model.draw(3, rng) for _ in range(4)]
    for _ in range(2 if shared else NUM_TESTS):
        if not shared:
            networks = [model.draw(3, rng) for _ in range(2)]
        found = answers(world, networks, rng)
        for a, b in combinations(found.scores, 2):
            p_values.append(crossed_contrast([a, -b], clusters=found.clusters).p_value)
    assert len(p_values) == NUM_TESTS
    return {"any rejected": holm(np.array(p_values)).min() <= 0.05}


def plan_study(case: Case, planned: tuple[int, int], rng: np.random.Generator) -> Outcomes:
    """Simulate a pilot without an effect, and what it says that a planned study would find.

    What is printed is by the upper limits of the variances.
    """
    found = drawn(case, rng)
    components = crossed_contrast(signed(found), clusters=found.clusters).components
    by_estimates, *by_limits = (
        minimum_detectable_effect(each, planned, case.world.num_images)
        for each in (components, *components.at_most())
    )
    printed = max(by_estimates, *by_limits)
    power = true_power(replace(case, num_seeds=planned), printed)
    return {
        "power >= 0.75": power >= 0.75,
        "printed": printed,
        "by estimates": by_estimates,
        "needed": needed(replace(case, num_seeds=planned)),
        "mean power": power,
    }


def true_power(case: Case, effect: float) -> float:
    """Read how often a study of this case finds an effect, by a two-sided test at 5 %.

    Of simulated studies without an effect, estimates are moved by it: seeds and images vary by
    their true variances, and whatever the test takes for its standard error and its degrees of
    freedom is what it would take.
    """
    estimates, limits = _null_studies(case)
    return float(np.mean(np.abs(estimates + effect) > limits))


@lru_cache
def needed(case: Case) -> float:
    """Find the effect that a study of this case finds in 80 %."""
    low, high = 0.0, 100 * image_error(case.world, case.means) * (1 + max(case.between))
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if true_power(case, middle) < 0.8 else (low, middle)
    return high


@lru_cache
def _null_studies(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Simulate studies without an effect: estimates, and from which size on each is found."""
    rng = np.random.default_rng(1)
    contrasts: list[CrossedContrast] = []
    for _ in range(POWER_STUDIES):
        found = drawn(case, rng)
        contrasts.append(crossed_contrast(signed(found), clusters=found.clusters))
    limits = [each.standard_error * student.ppf(0.975, each.df) for each in contrasts]
    return np.array([each.estimate for each in contrasts]), np.array(limits)
