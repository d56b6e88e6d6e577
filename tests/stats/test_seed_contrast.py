"""One value of each network: SciPy's t intervals."""

import numpy as np
import pytest
from scipy.stats import t, ttest_1samp, ttest_ind

from priorscope.stats import seed_contrast

ONE, OTHER = np.array([1.0, 2.0, 4.0, 3.0]), np.array([0.5, 0.9, 0.2])


def test_one_group_is_a_t_test():
    found, expected = seed_contrast([ONE], null=1.0), ttest_1samp(ONE, 1.0)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p_value == pytest.approx(expected.pvalue)


def test_two_unequal_groups_are_a_welch_test_with_a_cautious_number_of_degrees_of_freedom():
    found, expected = seed_contrast([ONE, -OTHER]), ttest_ind(ONE, OTHER, equal_var=False)
    assert found.estimate == pytest.approx(ONE.mean() - OTHER.mean())
    assert found.standard_error == pytest.approx(found.estimate / expected.statistic)
    assert 2 <= found.df <= len(ONE) + len(OTHER) - 2


def test_intervals_hold_the_truth_over_new_seeds():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(1000):
        found = seed_contrast([rng.normal(1, 1, 3), -rng.normal(0, 2, 3)])
        held += found.low <= 1 <= found.high
    assert 0.93 <= held / 1000 <= 0.985


def test_a_single_seed_stands_for_itself():
    found = seed_contrast([ONE, -OTHER[:1]])
    assert found.high - found.low == pytest.approx(
        2 * t.ppf(0.975, 3) * ONE.std(ddof=1) / len(ONE) ** 0.5
    )
    assert "that trained network only" in found.method
    assert seed_contrast([ONE[:1], -OTHER[:1]]).standard_error == 0


def test_what_is_no_value_is_refused():
    for groups in ([], [np.array([])], [np.ones((2, 2))], [np.array([np.nan, 1.0])]):
        with pytest.raises(ValueError):
            seed_contrast(groups)
    with pytest.raises(ValueError):
        seed_contrast([ONE], confidence=1.0)
