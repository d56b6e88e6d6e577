"""Comparisons at equal clean accuracy, by closed forms."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import ttest_ind

from priorscope.analysis.matched import (
    common_range,
    difference,
    fit_line,
    matched_difference,
    mean_score,
    residual_difference,
)
from priorscope.analysis.trajectories import compare_trajectories, rows_of
from priorscope.evaluation import read_predictions, write_predictions
from priorscope.study.store import read_study

# Both models score 0.8 of their clean accuracy on the probe; one is trained further.
WEAK = np.array([[0.2, 0.16], [0.4, 0.32], [0.6, 0.48]])
STRONG = np.array([[0.1, 0.08], [0.5, 0.40], [0.9, 0.72]])


def test_the_same_relation_leaves_no_matched_difference():
    found = matched_difference([STRONG], [WEAK])
    assert found is not None
    matched, shared = found
    assert shared == (0.2, 0.6)
    assert matched.estimate == pytest.approx(0)
    assert matched.low is matched.high is None, "one seed gives no interval"
    assert difference([STRONG[-1, 1]], [WEAK[-1, 1]]).estimate == pytest.approx(0.24)


def test_a_constant_advantage_is_found_whatever_the_capability():
    found = matched_difference([STRONG + np.array([0, 0.05])], [WEAK])
    assert found is not None and found[0].estimate == pytest.approx(0.05)


def test_the_mean_over_a_range_is_the_area_under_the_curve():
    points = np.array([[0.0, 0.0], [0.5, 1.0], [1.0, 0.0]])
    assert mean_score(points, 0, 1) == pytest.approx(0.5)
    assert mean_score(points, 0.25, 0.75) == pytest.approx(0.75)
    assert mean_score(points[::-1], 0.25, 0.5) == pytest.approx(0.75), "order does not matter"
    twice = np.array([[0.2, 0.1], [0.2, 0.3], [0.8, 0.2]])
    assert mean_score(twice, 0.2, 0.8) == pytest.approx(0.2)


def test_nothing_is_extrapolated():
    assert common_range([WEAK, STRONG]) == (0.2, 0.6)
    assert matched_difference([WEAK], [WEAK + np.array([0.5, 0])]) is None


def test_seeds_give_welchs_interval():
    a, b = [0.50, 0.54, 0.52], [0.40, 0.41, 0.45]
    found = difference(a, b)
    expected = ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    same = difference([0.5, 0.5], [0.4, 0.4])
    assert same.low == same.high == pytest.approx(0.1)


def test_the_line_is_found_again_and_residuals_are_from_it():
    clean = np.linspace(0.1, 0.9, 9)
    on_line = np.stack([clean, 4 * expit(-1 + 0.7 * logit(clean))], axis=1)
    line = fit_line(on_line, 4, 10_000)
    assert line is not None
    assert (line.intercept, line.slope) == pytest.approx((-1, 0.7))
    above = residual_difference([on_line + np.array([0, 0.3])], [on_line], line, 10_000)
    assert above.estimate == pytest.approx(0.3)
    assert fit_line(on_line[:1].repeat(3, axis=0), 4, 100) is None


def test_shares_of_0_and_1_stay_finite():
    points = np.array([[0.0, 0.0], [1.0, 1.0]])
    line = fit_line(points, 1, 100)
    assert line is not None and np.isfinite([line.intercept, line.slope]).all()
    assert np.isfinite(residual_difference([points], [points], line, 100).estimate)


def test_points_are_read_from_what_training_kept(make_out):
    """The kept scenes alone count, at the end of training too."""
    out = make_out({"cnn": 3.0, "vit": 1.0}, seeds=(0,))
    kept = np.arange(50)
    for folder in (out / "runs").iterdir():
        for epoch in (2, 5):
            for probe in ("test", "background", "combined"):
                whole = read_predictions(folder / "predictions" / f"{probe}.parquet")
                part = rows_of(whole, np.isin(whole.ids, kept))
                logits = part.logits * np.float32(epoch == 5) + part.logits[::-1]
                place = folder / "trajectory" / f"epoch-{epoch:04d}" / f"{probe}.parquet"
                write_predictions(replace(part, logits=logits), place)
        record = json.loads((folder / "run.json").read_text())
        record |= {"trajectory": [2, 5], "num_epochs": 10}
        (folder / "run.json").write_text(json.dumps(record))
    found = compare_trajectories(out, read_study(out))
    last = [p for p in found["points"] if (p["model"], p["epoch"]) == ("cnn", 10)]
    test = read_predictions(out / "runs" / "cnn-s0-0000" / "predictions" / "test.parquet")
    clean = np.mean(test.logits[kept].argmax(axis=1) == test.targets[kept])
    assert [point["clean"] for point in last] == [clean, clean]
    assert {(p["probe"], p["arm"], p["largest"]) for p in last} == {
        ("combined", "mosaic", 4),
        ("background", "background", 1),
    }
    assert len(found["points"]) == 2 * 3 * 2 and found["pairs"][0]["num_checkpoints"] == 3
    assert found["pairs"][0]["raw"]["low"] is None and found["pairs"][0]["n"] == 50


def test_without_stored_checkpoints_there_is_nothing(make_out):
    out = make_out({"cnn": 3.0}, seeds=(0,))
    assert compare_trajectories(out, read_study(out)) == {"points": [], "pairs": []}
