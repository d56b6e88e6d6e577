"""Comparisons at equal clean accuracy: closed forms, and nulls over new scenes by simulation."""

import numpy as np
import pytest
from scipy.special import expit

from priorscope.stats import Trajectory, crossed_contrast, matched_contrast


def exact(clean, probe, num_images=2000):
    """Answer so that accuracies are exactly what is asked: the first images are right."""
    first = np.arange(num_images) / num_images
    rows = [(first < np.asarray(each)[:, None]).astype(float) for each in (clean, probe)]
    return Trajectory(*rows)


def test_the_same_relation_leaves_no_difference_however_far_models_were_trained():
    strong = exact([0.1, 0.5, 0.9], [0.08, 0.40, 0.72])
    weak = exact([0.2, 0.4, 0.6], [0.16, 0.32, 0.48])
    found = matched_contrast([strong], [weak])
    assert (found.low, found.high) == pytest.approx((0.2, 0.6))
    assert found.difference.estimate == pytest.approx(0, abs=1e-12)


def test_a_constant_advantage_is_found_whatever_the_capability():
    strong = exact([0.1, 0.5, 0.9], [0.13, 0.45, 0.77])
    weak = exact([0.2, 0.4, 0.6], [0.16, 0.32, 0.48])
    assert matched_contrast([strong], [weak]).difference.estimate == pytest.approx(0.05)


def test_the_height_is_the_area_under_straight_lines():
    """Over 0.2 .. 0.8 the roof 0, 1, 0 above 0, 0.5, 1 has mean height 0.7; a flat line has 0.5."""
    roof, flat = exact([0.0, 0.5, 1.0], [0.0, 1.0, 0.0]), exact([0.2, 0.8], [0.5, 0.5])
    assert matched_contrast([roof], [flat]).difference.estimate == pytest.approx(0.2)


def test_a_way_back_is_taken_off_again():
    there = exact([0.2, 0.5, 0.8], [0.1, 0.4, 0.7])
    and_back = exact([0.2, 0.5, 0.35, 0.8], [0.1, 0.4, 0.25, 0.7])
    assert matched_contrast([there], [and_back]).difference.estimate == pytest.approx(0)


def test_nothing_is_extrapolated():
    assert matched_contrast([exact([0.1, 0.4], [0, 0])], [exact([0.5, 0.9], [0, 0])]) is None


def test_exactly_known_accuracies_leave_the_crossed_contrast_of_heights():
    """Clean answers that are all alike at a checkpoint say nothing of other test images."""
    rng = np.random.default_rng(0)
    clean = np.repeat([[0.0], [1.0]], 50, axis=1)
    runs = [Trajectory(clean, rng.random((2, 80))) for _ in range(5)]
    found = matched_contrast(runs[:2], runs[2:]).difference
    heights = [run.probe.mean(axis=0) for run in runs]  # halfway between two checkpoints
    expected = crossed_contrast([np.stack(heights[:2]), -np.stack(heights[2:])])
    assert found.estimate == pytest.approx(expected.estimate)
    assert found.standard_error == pytest.approx(expected.standard_error)


def test_the_choice_of_test_images_is_part_of_the_error():
    """Probe score is clean accuracy: one run's curve is a line, moved sideways by its error."""
    rng = np.random.default_rng(1)
    many = []
    for _ in range(300):
        runs = [
            Trajectory(
                (rng.random((3, 400)) < np.array([[0.3], [0.5], [0.7]])).astype(float),
                (rng.random((3, 4000)) < np.array([[0.3], [0.5], [0.7]])).astype(float),
            )
            for _ in range(2)
        ]
        many.append(matched_contrast(runs[:1], runs[1:]).difference)
    actual = np.std([each.estimate for each in many])
    claimed = np.sqrt(np.mean([each.standard_error**2 for each in many]))
    assert claimed == pytest.approx(actual, rel=0.12)


@pytest.mark.parametrize("num_clusters", [0, 20])
def test_models_of_one_relation_are_not_told_apart_over_new_scenes(num_clusters):
    rng, rejected, num_studies = np.random.default_rng(2 + num_clusters), 0, 200
    for _ in range(num_studies):
        clean_hard, hard, clusters = rng.normal(size=500), rng.normal(size=500), None
        if num_clusters:
            clusters = rng.integers(0, num_clusters, 500)
            hard = hard + rng.normal(0, 0.6, num_clusters)[clusters]
        models = []
        for speed, end in ((0.3, 1.2), (0.6, 2.4)):
            view = rng.normal(0, 0.4, 500)
            if num_clusters:
                view = view + rng.normal(0, 0.4, num_clusters)[clusters]
            abilities = -2 + (end + 2) * (1 - np.exp(-speed * np.arange(1, 13)))
            runs = []
            for _ in range(3):
                own = 0.6 * abilities - 0.8 + rng.normal(0, 0.1)
                runs.append(
                    Trajectory(_right(rng, abilities, clean_hard), _right(rng, own, hard + view))
                )
            models.append(runs)
        found = matched_contrast(*models, clusters=clusters)
        rejected += found.difference.p_value < 0.05
    assert rejected / num_studies <= 0.06 + 2.3 * np.sqrt(0.06 * 0.94 / num_studies)


def _right(rng, abilities, difficulty):
    shape = (len(abilities), len(difficulty))
    return (rng.random(shape) < expit(2 * (abilities[:, None] - difficulty))).astype(float)


def test_runs_that_do_not_fit_are_refused():
    one, other = exact([0.1, 0.4], [0, 0]), exact([0.1, 0.4], [0, 0], num_images=100)
    with pytest.raises(ValueError, match="same images"):
        matched_contrast([one], [other])
