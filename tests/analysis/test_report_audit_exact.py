"""Exact tests of the audit against listings of all outcomes."""

import importlib.util
import itertools

import numpy as np
import pytest
from audit import AUDIT
from scipy import stats


@pytest.fixture(scope="module")
def exact():
    spec = importlib.util.spec_from_file_location("report_audit_exact", AUDIT / "exact.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("answered", [[0, 0, 0, 0], [0, 1, 2, 3], [1, 1, 3, 0], [2, 2, 1, 1]])
def test_shuffled_hits_by_listing_all_permutations(exact, answered):
    hits = [sum(a == c for a, c in zip(answered, classes, strict=True))
            for classes in itertools.permutations(range(4))]  # fmt: skip
    one = np.bincount(hits, minlength=5) / 24
    np.testing.assert_allclose(exact.shuffled_hits_pmf(np.array([answered])), one, atol=1e-12)
    both = exact.shuffled_hits_pmf(np.array([answered, [0, 1, 1, 2]]))
    assert both @ np.arange(9) == pytest.approx(2)


def test_histogram_test_by_listing_all_outcomes(exact):
    pmf, counts = np.array([0.1, 0.3, 0.35, 0.2, 0.05]), np.array([2, 0, 3, 1, 1])
    outcomes = [c for c in itertools.product(range(8), repeat=5) if sum(c) == 7]
    p = stats.multinomial.pmf(outcomes, 7, pmf)
    expected = p[p <= stats.multinomial.pmf(counts, 7, pmf) * (1 + 1e-9)].sum()
    assert exact.histogram_p(counts, pmf) == pytest.approx(expected)


def test_sum_of_hypergeometrics(exact):
    pmf = np.array([0.2, 0.5, 0.3])
    sums = exact.sum_pmf(pmf, 3)
    listed = np.zeros(7)
    for values in itertools.product(range(3), repeat=3):
        listed[sum(values)] += np.prod(pmf[list(values)])
    np.testing.assert_allclose(sums, listed)
    assert exact.exact_p(sums, 6) == pytest.approx(listed[6] + listed[0])
