"""Answers to images that show cues of two classes."""

import numpy as np

from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.metrics._logits import check_class_ids, finite_logits
from priorscope.metrics._ties import shares_of_top

COLUMN = "cue_class"


def answers_by_cue(predictions: Predictions, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Return which answers name the target, and which the class of the other cue: float [n] each.

    Where classes tie for the first place, each counts by its share. An image without another cue
    has no answers by it.

    Raises
    ------
    InputError : there is no condition `cue_class`, or it names no class; as `top1`
    """
    check_class_ids(predictions, metric)
    if COLUMN not in predictions.conditions:
        raise InputError(
            f"{metric} needs images that show cues of two classes",
            where="conditions",
            found=", ".join(predictions.conditions),
            allowed=f"a condition {COLUMN}, as the probe cue_conflict has",
        )
    numbers = {name: number for number, name in enumerate(predictions.class_names)}
    named = predictions.conditions[COLUMN].tolist()
    if unknown := [name for name in named if name and name not in numbers]:
        raise InputError(f"{COLUMN} names no class", where="conditions", found=unknown[0])
    other = np.array([numbers.get(name, -1) for name in named])
    shares = shares_of_top(finite_logits(predictions), np.ones(len(predictions), dtype=int))
    rows = np.arange(len(shares))
    by_cue = np.where((other >= 0) & (other != predictions.targets), shares[rows, other], 0.0)
    return shares[rows, predictions.targets], by_cue
