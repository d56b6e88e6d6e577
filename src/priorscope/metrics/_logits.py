"""What every metric asks of logits."""

import numpy as np

from priorscope.errors import InputError
from priorscope.evaluation import Predictions


def finite_logits(predictions: Predictions) -> np.ndarray:
    """Give the logits, [n, num_classes], when all of them are finite.

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
