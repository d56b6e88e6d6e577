"""Relations: labels recomputed from pixels, and what must say nothing about them."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage, stats

from priorscope.data._synthetic_relation import draw_relation
from priorscope.data.synthetic import synthetic, synthetic_factors
from priorscope.errors import InputError

# Our own drawing of the kinds, in their order; "#" is bright.
TEMPLATES = """
####  #.#.  #.#.  ####  #..#  #..#
....  #.#.  .#.#  ....  #..#  .##.
####  #.#.  #.#.  ....  #..#  .##.
....  #.#.  .#.#  ####  #..#  #..#
"""
RELATIONS = [("near_relation", 3), ("far_relation", 3), ("near_relation", 6), ("far_relation", 6)]


def decode(images: np.ndarray) -> np.ndarray:
    """Find the kind in each cell, or -1, by correlation with the templates: [n, 8, 8]."""
    rows = [line.split() for line in TEMPLATES.split("\n") if line]
    signs = np.array([[[1 if c == "#" else -1 for c in kind] for kind in row] for row in rows])
    templates = signs.transpose(1, 0, 2).reshape(6, 16) / 4
    cells = images.mean(axis=3).reshape(-1, 8, 4, 8, 4).transpose(0, 1, 3, 2, 4)
    cells = cells.reshape(-1, 8, 8, 16)
    cells = cells - cells.mean(axis=-1, keepdims=True)
    scores = cells @ templates.T / np.linalg.norm(cells, axis=-1, keepdims=True)
    return np.where(scores.max(axis=-1) > 0.95, scores.argmax(axis=-1), -1)


@pytest.mark.parametrize(("task", "num_kinds"), RELATIONS)
def test_label_follows_from_the_pixels(task, num_kinds):
    data = synthetic(
        root=Path(), task=task, num_train=1000, num_test=1, num_kinds=num_kinds, seed=1
    ).train
    kinds = decode(data.images)
    present = kinds >= 0
    if task == "near_relation":
        pairs = present[:, :, :-1] & present[:, :, 1:]
        assert (pairs.sum(axis=(1, 2)) == 1).all()
        image, row, left = np.nonzero(pairs)
        right = left + 1
    else:
        assert (present[:, :, [0, 7]].sum(axis=(1, 2)) == 2).all()
        image, row = np.nonzero(present[:, :, 0] & present[:, :, 7])
        left, right = 0, 7
    assert np.array_equal(image, np.arange(1000))
    assert np.array_equal(
        (kinds[image, row, left] + kinds[image, row, right]) % num_kinds, data.labels
    )
    assert data.class_names == tuple(f"sum {value}" for value in range(num_kinds))

    factors = synthetic_factors(
        split="train", task=task, num_images=1000, num_kinds=num_kinds, seed=1
    )
    assert np.array_equal(factors["kinds"], kinds)
    assert np.array_equal(factors["num_distractors"] + 2, present.sum(axis=(1, 2)))


@pytest.mark.parametrize(("task", "num_kinds"), RELATIONS)
def test_no_patterns_touch_but_a_near_pair(task, num_kinds):
    data = synthetic(root=Path(), task=task, num_train=200, num_test=1, num_kinds=num_kinds)
    for present in decode(data.train.images) >= 0:
        _, num_groups = ndimage.label(present, structure=np.ones((3, 3)))
        assert present.sum() - num_groups == (task == "near_relation")


@pytest.mark.parametrize("distance", range(1, 8))
def test_only_the_pair_stands_its_distance_apart(distance):
    kinds = draw_relation(
        300, np.random.default_rng(0), num_kinds=5, distance=distance, distractors="few"
    ).factors["kinds"]
    pairs = (kinds[:, :, :-distance] >= 0) & (kinds[:, :, distance:] >= 0)
    assert (pairs.sum(axis=(1, 2)) == 1).all()


def test_balanced_images_hold_each_kind_twice():
    kinds = draw_relation(
        500, np.random.default_rng(0), num_kinds=6, distance=4, distractors="balanced"
    ).factors["kinds"]
    assert all(((kinds == kind).sum(axis=(1, 2)) == 2).all() for kind in range(6))


@pytest.mark.parametrize("task", ["near_relation", "far_relation"])
def test_label_is_independent_of_each_part(task):
    data = synthetic(root=Path(), task=task, num_train=12600, num_test=1).train
    factors = synthetic_factors(split="train", task=task, num_images=12600)
    kinds, image = factors["kinds"], np.arange(12600)
    parts = {f"cell {cell}": kinds.reshape(-1, 64)[:, cell] for cell in range(64)}
    for side in ("left_column", "right_column"):
        parts[f"kind at {side}"] = kinds[image, factors["row"], factors[side]]
    parts |= {name: factors[name] for name in ("row", "left_column")}
    p_values = {name: independence(part, data.labels) for name, part in parts.items()}
    if task == "far_relation":
        p_values["num_distractors"] = independence(factors["num_distractors"], data.labels)
    else:
        assert (factors["num_distractors"] == 4).all()
    means = data.images.mean(axis=(1, 2, 3), dtype=np.float64)
    p_values["mean"] = stats.f_oneway(*(means[data.labels == label] for label in range(3))).pvalue
    assert min(p_values.values()) > 0.01 / len(p_values), min(p_values, key=p_values.__getitem__)
    # The same test sees a dependence where there is one.
    assert (
        independence(parts["kind at left_column"] * 3 + parts["kind at right_column"], data.labels)
        < 1e-9
    )


def independence(part: np.ndarray, labels: np.ndarray) -> float:
    """Return the p-value of the chi-square test; 1 where `part` has one value only."""
    table = stats.contingency.crosstab(part, labels).count
    return float(stats.chi2_contingency(table).pvalue) if len(table) > 1 else 1.0


@pytest.mark.parametrize("task", ["near_relation", "far_relation"])
def test_a_sum_over_cells_cannot_tell_the_class_but_a_product_can(task):
    data = synthetic(root=Path(), task=task, num_train=6000, num_test=1).train
    kinds = decode(data.images).reshape(-1, 64)
    cells = (kinds[:, :, None] == np.arange(3)).astype(float)  # [n, 64, 3]
    assert abs(least_squares_accuracy(cells.sum(axis=1), data.labels) - 1 / 3) < 0.03
    assert abs(least_squares_accuracy(cells.reshape(6000, -1), data.labels) - 1 / 3) < 0.03

    grid = cells.reshape(-1, 8, 8, 3)
    gap = 1 if task == "near_relation" else 7
    products = np.einsum("nrca,nrcb->nab", grid[:, :, :-gap], grid[:, :, gap:])
    assert least_squares_accuracy(products.reshape(6000, -1), data.labels) == 1


def least_squares_accuracy(features: np.ndarray, labels: np.ndarray) -> float:
    """Fit one-hot labels on the first half, and give the accuracy on the second."""
    features = np.column_stack([features, np.ones(len(features))])
    half = len(labels) // 2
    weights = np.linalg.lstsq(features[:half], np.eye(3)[labels[:half]], rcond=None)[0]
    return float(((features[half:] @ weights).argmax(axis=1) == labels[half:]).mean())


@pytest.mark.parametrize("distance", [1, 4, 5, 7])
def test_a_relation_at_any_distance_is_decided_by_the_pair_at_that_distance(distance):
    chosen = {"task": "relation", "distance": distance}
    data = synthetic(root=Path(), num_train=600, num_test=1, **chosen).train
    kinds = decode(data.images)
    pairs = (kinds[:, :, :-distance] >= 0) & (kinds[:, :, distance:] >= 0)
    image, row, left = np.nonzero(pairs)
    assert np.array_equal(image, np.arange(600)), "one pair an image"
    total = kinds[image, row, left] + kinds[image, row, left + distance]
    assert np.array_equal(total % 3, data.labels)
    factors = synthetic_factors(split="train", num_images=600, **chosen)
    assert np.array_equal(factors["kinds"], kinds)
    assert factors["num_distractors"].max() == 2, "few at every distance"


def test_distances_have_streams_of_their_own():
    images = [
        synthetic(root=Path(), num_train=20, num_test=1, **chosen).train.fingerprint
        for chosen in (
            {"task": "near_relation"},
            {"task": "far_relation"},
            *({"task": "relation", "distance": distance} for distance in range(1, 8)),
        )
    ]
    assert len(set(images)) == 9


@pytest.mark.parametrize(
    "chosen", [{"task": "relation"}, {"task": "far_relation", "distance": 7}, {"distance": 1}]
)
def test_a_distance_belongs_to_the_relation(chosen):
    with pytest.raises(InputError, match="needs a distance, and no other") as caught:
        synthetic(root=Path(), num_train=3, num_test=1, **chosen)
    assert caught.value.where == "distance"
