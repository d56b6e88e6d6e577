"""Convergence: the relative change of the loss over the last tenth, by hand."""

import pytest

from priorscope.analysis.convergence import judge_training
from priorscope.study.spec import Convergence

STRICT = Convergence(loss_change=0.05, train_accuracy=0.99)


def judge(losses, accuracies=(0.5,), num_epochs=10, criterion=STRICT):
    return judge_training(losses, list(accuracies), num_epochs, criterion)


def test_the_last_tenth_of_ten_epochs_is_the_last_epoch():
    falling = [2.0] * 8 + [1.0, 0.96]
    assert judge([falling]).loss_change == pytest.approx(0.04)
    assert judge([falling]).converged
    still = judge([[2.0] * 8 + [1.0, 0.9]])
    assert not still.converged
    assert "still changed by 10.0 %" in still.reason and "at most 5 %" in still.reason
    assert not judge([[1.0] * 9 + [1.2]]).converged, "a loss that rises has not converged either"


def test_part_of_an_epoch_is_interpolated():
    """The last tenth of five epochs begins half way between the fourth and the fifth."""
    found = judge([[3, 2, 1.5, 1.0, 0.9]], num_epochs=5)
    assert found.loss_change == pytest.approx(0.05 / 0.95)


def test_seeds_are_averaged_and_each_must_end_its_schedule():
    up, down = [1.0] * 9 + [1.1], [1.0] * 9 + [0.9]
    assert judge([up, down], [0.4, 0.6]).loss_change == pytest.approx(0)
    assert judge([up, down], [0.4, 0.6]).train_accuracy == pytest.approx(0.5)
    short = judge([up, down[:7]], [0.4, 0.6])
    assert not short.converged and "after 7 of 10 epochs" in short.reason


def test_fitted_images_are_enough_and_one_epoch_is_not():
    assert judge([[1.0] * 9 + [0.5]], [0.995]).converged
    assert "one epoch" in judge([[1.0]], num_epochs=1).reason
    assert "no record" in judge([]).reason
    assert judge([[1.0] * 9 + [0.8]], criterion=Convergence(loss_change=0.25)).converged
