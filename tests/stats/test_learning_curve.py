"""Data multipliers: closed forms, bounds, and coverage on simulated learning curves."""

import numpy as np
import pytest
from scipy.optimize import isotonic_regression

from priorscope.stats import Bounded, data_multiplier
from priorscope.stats.learning_curve import isotonic, size_reaching

SIZES = [500, 1000, 2000, 4000, 8000]


def test_isotonic_regression_is_scipys():
    curves = np.random.default_rng(0).normal(size=(50, 3, 6)).cumsum(axis=-1)
    ours = isotonic(curves)
    for index in np.ndindex(50, 3):
        np.testing.assert_allclose(ours[index], isotonic_regression(curves[index]).x, atol=1e-12)
    assert (np.diff(ours) >= 0).all()


@pytest.mark.parametrize(
    ("target", "size"),
    [
        (0.2, 100.0),
        (0.4, 1000.0),
        (0.3, np.sqrt(100 * 1000)),  # halfway up is halfway in the logarithm
        (0.6, 100_000.0),  # a level stretch: the smaller of the sizes that have it
        (0.7, np.sqrt(100_000 * 1e6)),
        (0.81, np.inf),
        (0.19, 0.0),
    ],
)
def test_where_a_score_is_reached(target, size):
    curve, sizes = np.array([0.2, 0.4, 0.6, 0.6, 0.8]), [100, 1000, 1e5, 1e5 + 1, 1e6]
    sizes[3] = 1e5 * (1 + 1e-12)
    assert size_reaching(curve, sizes, np.array(target)) == pytest.approx(size, rel=1e-9)


@pytest.mark.parametrize("factor", [0.25, 0.5, 1, 2, 4])
@pytest.mark.parametrize("at", range(5))
def test_a_curve_that_is_shifted_in_the_logarithm_needs_that_many_times_more(factor, at):
    """B(n) = A(n / factor): where both curves are measured, the answer is the factor itself."""
    a, b = ([0.1 * np.log(n / shift) for n in SIZES] for shift in (1, factor))
    found = data_multiplier(np.array(a), np.array(b), SIZES, at=at).estimate
    needed = SIZES[at] * factor
    if needed > SIZES[-1]:
        assert found == Bounded(SIZES[-1] / SIZES[at], "above")
    elif needed < SIZES[0]:
        assert found == Bounded(SIZES[0] / SIZES[at], "below")
    else:
        assert found.bound == "exact"
        assert found.value == pytest.approx(factor)


def test_multipliers_of_both_directions_are_reciprocal():
    a, b = np.array([0.3, 0.5, 0.6, 0.7, 0.75]), np.array([0.2, 0.4, 0.5, 0.6, 0.7])
    assert data_multiplier(a, b, SIZES, at=1).estimate.value == pytest.approx(2)
    assert data_multiplier(b, a, SIZES, at=2).estimate.value == pytest.approx(1 / 2)


def test_an_interval_may_end_in_a_bound():
    a = np.full((100, 5), 0.7)
    b = np.array([0.1, 0.2, 0.3, 0.4, 0.5]) + np.linspace(0, 0.6, 100)[:, None]
    found = data_multiplier(a[0], b.mean(axis=0), SIZES, at=2, resampled=(a, b))
    assert found.estimate.bound == "exact"
    assert found.high == Bounded(4.0, "above")
    assert found.low.value < found.estimate.value


def test_noise_makes_no_curve_fall():
    """A dip of B is averaged away: it neither reaches A's score twice nor never."""
    a, b = np.array([0.3, 0.4, 0.5]), np.array([0.3, 0.52, 0.48])
    assert data_multiplier(a, b, [1, 10, 100], at=2).estimate.value == pytest.approx(0.1)


def test_a_power_law_is_found_between_its_points():
    """Accuracy 1 - n^-0.3 and 3 times the data: within 2 %, at sizes a factor 2 apart."""
    a, b = (1 - (np.array(SIZES) / shift) ** -0.3 for shift in (1, 3))
    found = data_multiplier(a, b, SIZES, at=1).estimate.value
    assert found == pytest.approx(3, rel=0.02)


@pytest.mark.parametrize("num_seeds", [2, 3, 5])
def test_intervals_cover_the_multiplier(num_seeds):
    """Simulated: seeds with a standard deviation of 1 point, true multiplier 2; 95 % nominal."""
    rng = np.random.default_rng(num_seeds)
    true = [0.3 + 0.1 * np.log2(np.array(SIZES) / (500 * k)) for k in (1, 2)]
    covered, widths = 0, []
    for _ in range(300):
        seen = [curve + rng.normal(0, 0.01, (num_seeds, 5)) for curve in true]  # [seeds, sizes]
        drawn = [
            np.stack(
                [
                    seeds[rng.integers(0, num_seeds, (200, num_seeds))].mean(axis=1)
                    for seeds in of.T
                ],
                axis=-1,
            )
            for of in seen
        ]
        a, b = (curve.mean(axis=0) for curve in seen)
        resampled = (drawn[0], drawn[1])
        found = data_multiplier(a, b, SIZES, at=1, resampled=resampled, num_seeds=num_seeds)
        covered += found.low.value <= 2 <= found.high.value
        widths.append(found.high.value / found.low.value)
    assert covered / 300 >= 0.95
    assert np.mean(widths) < 16, "the next sizes on either side, now and then one more"


def test_the_interval_is_the_sizes_that_bracket_the_score():
    """Sizes that lie 8 times apart say of a score between two of them nothing more than that."""
    sizes = [100, 800, 6400]
    a, b = np.array([0.3, 0.5, 0.6]), np.array([0.2, 0.4, 0.55])
    found = data_multiplier(a, b, sizes, at=1)
    assert (found.low, found.high) == (Bounded(1.0), Bounded(8.0))
    assert 1 < found.estimate.value < 8
    reached = data_multiplier(a, np.array([0.3, 0.5, 0.6]), sizes, at=1)
    assert (reached.low, reached.high) == (Bounded(1 / 8), Bounded(1.0)), "from below 800 up to it"
    better = data_multiplier(b, np.array([0.4, 0.5, 0.6]), sizes, at=0)
    assert better.low == Bounded(1.0, "below") and better.high == Bounded(1.0)
    never = data_multiplier(a, b - 0.3, sizes, at=0)
    assert never.low == Bounded(64.0, "above") or never.high == Bounded(64.0, "above")


def test_few_seeds_move_resamples_away_from_the_estimate():
    """By hand: two seeds, 95 %: t(2) / z x sqrt(2) = 3.105; the tails are then that much wider."""
    sizes = [1, 2, 4, 8, 16, 32]
    a = np.full(6, 0.5)
    b = np.array([0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    shift = np.linspace(-0.035, 0.035, 201)[:, None]
    resampled = (np.repeat(a[None], 201, axis=0), b + shift)
    alone = data_multiplier(a, b, sizes, at=2, resampled=resampled, num_seeds=1)
    two = data_multiplier(a, b, sizes, at=2, resampled=resampled, num_seeds=2)
    # Shifts of up to 0.035 leave 0.5 between the second and the fourth size; three times as large
    # ones of either sign take it beyond both.
    assert (alone.low.value, alone.high.value) == (0.5, 2.0)
    assert (two.low.value, two.high.value) == (0.25, 4.0)


def test_the_ends_are_the_outer_of_the_two_neighbours_of_a_quantile():
    """Of 41 resamples, 95 %: rank 1 from either end, counted from 0."""
    sizes = [1, 2, 4, 8, 16]
    a, b = np.full(5, 0.5), np.array([0.1, 0.3, 0.45, 0.6, 0.7])
    shifts = np.zeros(41)
    shifts[:2], shifts[-1] = (-0.15, -0.3), 0.1
    resampled = (np.repeat(a[None], 41, axis=0), b + shifts[:, None])
    found = data_multiplier(a, b, sizes, at=0, resampled=resampled)
    # One resample of each kind is cut off: of the two that are low, the milder one stays.
    assert (found.low.value, found.high.value) == (4.0, 16.0)


@pytest.mark.parametrize(
    ("a", "b", "sizes"),
    [
        ([0.5], [0.5], [10]),
        ([0.5, 0.6], [0.5, 0.6], [10, 10]),
        ([0.5, 0.6], [0.5, 0.6], [0, 10]),
        ([0.5, 0.6, 0.7], [0.5, 0.6], [5, 10]),
        ([0.5, np.nan], [0.5, 0.6], [5, 10]),
    ],
)
def test_what_is_no_curve_is_refused(a, b, sizes):
    with pytest.raises(ValueError, match="sizes"):
        data_multiplier(np.array(a), np.array(b), sizes, at=0)
