"""Where an effect passes zero: by hand, and how often the interval holds the truth."""

import numpy as np
import pytest

from priorscope.stats import zero_crossing


def around(effect, half):
    effect = np.asarray(effect, dtype=float)
    return effect, effect - half, effect + half


def test_by_hand():
    found = zero_crossing([1, 2, 4], *around([3, 1, -1], 0.5))
    # A line from 1 at level 2 to -1 at level 4 is zero at 3, and 0.5 at 2.5, -0.5 at 3.5.
    assert (found.estimate, found.low, found.high) == pytest.approx((3, 2.5, 3.5))
    assert (found.low_bound, found.high_bound) == ("exact", "exact")
    turned = zero_crossing([1, 2, 4], *around([-3, -1, 1], 0.5))
    assert (turned.estimate, turned.low, turned.high) == pytest.approx((3, 2.5, 3.5))


def test_an_end_beyond_the_levels_is_a_bound():
    found = zero_crossing([1, 2, 3], *around([1, -1, -3], 2))
    assert (found.estimate, found.low, found.low_bound) == (1.5, 1, "below")
    assert (found.high, found.high_bound) == (pytest.approx(2.5), "exact")


def test_an_effect_that_is_zero_at_a_level_crosses_there():
    found = zero_crossing([1, 2, 3], *around([1, 0, -1], 0.5))
    assert (found.estimate, found.low, found.high) == pytest.approx((2, 1.5, 2.5))


@pytest.mark.parametrize("effect", [[3, 2, 1], [1, -1, 1], [0, 0, 0], [0, 1, 2]])
def test_without_one_change_of_sign_there_is_no_crossing(effect):
    assert zero_crossing([1, 2, 3], *around(effect, 0.1)) is None


def test_the_interval_holds_the_truth_as_often_as_the_effects_intervals():
    rng, levels = np.random.default_rng(0), np.array([1.0, 2, 4, 7])
    true, crossing = np.array([4.0, 2, -1, -4]), 2 + 2 * 2 / 3
    held = []
    for _ in range(4000):
        effect = rng.normal(true, 1)
        found = zero_crossing(levels, *around(effect, 1.96))
        if found is None:
            continue
        at_least = found.low_bound == "below" or found.low <= crossing
        held.append(at_least and (found.high_bound == "above" or crossing <= found.high))
    assert len(held) > 3500
    assert 0.95 <= np.mean(held) <= 0.995


@pytest.mark.parametrize("levels", [[1], [1, 1], [2, 1], [1, 2, 3]])
def test_levels_must_rise_and_fit(levels):
    with pytest.raises(ValueError, match="level"):
        zero_crossing(levels, *around([1, -1][: len(levels)], 0.1))
