"""Classes that share a place in a ranking."""

import numpy as np

from priorscope.evaluation import Predictions


def shares_of_top(logits: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Return each class's chance to be among the k most likely, float [n, num_classes].

    Classes that tie for the last places share them: a ranking at random among equals.

    Parameters
    ----------
    logits : [n, num_classes], finite
    k : int [n], 1 .. num_classes
    """
    if (k == 1).all():
        last = logits.max(axis=1, keepdims=True)
    else:
        last = np.take_along_axis(-np.sort(-logits, axis=1), k[:, None] - 1, axis=1)
    above, tied = logits > last, logits == last
    places = k[:, None] - above.sum(axis=1, keepdims=True)
    return above + tied * (places / tied.sum(axis=1, keepdims=True))


def num_tied(predictions: Predictions) -> int:
    """Count the rows in which several classes share the largest logit."""
    largest = predictions.logits.max(axis=1, keepdims=True)
    return int(((predictions.logits == largest).sum(axis=1) > 1).sum())
