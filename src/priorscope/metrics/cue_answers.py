"""How often the other cue is answered."""

import numpy as np

from priorscope.evaluation import Predictions
from priorscope.metrics._chance import Chance, constant_chance
from priorscope.metrics._cues import answers_by_cue
from priorscope.metrics._scale import Scale, share


def cue_answers(predictions: Predictions) -> np.ndarray:
    """Score 1 where the most likely class is that of the other cue, else 0.

    Of the probe `cue_conflict`: the share of answers by texture (or colour), of all answers.

    Returns
    -------
    float [n], 0 .. 1; 0 where an image shows no other cue

    Raises
    ------
    InputError : no condition `cue_class`; as `top1`
    """
    return answers_by_cue(predictions, "cue_answers")[1]


def chance(predictions: Predictions) -> Chance:
    """Return what the most frequent class scores, answered to every image."""
    return constant_chance(cue_answers, predictions)


def scale(predictions: Predictions) -> Scale:  # noqa: ARG001
    """Return a share of the images, in percent."""
    return share("Answers by the other cue")
