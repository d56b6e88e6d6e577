"""Convergence: the relative change of the loss over the last tenth, by hand."""

import pytest

from priorscope.analysis.convergence import judge_training
from priorscope.study.spec import Convergence

CRITERION = Convergence(loss_change=0.05)


def judge(losses, accuracies=(0.5,), num_epochs=10, criterion=CRITERION):
    return judge_training(losses, list(accuracies), num_epochs, criterion)


def test_the_last_tenth_of_ten_epochs_is_the_last_epoch():
    """From 3 to 1 the loss falls by 2; its last step of 0.08 is 4 % of that, one of 0.2 is 10 %."""
    found = judge([[3.0] + [2.0] * 7 + [1.08, 1.0]])
    assert found.loss_change == pytest.approx(0.04) and found.converged
    still = judge([[3.0] + [2.0] * 7 + [1.2, 1.0]])
    assert not still.converged
    assert "still brought 10.0 %" in still.reason and "at most 5 %" in still.reason
    rising = judge([[3.0] + [0.8] * 8 + [1.0]])
    assert not rising.converged, "a loss that rises has not converged either"


def test_part_of_an_epoch_is_interpolated():
    """The last tenth of five epochs begins half way between the fourth and the fifth."""
    found = judge([[3, 2, 1.5, 1.2, 1.0]], num_epochs=5)
    assert found.loss_change == pytest.approx(0.1 / 2)


def test_an_even_pace_is_no_convergence():
    even = [2 - 0.01 * epoch for epoch in range(100)]
    assert judge([even], num_epochs=100).loss_change == pytest.approx(0.1, rel=0.02)


def test_seeds_are_averaged_and_each_must_end_its_schedule():
    up, down = [3.0] + [1.0] * 8 + [1.1], [3.0] + [1.0] * 8 + [0.9]
    assert judge([up, down], [0.4, 0.6]).loss_change == pytest.approx(0)
    assert judge([up, down], [0.4, 0.6]).train_accuracy == pytest.approx(0.5)
    short = judge([up, down[:7]], [0.4, 0.6])
    assert not short.converged and "after 7 of 10 epochs" in short.reason


def test_what_tells_nothing_is_no_convergence():
    assert "one epoch" in judge([[1.0]], num_epochs=1).reason
    assert "no record" in judge([]).reason
    assert "did not fall" in judge([[1.0] * 10]).reason
    flat = [[3.0] + [1.0] * 9]
    assert judge(flat).converged
    fitted = judge(flat, criterion=Convergence(train_accuracy=0.9))
    assert "accuracy 50.0 % (declared: at least 90 %)" in fitted.reason
    assert judge(flat, [0.95], criterion=Convergence(train_accuracy=0.9)).converged
