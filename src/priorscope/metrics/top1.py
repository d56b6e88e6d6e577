"""Top-1 accuracy."""

import numpy as np

from priorscope.evaluation import Predictions
from priorscope.metrics._chance import Chance, constant_chance
from priorscope.metrics._logits import check_class_ids, finite_logits
from priorscope.metrics._scale import Scale, share
from priorscope.metrics._ties import shares_of_top


def top1(predictions: Predictions) -> np.ndarray:
    """Score 1 where the most likely class is the target, else 0.

    Where m classes tie for the most likely and the target is among them, the score is 1 / m.

    Returns
    -------
    float [n], 0 .. 1

    Raises
    ------
    InputError : targets are multi-hot, or a logit is not finite
    """
    check_class_ids(predictions, "top1")
    shares = shares_of_top(finite_logits(predictions), np.ones(len(predictions), dtype=int))
    return shares[np.arange(len(shares)), predictions.targets]


def chance(predictions: Predictions) -> Chance:
    """Return what the most frequent class scores, answered to every image."""
    return constant_chance(top1, predictions)


def scale(predictions: Predictions) -> Scale:  # noqa: ARG001
    """Return a share of the images, in percent."""
    return share("Top-1 accuracy")
