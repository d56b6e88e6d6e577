"""On how many images two networks answer alike."""

import numpy as np

from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.metrics import Scale, share, shares_of_top


def answer_agreement(a: Predictions, b: Predictions) -> np.ndarray:
    """Return whether two networks give the same answer to each image, right or wrong.

    Networks that are both right agree, so that agreement grows with accuracy: two networks that
    are right on shares p and q of all images agree on at least p + q - 1 of them. What is left when
    that is accounted for is `error_consistency`; with `of: answers` it is Cohen's kappa of this
    agreement. Geirhos et al. 2020 (arXiv:2006.16736) call the share the observed overlap.

    Returns
    -------
    float [n], 0 or 1; where several classes tie for the first place, the chance to agree when ties
        are broken at random

    Raises
    ------
    InputError : a logit is not finite
    """
    for each in (a, b):
        if not np.isfinite(each.logits).all():
            raise InputError("logits must be finite", where="logits", found="NaN or infinity")
    first = np.ones(len(a), dtype=int)
    return (shares_of_top(a.logits, first) * shares_of_top(b.logits, first)).sum(axis=1)


def scale() -> Scale:
    """Return percent of all images."""
    return share("Agreement of answers")
