"""Where an effect passes zero: by hand, and how often a crossing is shown and held."""

import numpy as np
import pytest

from priorscope.stats import zero_crossing


def around(effect, half):
    effect = np.asarray(effect, dtype=float)
    return effect, effect - half, effect + half


def test_by_hand():
    found = zero_crossing([1, 2, 4], *around([3, 1, -1], 0.5))
    # A line from 1 at level 2 to -1 at level 4 is zero at 3; both of these levels are clear.
    assert (found.estimate, found.low, found.high) == (pytest.approx(3), 2, 4)
    turned = zero_crossing([1, 2, 4], *around([-3, -1, 1], 0.5))
    assert (turned.estimate, turned.low, turned.high) == (pytest.approx(3), 2, 4)


def test_levels_that_are_not_clear_widen_the_bracket():
    found = zero_crossing([1, 2, 3, 4, 5], *around([3, 1, 0.2, -1, -3], 2))
    assert (found.low, found.high) == (1, 5)
    back = zero_crossing([1, 2, 3, 4, 5], *around([3, -3, 3, -3, -3], 1))
    assert (back.low, back.high) == (1, 4), "clear levels between that contradict each other"


@pytest.mark.parametrize(
    ("effect", "half"),
    [([3, 2, 1], 0.1), ([1, -1, 1], 0.1), ([0, 0, 0], 0.1), ([1, 0, -1], 2), ([3, 0, -1], 2)],
)
def test_without_clear_and_opposite_ends_there_is_no_crossing(effect, half):
    assert zero_crossing([1, 2, 3], *around(effect, half)) is None


def test_no_effect_shows_no_crossing():
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=(5000, 3))
    shown = [zero_crossing([1, 2, 3], *around(effect, 1.96)) is not None for effect in drawn]
    assert np.mean(shown) < 0.01  # 2 x 2.5 % x 2.5 %


@pytest.mark.parametrize("kind", ["line", "step", "tanh"])
def test_the_bracket_holds_the_crossing_whatever_lies_between_levels(kind):
    rng, levels = np.random.default_rng(1), np.array([1.0, 2, 3, 4, 5, 6, 7])
    crossing = 3.7
    true = {
        "line": 1.6 * (crossing - levels),
        "step": np.where(levels < crossing, 5.0, -5.0),
        "tanh": 6 * np.tanh(crossing - levels),
    }[kind]
    held = []
    for _ in range(2000):
        found = zero_crossing(levels, *around(rng.normal(true, 1), 1.96))
        if found is not None:
            held.append(found.low <= crossing <= found.high)
    assert len(held) > 1500
    assert np.mean(held) >= 0.95


@pytest.mark.parametrize("levels", [[1], [1, 1], [2, 1], [1, 2, 3]])
def test_levels_must_rise_and_fit(levels):
    with pytest.raises(ValueError, match="level"):
        zero_crossing(levels, *around([1, -1][: len(levels)], 0.1))
