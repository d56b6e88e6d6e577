"""Means over pairs of networks: shares against closed forms, and coverage at a known kappa."""

import numpy as np
import pytest
from scipy.stats import norm

from priorscope.stats import crossed_contrast, network_shares


def left_out(values, *, one_model=False):
    """Leave out pairs of equal seed, and of one model each pair but once."""
    keep = ~np.eye(*values.shape[:2], dtype=bool)
    keep = np.triu(keep, 1) if one_model else keep
    return np.where(keep[:, :, None], values, np.nan)


@pytest.mark.parametrize(("r", "s"), [(3, 3), (4, 4), (3, 5)])
def test_shares_add_up_to_the_mean_and_find_what_networks_add(r, s):
    rng = np.random.default_rng(r)
    a, b, image = rng.normal(size=r), rng.normal(size=s), rng.normal(size=7)
    additive = a[:, None, None] + b[:, None] + image
    found = network_shares(left_out(additive), one_model=False)
    assert found.first - found.first.mean(0) == pytest.approx(
        np.tile((a - a.mean())[:, None], (1, 7))
    )
    assert found.second.mean(1) - found.second.mean() == pytest.approx(b - b.mean())
    mean = a.mean() + b.mean() + image
    assert found.first.mean(0) + found.second.mean(0) == pytest.approx(mean)
    noisy = left_out(rng.normal(size=(s, s, 7)))
    found = network_shares(noisy, one_model=False)
    assert found.first.mean(0) + found.second.mean(0) == pytest.approx(np.nanmean(noisy, (0, 1)))


@pytest.mark.parametrize("r", [3, 4, 6])
def test_a_network_of_one_model_adds_twice(r):
    rng = np.random.default_rng(r)
    a, image = rng.normal(size=r), rng.normal(size=7)
    values = left_out(a[:, None, None] + a[:, None] + image, one_model=True)
    found = network_shares(values, one_model=True)
    assert found.second is None
    assert found.first.mean(0) == pytest.approx(2 * a.mean() + image)
    assert found.first.mean(1) - found.first.mean() == pytest.approx(2 * (a - a.mean()))


def test_what_few_pairs_do_not_tell_is_held_fixed():
    values = np.random.default_rng(0).normal(size=(2, 2, 9))
    two = network_shares(left_out(values), one_model=False)
    assert two.first.shape == two.second.shape == (1, 9)
    assert two.first + two.second == pytest.approx((values[0, 1] + values[1, 0])[None] / 2)
    one = network_shares(left_out(values, one_model=True), one_model=True)
    assert one.first == pytest.approx(values[:1, 1])
    with pytest.raises(ValueError, match="no pair"):
        network_shares(np.full((1, 1, 9), np.nan), one_model=False)


def kappa_values(right):
    """Return kappa of all pairs, and each image's influence on it by leaving it out."""
    n = right.shape[1]
    total = right.sum(1)
    agree = right @ right.T + (1 - right) @ (1 - right).T  # [r, r]
    parts = (right[:, None] == right).astype(float)
    accuracy = (total[:, None] - right) / (n - 1)
    p, q = accuracy[:, None], accuracy[None]
    expected = p * q + (1 - p) * (1 - q)
    without = ((agree[:, :, None] - parts) / (n - 1) - expected) / (1 - expected)
    p = total / n
    e = np.outer(p, p) + np.outer(1 - p, 1 - p)
    whole = ((agree / n - e) / (1 - e))[:, :, None]
    return whole + (n - 1) * (without.mean(2, keepdims=True) - without)


def draw(rng, copied, copies, accuracy):
    """Draw networks that copy what is common with a probability of their own, or answer anew.

    Two of them then have kappa = the product of their probabilities, whatever their accuracy.
    """
    shape = (len(copies), len(copied))
    answers = np.where(rng.random(shape) < copies[:, None], copied, rng.random(shape))
    return (answers < accuracy).astype(float)


@pytest.mark.parametrize("seeds", [3, 5])
def test_intervals_hold_the_kappa_that_errors_were_made_with(seeds):
    """Coverage over new networks and images: 95 %, with a binomial error of 1.1 points."""
    rng, held, studies, n = np.random.default_rng(seeds), np.zeros(3), 400, 250
    mean, spread, common = 0.75, 0.06, 0.7
    truth = np.array([mean**2, common * mean**2, common * mean**2 - mean**2 * 0.49])
    for _ in range(studies):
        everything = rng.random(n)
        models = []
        for _ in range(3):
            own = np.where(rng.random(n) < common**0.5, everything, rng.random(n))
            copies = norm.rvs(mean, spread, size=seeds, random_state=rng).clip(0, 1)
            models.append(draw(rng, own, copies, 0.7))
        values = kappa_values(np.concatenate(models))
        a, b, c = (slice(seeds * i, seeds * (i + 1)) for i in range(3))
        own = network_shares(left_out(values[a, a], one_model=True), one_model=True)
        ab = network_shares(left_out(values[a, b]), one_model=False)
        ac = network_shares(left_out(values[a, c]), one_model=False)
        groups = ([own.first], [ab.first, ab.second])
        groups += ([ab.first - 0.7 * ac.first, ab.second, -0.7 * ac.second],)
        for place, of_claim in enumerate(groups):
            found = crossed_contrast(of_claim)
            held[place] += found.low <= truth[place] <= found.high
    assert (held / studies >= 0.92).all() and (held / studies <= 0.995).all(), held / studies
