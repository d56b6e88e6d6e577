"""What every metric asks of logits and targets."""

import numpy as np
from scipy.special import logsumexp

from priorscope.errors import InputError
from priorscope.evaluation import Predictions


def finite_logits(predictions: Predictions) -> np.ndarray:
    """Return the logits, [n, num_classes], when all of them are finite.

    Raises
    ------
    InputError : a logit is NaN or infinite; names the first such row
    """
    finite = np.isfinite(predictions.logits).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise InputError(
            "logits must be finite",
            where=f"row {row} (the first is 0), id {predictions.ids[row]}",
            found=predictions.logits[row].tolist(),
        )
    return predictions.logits


def check_class_ids(predictions: Predictions, metric: str) -> None:
    """Refuse targets of several classes an image.

    Raises
    ------
    InputError : targets are multi-hot
    """
    if predictions.targets.ndim != 1:
        present = predictions.targets.sum(axis=1)
        row = int(np.argmax(present > 1))
        raise InputError(
            f"{metric} does not apply to multi-hot targets",
            found=f"{present[row]} classes present in row {row} (the first is 0)",
            allowed="one class id an example",
            hint="use top_k_matching",
        )


def log_probabilities(predictions: Predictions) -> np.ndarray:
    """Return the logarithms of the softmax of the logits, float64 [n, num_classes].

    Raises
    ------
    InputError : as `finite_logits`
    """
    logits = finite_logits(predictions).astype(float)
    return logits - logsumexp(logits, axis=1, keepdims=True)
