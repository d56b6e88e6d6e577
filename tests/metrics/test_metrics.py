import numpy as np
import pytest

from priorscope.components import companion
from priorscope.errors import InputError
from priorscope.evaluation import Predictions
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


def test_ties_go_to_the_lowest_class_id():
    tied = [[1, 1, 1], [0, 1, 1]]
    assert top1(predictions(tied, [0, 2])).tolist() == [1, 0]
    targets = multi_hot([{0, 2}, {0, 2}], 3)
    assert top_k_matching(predictions(tied, targets), k=2).tolist() == [1, 1]


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
    assert chance.pmf == pytest.approx([0.5, 0.5])


def test_chance():
    answer = predictions(np.zeros((3, 10)), [0, 1, 2])
    assert companion(top1, "chance")(answer).expected == 0.1
    four = predictions(np.zeros((2, 10)), multi_hot([{0, 1, 2, 3}, {3, 5, 7, 9}], 10))
    assert companion(top_k_matching, "chance")(four).expected == 1.6


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
