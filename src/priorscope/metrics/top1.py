"""Top-1 accuracy."""

import numpy as np

from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.metrics._chance import Chance
from priorscope.metrics._logits import finite_logits


def top1(predictions: Predictions) -> np.ndarray:
    """Score 1 where the most likely class is the target, else 0.

    Among equal logits the lowest class id counts as the most likely.

    Returns
    -------
    float [n], 0 or 1

    Raises
    ------
    InputError : targets are multi-hot, or a logit is not finite
    """
    _check_class_ids(predictions)
    return (finite_logits(predictions).argmax(axis=1) == predictions.targets).astype(float)


def chance(predictions: Predictions) -> Chance:
    """Give 1 / num_classes: what naming any class, whatever the image, is right at on average."""
    _check_class_ids(predictions)
    return Chance(1 / predictions.num_classes)


def _check_class_ids(predictions: Predictions) -> None:
    if predictions.targets.ndim != 1:
        raise InputError(
            "top1 does not apply to multi-hot targets",
            found=f"targets of shape {list(predictions.targets.shape)}",
            allowed="one class id an example",
            hint="use top_k_matching",
        )
