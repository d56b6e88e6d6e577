"""0/1 scores of given networks: score intervals by another way of maximising, exact tests."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest, norm
from statsmodels.stats.contingency_tables import mcnemar

from priorscope.stats import equivalence, paired_proportions, single_proportion

TABLES = [(12, 2, 36), (5, 0, 20), (0, 0, 30), (40, 1, 9), (3, 9, 188), (30, 30, 40)]


def answers(only_a, only_b, same):
    a = np.r_[np.ones(only_a), np.zeros(only_b), np.ones(same)]
    return a, np.r_[np.zeros(only_a), np.ones(only_b), np.ones(same)]


def score_z(only_a, only_b, n, difference):
    """The score statistic, with the constrained maximum of the likelihood found numerically."""

    def minus_log_likelihood(share_b):
        cells = np.array([share_b + difference, share_b, 1 - 2 * share_b - difference])
        counts = np.array([only_a, only_b, n - only_a - only_b])
        if (cells < 0).any():
            return 1e9
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(counts > 0, counts * np.log(cells), 0.0)
        return -terms.sum() if np.isfinite(terms).all() else 1e9

    bounds = (max(0.0, -difference) + 1e-13, (1 - difference) / 2 - 1e-13)
    share_b = minimize_scalar(
        minus_log_likelihood, bounds=bounds, method="bounded", options={"xatol": 1e-12}
    ).x
    variance = n * (2 * share_b + difference * (1 - difference))
    return (only_a - only_b - n * difference) / np.sqrt(variance)


@pytest.mark.parametrize("counts", TABLES)
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_ends_of_tangos_interval_are_where_the_score_test_stops_rejecting(counts, confidence):
    found = paired_proportions(*answers(*counts), confidence=confidence)
    z, n = norm.ppf((1 + confidence) / 2), sum(counts)
    assert found.estimate == pytest.approx((counts[0] - counts[1]) / n)
    for end, expected in ((found.low, z), (found.high, -z)):
        if abs(end) < 1 - 1e-6:
            assert score_z(*counts[:2], n, end) == pytest.approx(expected, abs=2e-4)


def test_no_discordant_answer_gives_an_interval_all_the_same():
    """z^2 / (n + z^2), by hand from the score statistic at no discordance."""
    found = paired_proportions(np.ones(50), np.ones(50))
    z2 = norm.ppf(0.975) ** 2
    assert (found.low, found.high) == pytest.approx((-z2 / (50 + z2), z2 / (50 + z2)))
    assert found.p_value == 1
    assert equivalence(found, 0.1).p_value < 0.05 < equivalence(found, 0.04).p_value


@pytest.mark.parametrize("counts", TABLES)
def test_no_difference_is_tested_by_mcnemars_exact_test(counts):
    a, b = answers(*counts)
    found = paired_proportions(a, b)
    table = [[int(np.sum((a == i) & (b == j))) for j in (1, 0)] for i in (1, 0)]
    assert found.p_value == pytest.approx(mcnemar(table, exact=True).pvalue)
    discordant = counts[0] + counts[1]
    for direction in ("less", "greater"):
        expected = 1.0
        if discordant:
            expected = binomtest(counts[0], discordant, alternative=direction).pvalue
        assert found.tail(direction) == pytest.approx(expected)


def test_one_side_of_mcnemars_test_by_hand():
    """Of 5 images the second alone is right on 1: P(X >= 4) = 6/32, P(X <= 4) = 31/32."""
    found = paired_proportions(np.array([1, 1, 1, 1, 0]), np.array([0, 0, 0, 0, 1]))
    assert found.tail("greater") == pytest.approx(6 / 32)
    assert found.tail("less") == pytest.approx(31 / 32)


def test_a_margin_is_tested_by_the_score():
    found = paired_proportions(*answers(12, 2, 36))
    z = score_z(12, 2, 50, -0.05)
    assert found.tail("greater", -0.05) == pytest.approx(norm.sf(z), abs=1e-5)
    assert found.tail("greater", -1) == 0 and found.tail("less", -1) == 1


@pytest.mark.parametrize(("successes", "n", "level"), [(37, 50, 0.6), (50, 50, 0.9), (0, 20, 0.1)])
def test_one_network_against_a_level_is_the_exact_binomial(successes, n, level):
    scores = np.r_[np.ones(successes), np.zeros(n - successes)]
    found = single_proportion(scores, level)
    exact = binomtest(successes, n).proportion_ci(0.95, method="exact")
    assert (found.low + level, found.high + level) == pytest.approx((exact.low, exact.high))
    for direction in ("less", "greater"):
        expected = binomtest(successes, n, level, alternative=direction).pvalue
        assert found.tail(direction) == pytest.approx(expected)
    assert found.estimate == pytest.approx(successes / n - level)


def test_tangos_interval_covers_where_few_answers_differ():
    """Two models of 99 %: about 3 discordant answers in 200; t intervals are too short there."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(600):
        kind = rng.choice(3, size=200, p=[0.008, 0.008, 0.984])
        a, b = (kind != 1).astype(float), (kind != 0).astype(float)
        found = paired_proportions(a, b)
        held += found.low <= 0 <= found.high
    assert held / 600 > 0.93


@pytest.mark.parametrize("scores", [np.zeros((2, 3)), np.array([0.5, 1]), np.ones(1)])
def test_other_scores_are_refused(scores):
    with pytest.raises(ValueError, match="0 and 1"):
        single_proportion(scores, 0.5)
    with pytest.raises(ValueError, match="paired"):
        paired_proportions(np.ones(3), np.ones(4))
