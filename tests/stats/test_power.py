from dataclasses import replace
from math import inf, nan, sqrt

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.power import TTestPower

from priorscope.stats import (
    VarianceComponents,
    crossed_contrast,
    detection_power,
    equivalence,
    equivalence_power,
    images_needed,
    minimum_detectable_effect,
    minimum_equivalence_margin,
    seeds_needed,
)

IMAGES_ONLY = VarianceComponents(seed=(nan,), image=0.25, residual=(nan,))
TWO = VarianceComponents(seed=(1e-4, 4e-4), image=0.1, residual=(0.1, 0.05))


@pytest.mark.parametrize("n", [8, 40, 3000])
def test_images_alone_match_statsmodels(n):
    effect = minimum_detectable_effect(IMAGES_ONLY, (1,), n)
    expected = TTestPower().solve_power(nobs=n, alpha=0.05, power=0.8)
    assert effect == pytest.approx(0.5 * expected, rel=1e-3)
    one_sided = minimum_detectable_effect(IMAGES_ONLY, (1,), n, alpha=0.01, power=0.9, sides=1)
    expected = TTestPower().solve_power(nobs=n, alpha=0.01, power=0.9, alternative="larger")
    assert one_sided == pytest.approx(0.5 * expected, rel=1e-3)
    assert detection_power(0.2, IMAGES_ONLY, (1,), n) == pytest.approx(
        TTestPower().power(0.4, n, 0.05), abs=1e-3
    )


def test_the_images_that_a_margin_needs_are_the_normal_ones():
    expected = (0.5 * (norm.ppf(0.95) + norm.ppf(0.9)) / 0.005) ** 2
    assert images_needed(IMAGES_ONLY, (1,), margin=0.005) == pytest.approx(expected, rel=1e-3)


def test_the_margin_of_many_images_is_the_normal_one():
    se = 0.5 / sqrt(1e6)
    expected = se * (norm.ppf(0.95) + norm.ppf(0.9))  # both sides fail in a tenth of all cases
    assert minimum_equivalence_margin(IMAGES_ONLY, (1,), 10**6) == pytest.approx(expected, rel=1e-3)
    shifted = equivalence_power(4 * se, IMAGES_ONLY, (1,), 10**6, difference=2 * se)
    assert shifted == pytest.approx(norm.cdf(2 - norm.ppf(0.95)), abs=2e-3)


@pytest.mark.parametrize("num_seeds", [(2, 2), (3, 5)])
def test_a_planned_study_finds_as_often_as_planned(num_seeds):
    rng, n, found, shown = np.random.default_rng(0), 300, [], []
    effect = minimum_detectable_effect(TWO, num_seeds, n)
    margin = minimum_equivalence_margin(TWO, num_seeds, n)
    for _ in range(400):
        groups = [
            sqrt(seed) * rng.normal(size=(size, 1)) + sqrt(residual) * rng.normal(size=(size, n))
            for seed, residual, size in zip(TWO.seed, TWO.residual, num_seeds, strict=True)
        ]
        groups[0] += sqrt(TWO.image) * rng.normal(size=n)
        contrast = crossed_contrast([groups[0], -groups[1]])
        found.append(replace(contrast, estimate=contrast.estimate + effect))
        shown.append(equivalence(contrast, margin).p_value <= 0.05)
    detected = [crossed.estimate > (crossed.high - crossed.low) / 2 for crossed in found]
    assert np.mean(detected) == pytest.approx(0.8, abs=0.06)  # 3 Monte Carlo errors
    assert np.mean(shown) == pytest.approx(0.8, abs=0.06)


def test_a_pilot_plans_its_own_repetition():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(40), 10)
    scores = rng.normal(size=(5, 400)) + rng.normal(size=(5, 1)) + rng.normal(size=40)[clusters]
    pilot = crossed_contrast([scores], clusters=clusters)
    again = minimum_detectable_effect(pilot.components, (5,), 400)
    more = minimum_detectable_effect(pilot.components, (5,), 800)
    # Between z and t of 4 degrees of freedom, both at 5 % and 80 %.
    assert 2.8 < again / pilot.standard_error < 5
    assert more < again


def test_needed_numbers_are_the_first_that_suffice():
    seeds = seeds_needed(TWO, 2000, margin=0.03)
    assert seeds is not None and seeds > 2
    assert equivalence_power(0.03, TWO, (seeds, seeds), 2000) >= 0.8
    assert equivalence_power(0.03, TWO, (seeds - 1, seeds - 1), 2000) < 0.8
    images = images_needed(TWO, (10, 10), margin=0.04)
    assert images is not None and images > 2
    assert equivalence_power(0.04, TWO, (10, 10), images) >= 0.8
    assert equivalence_power(0.04, TWO, (10, 10), images - 1) < 0.8
    clustered = images_needed(replace(TWO, images_per_unit=25.0), (10, 10), margin=0.04)
    assert clustered == 25 * images


def test_none_where_the_other_variance_is_too_large():
    # With no end of images 3 + 3 seeds leave an error of sqrt((1 + 4) * 1e-4 / 3) = 0.013.
    assert images_needed(TWO, (3, 3), margin=0.02) is None
    # With no end of seeds 2,000 images leave sqrt(0.1 / 2000) = 0.00707; 2.926 of it are 0.0207.
    assert seeds_needed(TWO, 2000, margin=0.0206) is None
    assert seeds_needed(TWO, 2000, margin=0.0208) is not None


def test_nothing_varies():
    none = VarianceComponents(seed=(0.0,), image=0.0, residual=(0.0,))
    assert minimum_detectable_effect(none, (3,), 10) == 0
    assert equivalence_power(0.1, none, (3,), 10) == 1
    assert seeds_needed(none, 10, margin=0.1) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: minimum_detectable_effect(IMAGES_ONLY, (2,), 10), "state it"),
        (lambda: minimum_detectable_effect(TWO, (2,), 10), "2 numbers of seeds"),
        (lambda: minimum_detectable_effect(TWO, (2, 0), 10), "at least 1"),
        (lambda: minimum_detectable_effect(TWO, (2, 2), 1), "two images"),
        (lambda: minimum_detectable_effect(TWO, (2, 2), 10, power=0.01), "alpha < power"),
        (lambda: equivalence_power(0, TWO, (2, 2), 10), "margin"),
        (lambda: seeds_needed(TWO, 10, margin=0), "above 0"),
        (lambda: images_needed(TWO, (2, 2), margin=-inf), "above 0"),
    ],
)
def test_refuses_what_is_out_of_range(call, message):
    with pytest.raises(ValueError, match=message):
        call()
