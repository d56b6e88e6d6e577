"""Stratified parts: counts, nesting, disjointness, seeds."""

from itertools import pairwise

import numpy as np
import pytest

from priorscope.data import LabeledImages, hold_out, subset
from priorscope.errors import InputError


def numbered(labels):
    """Image i is filled with the number i, so that images can be told apart."""
    labels = np.asarray(labels, dtype=np.int64)
    images = np.zeros((len(labels), 2, 2, 3), np.uint8)
    images[...] = np.arange(len(labels), dtype=np.uint8)[:, None, None, None]
    names = tuple(f"class {i}" for i in range(labels.max() + 1))
    return LabeledImages(images, labels, names, "not computed")


def numbers(images):
    return images.images[:, 0, 0, 0].tolist()


MIXED = numbered(np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [100, 50, 20])))


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5, 0.9])
def test_subset_takes_the_fraction_of_each_class(fraction):
    part = subset(MIXED, fraction=fraction, rng=np.random.default_rng(1))
    assert np.bincount(part.labels).tolist() == [round(fraction * n) for n in (100, 50, 20)]
    assert numbers(part) == sorted(set(numbers(part)))  # the order of the split, nothing twice
    assert part.labels.tolist() == MIXED.labels[numbers(part)].tolist()
    assert part.fingerprint != MIXED.fingerprint


def test_subsets_of_one_seed_are_nested_and_others_differ():
    def draw(fraction, seed):
        return set(numbers(subset(MIXED, fraction=fraction, rng=np.random.default_rng(seed))))

    parts = [draw(fraction, 3) for fraction in np.linspace(0.05, 1, 39)]
    assert all(small <= large for small, large in pairwise(parts))
    assert draw(0.2, 3) == draw(0.2, 3) != draw(0.2, 4)


def test_the_whole_is_given_back_unchanged():
    assert subset(MIXED, fraction=1, rng=np.random.default_rng(0)) is MIXED
    train, held_out = hold_out(MIXED, fraction=0, rng=np.random.default_rng(0))
    assert train is MIXED and len(held_out) == 0 and held_out.class_names == MIXED.class_names


@pytest.mark.parametrize("fraction", [0.05, 0.25, 0.5])
def test_held_out_and_train_are_disjoint_and_exhaustive(fraction):
    train, held_out = hold_out(MIXED, fraction=fraction, rng=np.random.default_rng(2))
    assert sorted(numbers(train) + numbers(held_out)) == list(range(170))
    # Halves are rounded up.
    counts = [int(np.floor(fraction * n + 0.5)) for n in (100, 50, 20)]
    assert np.bincount(held_out.labels).tolist() == counts
    for part in (train, held_out):
        assert part.labels.tolist() == MIXED.labels[numbers(part)].tolist()


def test_every_image_is_equally_likely():
    drawn = np.zeros(20)
    images = numbered([0] * 10 + [1] * 10)
    for seed in range(2000):
        part = subset(images, fraction=0.3, rng=np.random.default_rng(seed))
        drawn[numbers(part)] += 1
    # Binomial(2000, 0.3) has a standard deviation of 20.5.
    assert np.abs(drawn - 600).max() < 4.5 * 20.5


@pytest.mark.parametrize("fraction", [-0.1, 0, 1.01, float("nan")])
def test_subset_refuses_a_fraction_out_of_range(fraction):
    with pytest.raises(InputError, match="fraction out of range"):
        subset(MIXED, fraction=fraction, rng=np.random.default_rng(0))


@pytest.mark.parametrize("fraction", [-0.1, 1, float("nan")])
def test_hold_out_refuses_a_fraction_out_of_range(fraction):
    with pytest.raises(InputError, match="fraction out of range"):
        hold_out(MIXED, fraction=fraction, rng=np.random.default_rng(0))


def test_a_class_without_images_is_refused():
    with pytest.raises(InputError, match="no image of class class 2"):
        subset(MIXED, fraction=0.02, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="no image of class class 2"):
        hold_out(MIXED, fraction=0.02, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="no image of class class 2 left"):
        hold_out(MIXED, fraction=0.98, rng=np.random.default_rng(0))
