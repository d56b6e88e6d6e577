import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, ttest_1samp, ttest_ind, ttest_rel
from scipy.stats import t as student

from priorscope.stats import crossed_contrast


def crossed(rng, num_seeds, num_images, *, seed=1.0, image=1.0, residual=1.0):
    """Draw scores whose means vary with seeds and images."""
    return (
        seed * rng.normal(size=(num_seeds, 1))
        + image * rng.normal(size=num_images)
        + residual * rng.normal(size=(num_seeds, num_images))
    )


def test_by_hand():
    # Seeds' means 2 and 4, images' means 2, 3, 4; what is left is -1, 0, 1 and 1, 0, -1.
    found = crossed_contrast([np.array([[0.0, 2, 4], [4, 4, 4]])])
    seeds, images, residual = 2.0, 1.0, 4 / ((2 - 1) * (3 - 1))
    assert found.estimate == 3
    assert found.components.residual == pytest.approx((residual,))
    assert found.components.seed == pytest.approx((seeds - residual / 3,))
    assert found.components.image == pytest.approx(max(images - residual / 2, 0))
    assert found.standard_error == pytest.approx(np.sqrt(seeds / 2))
    # What the seeds add at its upper limit with 1 df; the images' 1/3 (a residual of 1/3) with 2.
    limit = seeds / 2 / chi2.ppf(0.3, 1)
    parts = (1 / 3 + limit - residual / 2 / 3) ** 2 / (limit**2 + (1 / 3) ** 2 / 2)
    assert found.df == pytest.approx(max(parts, 1)), "not fewer than two seeds alone have"
    assert found.components.seed_most == pytest.approx((seeds / chi2.ppf(0.15, 1) - residual / 3,))
    images_limit = images / 3 * 2 / chi2.ppf(0.15, 2)
    assert found.components.image_most == pytest.approx(3 * images_limit - residual / 2)
    half = student.ppf(0.975, found.df) * np.sqrt(seeds / 2)
    assert (found.low, found.high) == pytest.approx((3 - half, 3 + half))
    assert (found.num_seeds, found.n) == ((2,), 3)


@pytest.mark.parametrize(
    ("sizes", "level", "pooled"),
    [
        ((3,), 0.7, 0),
        ((2, 2), 0.65, 0.4),
        ((3, 3), 0.55, 0.2),
        ((5, 5), 0.55, 0.1),
        ((2, 5), 0.6, 0),
    ],
)
@pytest.mark.parametrize("spread", [0.05, 0.3])
def test_degrees_of_freedom_are_those_of_the_parts_at_their_limits(sizes, level, pooled, spread):
    rng, units = np.random.default_rng(len(sizes) + sizes[-1]), 60
    groups = [crossed(rng, size, units, seed=spread, image=0.5) for size in sizes]
    image = np.var(sum(group.mean(axis=0) for group in groups), ddof=1) / units
    means = np.array([group.mean(axis=1).var(ddof=1) / len(group) for group in groups])
    left = [
        group - group.mean(axis=1, keepdims=True) - group.mean(axis=0) + group.mean()
        for group in groups
    ]
    residuals = sum(
        (each**2).sum() / (size - 1) / (units - 1) / size / units
        for each, size in zip(left, sizes, strict=True)
    )
    dfs = np.array(sizes) - 1.0
    limits = means * dfs / chi2.ppf(1 - level, dfs)
    seeds_df = limits.sum() ** 2 / (limits**2 / dfs).sum()
    seeds_df += pooled * (dfs.sum() - seeds_df)
    limit = means.sum() * seeds_df / chi2.ppf(1 - level, seeds_df)
    added = max(limit - residuals, 0)
    expected = (image + added) ** 2 / (image**2 / (units - 1) + (added > 0) * limit**2 / seeds_df)
    expected = min(max(expected, seeds_df), units - 1)
    assert crossed_contrast(groups).df == pytest.approx(expected)


def test_one_seed_is_the_paired_t_test_over_images():
    a, b = np.random.default_rng(0).normal(size=(2, 40))
    found = crossed_contrast([a[None], -b[None]], confidence=0.9)
    expected = ttest_rel(a, b)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.9)))
    assert found.df == pytest.approx(39)
    assert "these trained networks only" in found.method
    against = crossed_contrast([a[None]], null=0.3)
    assert against.p_value == pytest.approx(ttest_1samp(a, 0.3).pvalue)


def test_where_only_seeds_vary_it_is_the_t_test_over_seeds():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(4, 1)), 3 * rng.normal(size=(3, 1))
    found = crossed_contrast([np.tile(a, 30), -np.tile(b, 30)])
    statistic = ttest_ind(a[:, 0], b[:, 0], equal_var=False).statistic
    assert found.estimate / found.standard_error == pytest.approx(statistic)
    alone = crossed_contrast([np.tile(a, 30)], null=0.5)
    assert alone.p_value == pytest.approx(ttest_1samp(a[:, 0], 0.5).pvalue)


def test_equally_many_seeds_lie_between_welch_and_a_pooled_variance():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(4, 1)), 3 * rng.normal(size=(4, 1))
    found = crossed_contrast([np.tile(a, 30), -np.tile(b, 30)])
    welch, pooled = (ttest_ind(a[:, 0], b[:, 0], equal_var=equal) for equal in (False, True))
    assert found.df == pytest.approx(welch.df + 0.4 / 3 * (pooled.df - welch.df))
    assert found.p_value == pytest.approx(2 * student.sf(abs(welch.statistic), found.df))
    assert pooled.pvalue < found.p_value < welch.pvalue


def test_components_are_those_of_a_mixed_model():
    rng = np.random.default_rng(3)
    scores = crossed(rng, 6, 15, seed=1.0, image=1.5, residual=0.8)
    table = pd.DataFrame(
        {
            "score": scores.ravel(),
            "seed": np.repeat(np.arange(6), 15),
            "image": np.tile(np.arange(15), 6),
            "all": 1,
        }
    )
    parts = {"seed": "0 + C(seed)", "image": "0 + C(image)"}
    fit = sm.MixedLM.from_formula("score ~ 1", table, groups="all", vc_formula=parts).fit(reml=True)
    by_name = dict(zip(fit.model.exog_vc.names, fit.vcomp, strict=True))
    found = crossed_contrast([scores])
    assert found.components.seed[0] == pytest.approx(by_name["seed"], rel=2e-3)
    assert found.components.image == pytest.approx(by_name["image"], rel=2e-3)
    assert found.components.residual[0] == pytest.approx(fit.scale, rel=2e-3)
    assert found.standard_error == pytest.approx(float(fit.bse["Intercept"]), rel=2e-3)


def test_the_variance_is_unbiased_and_the_residual_counts_once():
    """Where seeds vary so much that their part is seldom cut at zero."""
    rng, estimates, variances = np.random.default_rng(0), [], []
    for _ in range(1500):
        image = rng.normal(size=30)
        a = image + crossed(rng, 4, 30, seed=1.5, image=0.7, residual=2)
        b = image + crossed(rng, 6, 30, seed=1.2, image=0.7, residual=1)
        found = crossed_contrast([a, -b])
        estimates.append(found.estimate)
        variances.append(found.standard_error**2)
    by_parts = 1.5**2 / 4 + 1.2**2 / 6 + (2 * 0.7**2 + 2**2 / 4 + 1 / 6) / 30
    assert np.mean(variances) == pytest.approx(by_parts, rel=0.05)
    assert np.var(estimates) == pytest.approx(by_parts, rel=0.1)


@given(
    seed=st.integers(0, 2**32 - 1),
    num_seeds=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    spread=st.sampled_from([0.0, 0.1, 1.0]),
    num_clusters=st.sampled_from([0, 5]),
    whole=st.booleans(),
)
def test_an_interval_over_seeds_is_never_shorter_than_that_of_the_same_networks_held_fixed(
    seed, num_seeds, spread, num_clusters, whole
):
    rng = np.random.default_rng(seed)
    groups = [crossed(rng, number, 25, seed=spread) for number in num_seeds]
    groups = [(group > 0).astype(float) for group in groups] if whole else groups
    clusters = rng.permutation(np.arange(25) % num_clusters) if num_clusters else None
    over_seeds = crossed_contrast(groups, clusters=clusters)
    fixed = crossed_contrast([group.mean(axis=0)[None] for group in groups], clusters=clusters)
    assert over_seeds.standard_error >= fixed.standard_error * (1 - 1e-12)
    for confidence in (0.5, 0.9, 0.95, 0.99):
        low, high = over_seeds.interval(confidence)
        fixed_low, fixed_high = fixed.interval(confidence)
        assert low <= fixed_low + 1e-12 and high >= fixed_high - 1e-12
    several = [number for number in num_seeds if number > 1]
    units = num_clusters or 25
    assert over_seeds.df >= min([*several, units]) - 1 - 1e-9, "an interval that says something"
    assert over_seeds.df <= units - 1 or over_seeds.standard_error == 0


def test_one_seed_beside_several_stands_for_that_network():
    rng = np.random.default_rng(0)
    a, b = crossed(rng, 1, 200, seed=5), crossed(rng, 4, 200, seed=0)
    found = crossed_contrast([a, -b])
    assert "trained network only" in found.method
    assert np.isnan(found.components.seed[0]) and np.isfinite(found.components.seed[1])
    images_only = crossed_contrast([a - b.mean(axis=0)]).standard_error
    assert found.standard_error == pytest.approx(images_only, rel=0.2)


def test_equal_clusters_are_like_one_image_each():
    rng = np.random.default_rng(0)
    a, b = crossed(rng, 3, 60), crossed(rng, 3, 60)
    clusters = rng.permutation(np.repeat(np.arange(12), 5))
    by_cluster = [
        np.stack([group[:, clusters == c].mean(axis=1) for c in range(12)], axis=1)
        for group in (a, -b)
    ]
    found, expected = crossed_contrast([a, -b], clusters=clusters), crossed_contrast(by_cluster)
    assert found.standard_error == pytest.approx(expected.standard_error)
    assert found.df == pytest.approx(expected.df)
    assert found.p_value == pytest.approx(expected.p_value)
    assert (found.n, found.components.images_per_unit) == (60, 5)
    assert "12 clusters" in found.method


def test_unequal_clusters_give_the_cluster_robust_error_of_statsmodels():
    rng = np.random.default_rng(2)
    clusters = rng.choice(list("abcdefgh"), size=90, p=[0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05])
    _, codes = np.unique(clusters, return_inverse=True)
    scores = rng.normal(size=90) + rng.normal(size=8)[codes]
    found = crossed_contrast([scores[None]], clusters=clusters)
    fit = sm.OLS(scores, np.ones(90)).fit(cov_type="cluster", cov_kwds={"groups": codes})
    assert found.estimate == pytest.approx(fit.params[0])
    assert found.standard_error == pytest.approx(fit.bse[0])
    squares = np.bincount(codes) ** 2.0
    assert found.df == pytest.approx(squares.sum() ** 2 / (squares**2).sum() - 1)
    assert found.df < 7


def test_p_value_and_interval_agree_and_a_shift_changes_nothing():
    rng = np.random.default_rng(0)
    groups = [crossed(rng, 3, 50), -crossed(rng, 2, 50)]
    found = crossed_contrast(groups)
    at_the_end = crossed_contrast(groups, null=found.high)
    assert at_the_end.p_value == pytest.approx(0.05)
    shifted = crossed_contrast([groups[0] + 7, groups[1]], null=7)
    assert shifted.p_value == pytest.approx(found.p_value)
    assert shifted.low == pytest.approx(found.low + 7)


def test_scores_that_never_vary():
    same = crossed_contrast([np.ones((3, 10)), -np.ones((3, 10))])
    assert (same.low, same.high, same.p_value) == (0, 0, 1)
    assert crossed_contrast([np.ones((3, 10))]).p_value == 0


def test_seeds_that_tie_leave_an_interval():
    # Both seeds are right twice, never on the same image: the residual, 0.5, is all that varies
    # and more than the images' 0.05 shows. What the images show is left.
    found = crossed_contrast([np.array([[1.0, 1, 0, 0, 0], [0, 0, 1, 1, 0]])])
    assert found.components.residual[0] == pytest.approx(0.5)
    assert found.standard_error == pytest.approx(np.sqrt(0.05 / 5))


@pytest.mark.parametrize(
    ("groups", "keywords", "message"),
    [
        ([], {}, "same 2 images"),
        ([np.zeros((2, 3)), np.zeros((2, 4))], {}, "same 2 images"),
        ([np.zeros(3)], {}, "same 2 images"),
        ([np.zeros((2, 1))], {}, "same 2 images"),
        ([np.array([[1.0, np.nan]])], {}, "finite"),
        ([np.zeros((2, 3))], {"confidence": 95}, "between 0 and 1"),
        ([np.zeros((2, 3))], {"clusters": np.zeros(2)}, "one cluster for each"),
        ([np.zeros((2, 3))], {"clusters": np.zeros(3)}, "two or more"),
    ],
)
def test_refuses_what_it_cannot_use(groups, keywords, message):
    with pytest.raises(ValueError, match=message):
        crossed_contrast(groups, **keywords)
