"""Whether two networks err on the same images more than their accuracies alone let expect."""

from typing import Literal

import numpy as np

from priorscope.evaluation import Predictions
from priorscope.measures._measurement import DoesNotApply
from priorscope.metrics import Scale, shares_of_top
from priorscope.metrics.top1 import top1

_NO_ROOM = 1e-12  # of agreement beyond what is expected


def error_consistency(
    a: Predictions, b: Predictions, *, of: Literal["right", "answers"] = "right"
) -> np.ndarray:
    """Return each image its part in Cohen's kappa of two networks.

    kappa = (c - e) / (1 - e), with c the share of images on which both networks are right or both
    are wrong (`right`), or on which they give the same answer (`answers`), and e what that share
    would be if they erred independently with the accuracies (or frequencies of answers) that they
    have: Geirhos et al. 2020 (arXiv:2006.16736); Cohen 1960 (Educ Psychol Meas 20:37). 0 is what
    independent errors give, 1 is the same errors.

    Networks of unequal accuracy cannot reach 1: see `ceiling`. Where several classes tie for the
    first place, each counts by its share, as if ties were broken at random.

    Returns
    -------
    float [n] : kappa plus each image's influence on it (the derivative by its weight), so that
        their mean is kappa, and their variance over images / n is its variance over other images

    Raises
    ------
    DoesNotApply : both networks give one answer only, or are right (or wrong) on every image
    InputError : targets are multi-hot, or a logit is not finite
    """
    if of == "right":
        x, y = (_two_columns(top1(each)) for each in (a, b))
    else:
        x, y = (_shares(each) for each in (a, b))
    agrees = (x * y).sum(axis=1)
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    observed, expected = float(agrees.mean()), float(mean_x @ mean_y)
    room = 1 - expected
    if room < _NO_ROOM:
        raise DoesNotApply(
            "two networks whose accuracies alone let them always agree have no such consistency",
            found=f"agreement expected: {expected:.6g}",
        )
    kappa = (observed - expected) / room
    of_expected = (x - mean_x) @ mean_y + (y - mean_y) @ mean_x
    return kappa + (agrees - observed) / room + (observed - 1) / room**2 * of_expected


def ceiling(accuracy_a: float, accuracy_b: float) -> float:
    """Return the largest kappa of being right that two networks of these accuracies can reach.

    They agree on at most 1 - |difference| of all images.
    """
    expected = accuracy_a * accuracy_b + (1 - accuracy_a) * (1 - accuracy_b)
    if expected >= 1:
        return 1.0
    return (1 - abs(accuracy_a - accuracy_b) - expected) / (1 - expected)


def scale(*, of: Literal["right", "answers"] = "right") -> Scale:
    """Return kappa, at most 1."""
    what = "Error consistency" if of == "right" else "Consistency of answers"
    return Scale(f"{what}, kappa", -1.0, 1.0, "", "", 1.0, 2)


def _two_columns(right: np.ndarray) -> np.ndarray:
    return np.stack([right, 1 - right], axis=1)


def _shares(predictions: Predictions) -> np.ndarray:
    return shares_of_top(predictions.logits, np.ones(len(predictions), dtype=int))
