"""Which seeds were trained to the end, and which learnt anything: by hand and by SciPy."""

import math

import pytest
from scipy.stats import binom

from priorscope.claims.training import judge_training


def judge(*seeds, num_epochs=3, num_images=1000, constant=0.1):
    epochs = [(number, epochs) for number, epochs in enumerate(seeds)]
    return judge_training(
        epochs, num_epochs=num_epochs, num_images=num_images, constant_accuracy=constant
    )


def trained(*accuracies, loss=1.0):
    return [(loss, accuracy) for accuracy in accuracies]


def test_seeds_that_went_to_the_end_and_learnt_have_no_obstacle():
    found = judge(trained(0.2, 0.5, 0.7), trained(0.2, 0.5, 0.6))
    assert found.obstacle == ""
    assert found.train_accuracy == pytest.approx(0.65)


def test_one_seed_that_learnt_nothing_is_named_and_not_averaged_away():
    found = judge(trained(0.2, 0.9, 0.99), trained(0.1, 0.1, 0.11), trained(0.2, 0.9, 0.98))
    assert list(found.not_learnt) == [1]
    assert "seed 1 (11.0 %) has not learnt" in found.obstacle
    assert "10.0 % of the best constant answer" in found.obstacle


@pytest.mark.parametrize("constant", [0.1, 0.9])
def test_the_border_is_the_exact_binomial_at_one_in_a_thousand(constant):
    first = int(binom.isf(0.001, 1000, constant)) + 1  # the first count that is above it
    below, above = (judge(trained(0, 0, k / 1000), constant=constant) for k in (first - 1, first))
    assert below.not_learnt and not above.not_learnt


def test_a_model_that_answers_the_commonest_class_has_learnt_nothing():
    assert judge(trained(0.9, 0.9, 0.9), constant=0.9).not_learnt
    assert not judge(trained(0.9, 0.9, 0.9), constant=0.5).not_learnt


def test_how_a_loss_comes_to_rest_decides_nothing():
    """What a schedule flattens is no convergence, and what still falls is no obstacle."""
    still_falling = [(3.0, 0.2), (2.0, 0.4), (1.0, 0.6)]
    assert judge(still_falling).obstacle == ""


@pytest.mark.parametrize(
    ("epochs", "words"),
    [
        ([], "has no record"),
        (trained(0.5, 0.6), "stopped after 2 of 3 epochs"),
        ([(1.0, 0.5), (math.inf, 0.5), (1.0, 0.5)], "not finite"),
    ],
)
def test_what_was_not_trained_to_the_end_is_named_by_seed(epochs, words):
    found = judge(trained(0.3, 0.5, 0.7), epochs)
    assert "seed 1" in found.obstacle and words in found.obstacle
