"""Mean cross-entropy: how improbable a model holds what is true."""

import numpy as np

from priorscope.evaluation import Predictions
from priorscope.metrics._chance import Chance, constant_chance
from priorscope.metrics._logits import check_class_ids, log_probabilities
from priorscope.metrics._scale import Scale

SOFTMAX = True  # takes one of the logits: rows of probabilities are given as their logarithms


def cross_entropy(predictions: Predictions) -> np.ndarray:
    """Score the negative logarithm of the target's probability; less is better.

    Logits pass through a softmax first. Rows of probabilities must be given as their logarithms.

    Returns
    -------
    float [n], nats, at least 0

    Raises
    ------
    InputError : targets are multi-hot, or a logit is not finite
    """
    check_class_ids(predictions, "cross_entropy")
    log_p = log_probabilities(predictions)
    return -log_p[np.arange(len(log_p)), predictions.targets]


def chance(predictions: Predictions) -> Chance:
    """Return what the classes' frequencies score, given as probabilities for every image."""
    return constant_chance(cross_entropy, predictions)


def scale(predictions: Predictions) -> Scale:  # noqa: ARG001
    """Return nats, from 0 on without an end."""
    return Scale("Cross-entropy", 0.0, None, "nats", "nats", 1.0, 3)
