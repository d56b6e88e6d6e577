"""Differences of differences against the plain contrast, Welch's test and a simulation."""

import numpy as np
import pytest
from scipy import stats

from priorscope.stats import crossed_contrast, interaction


def test_on_the_same_images_it_is_the_contrast_of_four_groups():
    rng = np.random.default_rng(0)
    a, b, c, d = (rng.random((3, 50)) + np.linspace(0, 1, 50) for _ in range(4))
    found = interaction([a, -b], [c, -d], same_images=True)
    joint = crossed_contrast([a, -b, -c, d])
    assert found.difference == joint
    assert found.first.estimate == pytest.approx(a.mean() - b.mean())
    independent = interaction([a, -b], [c, -d], same_images=False)
    assert independent.difference.estimate == pytest.approx(joint.estimate)


def test_on_other_images_with_one_network_each_it_is_welchs_test():
    rng = np.random.default_rng(1)
    one, other = rng.normal(0.3, 1, (1, 40)), rng.normal(0, 3, (1, 25))
    found = interaction([one], [other], same_images=False).difference
    expected = stats.ttest_ind(one[0], other[0], equal_var=False)
    assert found.p_value == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    np.testing.assert_allclose([found.low, found.high], [interval.low, interval.high])


@pytest.mark.parametrize(
    ("effects", "crossing"),
    [
        ((0.5, -0.5), "crosses"),
        ((0.5, 0.2), "same sign"),
        ((-0.5, -0.2), "same sign"),
        ((0.5, 0.0), "unclear"),
    ],
)
def test_effects_cross_where_both_are_clear_and_have_other_signs(effects, crossing):
    groups = [
        [np.random.default_rng(0).normal(e, 0.1, (2, 400)) for _ in range(1)] for e in effects
    ]
    groups = [[g - g.mean() + e for g in of] for of, e in zip(groups, effects, strict=True)]
    assert interaction(*groups, same_images=False).crossing == crossing


def test_coverage_over_new_seeds_and_new_images():
    """Known variances: seeds 2 points, images 10; three seeds, 200 images, truth 0.1."""
    rng = np.random.default_rng(0)

    def effect(mean):
        images = rng.normal(0, 0.1, 200)
        seeds = [rng.normal(0, 0.02, (3, 1)) for _ in range(2)]
        noise = [rng.normal(0, 0.1, (3, 200)) for _ in range(2)]
        return [mean + images + seeds[0] + noise[0], -(seeds[1] + noise[1])]

    covered = 0
    for _ in range(400):
        found = interaction(effect(0.2), effect(0.1), same_images=False).difference
        covered += found.low <= 0.1 <= found.high
    assert covered / 400 == pytest.approx(0.95, abs=0.035)
