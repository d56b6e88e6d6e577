"""Rows of contrasts over new seeds and new images: of two models, and of one with a level."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
from adversary_networks import (
    Answers,
    Law,
    Metric,
    Model,
    World,
    answers,
    image_error,
    model_of,
    moments,
)
from adversary_rows import Outcomes, Row

from priorscope.stats import CrossedContrast, crossed_contrast

SEEDS = ((2, 2), (3, 3), (5, 5), (2, 5))
BETWEEN = (0, 1, 4)  # standard deviations between seeds, in standard errors over images
CLUSTERS = (0, 20)
NEAR_NORMAL = 1.0  # the skewness of seeds' scores up to which they are called so
FEW_DISCORDANT = 10


@dataclass(frozen=True)
class Task:
    """A number of images, the better model's accuracy, and how much better it is.

    `most` is how much seeds may vary to be near-normal, in standard errors over images: beyond, the
    end of the scale skews their scores by more than `NEAR_NORMAL`.
    """

    num_images: int
    accuracy: float
    difference: float
    most: float = 4


TASKS = (
    Task(200, 0.5, 0.05),
    Task(200, 0.9, 0.0, most=1),
    Task(500, 0.99, 0.0, most=0),
    Task(1000, 0.1, 0.0, most=1),
    Task(1000, 0.7, 0.05),
    Task(2000, 0.95, 0.01, most=1),
    Task(10_000, 0.3, 0.0),
    Task(10_000, 0.99, 0.002, most=1),
)
# Where networks hardly share what they find hard, and where they share nearly all of it.
OWN_VIEWS = World(1000, difficulty=0.5, taste=0.3, view=2.5, cluster_view=0.8)
SAME_VIEWS = World(1000, difficulty=3.0, taste=0.2, view=0.2)


@dataclass(frozen=True)
class Case:
    """A contrast to simulate: the first model less the second, or one model less a level.

    Attributes
    ----------
    means : the true mean of each model, over new seeds and new images
    between : the standard deviation of each model's networks, in standard errors over images of
        the contrast of one network each
    """

    world: World
    means: tuple[float, ...]
    num_seeds: tuple[int, ...]
    between: tuple[float, ...]
    law: Law = "normal"

    @property
    def truth(self) -> float:
        """The contrast's true value; of one model the level is taken off by the null."""
        return self.means[0] - self.means[1] if len(self.means) == 2 else self.means[0]


@lru_cache(maxsize=4096)
def models_of(case: Case) -> tuple[Model, ...]:
    """Find the models that have a case's means and standard deviations."""
    unit = image_error(case.world, case.means)
    return tuple(
        model_of(case.world, mean, between * unit, case.law)
        for mean, between in zip(case.means, case.between, strict=True)
    )


def signed(found: Answers) -> list[np.ndarray]:
    """Turn the sign of all models after the first."""
    return [found.scores[0], *(-scores for scores in found.scores[1:])]


def drawn(case: Case, rng: np.random.Generator) -> Answers:
    """Train a case's networks and test them."""
    abilities = [
        model.draw(num, rng) for model, num in zip(models_of(case), case.num_seeds, strict=True)
    ]
    return answers(case.world, abilities, rng)


def judged(contrast: CrossedContrast, truth: float) -> Outcomes:
    """Say whether an interval holds the truth and its tests, made with it as null, reject it."""
    return {
        "coverage": contrast.low <= truth <= contrast.high,
        "type I at 0.05": contrast.p_value <= 0.05,
        "at 0.01": contrast.p_value <= 0.01,
    }


def is_shorter(contrast: CrossedContrast, fixed: CrossedContrast) -> bool:
    """Tell whether an interval is shorter than that of the same networks held fixed."""
    for confidence in (0.9, 0.95, 0.99):
        low, high = contrast.interval(confidence)
        fixed_low, fixed_high = fixed.interval(confidence)
        if high - low < (fixed_high - fixed_low) * (1 - 1e-9):
            return True
    return False


def contrast_study(case: Case, rng: np.random.Generator) -> Outcomes:
    """Simulate a study of a contrast over new seeds and new images."""
    found = drawn(case, rng)
    groups = signed(found)
    contrast = crossed_contrast(groups, null=case.truth, clusters=found.clusters)
    held = [group.mean(axis=0, keepdims=True) for group in groups]
    fixed = crossed_contrast(held, clusters=found.clusters)
    return {
        **judged(contrast, case.truth),
        "shorter than fixed": is_shorter(contrast, fixed),
        "width": contrast.high - contrast.low,
    }


def about(case: Case, **more: object) -> dict[str, object]:
    """Say what a case simulates, in the columns of its table."""
    world, first, last = case.world, case.means[0], case.means[-1]
    apart = {"difference": f"{case.truth:g}"} if len(case.means) == 2 else {}
    return {
        "seeds": "+".join(map(str, case.num_seeds)),
        "between": ", ".join(f"{each:g}" for each in dict.fromkeys(case.between)),
        "difficulty, taste, view": f"{world.difficulty:g} {world.taste:g} {world.view:g}",
        "images": world.num_images,
        "clusters": world.num_clusters or "no",
        "mean": f"{max(first, last):g}",
        **apart,
        **more,
    }


def contrast_row(kind: str, case: Case, bounds: dict[str, tuple[float, float]]) -> Row:
    """Make the row of a case; no interval of any row may be shorter than of fixed networks."""
    study = partial(contrast_study, case)
    bounds = bounds | {"shorter than fixed": (0, 0)}
    return Row(
        kind, about(case), study, bounds, ("width",), together=("seeds", "between", "clusters")
    )


def skewness(case: Case) -> float:
    """Return how skewed the true scores of a case's seeds are, at most."""
    return max(abs(moments(case.world, model).skewness) for model in models_of(case))


def pairs(*, near_normal: bool) -> Iterator[Case]:
    """List contrasts of two models with equally spread seeds, normal in logits."""
    for task in TASKS:
        for num_clusters in CLUSTERS:
            means = (task.accuracy, task.accuracy - task.difference)
            for case in _of_seeds(World(task.num_images, num_clusters), means):
                if (case.between[0] <= task.most) == near_normal:
                    yield case
    for world in (OWN_VIEWS, SAME_VIEWS) if near_normal else ():
        for num_clusters in CLUSTERS:
            yield from _of_seeds(replace(world, num_clusters=num_clusters), (0.7, 0.65))


def other_metrics(metric: Metric) -> Iterator[Case]:
    """List contrasts of scores that are not 0 or 1: four objects to find, and a skewed loss."""
    means = {"found": (2.1, 2.0), "loss": (0.5, 0.55)}[metric]
    for num_clusters in CLUSTERS:
        yield from _of_seeds(World(1000, num_clusters, metric), means)


def _of_seeds(world: World, means: tuple[float, float]) -> Iterator[Case]:
    for num_seeds in SEEDS:
        for between in BETWEEN:
            yield Case(world, means, num_seeds, (between, between))


def heavy_tailed() -> Iterator[Case]:
    """List contrasts of models whose seeds have the tails of Student's t of 3 degrees."""
    for world in (World(1000), World(1000, 20), World(10_000)):
        for num_seeds in SEEDS:
            for between in (1, 4):
                yield Case(world, (0.7, 0.65), num_seeds, (between, between), "t3")


def unequal() -> Iterator[Case]:
    """List contrasts of which one model's seeds vary 2 or 3 times as much; in 2+5, the two."""
    for world in (World(1000), World(1000, 20)):
        for num_seeds in SEEDS:
            for between in ((2, 1), (3, 1), (8, 4), (6, 2)):
                yield Case(world, (0.6, 0.6), num_seeds, between)


def large_are_hard() -> Iterator[Case]:
    """List contrasts over clusters whose size says how hard they are."""
    world = World(1000, 20, large_are_hard=True)
    for means in ((0.7, 0.65), (0.7,)):
        for num in (2, 3, 5):
            for between in BETWEEN:
                yield Case(world, means, (num,) * len(means), (between,) * len(means))


def levels(*, near_normal: bool) -> Iterator[Case]:
    """List single models, held against their true mean."""
    for task in TASKS:
        for num_clusters in CLUSTERS:
            world = World(task.num_images, num_clusters)
            for num_seeds in (2, 3, 5):
                for between in BETWEEN:
                    if (between <= task.most) == near_normal:
                        yield Case(world, (task.accuracy,), (num_seeds,), (between,))


def normal_bounds(case: Case) -> dict[str, tuple[float, float]]:
    """Say what a contrast of near-normal seeds must reach."""
    highest = 0.985 if case.num_seeds == (2, 2) else 0.98
    few = 2 * case.world.num_images * case.means[0] * (1 - case.means[0]) < FEW_DISCORDANT
    if case.world.metric == "right" and few:  # at most so many: networks share what is hard
        return {"coverage": (0.93, 1)}
    return {"coverage": (0.93, highest), "type I at 0.05": (0, 0.06), "at 0.01": (0, 0.016)}


def rows() -> Iterator[Row]:
    """List the rows of contrasts over new seeds and new images."""
    for case in pairs(near_normal=True):
        yield contrast_row("near-normal seeds, 0/1 scores", case, normal_bounds(case))
    for case in other_metrics("found"):
        yield contrast_row("near-normal seeds, scores 0 .. 4", case, normal_bounds(case))
    for case in other_metrics("loss"):
        yield contrast_row("near-normal seeds, a loss", case, normal_bounds(case))
    for case in pairs(near_normal=False):
        yield contrast_row("seeds skewed by the end of the scale", case, {})
    for case in heavy_tailed():
        yield contrast_row("heavy-tailed seeds", case, {"coverage": (0.92, 1)})
    for case in unequal():
        yield contrast_row("one model's seeds vary more", case, {})
    for case in large_are_hard():
        contrast = "of two models" if len(case.means) == 2 else "of one model"
        yield contrast_row(f"clusters as hard as they are large, {contrast}", case, {})
    for case in levels(near_normal=True):
        bounds = {"coverage": (0.92, 1), "type I at 0.05": (0, 0.08)}
        yield contrast_row("one model against a level", case, bounds)
    for case in levels(near_normal=False):
        yield contrast_row("one model against a level, skewed seeds", case, {})
