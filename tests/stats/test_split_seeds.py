"""Seeds that fall into groups: by hand, and how often normal and two-humped ones are called so."""

import numpy as np
import pytest

from priorscope.stats import split_seeds


def networks(rng, accuracies, num_images=1000):
    difficulty = rng.random(num_images)
    noise = rng.normal(0, 0.05, (len(accuracies), num_images))
    return (difficulty + noise < np.asarray(accuracies)[:, None]).astype(float)


def test_a_seed_that_stands_apart_is_named():
    scores = networks(np.random.default_rng(0), [0.93, 0.70, 0.92])
    found = split_seeds(scores, span=1.0)
    assert found.lower == (1,) and set(found.upper) == {0, 2}
    assert found.outlying == (1,)
    assert found.gap == pytest.approx(0.22, abs=0.03)
    upward = split_seeds(networks(np.random.default_rng(0), [0.33, 0.9, 0.34, 0.32]), span=1.0)
    assert upward.outlying == (1,)


@pytest.mark.parametrize("accuracies", [[0.7], [0.7, 0.72], [0.70, 0.71, 0.73]])
def test_ordinary_seeds_are_not_split(accuracies):
    assert split_seeds(networks(np.random.default_rng(1), accuracies), span=1.0) is None


def test_a_gap_that_images_explain_is_none():
    """Of 12 images two seeds may differ by a third without any difference in accuracy."""
    rng = np.random.default_rng(2)
    found = [split_seeds((rng.random((2, 12)) < 0.5) * 1.0, span=1.0) for _ in range(200)]
    assert np.mean([each is not None for each in found]) < 0.02


@pytest.mark.parametrize("num_seeds", [2, 3, 5, 10])
def test_two_humps_are_told_from_one(num_seeds):
    rng = np.random.default_rng(num_seeds)
    split, normal = [], []
    for _ in range(150):
        humps = rng.choice([0.70, 0.93], num_seeds) + rng.normal(0, 0.01, num_seeds)
        if np.ptp(humps) > 0.1:
            split.append(split_seeds(networks(rng, humps), span=1.0) is not None)
        one = rng.normal(0.8, 0.015, num_seeds)
        normal.append(split_seeds(networks(rng, one), span=1.0) is not None)
    assert np.mean(split) >= 0.9
    assert np.mean(normal) <= 0.05


def test_a_metric_without_a_range_is_split_by_its_own_size():
    rng = np.random.default_rng(3)
    scores = rng.exponential(1, 500) + np.array([1.0, 1.02, 9.0])[:, None]
    assert split_seeds(scores, span=None).outlying == (2,)
    assert split_seeds(scores[:2], span=None) is None
