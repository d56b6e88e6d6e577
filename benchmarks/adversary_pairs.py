"""Rows of pairs of networks: kappa of being right, over new networks and new images.

Errors are not made at a stated kappa, as in `pairs.py`, but are those of the adversary's networks:
what two of them have in common is how hard images are, and what their model makes of these.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial

import numpy as np
from adversary_contrasts import BETWEEN, Case, about, models_of
from adversary_networks import World, answers
from adversary_rows import Outcomes, Row

from priorscope.evaluation import Predictions
from priorscope.measures.error_consistency import error_consistency
from priorscope.stats import crossed_contrast, network_shares

SEEDS = (3, 5, 10)
IMAGES = (500, 3000)
MEANS = (0.7, 0.6)
TRUTH_SETS, TRUTH_NETWORKS, TRUTH_IMAGES = 8, 150, 60_000


def rows() -> Iterator[Row]:
    """List the rows of this file."""
    for num_images in IMAGES:
        for num_seeds in SEEDS:
            for between in BETWEEN:
                for num_models in (1, 2):
                    world = World(num_images)
                    case = Case(world, MEANS, (num_seeds, num_seeds), (between, between))
                    words = {"pairs of": f"{num_models} model{'s' * (num_models > 1)}"}
                    study = partial(pair_study, case, num_models)
                    bounds = {"coverage": (0.93, 0.98)}
                    yield Row(
                        "kappa of pairs of networks", words | about(case), study, bounds, ("width",)
                    )


def pair_study(case: Case, num_models: int, rng: np.random.Generator) -> Outcomes:
    """Simulate a study of kappa within the first model, or between the two."""
    models = models_of(case)[:num_models]
    abilities = [model.draw(case.num_seeds[0], rng) for model in models]
    found = answers(case.world, abilities, rng).scores
    networks = [[_predictions(right) for right in of_model] for of_model in found]
    first, second = networks[0], networks[-1]
    values = np.full((len(first), len(second), case.world.num_images), np.nan)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            if i < j or (num_models == 2 and i != j):
                values[i, j] = error_consistency(a, b)
    shares = network_shares(values, one_model=num_models == 1)
    contrast = crossed_contrast([each for each in shares if each is not None])
    truth = true_kappa(case, num_models)
    return {
        "coverage": contrast.low <= truth <= contrast.high,
        "width": contrast.high - contrast.low,
    }


@lru_cache
def true_kappa(case: Case, num_models: int) -> float:
    """Average kappa over many pairs of networks, each on many images."""
    rng, found = np.random.default_rng(0), []
    world = World(TRUTH_IMAGES)
    models = models_of(case)[:num_models]
    for _ in range(TRUTH_SETS):
        abilities = [model.draw(TRUTH_NETWORKS, rng) for model in models]
        scores = [each.astype(np.float32) for each in answers(world, abilities, rng).scores]
        found.append(_mean_kappa(scores))
    return float(np.mean(found))


def _mean_kappa(scores: Sequence[np.ndarray]) -> float:
    """Compute Cohen's kappa of being right from counts, for all pairs but of equal places."""
    a, b = scores[0], scores[-1]
    p, q = a.mean(axis=1)[:, None], b.mean(axis=1)
    both = a @ b.T / a.shape[1]
    agreed = 1 - p - q + 2 * both
    expected = p * q + (1 - p) * (1 - q)
    kappa = (agreed - expected) / (1 - expected)
    return float(kappa[~np.eye(len(a), dtype=bool)].mean())


def _predictions(right: np.ndarray) -> Predictions:
    logits = np.stack([right, 1 - right], axis=1).astype(np.float32)
    n = len(right)
    arms = {"arm": np.full(n, "test")}
    return Predictions(logits, np.zeros(n, dtype=np.int64), np.arange(n), arms, ("yes", "no"))
