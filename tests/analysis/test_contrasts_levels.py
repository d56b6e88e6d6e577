"""Contrasts between levels of a factor, against sums of means and variances by hand."""

import numpy as np
import pytest

from priorscope.analysis.contrasts import by_name, contrast_scores
from priorscope.analysis.scores import ArmScores
from priorscope.metrics import Chance
from priorscope.stats import crossed_contrast
from priorscope.study.spec import Contrast, Hypothesis

RNG = np.random.default_rng(0)
NEAR, FAR = (RNG.integers(0, 2, (2, 3, 40)).astype(float) for _ in range(2))  # [models, seeds, n]


def arms(*, same_images):
    return by_name(
        [
            ArmScores(
                "test", "test", "top1", np.arange(40), None, Chance(0.1),
                {"vit": scores[0], "cnn": scores[1]}, {"vit": (0, 1, 2), "cnn": (0, 1, 2)},
                (("task", task),), "same" if same_images else task,
            )
            for task, scores in (("near", NEAR), ("far", FAR))
        ]
    )  # fmt: skip


def hypothesis(at=None, **contrast):
    return Hypothesis(
        id="H", statement="It differs.", contrast=Contrast(a="vit", **contrast), probe="test",
        metric="top1", expect="less", at=at,
    )  # fmt: skip


BETWEEN = {"task": ("near", "far")}


def test_at_a_level_only_its_cell_counts():
    found = contrast_scores(hypothesis({"task": "far"}, b="cnn"), arms(same_images=False), ["task"])
    expected = crossed_contrast([FAR[0], -FAR[1]])
    assert found is not None
    assert found.infer(0.95) == expected


@pytest.mark.parametrize("same_images", [True, False])
def test_differences_between_levels(same_images):
    one = hypothesis(levels=BETWEEN)
    both = hypothesis(b="cnn", levels=BETWEEN)
    named = arms(same_images=same_images)
    within = [[NEAR[0]], [FAR[0]]], [[NEAR[0], -NEAR[1]], [FAR[0], -FAR[1]]]
    for declared, (near, far) in zip((one, both), within, strict=True):
        scores = contrast_scores(declared, named, ["task"])
        assert scores is not None
        assert not scores.paired
        found = scores.infer(0.95)
        parts = [crossed_contrast(groups) for groups in (near, far)]
        assert found.estimate == pytest.approx(parts[0].estimate - parts[1].estimate)
        apart = np.hypot(parts[0].standard_error, parts[1].standard_error)
        if not same_images:  # variances of independent effects add up
            assert found.standard_error == pytest.approx(apart)
        else:
            joint = crossed_contrast([*near, *(-group for group in far)])
            assert found.standard_error == pytest.approx(joint.standard_error)
        assert len(found.num_seeds) == len(near) + len(far)
        resampled = scores.resampled(4000, np.random.default_rng(1))
        assert resampled.mean() == pytest.approx(found.estimate, abs=0.02)


def test_a_missing_cell_leaves_nothing_to_judge():
    named = {key: arm for key, arm in arms(same_images=True).items() if "far" not in key[0]}
    assert contrast_scores(hypothesis(levels=BETWEEN), named, ["task"]) is None
