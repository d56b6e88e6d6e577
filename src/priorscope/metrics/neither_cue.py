"""How often neither of two cues is answered."""

import numpy as np

from priorscope.evaluation import Predictions
from priorscope.metrics._chance import Chance, constant_chance
from priorscope.metrics._cues import answers_by_cue
from priorscope.metrics._scale import Scale, share


def neither_cue(predictions: Predictions) -> np.ndarray:
    """Score 1 where the most likely class is neither the target nor that of the other cue, else 0.

    Returns
    -------
    float [n], 0 .. 1

    Raises
    ------
    InputError : no condition `cue_class`; as `top1`
    """
    by_target, by_cue = answers_by_cue(predictions, "neither_cue")
    return np.clip(1 - by_target - by_cue, 0, 1)


def chance(predictions: Predictions) -> Chance:
    """Return what the most frequent class scores, answered to every image."""
    return constant_chance(neither_cue, predictions)


def scale(predictions: Predictions) -> Scale:  # noqa: ARG001
    """Return a share of the images, in percent."""
    return share("Answers by neither cue")
