import numpy as np
import pytest
from scipy.stats import norm

from priorscope.stats import crossed_bootstrap, percentile_interval


def naive(scores, num_resamples, rng):
    """Index seeds and images directly, one resample at a time."""
    num_models, num_seeds, n = scores.shape
    means = np.empty((num_resamples, num_models))
    for resample in range(num_resamples):
        images = rng.integers(0, n, n)
        for model in range(num_models):
            seeds = rng.integers(0, num_seeds, num_seeds)
            means[resample, model] = scores[model][np.ix_(seeds, images)].mean()
    return means


def test_has_the_distribution_of_naive_resampling():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(2, 3, 30)) + rng.normal(size=30) + rng.normal(size=(2, 3, 1))
    fast = crossed_bootstrap(scores, num_resamples=8000, rng=rng)
    slow = naive(scores, 8000, rng)
    assert np.mean(fast, axis=0) == pytest.approx(scores.mean(axis=(1, 2)), abs=0.03)
    assert np.cov(fast.T) == pytest.approx(np.cov(slow.T), rel=0.12, abs=0.012)
    for quantile in (0.025, 0.5, 0.975):
        assert np.quantile(fast, quantile, axis=0) == pytest.approx(
            np.quantile(slow, quantile, axis=0),
            abs=0.1,  # 3 Monte Carlo errors
        )


def test_models_share_images_but_not_seeds():
    rng = np.random.default_rng(0)
    images = rng.normal(size=50)
    only_images = np.broadcast_to(images, (2, 3, 50))
    means = crossed_bootstrap(only_images, num_resamples=200, rng=rng)
    assert means[:, 0] == pytest.approx(means[:, 1])
    only_seeds = np.broadcast_to(rng.normal(size=(1, 3, 1)), (2, 3, 50))
    means = crossed_bootstrap(only_seeds, num_resamples=2000, rng=rng)
    assert abs(np.corrcoef(means.T)[0, 1]) < 0.1


def test_one_seed_varies_images_only_with_the_textbook_error():
    scores = np.random.default_rng(0).normal(size=(1, 1, 400))
    means = crossed_bootstrap(scores, num_resamples=8000, rng=np.random.default_rng(1))
    assert means.std() == pytest.approx(scores.std() / 20, rel=0.05)


def test_models_may_have_different_numbers_of_seeds():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 40)), rng.normal(size=(1, 40))
    means = crossed_bootstrap([a, b], num_resamples=4000, rng=rng)
    assert means.mean(axis=0) == pytest.approx([a.mean(), b.mean()], abs=0.02)


def test_clusters_are_resampled_whole_and_means_are_over_images():
    rng = np.random.default_rng(0)
    clusters = np.array(["sand"] * 30 + ["grass"] * 10 + ["water"] * 20)
    values = {"sand": 1.0, "grass": 4.0, "water": -2.0}
    scores = np.array([values[cluster] for cluster in clusters])[None, None]
    means = crossed_bootstrap(scores, num_resamples=3000, rng=rng, clusters=clusters)[:, 0]
    # By hand: three clusters drawn of three give these ratios and no others.
    size = {"sand": 30, "grass": 10, "water": 20}
    possible = {
        round(sum(size[c] * values[c] for c in d) / sum(size[c] for c in d), 9)
        for d in np.array(np.meshgrid(*[list(size)] * 3)).T.reshape(-1, 3)
    }
    assert set(np.round(means, 9)) == possible


def test_covers_the_truth_as_often_as_it_says():
    rng, covered = np.random.default_rng(0), []
    truth = norm.cdf(0.3 / np.sqrt(1 + 1 + 0.05**2))
    for _ in range(150):
        image, seed = rng.normal(size=200), 0.05 * rng.normal(size=(1, 5, 1))
        scores = (rng.normal(size=(1, 5, 200)) < 0.3 + image + seed).astype(float)
        low, high = percentile_interval(crossed_bootstrap(scores, num_resamples=400, rng=rng))
        covered.append(low[0] <= truth <= high[0])
    assert np.mean(covered) > 0.9


def test_same_generator_same_means():
    scores = np.random.default_rng(0).random((2, 2, 20))
    a, b = (
        crossed_bootstrap(scores, num_resamples=50, rng=np.random.default_rng(5)) for _ in range(2)
    )
    assert np.array_equal(a, b)


@pytest.mark.parametrize("bad", [[], [np.zeros((2, 3)), np.zeros((2, 4))], [np.zeros(3)]])
def test_refuses_scores_that_are_not_paired(bad):
    with pytest.raises(ValueError, match="same images"):
        crossed_bootstrap(bad, num_resamples=5, rng=np.random.default_rng(0))


def test_percentile_interval():
    low, high = percentile_interval(np.arange(101.0), confidence=0.9)
    assert (low, high) == pytest.approx((5, 95))
