"""Agreement of answers: a table by hand, copies, independent guesses, ties."""

import numpy as np
import pytest

from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.measures.answer_agreement import answer_agreement
from priorscope.measures.error_consistency import error_consistency


def predictions(logits):
    n, k = logits.shape
    ids, arms = np.arange(n), {"arm": np.full(n, "a")}
    return Predictions(logits, np.zeros(n, dtype=int), ids, arms, tuple("abcdefgh"[:k]))


def answers(classes, k=4):
    return predictions(np.eye(k)[classes])


def test_alike_is_alike_whether_right_or_wrong():
    a, b = answers([0, 1, 2, 3, 1]), answers([0, 1, 3, 2, 2])
    assert answer_agreement(a, b).tolist() == [1, 1, 0, 0, 0]


def test_a_copy_at_random_agrees_at_its_rate_and_by_chance():
    """b copies a with probability q and guesses otherwise: q + (1 - q) / k."""
    rng, q, k, n = np.random.default_rng(0), 0.3, 4, 100_000
    a = rng.integers(0, k, n)
    b = np.where(rng.random(n) < q, a, rng.integers(0, k, n))
    found = answer_agreement(answers(a), answers(b)).mean()
    assert found == pytest.approx(q + (1 - q) / k, abs=4 * np.sqrt(0.25 / n))
    kappa = error_consistency(answers(a), answers(b), of="answers").mean()
    assert kappa == pytest.approx((found - 1 / k) / (1 - 1 / k), abs=1e-3)


def test_ties_agree_as_often_as_when_they_are_broken_at_random():
    rng = np.random.default_rng(1)
    a, b = (rng.integers(0, 3, (200, 4)).astype(float) for _ in range(2))
    broken = [
        np.argmax(a + 1e-6 * rng.random(a.shape), 1) == np.argmax(b + 1e-6 * rng.random(b.shape), 1)
        for _ in range(2000)
    ]
    found = answer_agreement(predictions(a), predictions(b))
    np.testing.assert_allclose(found, np.mean(broken, axis=0), atol=0.06)


def test_what_is_no_number_is_refused():
    with pytest.raises(InputError, match="finite"):
        answer_agreement(predictions(np.full((3, 4), np.nan)), answers([0, 1, 2]))
