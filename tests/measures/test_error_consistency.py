"""Kappa against statsmodels, its influence against leaving images out, and known copies."""

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from priorscope.evaluation import Predictions
from priorscope.measures import DoesNotApply
from priorscope.measures.error_consistency import ceiling, error_consistency


def predictions(answers, targets, num_classes=4):
    n = len(targets)
    logits = np.eye(num_classes, dtype=np.float32)[answers]
    arms = {"arm": np.full(n, "a")}
    return Predictions(logits, targets, np.arange(n), arms, tuple("abcd"[:num_classes]))


def draw(rng, n, right):
    targets = rng.integers(0, 4, n)
    pair = [np.where(rng.random(n) < p, targets, rng.integers(0, 4, n)) for p in right]
    return targets, *pair


def of(kind, a, b, targets):
    return error_consistency(predictions(a, targets), predictions(b, targets), of=kind)


@pytest.mark.parametrize("kind", ["right", "answers"])
def test_the_mean_is_cohens_kappa(kind):
    targets, a, b = draw(np.random.default_rng(1), 400, (0.5, 0.7))
    ratings = (a == targets, b == targets) if kind == "right" else (a, b)
    size = 2 if kind == "right" else 4
    table = np.zeros((size, size))
    np.add.at(table, tuple(np.asarray(each, dtype=int) for each in ratings), 1)
    assert of(kind, a, b, targets).mean() == pytest.approx(cohens_kappa(table).kappa)


@pytest.mark.parametrize("kind", ["right", "answers"])
def test_a_value_is_kappa_and_the_influence_of_its_image(kind):
    targets, a, b = draw(np.random.default_rng(2), 300, (0.4, 0.8))
    values = of(kind, a, b, targets)
    without = [
        of(kind, *(np.delete(each, i) for each in (a, b, targets))).mean() for i in range(300)
    ]
    influence = 299 * (np.mean(without) - np.array(without))
    assert values - values.mean() == pytest.approx(influence, abs=0.02)


def test_copies_have_the_kappa_that_they_copy_at():
    """Of two copies one answers anew with probability 1 - q: kappa is q."""
    rng, q, n = np.random.default_rng(3), 0.6, 200_000
    targets = np.zeros(n, dtype=int)
    a, fresh = (np.where(rng.random(n) < 0.7, 0, 1) for _ in range(2))
    b = np.where(rng.random(n) < q, a, fresh)
    for kind in ("right", "answers"):
        assert of(kind, a, b, targets).mean() == pytest.approx(q, abs=0.01)


def test_no_two_networks_exceed_the_ceiling_and_nested_errors_reach_it():
    targets = np.zeros(1000, dtype=int)
    order = np.arange(1000)
    a, b = (np.where(order < right, 0, 1) for right in (900, 650))
    assert of("right", a, b, targets).mean() == pytest.approx(ceiling(0.9, 0.65))
    shuffled = np.random.default_rng(4).permutation(b)
    assert of("right", a, shuffled, targets).mean() < ceiling(0.9, 0.65)
    assert ceiling(0.5, 0.5) == 1


def test_two_networks_that_are_always_right_have_no_kappa():
    targets = np.arange(40) % 4
    with pytest.raises(DoesNotApply, match="always agree"):
        of("right", targets, targets, targets)
