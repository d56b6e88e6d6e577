import numpy as np
import pytest

from priorscope.stats import holm


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
