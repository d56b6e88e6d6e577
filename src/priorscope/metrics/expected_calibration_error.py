"""Expected calibration error: how far a model's confidence lies from its accuracy."""

import numpy as np

from priorscope.evaluation import Predictions
from priorscope.metrics._chance import Chance, constant_chance
from priorscope.metrics._logits import check_class_ids, log_probabilities
from priorscope.metrics._scale import Scale, share
from priorscope.metrics.top1 import top1

SOFTMAX = True  # takes one of the logits: rows of probabilities are given as their logarithms


def expected_calibration_error(predictions: Predictions, *, num_bins: int = 15) -> np.ndarray:
    """Score accuracy minus confidence, signed so that a bin's mean is its gap.

    With bins of equal width, as in Guo et al. 2017 (arXiv:1706.04599), the error is the mean over
    examples of the absolute gap of their bin. An example's own part of it is (right - confidence)
    times the sign of the gap of its bin: these have the error as their mean, so that it can be
    inferred like any metric. The signs come from the same examples, which makes the error of a
    model that is calibrated well look larger than it is, by the order of sqrt(bins / examples).

    Parameters
    ----------
    num_bins : of confidence, 0 .. 1

    Returns
    -------
    float [n], -1 .. 1; their mean lies in 0 .. 1

    Raises
    ------
    InputError : targets are multi-hot, or a logit is not finite
    """
    check_class_ids(predictions, "expected_calibration_error")
    confidence = np.exp(log_probabilities(predictions).max(axis=1))
    gaps = top1(predictions) - confidence
    bins = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
    sign = np.sign(np.bincount(bins, weights=gaps, minlength=num_bins))
    return sign[bins] * gaps


def chance(predictions: Predictions, *, num_bins: int = 15) -> Chance:
    """Return what the classes' frequencies score, given as probabilities for every image."""
    return constant_chance(expected_calibration_error, predictions, num_bins=num_bins)


def scale(predictions: Predictions, *, num_bins: int = 15) -> Scale:  # noqa: ARG001
    """Return a share, in percent."""
    return share("Expected calibration error")
