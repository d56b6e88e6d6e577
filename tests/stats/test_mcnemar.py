import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from priorscope.stats import mcnemar


def test_matches_statsmodels():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.random((2, 50)) < [[0.6], [0.4]]
        table = [[np.sum(a & b), np.sum(a & ~b)], [np.sum(~a & b), np.sum(~a & ~b)]]
        found = mcnemar(a, b)
        assert found.p_value == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)
        assert found.difference == pytest.approx(a.mean() - b.mean())


def test_by_hand():
    a, b = np.ones(5), np.zeros(5)
    assert mcnemar(a, b).p_value == pytest.approx(2 / 2**5)
    assert mcnemar(a, a).p_value == 1


def test_refuses_what_is_not_0_or_1():
    with pytest.raises(ValueError, match="0 and 1"):
        mcnemar(np.array([0, 2]), np.array([0, 1]))
    with pytest.raises(ValueError, match="paired"):
        mcnemar(np.zeros(3), np.zeros(4))


def test_one_side_by_hand():
    """b alone is right on 1 of 5 images: P(X >= 4) = 6/32 for `a` above, P(X <= 4) = 31/32."""
    a, b = np.array([1, 1, 1, 1, 0]), np.array([0, 0, 0, 0, 1])
    assert mcnemar(a, b, alternative="greater").p_value == pytest.approx(6 / 32)
    assert mcnemar(a, b, alternative="less").p_value == pytest.approx(31 / 32)
