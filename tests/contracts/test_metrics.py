"""What every packaged metric must do."""

import numpy as np
import pytest

from priorscope.components import companion, listing, resolve
from priorscope.errors import InputError
from priorscope.evaluation import Predictions

METRICS = sorted(listing("metrics"))


def predictions(multi_hot: bool, n: int = 4000) -> Predictions:
    rng = np.random.default_rng(0)
    hot = rng.permuted(np.tile(np.arange(10) < 4, (n, 1)), axis=1)
    return Predictions(
        logits=rng.normal(size=(n, 10)).astype(np.float32),
        targets=hot if multi_hot else rng.integers(0, 10, n),
        ids=np.arange(n),
        conditions={"arm": np.full(n, "a")},
        class_names=tuple("abcdefghij"),
    )


def applicable(metric):
    """Give the kinds of targets to which a metric applies; at least one."""
    found = []
    for multi_hot in (False, True):
        try:
            metric(predictions(multi_hot))
            found.append(multi_hot)
        except InputError:
            pass
    assert found
    return found


@pytest.mark.parametrize("name", METRICS)
def test_scores_every_example_and_chance_is_what_random_logits_get(name, tmp_path):
    metric = resolve("metrics", name, base=tmp_path)
    for multi_hot in applicable(metric):
        answers = predictions(multi_hot)
        scores = metric(answers)
        assert scores.shape == (4000,)
        chance = companion(metric, "chance")(answers)
        standard_error = scores.std() / np.sqrt(len(scores))
        assert abs(scores.mean() - chance.expected) < 4 * standard_error
        if chance.pmf is not None:
            assert sum(chance.pmf) == pytest.approx(1)


@pytest.mark.parametrize("name", METRICS)
def test_only_the_order_of_the_logits_counts(name, tmp_path):
    metric = resolve("metrics", name, base=tmp_path)
    for multi_hot in applicable(metric):
        answers = predictions(multi_hot)
        shifted = Predictions(
            3 * answers.logits + 7, answers.targets, answers.ids, answers.conditions,
            answers.class_names,
        )  # fmt: skip
        np.testing.assert_array_equal(metric(answers), metric(shifted))
