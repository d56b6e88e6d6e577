"""Cues in conflict: what each arm shows, and answers counted against all classes."""

from pathlib import Path

import numpy as np
import pytest

from priorscope.data.synthetic import synthetic, synthetic_factors
from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.metrics.cue_answers import cue_answers
from priorscope.metrics.neither_cue import neither_cue
from priorscope.metrics.shape_bias import shape_bias
from priorscope.metrics.top1 import top1
from priorscope.probes.cue_conflict import cue_conflict

N = 240


@pytest.fixture(scope="module")
def data():
    return synthetic(root=Path(), task="cues", num_train=1200, num_test=10)


@pytest.fixture(scope="module", params=["texture", "colour"])
def made(request, data):
    found = cue_conflict(data.test, rng=np.random.default_rng(0), num_images=N, cue=request.param)
    return request.param, found


def arm(probe, name):
    return probe.images[probe.conditions["arm"] == name].astype(float)


def test_each_class_owns_all_three_cues(data):
    factors = synthetic_factors(split="train", num_images=1200, task="cues")
    for cue in ("shape", "texture", "colour"):
        assert np.array_equal(factors[cue], data.train.labels)
    assert np.bincount(data.train.labels).tolist() == [300] * 4


def test_shapes_and_cues_are_balanced_and_never_alike(made):
    _, probe = made
    names = np.array(probe.class_names)
    target, other = names[probe.targets[:N]], probe.conditions["cue_class"][:N]
    pairs, counts = np.unique(np.stack([target, other]), axis=1, return_counts=True)
    assert len(counts) == 12 and set(counts) == {N // 12}
    assert all(a != b for a, b in pairs.T)
    assert set(probe.conditions["cue_class"][N:]) == {""}
    assert probe.arms == ("conflict", "agree", "shape_only", "cue_only", "intact")


def saturation(images):
    return (images.max(axis=3) - images.min(axis=3))[:, 14:18, 14:18].mean(axis=(1, 2))


def test_arms_differ_in_what_they_name_and_in_nothing_else(made):
    cue, probe = made
    corner = (slice(None), slice(0, 2), slice(0, 2))
    for name in ("agree", "shape_only", "intact"):  # the background is that of the scene
        assert np.array_equal(arm(probe, "conflict")[corner], arm(probe, name)[corner])
    grey = saturation(arm(probe, "shape_only"))
    assert np.quantile(grey, 0.9) < 25, "neither texture nor colour"
    if cue == "colour":
        assert (saturation(arm(probe, "conflict")) > 40).mean() > 0.9
    if cue == "texture":
        assert np.quantile(saturation(arm(probe, "conflict")), 0.9) < 25
        centre = [arm(probe, n)[:, 10:22, 10:22].mean(3).std(axis=(1, 2)) for n in
                  ("conflict", "shape_only")]  # fmt: skip
        assert np.median(centre[0]) > 3 * np.median(centre[1])
    same = (arm(probe, "conflict") == arm(probe, "agree")).all(axis=(1, 2, 3))
    assert not same.any()


def test_a_network_that_goes_by_one_cue_is_told_from_one_that_goes_by_the_other(made):
    """Answers are written by who knows the factors, a share q of them by shape."""
    _, probe = made
    rng, names = np.random.default_rng(1), list(probe.class_names)
    other = np.array([names.index(name) for name in probe.conditions["cue_class"][:N]])
    third = np.array(
        [min({0, 1, 2, 3} - {a, b}) for a, b in zip(probe.targets[:N], other, strict=True)]
    )
    kind = rng.choice(3, N, p=[0.2, 0.5, 0.3])
    answers = np.choose(kind, [probe.targets[:N], other, third])
    conditions = {key: column[:N] for key, column in probe.conditions.items()}
    found = Predictions(
        np.eye(4)[answers], probe.targets[:N], np.arange(N), conditions, probe.class_names
    )
    shape, cue, neither = ((kind == k).mean() for k in range(3))
    assert top1(found).mean() == pytest.approx(shape)
    assert cue_answers(found).mean() == pytest.approx(cue)
    assert neither_cue(found).mean() == pytest.approx(neither)
    ratio = shape_bias(found)
    assert ratio.mean() == pytest.approx(shape / (shape + cue))
    without = [shape_bias(found.take(np.arange(N) != i)).mean() for i in range(N)]
    influence = (N - 1) * (np.mean(without) - np.array(without))
    assert ratio - ratio.mean() == pytest.approx(influence, abs=0.05)
    undecided = Predictions(
        np.eye(4)[third], probe.targets[:N], np.arange(N), conditions, probe.class_names
    )
    assert (shape_bias(undecided) == 0.5).all() and neither_cue(undecided).all()


def test_images_without_named_factors_are_refused():
    objects = synthetic(root=Path(), num_train=10, num_test=10).test
    with pytest.raises(InputError, match="named factors") as caught:
        cue_conflict(objects, rng=np.random.default_rng(0))
    assert "task: cues" in str(caught.value)
