"""An adversary's networks: what they answer, and their true mean scores.

A network's logit on an image is its ability, less how hard the image is, and what the model makes
of the image, what this network makes of it, and the same three for the image's cluster:

    ability(model) + deviation(seed) - difficulty(image) + taste(model, image) + view(seed, image)
        - difficulty(cluster) + taste(model, cluster) + view(seed, cluster)

How hard images are is skewed (a gamma distribution of shape 2): many are easy, and a few are hard
for all. The rest is normal, but for the seeds' deviations, which have a law of their own. It shares
no code with `priorscope` nor with the other simulation, and what it draws is never what an
inference supposes: effects add up on logits, not on scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy.optimize import root_scalar
from scipy.special import expit, roots_genlaguerre
from scipy.stats import t as student

Metric = Literal["right", "found", "loss"]
Law = Literal["normal", "t3"]

_ABILITIES = np.linspace(-30.0, 30.0, 6001)
_NUM_TESTS = 300  # of which an error over images is known within 4 %


@dataclass(frozen=True)
class World:
    """Test images, and what networks make of them; standard deviations in logits.

    Attributes
    ----------
    num_clusters : 0 where images are drawn one by one; clusters are of random unequal size, which
        varies by 0.7 of its mean
    large_are_hard : a cluster is as hard as it is large, in place of by chance
    metric : `right` scores 0 or 1; `found` how many of four objects are found, 0 .. 4; `loss` a
        positive number without an end
    """

    num_images: int
    num_clusters: int = 0
    metric: Metric = "right"
    difficulty: float = 1.5
    taste: float = 0.8
    view: float = 0.8
    cluster_difficulty: float = 0.8
    cluster_taste: float = 0.4
    cluster_view: float = 0.2
    large_are_hard: bool = False


@dataclass(frozen=True)
class Model:
    """The networks of one architecture: their mean ability, and how seeds scatter about it."""

    ability: float
    spread: float = 0.0
    law: Law = "normal"

    def draw(self, num_seeds: int, rng: np.random.Generator) -> np.ndarray:
        """Train some seeds: their abilities, float [seeds]."""
        if self.law == "t3":
            deviations = rng.standard_t(3, num_seeds) / np.sqrt(3)
        else:
            deviations = rng.standard_normal(num_seeds)
        return self.ability + self.spread * deviations


@dataclass(frozen=True)
class Images:
    """A set of images: how easy each is for all networks, float [images], and its cluster."""

    world: World
    easy: np.ndarray
    clusters: np.ndarray | None

    def seen_by(self, num_networks: int, rng: np.random.Generator) -> np.ndarray:
        """Draw what a new model's networks make of each image: logits, float [networks, images]."""
        world, shape = self.world, (num_networks, self.world.num_images)
        logits = self.easy + world.taste * _normal(world.num_images, rng)
        logits = logits + world.view * _normal(shape, rng)
        if self.clusters is not None:
            views = world.cluster_view * _normal((num_networks, world.num_clusters), rng)
            views += world.cluster_taste * _normal(world.num_clusters, rng)
            logits += views[:, self.clusters]
        return logits


def draw_images(world: World, rng: np.random.Generator) -> Images:
    """Draw images, and clusters of them where the world has any."""
    gamma = rng.standard_gamma(2, world.num_images, dtype=np.float32)
    easy = -world.difficulty * (gamma - 2) / np.float32(np.sqrt(2))
    if not world.num_clusters:
        return Images(world, easy, None)
    sizes = rng.standard_gamma(2, world.num_clusters)
    clusters = rng.choice(world.num_clusters, world.num_images, p=sizes / sizes.sum())
    hard = (sizes - 2) / np.sqrt(2) if world.large_are_hard else _normal(world.num_clusters, rng)
    easy = easy - (world.cluster_difficulty * hard)[clusters].astype(np.float32)
    return Images(world, easy, clusters)


@dataclass(frozen=True)
class Answers:
    """What networks scored on the same images: for each model float [seeds, images]."""

    scores: list[np.ndarray]
    clusters: np.ndarray | None


def answers(world: World, abilities: Sequence[np.ndarray], rng: np.random.Generator) -> Answers:
    """Draw images, and the answers of networks to them.

    `abilities` are those of each model's networks, float [seeds].
    """
    images = draw_images(world, rng)
    scores = [
        _scored(world.metric, ability[:, None] + images.seen_by(len(ability), rng), rng)
        for ability in abilities
    ]
    return Answers(scores, images.clusters)


def _normal(shape: int | tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(shape, dtype=np.float32)


def _scored(metric: Metric, logits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if metric == "loss":
        return np.logaddexp(0, -logits).astype(float)
    chances = 1 / (1 + np.exp(-logits))
    scores = np.zeros(logits.shape)
    for _ in range(4 if metric == "found" else 1):
        scores += rng.random(logits.shape, dtype=np.float32) < chances
    return scores


def true_score(world: World, ability: np.ndarray | float) -> np.ndarray:
    """Compute the mean score of networks over infinitely many images, by quadrature."""
    scores = _true_scores(replace(world, num_images=1))
    return np.asarray(np.interp(ability, _ABILITIES, scores))


def ability_scoring(world: World, score: np.ndarray) -> np.ndarray:
    """Find the abilities whose mean scores over infinitely many images are these."""
    return np.interp(score, _true_scores(replace(world, num_images=1)), _ABILITIES)


@lru_cache
def _true_scores(world: World) -> np.ndarray:
    """Integrate over the sum of all normal parts, then over the gamma distributions: within 1e-6.

    The trapezoid rule is exact to rounding for a smooth function times the normal density, and
    Gauss and Laguerre's for a smooth one times the gamma density; what is left is the error of
    reading straight lines off a grid of 0.01.
    """
    variances = [world.taste**2, world.view**2]
    if world.num_clusters:
        variances += [world.cluster_taste**2, world.cluster_view**2]
    if world.num_clusters and not world.large_are_hard:
        variances += [world.cluster_difficulty**2]
    z, weights = _normal_nodes()
    wide = np.linspace(-60.0, 60.0, 12001)
    logits = wide[:, None] + np.sqrt(sum(variances)) * z
    expected = np.logaddexp(0, -logits) if world.metric == "loss" else expit(logits)
    scores = expected @ weights * (4 if world.metric == "found" else 1)
    if world.num_clusters and world.large_are_hard:  # an image's cluster is met by its size
        scores = _over_gamma(wide, scores, world.cluster_difficulty, shape=3)
    return np.interp(_ABILITIES, wide, _over_gamma(wide, scores, world.difficulty, shape=2))


def _over_gamma(logits: np.ndarray, scores: np.ndarray, sd: float, *, shape: int) -> np.ndarray:
    """Integrate scores at logits over difficulties, (gamma - 2) / sqrt(2) times a number."""
    gamma, weights = roots_genlaguerre(40, shape - 1)
    hard = sd * (gamma - 2) / np.sqrt(2)
    moved = [np.interp(logits - each, logits, scores) for each in hard]
    return weights / weights.sum() @ np.stack(moved)


@lru_cache
def _normal_nodes() -> tuple[np.ndarray, np.ndarray]:
    z = np.linspace(-8.0, 8.0, 161)
    density = np.exp(-(z**2) / 2)
    return z, density / density.sum()


@lru_cache
def _deviations(law: Law) -> tuple[np.ndarray, np.ndarray]:
    """Return what seeds deviate by, in standard deviations, with weights."""
    if law == "normal":
        return _normal_nodes()
    num = 4000
    return student.ppf((np.arange(num) + 0.5) / num, 3) / np.sqrt(3), np.full(num, 1 / num)


@dataclass(frozen=True)
class Moments:
    """Of the true scores of a model's networks: mean, standard deviation and skewness."""

    mean: float
    sd: float
    skewness: float


def moments(world: World, model: Model) -> Moments:
    """Compute what a model's networks score over infinitely many images and seeds."""
    deviations, weights = _deviations(model.law)
    scores = true_score(world, model.ability + model.spread * deviations)
    mean = float(weights @ scores)
    variance = float(weights @ (scores - mean) ** 2)
    if variance < 1e-16:
        return Moments(mean, 0.0, 0.0)
    third = float(weights @ (scores - mean) ** 3)
    return Moments(mean, variance**0.5, third / variance**1.5)


@lru_cache(maxsize=4096)
def model_of(world: World, mean: float, between: float = 0.0, law: Law = "normal") -> Model:
    """Find the model whose networks have this true mean, and standard deviation between seeds."""
    if not between:
        return Model(_ability(world, mean, 0.0, law), 0.0, law)

    def excess(spread: float) -> float:
        return moments(world, Model(_ability(world, mean, spread, law), spread, law)).sd - between

    spread = root_scalar(excess, bracket=(0.0, 4.0), xtol=1e-6).root
    return Model(_ability(world, mean, spread, law), spread, law)


def _ability(world: World, mean: float, spread: float, law: Law) -> float:
    def excess(ability: float) -> float:
        return moments(world, Model(ability, spread, law)).mean - mean

    return root_scalar(excess, bracket=(-20.0, 20.0), xtol=1e-10).root


@lru_cache(maxsize=4096)
def image_error(world: World, means: tuple[float, ...]) -> float:
    """Measure the standard error over images of one network's score, or of a difference of two.

    On many sets of images; it sets the scale of rows only, so that 4 % of it do not matter.
    """
    rng = np.random.default_rng(0)
    abilities = [np.array([model_of(world, mean).ability]) for mean in means]
    tests = [answers(world, abilities, rng).scores for _ in range(_NUM_TESTS)]
    scores = [[each[0].mean() for each in scores] for scores in tests]
    signs = [1, -1][: len(means)]
    return float(np.std(np.array(scores) @ signs, ddof=1))
