"""What an answer scores that does not depend on the image."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from priorscope.evaluation import Predictions

_ALPHA = 0.001  # of the test that tells the labels' frequencies from equal ones


@dataclass(frozen=True, eq=False)
class Chance:
    """The score of an answer that does not depend on the image: the null of `b: chance`.

    Attributes
    ----------
    expected : mean score
    pmf : probability of each score 0 .. len(pmf) - 1; None where scores are not counts
    scores : float [n], of each example; None where every one of them is `expected`
    words : what it is, as a phrase
    """

    expected: float
    pmf: tuple[float, ...] | None = None
    scores: np.ndarray | None = None
    words: str = "any class, whatever the image"


def constant_answer(predictions: Predictions) -> tuple[Predictions, str]:
    """Answer every example alike, by how frequent the classes are; say in words what that is.

    The logits are the logarithms of the frequencies of the training labels
    (`predictions.class_counts`). Where those are not known they are the frequencies of the targets,
    if a chi-square test at 0.001 tells these from equal ones, and equal otherwise. Half an example
    is added to every class, so that none is impossible (Krichevsky and Trofimov 1981). Among
    classes of several to an image none is preferred.
    """
    n, num_classes = predictions.logits.shape
    counts = np.ones(num_classes)
    words = "any class, whatever the image"
    if predictions.targets.ndim == 1:
        known = predictions.class_counts is not None
        found = np.asarray(predictions.class_counts) if known else class_counts(predictions)
        if len(set(found.tolist())) > 1 and (known or unequal_classes(predictions)):
            counts = found + 0.5
            most = [predictions.class_names[i] for i in np.flatnonzero(found == found.max())]
            of = "training" if known else "test"
            words = f"the most frequent class of the {of} labels ({', '.join(most[:3])})"
            if len(most) > 1:
                words = words.replace("class", "classes, on average", 1)
    logits = np.log(counts / counts.sum())
    return replace(predictions, logits=np.tile(logits, (n, 1))), words


def constant_chance(
    metric: Callable[..., np.ndarray], predictions: Predictions, **parameters: Any
) -> Chance:
    """Return what `constant_answer` scores by a metric."""
    answer, words = constant_answer(predictions)
    scores = np.asarray(metric(answer, **parameters), dtype=float)
    same = bool(np.ptp(scores) == 0) if len(scores) else True
    return Chance(float(scores.mean()), scores=None if same else scores, words=words)


def class_counts(predictions: Predictions) -> np.ndarray:
    """Count the targets of each class, int [num_classes]; targets are class ids."""
    return np.bincount(predictions.targets, minlength=predictions.num_classes)


def unequal_classes(predictions: Predictions) -> bool:
    """Tell whether a chi-square test at 0.001 tells the classes' frequencies from equal ones."""
    from scipy.stats import chisquare

    if predictions.targets.ndim != 1 or not len(predictions):
        return False
    return bool(chisquare(class_counts(predictions)).pvalue < _ALPHA)
