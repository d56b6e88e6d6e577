"""What is left of a score above chance: exact where it must be, and covering where it is drawn."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import t as student

from priorscope.stats import crossed_contrast, retained_share

CHANCE = 0.1


def drawn(rng, seeds, images, *, drop=1.0, spread=0.3):
    """Draw right and wrong answers before and after something is taken away."""
    seed, image = rng.normal(0, spread, (seeds, 1)), rng.normal(0, 1.5, (1, images))
    own = rng.normal(0, spread / 2, (seeds, 1))
    shares = [CHANCE + 0.9 * expit(0.5 + seed + image)]
    shares.append(CHANCE + 0.9 * expit(0.5 - drop + seed + own + image))
    return [(rng.random((seeds, images)) < share).astype(float) for share in shares]


def test_the_same_answers_are_all_that_was_there():
    control, _ = drawn(np.random.default_rng(0), 3, 200)
    found = retained_share(control, control, chance=CHANCE)
    assert (found.estimate, found.low, found.high) == pytest.approx((1, 1, 1), abs=1e-12)


def test_ends_are_where_the_interval_of_the_rest_touches_zero():
    control, altered = drawn(np.random.default_rng(1), 4, 300)
    found = retained_share(altered, control, chance=CHANCE, confidence=0.9)
    assert found.low < found.estimate < found.high
    for share, end in (found.low, "low"), (found.high, "high"):
        rest = altered - CHANCE - share * (control - CHANCE)
        contrast = crossed_contrast([rest], confidence=0.9)
        assert getattr(contrast, end) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_one_network_has_the_interval_that_fieller_wrote_down(confidence):
    control, altered = (each - CHANCE for each in drawn(np.random.default_rng(6), 1, 400))
    found = retained_share(altered + CHANCE, control + CHANCE, chance=CHANCE, confidence=confidence)
    covariance = np.cov(altered[0], control[0]) / 400
    quantile = student.ppf((1 + confidence) / 2, 399) ** 2
    # (a - r c)^2 = t^2 var(a - r c), a quadratic equation for r.
    ends = np.roots(
        [
            control.mean() ** 2 - quantile * covariance[1, 1],
            -2 * (altered.mean() * control.mean() - quantile * covariance[0, 1]),
            altered.mean() ** 2 - quantile * covariance[0, 0],
        ]
    )
    assert (found.low, found.high) == pytest.approx(tuple(sorted(ends)), abs=2e-4)


def test_nothing_is_left_of_nothing():
    rng = np.random.default_rng(2)
    control, altered = ((rng.random((3, 200)) < CHANCE).astype(float) for _ in range(2))
    assert retained_share(altered, control, chance=CHANCE) is None


def test_an_end_that_the_data_do_not_bound_is_none():
    rng = np.random.default_rng(3)
    found = [
        retained_share(*drawn(rng, 2, 60, spread=0.6)[::-1], chance=CHANCE, confidence=0.95)
        for _ in range(40)
    ]
    open_ended = [each for each in found if each and np.isnan([each.low, each.high]).any()]
    assert open_ended and all(np.isfinite(each.estimate) for each in open_ended)


def test_it_holds_the_truth_over_other_seeds_and_images():
    many, altered = drawn(np.random.default_rng(4), 1500, 3000)
    truth = (altered.mean() - CHANCE) / (many.mean() - CHANCE)
    rng, held, num_studies = np.random.default_rng(5), 0, 200
    for _ in range(num_studies):
        control, altered = drawn(rng, 3, 300)
        found = retained_share(altered, control, chance=CHANCE)
        held += found is None or not (found.low > truth or found.high < truth)
    assert held / num_studies > 0.91  # 0.95 less 2.6 standard errors of the simulation
