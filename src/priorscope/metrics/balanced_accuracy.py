"""Accuracy in which every class counts alike, however many of its images were tested."""

import numpy as np

from priorscope.evaluation import Predictions
from priorscope.metrics._chance import Chance, constant_chance
from priorscope.metrics._logits import check_class_ids
from priorscope.metrics._scale import Scale, share
from priorscope.metrics.top1 import top1


def balanced_accuracy(predictions: Predictions) -> np.ndarray:
    """Weigh top-1 scores so that their mean is the mean of the classes' accuracies.

    The mean over the classes that are present of the part of each that is recognised (Brodersen et
    al. 2010, doi:10.1109/ICPR.2010.764). A constant answer scores 1 / classes present, whatever
    their frequencies.

    Returns
    -------
    float [n], 0 .. n / (classes present x images of the example's class)

    Raises
    ------
    InputError : targets are multi-hot, or a logit is not finite
    """
    check_class_ids(predictions, "balanced_accuracy")
    counts = np.bincount(predictions.targets, minlength=predictions.num_classes)
    weights = len(predictions) / ((counts > 0).sum() * counts[predictions.targets])
    return weights * top1(predictions)


def chance(predictions: Predictions) -> Chance:
    """Return 1 / classes present: what any constant answer scores."""
    found = constant_chance(balanced_accuracy, predictions)
    return Chance(found.expected, words="any class, whatever the image")


def scale(predictions: Predictions) -> Scale:  # noqa: ARG001
    """Return a share, in percent."""
    return share("Balanced accuracy")
