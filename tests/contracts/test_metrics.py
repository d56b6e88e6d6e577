"""What every packaged metric must do."""

from dataclasses import replace

import numpy as np
import pytest

from priorscope.components import companion, listing, resolve
from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.metrics import Scale, constant_answer

METRICS = sorted(listing("metrics"))


def predictions(multi_hot: bool, n: int = 4000) -> Predictions:
    rng = np.random.default_rng(0)
    hot = rng.permuted(np.tile(np.arange(10) < 4, (n, 1)), axis=1)
    return Predictions(
        logits=rng.normal(size=(n, 10)).astype(np.float32),
        targets=hot if multi_hot else rng.integers(0, 10, n),
        ids=np.arange(n),
        conditions={"arm": np.full(n, "a"), "cue_class": rng.choice([*"abcdefghij", ""], n)},
        class_names=tuple("abcdefghij"),
    )


def applicable(metric):
    """Return the kinds of targets to which a metric applies; at least one."""
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
def test_chance_is_what_the_constant_answer_scores(name, tmp_path):
    metric = resolve("metrics", name, base=tmp_path)
    for multi_hot in applicable(metric):
        answers = predictions(multi_hot)
        scores = metric(answers)
        assert scores.shape == (4000,) and np.isfinite(scores).all()
        chance = companion(metric, "chance")(answers)
        constant, _ = constant_answer(answers)
        assert metric(constant).mean() == pytest.approx(chance.expected)
        if chance.scores is not None:
            assert chance.scores.mean() == pytest.approx(chance.expected)
        if chance.pmf is not None:
            assert sum(chance.pmf) == pytest.approx(1)
        assert chance.words


@pytest.mark.parametrize("name", METRICS)
def test_a_mean_lies_within_the_scale(name, tmp_path):
    metric = resolve("metrics", name, base=tmp_path)
    for multi_hot in applicable(metric):
        answers = predictions(multi_hot)
        scale = companion(metric, "scale")(answers)
        assert isinstance(scale, Scale) and scale.words
        right = (
            np.where(answers.targets, 9.0, 0.0) if multi_hot else 9 * np.eye(10)[answers.targets]
        )
        for logits in (answers.logits, right, -right):
            mean = metric(replace(answers, logits=logits.astype(np.float32))).mean()
            assert scale.low is None or mean >= scale.low - 1e-12
            assert scale.high is None or mean <= scale.high + 1e-12


@pytest.mark.parametrize("name", METRICS)
def test_how_classes_are_numbered_does_not_matter(name, tmp_path):
    """Ties included: logits of few values."""
    metric = resolve("metrics", name, base=tmp_path)
    order = np.random.default_rng(1).permutation(10)
    for multi_hot in applicable(metric):
        answers = predictions(multi_hot)
        answers = replace(answers, logits=np.round(answers.logits))
        targets = answers.targets[:, order] if multi_hot else np.argsort(order)[answers.targets]
        names = tuple(answers.class_names[k] for k in order)
        renamed = replace(
            answers, logits=answers.logits[:, order], targets=targets, class_names=names
        )
        np.testing.assert_allclose(metric(answers), metric(renamed), rtol=1e-12)
