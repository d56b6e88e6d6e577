import numpy as np
import pytest

from priorscope.stats import holm, holm_steps


def test_step_down_by_hand():
    # Sorted 0.01, 0.02, 0.03 times 3, 2, 1, each at least the one before.
    assert holm(np.array([0.02, 0.01, 0.03])) == pytest.approx([0.04, 0.03, 0.04])


def test_never_above_1_and_empty_stays_empty():
    assert holm(np.array([0.6, 0.9])).tolist() == [1.0, 1.0]
    assert len(holm(np.array([]))) == 0


def test_rejects_what_the_step_down_procedure_rejects():
    p_values = np.array([0.011, 0.2, 0.004, 0.03, 0.013])
    rejected = set()
    for step, index in enumerate(np.argsort(p_values)):
        if p_values[index] > 0.05 / (len(p_values) - step):
            break
        rejected.add(int(index))
    assert set(np.flatnonzero(holm(p_values) <= 0.05)) == rejected == {0, 2, 4}


@pytest.mark.parametrize("bad", [float("nan"), -0.1, 1.2])
def test_what_is_no_p_value_is_refused(bad):
    """Sorted last, a NaN would count as the largest p-value and hide behind it."""
    with pytest.raises(ValueError, match="p-values"):
        holm(np.array([0.01, bad]))


def test_a_step_is_the_level_at_which_a_test_is_significant_in_its_family():
    rng = np.random.default_rng(0)
    for _ in range(200):
        p_values, alpha = rng.random(rng.integers(1, 8)) ** 3, 0.05
        steps = holm_steps(p_values)
        assert ((p_values < alpha / steps) == (holm(p_values) < alpha)).all()
        assert (steps >= 1).all() and (steps <= len(p_values)).all()
    assert holm_steps(np.array([0.0, 0.2, 0.0])).tolist() == [3, 1, 2]
