from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest, permutation_test

from priorscope.stats import sign_flip_test


def exact(sums):
    totals = np.array([np.dot(signs, sums) for signs in product((-1, 1), repeat=len(sums))])
    return np.mean(np.abs(totals) >= abs(sums.sum()) - 1e-9)


@pytest.mark.parametrize("case", range(4))
def test_matches_enumeration(case):
    rng = np.random.default_rng(case)
    differences = [
        rng.normal(0.4, 1, 10),
        rng.integers(-2, 4, 10) / 3,  # ties, as of scores averaged over seeds
        np.r_[np.zeros(5), 0.5, 0.5, -1, 1, 1],
        np.zeros(10),
    ][case]
    found = sign_flip_test(differences, num_resamples=40_000, rng=rng)
    assert found.p_value == pytest.approx(exact(differences), abs=0.01)
    assert found.difference == pytest.approx(differences.mean())


def test_matches_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.35, 1, 40), rng.normal(0, 1, 40)
    scipy_p = permutation_test(
        (a, b),
        lambda x, y: np.mean(x - y),
        permutation_type="samples",
        n_resamples=10_000,
        rng=np.random.default_rng(1),
    ).pvalue
    found = sign_flip_test(a - b, num_resamples=10_000, rng=rng)
    assert found.p_value == pytest.approx(scipy_p, abs=0.015)


def test_is_the_sign_test_on_0_1_scores():
    differences = np.r_[np.ones(14), -np.ones(5), np.zeros(100)]
    found = sign_flip_test(differences, num_resamples=50_000, rng=np.random.default_rng(0))
    assert found.p_value == pytest.approx(binomtest(14, 19).pvalue, abs=0.006)


def test_one_side_is_the_one_sided_sign_test():
    differences = np.r_[np.ones(14), -np.ones(5), np.zeros(100)]
    for side in ("less", "greater"):
        rng = np.random.default_rng(0)
        found = sign_flip_test(differences, num_resamples=50_000, rng=rng, alternative=side)
        expected = binomtest(14, 19, alternative=side).pvalue
        assert found.p_value == pytest.approx(expected, abs=0.006)


def test_flips_whole_clusters():
    rng = np.random.default_rng(0)
    effects = rng.normal(0.5, 1, 8)
    clusters = np.repeat([f"c{i}" for i in range(8)], 25)
    differences = np.repeat(effects, 25)
    found = sign_flip_test(differences, clusters=clusters, num_resamples=40_000, rng=rng)
    assert found.p_value == pytest.approx(exact(effects), abs=0.01)
    assert sign_flip_test(differences, num_resamples=1000, rng=rng).p_value < found.p_value


def test_is_never_0_and_holds_its_level():
    rng = np.random.default_rng(0)
    assert sign_flip_test(np.ones(100), num_resamples=99, rng=rng).p_value == 1 / 100
    p_values = [
        sign_flip_test(rng.integers(-2, 3, 60), num_resamples=199, rng=rng).p_value
        for _ in range(600)
    ]
    assert 0.02 < np.mean(np.array(p_values) <= 0.05) < 0.075


def test_same_generator_same_p_value():
    x = np.random.default_rng(0).normal(size=50)
    a, b = (
        sign_flip_test(x, num_resamples=500, rng=np.random.default_rng(3)).p_value for _ in range(2)
    )
    assert a == b


@pytest.mark.parametrize("bad", [np.array([]), np.array([1, np.nan]), np.zeros((2, 2))])
def test_refuses_what_it_cannot_use(bad):
    with pytest.raises(ValueError, match="finite"):
        sign_flip_test(bad, num_resamples=10, rng=np.random.default_rng(0))
