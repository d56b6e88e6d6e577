"""Of the answers by shape or by the other cue, the part by shape."""

import numpy as np

from priorscope.evaluation import Predictions
from priorscope.metrics._chance import Chance, constant_chance
from priorscope.metrics._cues import answers_by_cue
from priorscope.metrics._scale import Scale, share

_UNDECIDED = 0.5  # where no answer names either class


def shape_bias(predictions: Predictions) -> np.ndarray:
    """Return each image its part in s / (s + c): answers by shape and by the other cue.

    s and c are the shares of all images on which the target and the class of the other cue are
    answered (Geirhos et al. 2019, arXiv:1811.12231). Read it beside top-1, `cue_answers` and
    `neither_cue`: where both shares are small it says little, which its interval shows.

    Returns
    -------
    float [n] : the ratio plus each image's influence on it (the derivative by its weight), so that
        their mean is the ratio; 0.5 where no answer names either class

    Raises
    ------
    InputError : no condition `cue_class`; as `top1`
    """
    by_shape, by_cue = answers_by_cue(predictions, "shape_bias")
    decided = by_shape + by_cue
    if not decided.any():
        return np.full(len(decided), _UNDECIDED)
    ratio = by_shape.sum() / decided.sum()
    return ratio + (by_shape - ratio * decided) / decided.mean()


def chance(predictions: Predictions) -> Chance:
    """Return what the most frequent class scores, answered to every image."""
    return constant_chance(shape_bias, predictions)


def scale(predictions: Predictions) -> Scale:  # noqa: ARG001
    """Return a part of the decided answers, in percent."""
    return share("Shape bias")
