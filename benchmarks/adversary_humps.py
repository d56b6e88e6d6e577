"""Rows of trainings that sometimes fail: seeds of two humps, and near-normal ones beside them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from adversary_contrasts import BETWEEN, CLUSTERS, is_shorter
from adversary_networks import World, answers, image_error, model_of
from adversary_rows import Outcomes, Row

from priorscope.stats import crossed_contrast, split_seeds

NUM_SEEDS = (2, 3, 5, 10)
WORLDS = tuple(World(images, clusters) for images in (200, 2000, 10_000) for clusters in CLUSTERS)
LOW, HIGH = 0.7, 0.93  # what networks of the two humps score
WITHIN = 0.005  # the standard deviation of seeds' scores within a hump


@dataclass(frozen=True)
class Humps:
    """A model whose training fails with some probability: then it scores `LOW`, else `HIGH`."""

    share_low: float

    @property
    def mean(self) -> float:
        """The true mean over new seeds and new images."""
        return self.share_low * LOW + (1 - self.share_low) * HIGH

    def draw(
        self, world: World, num_seeds: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Train some seeds: their abilities, and which of them failed."""
        failed = rng.random(num_seeds) < self.share_low
        low, high = (model_of(world, mean, WITHIN).draw(num_seeds, rng) for mean in (LOW, HIGH))
        return np.where(failed, low, high), failed


def rows() -> Iterator[Row]:
    """List the rows of this file."""
    for share in (0.5, 0.2):
        for world in WORLDS:
            for num_seeds in NUM_SEEDS:
                study = partial(humps_study, world, Humps(share), num_seeds)
                bounds = {"flagged": (0.8, 1), "shorter than fixed": (0, 0)}
                words = {"share at 70 %": share, **_about(world, num_seeds)}
                yield Row("two-humped seeds, 70 or 93 %", words, study, bounds)
    for world in WORLDS:
        for num_seeds in NUM_SEEDS:
            for between in BETWEEN:
                study = partial(near_normal_study, world, between, num_seeds)
                words = {"between": between, **_about(world, num_seeds)}
                yield Row("near-normal seeds, 70 %, that are flagged", words, study)


def _about(world: World, num_seeds: int) -> dict[str, object]:
    clusters = world.num_clusters or "no"
    return {"seeds": num_seeds, "images": world.num_images, "clusters": clusters}


def humps_study(world: World, humps: Humps, num_seeds: int, rng: np.random.Generator) -> Outcomes:
    """Simulate two models alike, and ask of the first whether its seeds are split.

    Only where seeds of both humps were drawn there is anything to flag.
    """
    networks = [humps.draw(world, num_seeds, rng) for _ in range(2)]
    found = answers(world, [abilities for abilities, _ in networks], rng)
    a, b = found.scores
    failed = networks[0][1]
    flagged = right = math.nan
    if failed.any() and not failed.all():
        split = split_seeds(a, span=1.0, clusters=found.clusters)
        flagged = split is not None
        if split is not None:
            right = set(split.lower) == set(np.flatnonzero(failed).tolist())
    contrast = crossed_contrast([a, -b], clusters=found.clusters)
    held = [a.mean(axis=0, keepdims=True), -b.mean(axis=0, keepdims=True)]
    alone = crossed_contrast([a], null=humps.mean, clusters=found.clusters)
    return {
        "flagged": flagged,
        "into the humps": right,
        "coverage": contrast.low <= 0 <= contrast.high,
        "of one model": alone.low <= humps.mean <= alone.high,
        "shorter than fixed": is_shorter(contrast, crossed_contrast(held, clusters=found.clusters)),
    }


def near_normal_study(
    world: World, between: float, num_seeds: int, rng: np.random.Generator
) -> Outcomes:
    """Simulate a model whose seeds do not fall into groups, and ask whether they are split."""
    model = model_of(world, LOW, between * image_error(world, (LOW, LOW)))
    found = answers(world, [model.draw(num_seeds, rng)], rng)
    split = split_seeds(found.scores[0], span=1.0, clusters=found.clusters)
    return {"flagged": split is not None}
