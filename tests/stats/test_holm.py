import numpy as np
import pytest

from priorscope.stats import holm


def test_step_down_by_hand():
    # Sorted 0.01, 0.02, 0.03 times 3, 2, 1, each at least the one before.
    assert holm(np.array([0.02, 0.01, 0.03])) == pytest.approx([0.04, 0.03, 0.04])


def test_never_above_1_and_empty_stays_empty():
    assert holm(np.array([0.6, 0.9])).tolist() == [1.0, 1.0]
    assert len(holm(np.array([]))) == 0


def test_keeps_the_family_wise_error_rate():
    p_values = np.random.default_rng(0).random((1000, 5))
    wrong = np.mean([holm(family).min() < 0.05 for family in p_values])
    assert 0.03 < wrong < 0.07
