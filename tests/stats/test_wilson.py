import numpy as np
import pytest

from priorscope.stats import wilson


def test_matches_the_closed_form():
    z, n, p = 1.959963984540054, 200, 0.15
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    found = wilson(30, 200)
    assert (found.estimate, found.n) == (0.15, 200)
    assert found.low == pytest.approx(centre - half)
    assert found.high == pytest.approx(centre + half)


def test_stays_inside_0_and_1_at_the_ends():
    assert wilson(0, 10).low == 0 and 0 < wilson(0, 10).high < 0.4
    assert wilson(10, 10).high == pytest.approx(1) and wilson(10, 10).low > 0.6


def test_covers_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(0).binomial(100, 0.2, size=2000)
    intervals = {k: wilson(int(k), 100) for k in np.unique(draws)}
    covered = np.mean([intervals[k].low <= 0.2 <= intervals[k].high for k in draws])
    assert 0.93 < covered < 0.97


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (5, 4), (-1, 4)])
def test_refuses_impossible_counts(successes, n):
    with pytest.raises(ValueError):
        wilson(successes, n)
