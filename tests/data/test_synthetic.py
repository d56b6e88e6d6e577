"""Streams: repeatable, extendable, balanced, small in memory."""

import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from priorscope.components import bind
from priorscope.data.synthetic import synthetic, synthetic_factors
from priorscope.errors import InputError

TASKS = ("objects", "near_relation", "far_relation")
ROOT = Path("does-not-exist")


@pytest.mark.parametrize("task", TASKS)
def test_same_seed_gives_the_same_images_and_another_seed_others(task):
    first, again, other = (
        synthetic(root=ROOT, task=task, num_train=50, num_test=50, seed=seed) for seed in (3, 3, 4)
    )
    assert np.array_equal(first.train.images, again.train.images)
    assert first.train.fingerprint == again.train.fingerprint
    assert first.test.fingerprint == again.test.fingerprint
    assert not (first.train.images == other.train.images).all(axis=(1, 2, 3)).any()


@pytest.mark.parametrize("task", TASKS)
def test_a_small_set_is_the_beginning_of_a_large_one(task):
    small = synthetic(root=ROOT, task=task, num_train=2530, num_test=7)
    large = synthetic(root=ROOT, task=task, num_train=5100, num_test=300)
    assert (len(small.train), len(large.train)) == (2530, 5100)
    assert np.array_equal(small.train.images, large.train.images[:2530])
    assert np.array_equal(small.train.labels, large.train.labels[:2530])
    assert np.array_equal(small.test.images, large.test.images[:7])


@pytest.mark.parametrize("task", TASKS)
def test_no_image_occurs_twice_in_train_and_test(task):
    data = synthetic(root=ROOT, task=task, num_train=3000, num_test=3000)
    images = [image.tobytes() for split in (data.train, data.test) for image in split.images]
    assert len(set(images)) == 6000


def test_tasks_do_not_share_their_noise():
    near, far = (
        synthetic(root=ROOT, task=task, num_train=20, num_test=1)
        for task in ("near_relation", "far_relation")
    )
    assert (near.train.images == far.train.images).mean() < 0.1


@pytest.mark.parametrize(("task", "num_kinds"), [("objects", 3), ("near_relation", 4)])
def test_every_beginning_of_a_split_is_balanced_and_the_order_is_random(task, num_kinds):
    data = synthetic(root=ROOT, task=task, num_train=5060, num_test=11, num_kinds=num_kinds)
    labels, num_classes = data.train.labels, data.train.num_classes
    for n in (1, 13, 2525, 5060):
        counts = np.bincount(labels[:n], minlength=num_classes)
        assert counts.max() - counts.min() <= 1
    assert max(Counter(labels[::num_classes].tolist()).values()) < 2 * 5060 / num_classes**2


@pytest.mark.parametrize("task", TASKS)
def test_factors_are_those_of_the_images(task):
    factors = synthetic_factors(split="test", task=task, num_images=2600)
    longer = synthetic_factors(split="test", task=task, num_images=2700)
    assert all(len(values) == 2600 for values in factors.values())
    assert all(np.array_equal(values, longer[name][:2600]) for name, values in factors.items())
    labels = synthetic(root=ROOT, task=task, num_train=1, num_test=2600).test.labels
    if task == "objects":
        columns = [factors[name] for name in ("texture", "colour", "shape")]
        assert len({*zip(labels, *columns, strict=True)}) == 10
    else:
        kinds, image = factors["kinds"], np.arange(2600)
        pair = [
            kinds[image, factors["row"], factors[f"{side}_column"]] for side in ("left", "right")
        ]
        assert np.array_equal((pair[0].astype(int) + pair[1]) % 3, labels)


def test_memory_is_the_output_and_little_more():
    num_images = 12 * 2520
    tracemalloc.start()
    data = synthetic(root=ROOT, task="far_relation", num_train=num_images, num_test=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < data.train.images.nbytes + 4 * 2520 * 32 * 32 * 3


@pytest.mark.parametrize(
    ("parameters", "key"),
    [
        ({"num_kinds": 7}, "num_kinds"),
        ({"num_kinds": 1}, "num_kinds"),
        ({"num_train": 0}, "num_train"),
        ({"seed": -1}, "seed"),
        ({"task": "far"}, "task"),
    ],
)
def test_impossible_parameters_are_refused_with_their_key(parameters, key):
    with pytest.raises(InputError) as refused:
        bind(synthetic, parameters, where="data", reserved=["root"])
    assert refused.value.where == f"data.{key}"


def test_kinds_are_refused_where_there_are_none():
    with pytest.raises(InputError, match="no kinds"):
        synthetic(root=ROOT, task="objects", num_kinds=4)
