import numpy as np
import pytest
from scipy.stats import ttest_rel
from statsmodels.stats.weightstats import ttost_paired

from priorscope.stats import crossed_contrast, equivalence


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    a = rng.normal(size=80)
    return a, a + rng.normal(0.05, 0.6, size=80)


@pytest.mark.parametrize("margin", [0.05, 0.15, 0.4])
def test_matches_statsmodels(scores, margin):
    a, b = scores
    found = equivalence(crossed_contrast([a[None], -b[None]]), margin)
    p_value, lower, upper = ttost_paired(a, b, -margin, margin)
    assert found.p_value == pytest.approx(p_value)
    assert (found.p_lower, found.p_upper) == pytest.approx((lower[1], upper[1]))


def test_one_sided_matches_scipy(scores):
    a, b = scores
    contrast = crossed_contrast([a[None], -b[None]])
    for direction in ("less", "greater"):
        expected = ttest_rel(a - 0.02, b, alternative=direction).pvalue
        assert contrast.tail(direction, 0.02) == pytest.approx(expected)


def test_the_interval_lies_within_the_margin_exactly_where_equivalence_is_shown(scores):
    a, b = scores
    contrast = crossed_contrast([np.stack([a, a + 0.05]), -np.stack([b, b - 0.05])])
    seen = set()
    for margin in np.linspace(0.02, 1.5, 40):
        for alpha in (0.01, 0.05, 0.2):
            found = equivalence(contrast, margin, null=0.1, alpha=alpha)
            within = 0.1 - margin < found.low and found.high < 0.1 + margin
            assert within == (found.p_value < alpha)
            seen.add(within)
    assert seen == {True, False}


def test_scores_that_never_vary():
    contrast = crossed_contrast([np.full((2, 5), 0.3)])
    assert equivalence(contrast, 0.4).p_value == 0
    assert equivalence(contrast, 0.2).p_value == 1
    assert contrast.tail("greater", 0.3) == 1


def test_refuses_what_is_out_of_range(scores):
    contrast = crossed_contrast([scores[0][None]])
    for margin in (0, -0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="margin"):
            equivalence(contrast, margin)
    with pytest.raises(ValueError, match="alpha"):
        equivalence(contrast, 1, alpha=0.5)
