from dataclasses import replace

import numpy as np
import pytest
import torch

from priorscope.components import companion
from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.metrics import chance_of, num_tied, scale_of, unequal_classes
from priorscope.metrics.balanced_accuracy import balanced_accuracy
from priorscope.metrics.cross_entropy import cross_entropy
from priorscope.metrics.expected_calibration_error import expected_calibration_error
from priorscope.metrics.top1 import top1
from priorscope.metrics.top_k_matching import top_k_matching


def predictions(logits, targets):
    logits = np.array(logits, dtype=np.float32)
    n, num_classes = logits.shape
    names = tuple(f"class {i}" for i in range(num_classes))
    return Predictions(logits, np.array(targets), np.arange(n), {"arm": np.full(n, "")}, names)


def multi_hot(rows, num_classes):
    return np.array([[c in row for c in range(num_classes)] for row in rows])


def test_top1_by_hand():
    answer = predictions([[0, 2, 1], [3, 2, 1], [0, 0, 5]], [1, 2, 2])
    assert top1(answer).tolist() == [1, 0, 1]


def test_a_tie_scores_its_expectation():
    """Whatever the classes are called: 1 by the number that tie, and shares of the last place."""
    tied = [[1, 1, 1], [0, 1, 1]]
    for targets in ([0, 2], [1, 1], [2, 2]):
        assert top1(predictions(tied, targets)) == pytest.approx([1 / 3, 1 / 2])
    assert top1(predictions(tied, [0, 0])) == pytest.approx([1 / 3, 0])
    two = multi_hot([{0, 2}, {0, 2}], 3)
    # Two of three places among equals: 2 x 2/3; then both places go to classes 1 and 2.
    assert top_k_matching(predictions(tied, two), k=2) == pytest.approx([4 / 3, 1])
    assert [num_tied(predictions(tied, [0, 0])), num_tied(predictions([[1, 2, 3]], [0]))] == [2, 0]


def test_ties_are_what_breaking_them_at_random_gives():
    rng = np.random.default_rng(0)
    logits = rng.integers(0, 3, (60, 6))
    rows = [set(rng.choice(6, size=3, replace=False)) for _ in range(60)]
    answer = predictions(logits, multi_hot(rows, 6))
    broken = [
        top_k_matching(predictions(logits + 0.1 * rng.random((60, 6)), answer.targets), k=2)
        for _ in range(4000)
    ]
    assert top_k_matching(answer, k=2) == pytest.approx(np.mean(broken, axis=0), abs=0.05)


def test_top_k_matching_by_hand():
    logits = [[9, 8, 7, 6, 5], [9, 8, 7, 6, 5], [1, 2, 3, 4, 5]]
    answer = predictions(logits, multi_hot([{0, 1}, {3, 4}, {4}], 5))
    assert top_k_matching(answer).tolist() == [2, 0, 1]
    assert top_k_matching(answer, k=4).tolist() == [2, 1, 1]


def test_top_k_matching_matches_a_loop():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(200, 10))
    rows = [set(rng.choice(10, size=rng.integers(1, 6), replace=False)) for _ in range(200)]
    most_likely = [set(np.argsort(row)[-4:]) for row in logits]
    expected = [len(named & present) for named, present in zip(most_likely, rows, strict=True)]
    assert top_k_matching(predictions(logits, multi_hot(rows, 10)), k=4).tolist() == expected


def test_class_ids_give_top_k_accuracy():
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(100, 6)), rng.integers(0, 6, 100)
    answer = predictions(logits, targets)
    assert np.array_equal(top_k_matching(answer), top1(answer))
    rank = (logits > logits[np.arange(100), targets][:, None]).sum(axis=1)
    assert np.array_equal(top_k_matching(answer, k=3), (rank < 3).astype(float))
    chance = companion(top_k_matching, "chance")(answer, k=3)
    assert chance.expected == pytest.approx(0.5)


def test_chance_of_equal_classes():
    answer = predictions(np.zeros((30, 10)), np.arange(30) % 10)
    found = companion(top1, "chance")(answer)
    assert (found.expected, found.scores) == (pytest.approx(0.1), None)
    four = predictions(np.zeros((2, 10)), multi_hot([{0, 1, 2, 3}, {3, 5, 7, 9}], 10))
    assert companion(top_k_matching, "chance")(four).expected == 1.6


def test_chance_is_the_best_constant_answer():
    """90 of 100 images in one class: naming it is right on 90 %."""
    targets = np.r_[np.zeros(90, dtype=int), np.ones(10, dtype=int)]
    answer = predictions(np.zeros((100, 2)), targets)
    found = companion(top1, "chance")(answer)
    assert found.expected == pytest.approx(0.9)
    assert found.scores.tolist() == (targets == 0).tolist()
    assert "most frequent class of the test labels (class 0)" in found.words
    assert companion(balanced_accuracy, "chance")(answer).expected == pytest.approx(0.5)


def test_chance_knows_the_training_labels_where_they_are_known():
    targets = np.arange(40) % 4
    answer = predictions(np.zeros((40, 4)), targets)
    of_two = companion(top1, "chance")(replace(answer, class_counts=(10, 30, 30, 20)))
    assert of_two.expected == pytest.approx(0.25)
    assert of_two.scores == pytest.approx(np.isin(targets, (1, 2)) / 2), "their mean, of two"
    of_one = companion(top1, "chance")(replace(answer, class_counts=(9, 30, 29, 20)))
    assert of_one.scores.tolist() == (targets == 1).tolist()
    assert "training labels (class 1)" in of_one.words
    entropy = companion(cross_entropy, "chance")(replace(answer, class_counts=(10, 10, 10, 10)))
    assert entropy.expected == pytest.approx(np.log(4))


def test_labels_that_could_be_equally_frequent_count_as_equal():
    """In `score` nothing is known of training: 12 of 20 is no evidence, 120 of 200 is."""
    few = predictions(np.zeros((20, 2)), np.r_[np.zeros(12, int), np.ones(8, int)])
    many = predictions(np.zeros((200, 2)), np.r_[np.zeros(135, int), np.ones(65, int)])
    assert companion(top1, "chance")(few).expected == pytest.approx(0.5)
    assert companion(top1, "chance")(many).expected == pytest.approx(0.675)
    assert [unequal_classes(few), unequal_classes(many)] == [False, True]


def test_balanced_accuracy_is_the_mean_of_the_classes_accuracies():
    rng = np.random.default_rng(0)
    targets = rng.choice(5, 300, p=[0.5, 0.3, 0.1, 0.07, 0.03])
    answer = predictions(rng.normal(size=(300, 5)) + 2 * np.eye(5)[targets], targets)
    right = top1(answer)
    expected = np.mean([right[targets == c].mean() for c in range(5)])
    assert balanced_accuracy(answer).mean() == pytest.approx(expected)
    without = predictions(np.eye(3)[[0, 2, 2]], [0, 2, 2])
    assert balanced_accuracy(without).mean() == pytest.approx(1), "over the classes that are there"


def test_cross_entropy_is_pytorchs():
    rng = np.random.default_rng(0)
    logits, targets = 30 * rng.normal(size=(50, 7)), rng.integers(0, 7, 50)
    answer = predictions(logits, targets)
    expected = torch.nn.functional.cross_entropy(
        torch.from_numpy(answer.logits).double(), torch.from_numpy(targets), reduction="none"
    )
    assert cross_entropy(answer) == pytest.approx(expected.numpy())


def test_calibration_error_is_the_weighted_gap_of_the_bins():
    rng = np.random.default_rng(1)
    logits, targets = 2 * rng.normal(size=(400, 4)), rng.integers(0, 4, 400)
    answer = predictions(logits, targets)
    p = np.exp(answer.logits.astype(float))
    p /= p.sum(axis=1, keepdims=True)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == targets
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence > low) & (confidence <= low + 1 / 15)
        if inside.any():
            gap = right[inside].mean() - confidence[inside].mean()
            expected += inside.mean() * abs(gap)
    assert expected_calibration_error(answer).mean() == pytest.approx(expected)


def test_scales():
    ids = predictions(np.zeros((2, 10)), [0, 1])
    four = predictions(np.zeros((2, 10)), multi_hot([{0, 1, 2, 3}, {3, 5, 7, 9}], 10))
    one = predictions(np.zeros((2, 10)), multi_hot([{0}, {3}], 10))

    def scale(metric, answer, **more):
        return scale_of(metric, answer, metric.__name__, **more)

    assert (scale(top1, ids).low, scale(top1, ids).high, scale(top1, ids).symbol) == (0, 1, "%")
    assert (scale(top_k_matching, four).high, scale(top_k_matching, four).symbol) == (4, "of 4")
    assert scale(top_k_matching, one) == scale(top1, ids)
    assert scale(top_k_matching, ids, k=3).words == "Top-3 accuracy"
    nats = scale(cross_entropy, ids)
    assert (nats.low, nats.high, nats.symbol) == (0, None, "nats")
    assert nats.value(2.03) == "2.030"


def test_a_metric_that_says_nothing_of_itself_has_no_bounds_and_the_constant_answers_score():
    def margin(predictions):
        return np.diff(np.sort(predictions.logits, axis=1)[:, -2:], axis=1)[:, 0]

    answer = predictions([[0, 2, 5], [1, 1, 4]], [0, 1])
    found = scale_of(margin, answer, "./mine.py:my_margin")
    assert (found.low, found.high, found.words, found.symbol) == (None, None, "My margin", "")
    assert chance_of(margin, answer).expected == 0


def test_chance_of_rows_with_different_numbers_of_classes_by_simulation():
    rng = np.random.default_rng(0)
    targets = multi_hot([{0}, {0, 1, 2}, {4, 5}, {1, 2, 3}], 6)
    chance = companion(top_k_matching, "chance")(predictions(np.zeros((4, 6)), targets))
    drawn = predictions(rng.normal(size=(40_000, 6)), np.tile(targets, (10_000, 1)))
    scores = top_k_matching(drawn).astype(int)
    assert chance.expected == pytest.approx(scores.mean(), abs=0.02)
    assert chance.pmf == pytest.approx(np.bincount(scores, minlength=4) / len(scores), abs=0.01)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("metric", [top1, top_k_matching])
def test_logits_that_are_not_finite_are_refused_by_row(metric, bad):
    with pytest.raises(InputError, match="finite") as error:
        metric(predictions([[0, 1], [0, 1], [bad, 0]], [0, 1, 0]))
    assert "row 2" in str(error.value)


def test_metrics_that_do_not_fit_are_refused():
    several = predictions(np.zeros((2, 4)), multi_hot([{0, 1}, {2, 3}], 4))
    with pytest.raises(InputError, match="multi-hot"):
        top1(several)
    for k in (0, 5):
        with pytest.raises(InputError, match="k out of range"):
            top_k_matching(several, k=k)
    with pytest.raises(InputError, match="without a class"):
        top_k_matching(predictions(np.zeros((2, 4)), multi_hot([{0}, set()], 4)))
